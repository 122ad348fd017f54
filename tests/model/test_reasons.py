"""Why an item is at risk, in words."""

import math
import re

import numpy as np
import pandas as pd
import pytest
from planted import INDICATOR, NAMES, NUMBER, OBSERVATION, RISK_CLASSES, TRAINING, plant
from scipy.special import logit

from waste_risk.features import FEATURE_NAMES, FEATURES, Feature
from waste_risk.model import reasons
from waste_risk.model.calibration import Calibrator
from waste_risk.model.predictor import WastePredictor
from waste_risk.model.reasons import WITHHELD_TOPIC, describe, explain_items, find_reasons, find_wording, phrasing
from waste_risk.model.reasons.wordings import WORDINGS
from waste_risk.training.fit import fit_predictor

FOLDS = pd.DataFrame({"n_train": [2_000], "rounds_classifier": [40], "rounds_regressor": [5]})
RAW_NAME = re.compile("|".join(rf"\b{name}\b" for name in NAMES if "_" in name))


@pytest.fixture(scope="module")
def predictor() -> WastePredictor:
    calibrator = Calibrator("isotonic", (0.0, 1.0), (0.0, 1.0))
    return fit_predictor(plant(2_000), FOLDS, calibrator, 0.5, TRAINING, RISK_CLASSES, OBSERVATION)


@pytest.fixture(scope="module")
def rows() -> pd.DataFrame:
    return plant(100, seed=2)[NAMES]


def test_every_wording_is_that_of_a_feature() -> None:
    assert set(WORDINGS) <= set(FEATURE_NAMES)
    assert all(set(wording.parts) <= set(FEATURE_NAMES) for wording in WORDINGS.values())


NEW = [
    Feature("days_since_cooked", "float32", "item", "days since it was cooked; null if it never was"),
    Feature("is_gift", "float32", "item", "1 if it was a present, 0 if not; null if unknown"),
    Feature("household_pets", "float32", "household", "pets; null if unknown"),
]


@pytest.fixture
def with_new_features(monkeypatch: pytest.MonkeyPatch) -> None:
    """There are features that nobody has worded."""
    monkeypatch.setattr(reasons, "FEATURES", (*FEATURES, *NEW))


@pytest.mark.usefixtures("with_new_features")
@pytest.mark.parametrize(
    ("feature", "value", "sentence"),
    [
        ("days_since_cooked", 6.0, "Days since it was cooked: 6."),
        ("days_since_cooked", math.nan, "Days since it was cooked: unknown."),
        ("is_gift", 1.0, "It was a present: yes."),
        ("is_gift", 0.0, "It was a present: no."),
        ("is_gift", math.nan, "It was a present: unknown."),
    ],
)
def test_a_feature_without_a_wording_is_told_by_its_meaning(feature: str, value: float, sentence: str) -> None:
    assert describe(feature, {feature: value}) == sentence


def test_a_feature_without_a_wording_is_a_reason(
    predictor: WastePredictor, rows: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(WORDINGS, NUMBER)
    high = rows.assign(**{NUMBER: np.float32(2.0)})
    assert {sentences[0] for sentences in explain_items(predictor, high)} == {"Age as a share of life_days: 2."}


@pytest.mark.usefixtures("with_new_features")
def test_a_feature_of_the_household_without_a_wording_is_withheld() -> None:
    assert [find_wording(feature.name).topic for feature in NEW] == ["days_since_cooked", "is_gift", WITHHELD_TOPIC]


@pytest.mark.parametrize("feature", FEATURE_NAMES)
def test_a_value_becomes_a_plain_sentence(feature: str) -> None:
    for value in (0.0, 0.33, 1.0, 6.0, 47.0, -3.0, 365.0):
        sentence = describe(feature, dict.fromkeys(FEATURE_NAMES, value))
        assert re.fullmatch(r"[A-Z0-9-].*\.", sentence)
        assert not re.search(r"nan|None|[_{}]", sentence)


@pytest.mark.parametrize("feature", FEATURE_NAMES)
def test_without_a_value_no_number_is_told(feature: str) -> None:
    sentence = describe(feature, dict.fromkeys(FEATURE_NAMES, math.nan))
    assert re.search(r"unknown|not been|the first", sentence)
    assert not re.search(r"\d|nan", sentence)


def test_a_combined_feature_is_unknown_if_one_of_its_parts_is() -> None:
    values = {"category_waste_rate_by_life_used": 0.2, "category_waste_rate": 0.4, "life_used": math.nan}
    assert "unknown" in describe("category_waste_rate_by_life_used", values)
    told = describe("category_waste_rate_by_life_used", {**values, "life_used": 0.5})
    assert (
        told == "You usually throw away 4 in 10 items in this category, and 50 % of this item's shelf life has passed."
    )


@pytest.mark.parametrize(
    ("feature", "value", "sentence"),
    [
        ("days_since_opened", 6.0, "It has been open for 6 days."),
        ("days_since_opened", 1.0, "It has been open for 1 day."),
        ("category_waste_rate", 0.42, "You usually throw away 4 in 10 items in this category."),
        ("days_left", 3.0, "It expires in 3 days."),
        ("days_left", -2.0, "It expired 2 days ago."),
        ("days_left", 0.0, "It expires today."),
        ("expected_finish_minus_days_left", 12.4, "At your usual pace, it will be finished 12 days after it expires."),
        (
            "expected_finish_minus_days_left",
            -2.6,
            "At your usual pace, it will be finished 2.5 days before it expires.",
        ),
        ("is_in_freezer", 0.0, "You did not put it in the freezer."),
        ("cost_to_usual", 1.8, "It cost 1.8 times as much as you usually pay for this kind."),
        ("silence_to_usual", 2.0, "It has gone unused for twice as long as usual."),
        ("expected_uses_left", 1.0, "It will take about 1 more use to finish it."),
        ("open_items_past_date", 200.0, "You have 200 or more items past their printed date."),
        ("unit_price", 2.5, "It costs 2.50 per unit."),
        ("look_weekday", 6.0, "Today is a Sunday."),
        ("mean_days_between_uses", 0.3, "You use it more than once a day."),
    ],
)
def test_values_have_their_natural_units(feature: str, value: float, sentence: str) -> None:
    assert describe(feature, {feature: value}) == sentence


@pytest.mark.parametrize(
    ("written", "text"),
    [
        (phrasing.days(0.5), "less than a day"),
        (phrasing.days(0.8), "1 day"),
        (phrasing.days(2.4), "2.5 days"),
        (phrasing.days(6.4), "6 days"),
        (phrasing.days(89.4), "89 days"),
        (phrasing.days(365.0), "about 12 months"),
        (phrasing.every(1.0), "every day"),
        (phrasing.every(3.0), "every 3 days"),
        (phrasing.tenths(0.0), "fewer than 1 in 10"),
        (phrasing.tenths(0.06), "1 in 10"),
        (phrasing.tenths(0.94), "9 in 10"),
        (phrasing.tenths(1.0), "nearly all"),
        (phrasing.times("much")(1.03), "as much as"),
        (phrasing.times("long")(2.0), "twice as long as"),
        (phrasing.times("much")(1.8), "1.8 times as much as"),
        (phrasing.counted("item")(1.0), "1 item"),
        (phrasing.counted("item", 20)(20.0), "20 or more items"),
        (phrasing.amount(2.0), "2"),
        (phrasing.amount(10.0), "10"),
        (phrasing.amount(2.26), "2.3"),
    ],
)
def test_numbers_read_as_people_say_them(written: str, text: str) -> None:
    assert written == text


def test_all_topics_together_and_the_base_are_the_raw_score_in_log_odds(
    predictor: WastePredictor, rows: pd.DataFrame
) -> None:
    base = predictor.explain(rows)["base_value"]
    total = [sum(reason.contribution for reason in row) for row in find_reasons(predictor, rows)]
    assert total + base.to_numpy() == pytest.approx(logit(predictor.classifier.predict(rows)))


def test_a_topic_weighs_what_its_features_weigh_together(predictor: WastePredictor, rows: pd.DataFrame) -> None:
    contributions = predictor.explain(rows)
    topics = pd.Series({name: WORDINGS[name].topic for name in NAMES})
    expected = contributions[NAMES].T.groupby(topics).sum().T
    found = pd.DataFrame(
        [{reason.topic: reason.contribution for reason in row} for row in find_reasons(predictor, rows)],
        index=rows.index,
    )
    pd.testing.assert_frame_equal(found[expected.columns], expected, check_names=False, check_exact=False)


def test_the_reasons_are_the_topics_that_raise_the_risk_most(predictor: WastePredictor, rows: pd.DataFrame) -> None:
    for told, found in zip(explain_items(predictor, rows), find_reasons(predictor, rows), strict=True):
        assert [reason.contribution for reason in found] == sorted((r.contribution for r in found), reverse=True)
        assert told == [reason.sentence for reason in found if reason.raises and reason.topic != WITHHELD_TOPIC][:3]
        assert len({reason.topic for reason in found}) == len(found)


def test_a_topic_is_told_by_its_feature_that_pushes_most_its_own_way(
    predictor: WastePredictor, rows: pd.DataFrame
) -> None:
    contributions = predictor.explain(rows)[NAMES]
    topics = pd.Series({name: WORDINGS[name].topic for name in NAMES})
    for (_, row), found in zip(contributions.iterrows(), find_reasons(predictor, rows), strict=True):
        for reason in found:
            own = row[topics == reason.topic]
            assert reason.feature == (own.idxmax() if reason.raises else own.idxmin())


def test_the_planted_causes_are_the_explain_items(predictor: WastePredictor, rows: pd.DataFrame) -> None:
    high = rows.assign(**{NUMBER: np.float32(2.0), INDICATOR: np.float32(1.0)})
    low = rows.assign(**{NUMBER: np.float32(-2.0), INDICATOR: np.float32(0.0)})
    for row in explain_items(predictor, high, n=2):
        assert sorted(row) == ["200 % of its shelf life has passed.", "It is fruit or vegetables."]
    for found in find_reasons(predictor, low):
        assert (found[-1].feature, found[-1].raises) == (NUMBER, False)


def test_no_sentence_holds_a_raw_name_or_a_null(predictor: WastePredictor, rows: pd.DataFrame) -> None:
    gaps = rows.mask(np.random.default_rng(0).random(rows.shape) < 0.5)
    sentences = [sentence for row in explain_items(predictor, gaps, n=5) for sentence in row]
    assert len(sentences) > 300
    assert not [sentence for sentence in sentences if RAW_NAME.search(sentence) or "nan" in sentence]


def test_any_order_and_part_of_the_rows_gives_the_same_explain_items(
    predictor: WastePredictor, rows: pd.DataFrame
) -> None:
    backwards = rows.iloc[::-1]
    assert explain_items(predictor, backwards) == explain_items(predictor, rows)[::-1]
    assert explain_items(predictor, rows.head(1)) == explain_items(predictor, rows)[:1]
    assert explain_items(predictor, rows.head(0)) == []


def test_missing_features_are_named(predictor: WastePredictor, rows: pd.DataFrame) -> None:
    with pytest.raises(ValueError, match="life_used"):
        explain_items(predictor, rows.drop(columns="life_used"))


def test_who_lives_in_a_household_is_never_a_reason() -> None:
    rows = plant(2_000)
    telling = rows.assign(income_is_low=rows["wasted"].astype("float32"))
    calibrator = Calibrator("isotonic", (0.0, 1.0), (0.0, 1.0))
    predictor = fit_predictor(telling, FOLDS, calibrator, 0.5, TRAINING, RISK_CLASSES, OBSERVATION)
    poor = telling[telling["wasted"]].head(20)
    assert {row[0].topic for row in find_reasons(predictor, poor)} == {"household"}
    told = [sentence for row in explain_items(predictor, poor, n=80) for sentence in row]
    assert told
    assert not [sentence for sentence in told if re.search("income|household of|children", sentence)]
