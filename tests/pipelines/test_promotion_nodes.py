"""Who is compared with whom, and on which rows."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from planted import OBSERVATION, RISK_CLASSES, TRAINING, plant

from waste_risk.errors import ContractError
from waste_risk.model.calibration import Calibrator
from waste_risk.model.predictor import RegisteredPredictor, WastePredictor
from waste_risk.parameters import Promotion, load
from waste_risk.pipelines.promotion.nodes import Comparisons, compare_contenders, decide_promotion
from waste_risk.promotion import Assignment, PromotionLog
from waste_risk.training.fit import fit_predictor
from waste_risk.validation.gates import GateDecision

PARAMS = load(Promotion, Path(__file__).parents[2] / "conf/base/parameters_promotion.yml").model_copy(
    update={"n_resamples": 1_000}
)
FOLDS = pd.DataFrame({"n_train": [1_000], "rounds_classifier": [5], "rounds_regressor": [5]})
ROWS = plant(2_000, seed=2, n_days=300)
VALIDATED = {"log_loss": 0.5, "log_loss_low": 0.49, "log_loss_high": 0.51}


def fit(n_days: int, threshold: float = 0.5) -> RegisteredPredictor:
    """Fit on days 0 to `n_days` - 1; the last label is known 30 days after the last one."""
    calibrator = Calibrator("isotonic", (0.0, 1.0), (0.0, 1.0))
    learnt = plant(1_000, n_days=n_days)
    fitted = fit_predictor(learnt, FOLDS, calibrator, threshold, TRAINING, RISK_CLASSES, OBSERVATION)
    return RegisteredPredictor(fitted, "1", "simulated", VALIDATED)


@pytest.fixture(scope="module")
def old() -> RegisteredPredictor:
    return fit(150)


@pytest.fixture(scope="module")
def new() -> RegisteredPredictor:
    return fit(200)


def verdict(challenger: RegisteredPredictor, *, approved: bool = True) -> GateDecision:
    return GateDecision(approved, (), (), challenger.predictor.sha256)


def compared(
    champion: RegisteredPredictor | None,
    challenger: RegisteredPredictor | None,
    about: RegisteredPredictor,
    reference: RegisteredPredictor | None = None,
    test: pd.DataFrame = ROWS,
) -> Comparisons:
    return compare_contenders(
        test=test,
        gate_decision=verdict(about),
        champion=champion,
        challenger=challenger,
        reference=reference,
        promotion=PARAMS,
    )


def changed(registered: RegisteredPredictor, **metadata: Any) -> RegisteredPredictor:
    predictor: WastePredictor = registered.predictor
    other = replace(predictor, metadata=predictor.metadata.model_copy(update=metadata))
    return registered._replace(predictor=other)


def test_both_score_the_rows_that_are_later_than_what_either_has_learnt_from(
    old: RegisteredPredictor, new: RegisteredPredictor
) -> None:
    for champion, challenger in ((old, new), (new, old)):
        found = compared(champion, challenger, challenger).champion
        assert found is not None
        assert (found.champion_sha256, found.challenger_sha256) == (
            champion.predictor.sha256,
            challenger.predictor.sha256,
        )
        known_on = new.predictor.metadata.labels_known_on
        assert found.n_rows == (ROWS["observed_on"] >= known_on).sum() < len(ROWS)
        assert pd.Timestamp(found.observed_from) >= known_on
    assert compared(old, new, new).champion_age_days == 50


def test_what_was_validated_of_the_champion_is_its_promise(old: RegisteredPredictor, new: RegisteredPredictor) -> None:
    for known, expected in ((VALIDATED, (0.5, 0.49, 0.51)), ({}, None)):
        found = compared(old._replace(validated=known), new, new).champion
        assert found is not None
        promised = found.promised_log_loss
        assert (promised and (promised.value, promised.low, promised.high)) == expected


def test_the_reference_is_compared_where_it_is_another_predictor(
    old: RegisteredPredictor, new: RegisteredPredictor
) -> None:
    reference = changed(old, threshold=0.4, data_hash="another")
    found = compared(old, new, new, reference)
    assert found.champion is not None
    assert found.reference is not None
    assert found.reference.champion_sha256 == reference.predictor.sha256
    assert found.reference.rows_sha256 == found.champion.rows_sha256
    for same in (old, new, None):
        assert compared(old, new, new, same).reference is None


def test_nothing_is_compared_without_two_predictors_of_which_one_is_the_verdicts(
    old: RegisteredPredictor, new: RegisteredPredictor
) -> None:
    assert compared(None, new, new) == Comparisons()
    assert compared(old, None, new) == Comparisons()
    assert compared(old, old, new) == Comparisons()
    assert compared(new, new, new).champion is None


def test_a_window_without_rows_that_both_have_not_seen_is_refused(
    old: RegisteredPredictor, new: RegisteredPredictor
) -> None:
    early = ROWS[ROWS["observed_on"] < new.predictor.metadata.labels_known_on]
    with pytest.raises(ContractError, match="^test.observed_on: no row lies on or after 2024-08-17, when all labels"):
        compared(old, new, new, test=early)


@pytest.mark.parametrize(
    ("difference", "message"),
    [({"horizon_days": 14}, "horizons of 14 and 30 days"), ({"feature_names": ("age_days",)}, "different features")],
)
def test_predictors_of_other_kinds_are_never_compared(
    old: RegisteredPredictor, new: RegisteredPredictor, difference: dict[str, Any], message: str
) -> None:
    with pytest.raises(ContractError, match=f"^champion and challenger cannot be compared: .*{message}"):
        compared(changed(old, **difference), new, new)


def test_a_person_may_replace_a_champion_of_another_kind_and_the_reason_stays_on_record(
    old: RegisteredPredictor, new: RegisteredPredictor
) -> None:
    found = compare_contenders(
        test=ROWS,
        gate_decision=verdict(new),
        champion=changed(old, feature_names=("age_days",)),
        challenger=new,
        reference=None,
        promotion=PARAMS.model_copy(update={"override": "a new feature"}),
    )
    assert found.champion is None
    assert str(found.problem).startswith("champion and challenger cannot be compared: they read different features")


class TestTheDecision:
    """From comparisons, verdict and log to the decision."""

    def decide(
        self, comparisons: Comparisons, about: RegisteredPredictor, champion: RegisteredPredictor | None, **options: Any
    ) -> Any:
        sha256 = None if champion is None else champion.predictor.sha256
        return decide_promotion(
            comparisons=comparisons,
            gate_decision=verdict(about, approved=options.get("approved", True)),
            training_run={"predictor_sha256": options.get("trained", about.predictor.sha256)},
            promotion_log=PromotionLog((), Assignment(None, None, None), sha256),
            promotion=PARAMS,
        )

    def test_it_is_about_the_compared_predictors(self, old: RegisteredPredictor, new: RegisteredPredictor) -> None:
        found = self.decide(compared(old, new, new), new, old)
        assert (found.champion_sha256, found.challenger_sha256) == (old.predictor.sha256, new.predictor.sha256)
        assert found.comparison.n_households > 0

    def test_the_first_predictor_needs_the_gates_alone(self, new: RegisteredPredictor) -> None:
        assert self.decide(Comparisons(), new, None).decision == "promote"
        assert self.decide(Comparisons(), new, None, approved=False).decision == "keep"

    def test_a_passed_predictor_that_is_not_the_registrys_challenger_is_refused(
        self, old: RegisteredPredictor, new: RegisteredPredictor
    ) -> None:
        with pytest.raises(ContractError, match="the registry's challenger is not the predictor that the gates "):
            self.decide(Comparisons(), new, old)

    def test_a_verdict_about_another_training_is_refused(self, new: RegisteredPredictor) -> None:
        with pytest.raises(ContractError, match="the verdict is about other bytes than the challenger's"):
            self.decide(Comparisons(), new, None, trained="other")
