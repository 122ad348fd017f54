"""What a user can set: one frozen section for each step, checked before any node runs.

The YAML files in ``conf`` are the only home of the values; this module holds names, types and bounds.
"""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, Self, TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from omegaconf import OmegaConf
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    TypeAdapter,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_core import PydanticCustomError

# Of records, and so of what is simulated: other dates are the zero of some clock, or seconds read as milliseconds.
FIRST_DAY, LAST_DAY = date(2000, 1, 1), date(2099, 12, 31)

Share = Annotated[float, Field(ge=0, le=1)]
OpenShare = Annotated[float, Field(gt=0, lt=1)]
ColumnName = Annotated[str, Field(min_length=1)]
Seed = Annotated[int, Field(ge=0, lt=2**31)]
Category = Literal["dairy", "produce", "meat", "grains", "canned", "frozen", "beverages"]
Storage = Literal["fridge", "freezer", "pantry"]
Scenario = Literal["usual", "drift", "leak", "noise", "new_households", "no_printed_dates", "dirty"]


class Section(BaseModel):
    """A named group of parameters: immutable, and strict about names it does not know.

    A section that renames a parameter lists the old name in ``RENAMED``, and refuses it with the new one; that of a
    parameter which moved to another section begins with the section's.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    RENAMED: ClassVar[Mapping[str, str]] = {}

    @model_validator(mode="before")
    @classmethod
    def _refuse_old_names(cls, values: Any) -> Any:
        for old, new in cls.RENAMED.items():
            if isinstance(values, Mapping) and old in values:
                raise PydanticCustomError("renamed", "{old} is now called {new}", {"old": old, "new": new})
        return values

    @field_validator("*", mode="before")
    @classmethod
    def _not_of_another_kind(cls, value: Any, info: ValidationInfo) -> Any:
        """Refuse what pydantic would convert although nobody means it: true as 1, 0 as the year 1970."""
        kind = cls.model_fields[str(info.field_name)].annotation
        if isinstance(value, bool) and kind in {int, float}:
            raise ValueError("should be a number")
        if isinstance(value, int | float) and kind is date:
            raise ValueError("should be a date such as 2024-01-31")
        return value


class DataGeneration(Section):
    """Size, seed, period and scenario of the simulated source."""

    n_households: int = Field(ge=1, le=10_000_000)
    n_items_per_household: float = Field(gt=0, le=5_000)
    seed: Seed
    period_days: int = Field(ge=180, le=3_650)
    starts_on: date = Field(ge=FIRST_DAY, le=LAST_DAY)
    scenario: Scenario

    @model_validator(mode="after")
    def _within_what_is_recorded(self) -> Self:
        if self.starts_on + timedelta(days=self.period_days) > LAST_DAY:
            raise ValueError(f"starts_on and period_days must not lead beyond {LAST_DAY}")
        return self


class Observation(Section):
    """When and how often an item is observed, and within how many days its waste counts."""

    RENAMED = {"max_look_days": "max_age_days", "looks_per_item": "per_item"}

    horizon_days: int = Field(ge=1, le=365)
    max_age_days: int = Field(ge=1, le=365)
    per_item: int = Field(ge=1, le=20)


class ObservedPeriod(Section):
    """Which observations are learned from: what happened before still tells of the household's history."""

    starts_on: date | None


class Cleaning(Section):
    """What is done about records that do not fit each other: each rule of `tables.cleaning_rules` has its parameter."""

    items_of_unknown_households: Literal["reject", "drop"]
    items_outside_the_period: Literal["reject", "drop"]
    items_expiring_before_purchase: Literal["reject", "drop", "repair"]
    items_eaten_more_than_bought: Literal["reject", "drop", "repair"]
    events_of_unknown_items: Literal["reject", "drop"]
    events_of_other_households: Literal["reject", "drop"]
    events_outside_the_period: Literal["reject", "drop"]
    events_before_purchase: Literal["reject", "drop", "repair"]
    duplicate_events: Literal["reject", "drop"]
    max_share: Share
    max_gap_days: int = Field(ge=1, le=3_650)


class Split(Section):
    """How the observations are split by time."""

    test_share: float = Field(gt=0, le=0.5)
    test_days: Annotated[int, Field(ge=1, le=3_650)] | None
    n_folds: int = Field(ge=2, le=20)


class LightGBM(Section):
    """The hyperparameters of one booster, under LightGBM's own names."""

    num_boost_round: int = Field(ge=1, le=20_000)
    early_stopping_round: int = Field(ge=1, le=1_000)
    num_leaves: int = Field(ge=2, le=4_096)
    learning_rate: float = Field(gt=0, le=1)
    feature_fraction: float = Field(gt=0, le=1)
    bagging_fraction: float = Field(ge=0.05, le=1)  # less would leave no row of a small window
    bagging_freq: int = Field(ge=0, le=100)
    max_depth: int = Field(ge=-1, le=64)
    min_data_in_leaf: int = Field(ge=1, le=100_000)
    lambda_l1: float = Field(ge=0, le=1_000)
    lambda_l2: float = Field(ge=0, le=1_000)
    max_bin: int = Field(ge=2, le=1_023)


class Training(Section):
    """How classifier and regressor are fitted."""

    classifier: LightGBM
    regressor: LightGBM
    is_unbalance: bool
    seed: Seed
    num_threads: int = Field(ge=1, le=1_024)
    device_type: Literal["cpu", "gpu", "cuda"]
    early_stopping_share: float = Field(gt=0, le=0.5)
    explain_rows: int = Field(ge=1, le=1_000_000)


class IntRange(Section):
    """Integers that the search may try, both ends included; equal ends fix the value."""

    low: int = Field(ge=1)
    high: int

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.low > self.high:
            raise ValueError("low must not lie above high")
        return self


class FloatRange(Section):
    """Numbers that the search may try, uniformly or, if ``log`` is true, uniformly in their logarithm."""

    low: float
    high: float
    log: bool

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.log and self.low <= 0:
            raise ValueError("low must be above 0 if log is true")
        if self.low > self.high:
            raise ValueError("low must not lie above high")
        return self


class Space(Section):
    """The search space of each hyperparameter, under LightGBM's own names."""

    num_leaves: IntRange
    learning_rate: FloatRange
    feature_fraction: FloatRange
    bagging_fraction: FloatRange
    min_data_in_leaf: IntRange
    lambda_l1: FloatRange
    lambda_l2: FloatRange
    max_depth: IntRange

    @field_validator("*")
    @classmethod
    def _known_to_lightgbm(cls, span: IntRange | FloatRange, info: ValidationInfo) -> IntRange | FloatRange:
        configured = TypeAdapter(LightGBM.model_fields[str(info.field_name)].rebuild_annotation())
        for end in ("low", "high"):
            try:
                configured.validate_python(getattr(span, end))
            except ValidationError:
                raise ValueError(f"{end} is not a valid value of training.classifier.{info.field_name}") from None
        return span


class Tuning(Section):
    """How the hyperparameters of the classifier are searched for."""

    n_trials: int = Field(ge=0, le=100_000)
    n_folds: int = Field(ge=2, le=20)
    seed: Seed
    keep_share: OpenShare
    n_workers: int = Field(ge=1, le=256)
    nested_runs: bool
    space: Space


class Calibration(Section):
    """How raw scores are converted to probabilities."""

    method: Literal["auto", "isotonic", "sigmoid"]


class Costs(Section):
    """The cost of each wrong decision about an item, from which the cheapest threshold follows."""

    false_alarm: float = Field(ge=0, le=1_000_000)
    missed_item: float = Field(ge=0, le=1_000_000)


class Validation(Section):
    """How metrics of the test window are computed; their gates are another section."""

    RENAMED = {"cost_of_false_alarm": "costs.false_alarm", "cost_of_missed_item": "costs.missed_item"}

    n_bins: int = Field(ge=2, le=200)
    n_resamples: int = Field(ge=0, le=100_000)
    confidence: OpenShare
    seed: Seed
    top_k: int = Field(ge=1, le=10_000_000)
    anderson_darling: bool
    trade_off_thresholds: tuple[OpenShare, ...]
    alerts_per_week: int = Field(ge=1, le=1_000)
    min_group_households: int = Field(ge=1, le=1_000_000)
    min_group_class: int = Field(ge=1, le=1_000_000)


class Baselines(Section):
    """The baselines that the model is compared with."""

    prior_rows: float = Field(gt=0, le=1_000)


class Gates(Section):
    """What a model must reach before it may be promoted; a gate that is null is off."""

    min_auc: Share
    min_precision_at_high_confidence: Share
    max_ece: Share
    max_cv_std: Share
    max_calibration_in_the_large: Share | None
    calibration_in_the_large_tolerance: Share
    high_confidence: OpenShare
    min_gain_over_baselines: Annotated[float, Field(ge=-1, le=1)] | None
    min_calibration_slope: Annotated[float, Field(ge=0, le=10)] | None
    max_calibration_slope: Annotated[float, Field(ge=0, le=10)] | None
    not_above_oracle: bool
    max_feature_precision: Share | None
    min_alerts: Annotated[int, Field(ge=0, le=10_000_000)] | None
    both_classes: bool
    max_group_calibration_gap: Share | None
    min_rows: Annotated[int, Field(ge=0, le=10_000_000)] | None
    min_wasted: Annotated[int, Field(ge=0, le=10_000_000)] | None
    judged_by: Literal["estimate", "bound"]
    on_failure: Literal["report", "fail"]

    @model_validator(mode="after")
    def _slopes_together(self) -> Self:
        low, high = self.min_calibration_slope, self.max_calibration_slope
        if (low is None) != (high is None):
            raise ValueError("min_calibration_slope and max_calibration_slope are both null, or neither")
        if low is not None and high is not None and low >= high:
            raise ValueError("min_calibration_slope must lie below max_calibration_slope")
        return self


class Promotion(Section):
    """When a challenger replaces the champion; gains are differences of log loss, in nats."""

    min_gain: float = Field(ge=0, le=1)
    margin: float = Field(gt=0, le=1)
    max_age_days: int = Field(ge=0, le=3_650)
    confidence: OpenShare
    n_resamples: int = Field(ge=100, le=100_000)
    seed: Seed
    override: Annotated[str, Field(min_length=1, max_length=500)] | None
    dry_run: bool

    @model_validator(mode="after")
    def _enough_beyond_the_bound(self) -> Self:
        fewest = 10 / (1 - self.confidence)  # five resamples beyond either end of the interval
        if self.n_resamples < fewest * (1 - 1e-9):
            raise ValueError(f"n_resamples must be at least {fewest:.0f} for this confidence")
        return self


class RiskClasses(Section):
    """The calibrated probabilities from which the risk is medium, and high."""

    medium_from: OpenShare
    high_from: OpenShare

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.medium_from >= self.high_from:
            raise ValueError("medium_from must lie below high_from")
        return self


class Scoring(Section):
    """At which moment the open items of a source are scored, and how much the page shows."""

    as_of: datetime | None
    champion_source: Annotated[str, Field(min_length=1)] | None
    page_households: int = Field(ge=1, le=10_000)

    @field_validator("as_of", mode="before")
    @classmethod
    def _is_written_as_a_moment(cls, value: Any) -> Any:
        if value is not None and not isinstance(value, date | str):
            raise ValueError("should be a moment such as 2024-01-31 or 2024-01-31T18:00")
        return value

    @field_validator("as_of")
    @classmethod
    def _within_what_is_recorded(cls, moment: datetime | None) -> datetime | None:
        if moment is not None and moment.tzinfo is not None:
            raise ValueError("should have no time zone: moments are in UTC")
        if moment is not None and not FIRST_DAY <= moment.date() <= LAST_DAY:
            raise ValueError(f"should lie between {FIRST_DAY} and {LAST_DAY}")
        return moment


class Monitoring(Section):
    """How the champion's predictions are followed after deployment, and what raises an alarm."""

    max_age_days: int = Field(ge=1, le=365)
    high_confidence: OpenShare
    n_bins: int = Field(ge=2, le=200)
    n_resamples: int = Field(ge=100, le=100_000)
    confidence: OpenShare
    seed: Seed
    reference_weeks: int = Field(ge=4, le=520)
    recent_weeks: int = Field(ge=1, le=52)
    alarm_confidence: OpenShare
    min_calibration_gap: Share
    min_log_loss_excess: float = Field(ge=0, le=10)
    min_expected_decay: float = Field(ge=0, le=10)
    min_psi: float = Field(gt=0, le=10)
    never_alerted_share: OpenShare
    alert_effect: OpenShare
    power: OpenShare

    @model_validator(mode="after")
    def _enough_beyond_the_limit(self) -> Self:
        fewest = 10 / (1 - self.alarm_confidence)  # five resamples beyond either end of the interval
        if self.n_resamples < fewest * (1 - 1e-9):
            raise ValueError(f"n_resamples must be at least {fewest:.0f} for this alarm_confidence")
        return self


class Columns(Section):
    """The names of a finished table's columns that are no features."""

    item: ColumnName | None
    household: ColumnName | None
    time: ColumnName
    label: ColumnName
    days: ColumnName | None
    label_known_on: ColumnName | None
    ignored: tuple[ColumnName, ...]
    max_levels: int = Field(ge=2, le=10_000)

    @model_validator(mode="after")
    def _each_of_its_own(self) -> Self:
        names = [*self.named().values(), *self.ignored]
        if self.item is not None and self.item == self.household:
            names.remove(self.item)
        if len(set(names)) < len(names):
            raise ValueError("must give each column one part only, except that item and household may be one")
        return self

    def named(self) -> dict[str, str]:
        """Return the columns that are named, by their part."""
        parts = ("item", "household", "time", "label", "days", "label_known_on")
        return {part: getattr(self, part) for part in parts if getattr(self, part) is not None}


class Grocy(Section):
    """How the words of a Grocy database are read, and what it does not record about its household."""

    time_zone: str
    household_size: int = Field(ge=1, le=100)
    children: Annotated[int, Field(ge=0, le=100)] | None
    income_band: Literal["low", "middle", "high", "unknown"]
    categories: dict[str, Category | None]
    storages: dict[str, Storage]

    @field_validator("time_zone")
    @classmethod
    def _is_known(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise ValueError("should be the name of a time zone such as UTC or Europe/Berlin") from None
        return name


class PantryPal(Section):
    """What PantryPal's words mean in our vocabulary, and the currency of its prices: options of catalog entries."""

    categories: Mapping[str, Category]
    storages: Mapping[str, Storage]
    currency: str | None


SECTIONS: dict[str, type[Section]] = {
    "data_generation": DataGeneration,
    "cleaning": Cleaning,
    "observation": Observation,
    "split": Split,
    "training": Training,
    "tuning": Tuning,
    "calibration": Calibration,
    "costs": Costs,
    "validation": Validation,
    "baselines": Baselines,
    "gates": Gates,
    "risk_classes": RiskClasses,
    "promotion": Promotion,
    "scoring": Scoring,
    "monitoring": Monitoring,
    "columns": Columns,
    "grocy": Grocy,
    "observed_period": ObservedPeriod,
}

AnySection = TypeVar("AnySection", bound=Section)


def load(section: type[AnySection], path: str | Path) -> AnySection:
    """Return one section of a parameters file, for use without Kedro.

    Args:
        section: the class of the section, such as ``Training``.
        path: of the file. A section or a reference such as ``${risk_classes.high_from}`` that it does not hold is
            looked up in the parameters files beside it.

    Raises:
        KeyError: the files have no such section.
        pydantic.ValidationError: a value is missing, unknown or out of range.
    """
    name = next(key for key, known in SECTIONS.items() if known is section)
    beside = sorted(Path(path).parent.glob("parameters*.yml"))
    config: Any = OmegaConf.merge(*map(OmegaConf.load, [*beside, path]))
    return section.model_validate(OmegaConf.to_container(config[name], resolve=True))
