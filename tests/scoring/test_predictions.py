"""Open items at a moment: what is predicted of them, since when they are alerted, and why."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from planted import OBSERVATION, RISK_CLASSES, TRAINING, plant
from random_pantry import Pantry, random_pantry

from waste_risk.features import build_features
from waste_risk.model import explain_items
from waste_risk.model.calibration import Calibrator
from waste_risk.model.predictor import RegisteredPredictor
from waste_risk.observations.observe import open_items
from waste_risk.scoring import score_items
from waste_risk.tables.contracts import REASONS, check, empty_table
from waste_risk.training.fit import fit_predictor

MOMENT = pd.Timestamp("2024-06-10T09:30")
NONE_EARLIER = empty_table("predictions")[["as_of", "item_id", "is_alert"]]


@pytest.fixture(scope="module")
def champion() -> RegisteredPredictor:
    folds = pd.DataFrame({"n_train": [1_000], "rounds_classifier": [10], "rounds_regressor": [10]})
    calibrator = Calibrator("isotonic", (0.0, 0.2, 1.0), (0.01, 0.5, 0.99))
    predictor = fit_predictor(plant(1_000), folds, calibrator, 0.5, TRAINING, RISK_CLASSES, OBSERVATION)
    probability = predictor.predict(features_of(random_pantry(3)))["waste_probability"]
    return RegisteredPredictor(replace(predictor, threshold=float(probability.median())), "7", "simulated", {})


@pytest.fixture(scope="module")
def pantry() -> Pantry:
    return random_pantry(3)


def features_of(pantry: Pantry, moment: pd.Timestamp = MOMENT) -> pd.DataFrame:
    observations = open_items(pantry.items, pantry.events, moment)
    return build_features(observations, pantry.households, pantry.items, pantry.events)


def earlier(*rows: tuple[str, int, bool]) -> pd.DataFrame:
    """Moment, item, whether it was an alert."""
    frame = pd.DataFrame(rows, columns=["as_of", "item_id", "is_alert"])
    return frame.assign(as_of=frame["as_of"].astype("datetime64[us]"))


def test_the_predictions_are_those_of_the_champion_to_the_last_bit(
    champion: RegisteredPredictor, pantry: Pantry
) -> None:
    features = features_of(pantry)
    predictions = check("predictions", score_items(champion, features, NONE_EARLIER))
    assert len(predictions) > 20
    wanted = champion.predictor.predict(features)
    for name in ("waste_probability", "days_to_waste"):
        np.testing.assert_array_equal(predictions[name], wanted[name])
    assert predictions["risk_class"].tolist() == wanted["risk_class"].tolist()
    assert predictions["item_id"].tolist() == features["item_id"].tolist()
    assert set(predictions["as_of"]) == {MOMENT}
    assert set(predictions["model_version"]) == {"7"}
    assert set(predictions["predictor_sha256"]) == {champion.predictor.sha256}


def test_an_alert_is_a_probability_at_or_above_the_threshold_and_only_alerts_have_reasons(
    champion: RegisteredPredictor, pantry: Pantry
) -> None:
    features = features_of(pantry)
    predictions = score_items(champion, features, NONE_EARLIER)
    is_alert = predictions["is_alert"]
    assert 0 < is_alert.sum() < len(predictions)
    assert is_alert.equals(predictions["waste_probability"] >= champion.predictor.threshold)
    assert predictions.loc[~is_alert, list(REASONS)].isna().all(axis=None)
    told = [
        [each for each in row if isinstance(each, str)] for row in predictions.loc[is_alert, list(REASONS)].to_numpy()
    ]
    assert told == explain_items(champion.predictor, features[is_alert])
    assert any(told)


def test_an_item_whose_probability_is_the_threshold_is_an_alert(champion: RegisteredPredictor, pantry: Pantry) -> None:
    features = features_of(pantry)
    probability = champion.predictor.predict(features)["waste_probability"]
    exact = champion._replace(predictor=replace(champion.predictor, threshold=float(probability.iloc[5])))
    alerts = score_items(exact, features, NONE_EARLIER)["is_alert"]
    assert alerts.iloc[5]
    assert not alerts.all()


def test_an_alert_is_new_unless_it_was_one_before(champion: RegisteredPredictor, pantry: Pantry) -> None:
    features = features_of(pantry)
    first = score_items(champion, features, NONE_EARLIER)
    alerts, others = first.loc[first["is_alert"], "item_id"].tolist(), first.loc[~first["is_alert"], "item_id"].tolist()
    predictions = score_items(
        champion,
        features,
        earlier(
            ("2024-06-08", alerts[0], True),
            ("2024-06-06", alerts[0], True),
            ("2024-06-07", alerts[0], False),
            ("2024-06-08", alerts[1], False),
            ("2024-06-09", others[0], True),
            ("2024-06-10T09:30", alerts[2], True),  # at this moment, by another champion
            ("2024-06-11", others[1], True),  # of the future
            ("2024-06-09", -1, True),  # of an item that is no longer open
        ),
    ).set_index("item_id")["alerted_on"]
    assert predictions[alerts[0]] == pd.Timestamp("2024-06-06")
    assert predictions[alerts[1]] == predictions[alerts[2]] == MOMENT
    assert predictions[others[0]] == pd.Timestamp("2024-06-09")
    assert pd.isna(predictions[others[1]])
    assert predictions.drop(alerts[0]).loc[alerts[1:]].eq(MOMENT).all()


def test_what_happens_at_the_moment_or_later_changes_nothing(champion: RegisteredPredictor, pantry: Pantry) -> None:
    past = pantry._replace(
        items=pantry.items[pantry.items["purchased_on"] < MOMENT],
        events=pantry.events[pantry.events["occurred_on"] < MOMENT],
    )
    assert len(past.events) < len(pantry.events)
    assert len(past.items) < len(pantry.items)
    known = score_items(champion, features_of(pantry), NONE_EARLIER)
    assert known.equals(score_items(champion, features_of(past), NONE_EARLIER))


def test_a_pantry_without_an_open_item_has_no_predictions(champion: RegisteredPredictor, pantry: Pantry) -> None:
    long_ago = pantry.items["purchased_on"].min()
    predictions = score_items(champion, features_of(pantry, long_ago), earlier(("2024-01-01", 1, True)))
    assert predictions.empty
    assert check("predictions", predictions).columns.tolist() == empty_table("predictions").columns.tolist()


def test_it_leaves_its_arguments_as_they_are_and_gives_the_same_again(
    champion: RegisteredPredictor, pantry: Pantry
) -> None:
    features, before = features_of(pantry), earlier(("2024-06-09", 1, True))
    copies = features.copy(), before.copy()
    first = score_items(champion, features, before)
    assert features.equals(copies[0])
    assert before.equals(copies[1])
    assert first.equals(score_items(champion, features, before))


def test_ids_may_be_text(champion: RegisteredPredictor, pantry: Pantry) -> None:
    features = features_of(pantry)
    features = features.assign(item_id="item " + features["item_id"].astype("str"))
    first = score_items(champion, features, NONE_EARLIER)
    alerted = first.loc[first["is_alert"], "item_id"].iloc[0]
    before = pd.DataFrame({"as_of": [pd.Timestamp("2024-06-01")], "item_id": [alerted], "is_alert": [True]})
    again = check("predictions", score_items(champion, features, before)).set_index("item_id")
    assert again.loc[alerted, "alerted_on"] == pd.Timestamp("2024-06-01")


class TestTheContract:
    """What is true of predictions, whoever made them."""

    @pytest.fixture
    def predictions(self, champion: RegisteredPredictor, pantry: Pantry) -> pd.DataFrame:
        return score_items(champion, features_of(pantry), NONE_EARLIER)

    def broken(self, predictions: pd.DataFrame, **columns: object) -> str:
        with pytest.raises(ValueError) as refusal:  # noqa: PT011, its text is compared
            check("predictions", predictions.assign(**columns))
        return str(refusal.value)

    def test_broken_rules_are_named(self, predictions: pd.DataFrame) -> None:
        n = len(predictions)
        n_alerts = int(predictions["is_alert"].sum())
        assert self.broken(predictions, risk_class="huge") == (
            f"predictions.risk_class: must be one of low, medium, high ({n} of {n} rows)"
        )
        assert "predictions.waste_probability: must lie between 0 and 1" in self.broken(
            predictions, waste_probability=1.5
        )
        assert self.broken(predictions, alerted_on=pd.NaT) == (
            f"predictions.alerted_on: must not lie after as_of, and must be given for an alert ({n_alerts} of {n} rows)"
        )
        later = MOMENT + pd.Timedelta(days=1)
        assert "must not lie after as_of" in self.broken(predictions, alerted_on=later)
        assert self.broken(predictions, reason_1="You bought 2 of it.") == (
            f"predictions.reason_1, reason_2, reason_3: must be null unless it is an alert ({n - n_alerts} of {n} rows)"
        )
        assert "as_of, predictor_sha256, item_id: must be unique together" in self.broken(predictions, item_id=1)
