"""The page of a moment: what is at risk, by category, day and household, and nothing by which a household is known."""

import html
import re

import pandas as pd
import pytest
from pantry_case import AS_OF, ROWS, items, make_champion, page, predictions
from predicted import PARAMS

from waste_risk.model.predictor import RegisteredPredictor
from waste_risk.parameters import Scoring
from waste_risk.reporting.console import summarise_scoring
from waste_risk.reporting.pantry import render_pantry


@pytest.fixture(scope="module")
def champion() -> RegisteredPredictor:
    return make_champion()


def words(source: str) -> str:
    """What a reader sees."""
    body = source[source.index("<body>") : source.index("<noscript>") if "<noscript>" in source else None]
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", body)))


def test_the_first_figures_are_those_of_all_items(champion: RegisteredPredictor) -> None:
    text = words(page(champion))
    assert "Open items on 2025-06-23, 18:00 UTC" in text
    assert "thrown away within 30 days" in text
    assert "Open items 7 of 4 households" in text
    assert "Alerts 4 probability of 0.400 or more" in text
    assert "High-confidence alerts 2 probability of 0.7 or more" in text
    assert "New alerts 3 not alerted" in text
    assert "Expected waste 3 items" in text


def test_each_category_has_its_items_its_alerts_and_its_expected_waste(champion: RegisteredPredictor) -> None:
    text = words(page(champion))
    assert "Dairy 1 1 1 0.9 Produce 3 2 0 1.3 Meat 1 1 1 0.7 Grains 1 0 0 0.0 Canned 1 0 0 0.1 Frozen 0 0 0 0.0" in text
    assert "All 7 4 2 3.0" in text


def test_alerts_stand_on_the_day_on_which_waste_is_expected(champion: RegisteredPredictor) -> None:
    """From 18:00, 3.4 days end on the 27th and 3.0 days on the 26th."""
    text = words(page(champion))
    start, end = text.index("Mon 2025-06-23"), text.index("Alerts of a household")
    assert text[start:end].split(" By ")[0].strip() == (
        "Mon 2025-06-23 1 0 0 1 0 0 0 0 Tue 2025-06-24 0 0 0 0 0 0 0 0 Wed 2025-06-25 1 1 0 0 0 0 0 0 "
        "Thu 2025-06-26 1 0 1 0 0 0 0 0 Fri 2025-06-27 1 0 1 0 0 0 0 0"
    )


def test_households_are_numbered_by_their_expected_waste_and_have_their_alerts_alone(
    champion: RegisteredPredictor,
) -> None:
    text = words(page(champion))
    assert "3 of the 3 households with alerts" in text
    assert "Household 1: 2 alerts, 1.8 items" in text
    assert "Household 2: 1 alert, 0.8 items" in text
    assert "Household 3: 1 alert, 0.4 items" in text
    first, second = (text.index(f"Household {number} Item") for number in (1, 2))
    alerts = text[first:second]
    assert alerts.index(
        "milk dairy alerted since 2025-06-20 90 % high confidence 2025-06-20 2025-06-27"
    ) < alerts.index(
        "<b>bananas</b> produce new alert 50 % 2025-06-20 no date 2025-06-27 in 3 days You bought 3 of it."
    )
    assert "It has gone unused for 9 days." in alerts
    assert "apples" not in text


def test_no_id_is_on_the_page(champion: RegisteredPredictor) -> None:
    numbers = set(re.findall(r"\d+", page(champion)))
    assert not numbers & {str(each) for row in ROWS for each in row[:2]}


def test_other_ids_give_the_same_page(champion: RegisteredPredictor) -> None:
    """So whoever knows all ids learns nothing from it."""
    other = predictions().assign(household_id=predictions()["household_id"].map(lambda each: 99 - each % 10))
    args = (items(), AS_OF, champion, PARAMS, Scoring(as_of=None, champion_source=None, page_households=200))
    assert render_pantry(other, *args) == page(champion)


def test_there_are_as_many_households_as_the_parameter_says(champion: RegisteredPredictor) -> None:
    source = page(champion, page_households=2)
    assert "2 of the 3 households with alerts" in words(source)
    assert source.count("<option") == source.count('class="household"') == 2
    assert "kale" not in source


def test_what_a_household_has_written_is_text(champion: RegisteredPredictor) -> None:
    assert "<b>bananas" not in page(champion)


def test_the_same_predictions_give_the_same_page(champion: RegisteredPredictor) -> None:
    assert page(champion) == page(champion)


def test_hindsight_is_told_where_the_model_has_learned_from_later_days(champion: RegisteredPredictor) -> None:
    known = pd.Timestamp(champion.predictor.metadata.observed_until) + pd.Timedelta(days=30)
    before = known - pd.Timedelta(days=1)
    assert f"Hindsight: the model has learned from what happened until {known:%Y-%m-%d}" in words(
        page(champion, as_of=before)
    )
    assert "Hindsight" not in page(champion)


def test_an_empty_pantry_is_told(champion: RegisteredPredictor) -> None:
    source = page(champion, rows=0)
    assert "No item is open at this moment." in words(source)
    assert "<script" not in source


def test_open_items_without_an_alert_are_told(champion: RegisteredPredictor) -> None:
    quiet = predictions().iloc[[6]]
    source = render_pantry(
        quiet, items(), AS_OF, champion, PARAMS, Scoring(as_of=None, champion_source=None, page_households=5)
    )
    assert "There are no alerts at this moment." in words(source)
    assert "<select" not in source


def test_the_closing_lines_say_what_was_scored(champion: RegisteredPredictor) -> None:
    lines = summarise_scoring(predictions(), items(), AS_OF, champion, PARAMS)
    assert lines == [
        "Scored:       7 open items of 4 households at 2025-06-23 18:00:00, by version 12 of the model",
        "Alerts:       4 at or above 0.400, 2 of them with high confidence, 3 new",
    ]
    past = pd.Timestamp("2024-06-01")
    lines = summarise_scoring(predictions(past), items(), past, champion, PARAMS)
    assert lines[-1].startswith("Hindsight:    the model has")


def test_how_many_items_are_older_than_any_that_models_learn_from_is_told(champion: RegisteredPredictor) -> None:
    later = pd.Timestamp("2025-07-20")  # the day on which all items are 30 days old
    assert "were bought more than" not in words(page(champion, as_of=later))
    assert len(summarise_scoring(predictions(later), items(), later, champion, PARAMS)) == 2
    later += pd.Timedelta(hours=1)
    assert "7 of the items were bought more than 30 days before." in words(page(champion, as_of=later))
    lines = summarise_scoring(predictions(later).head(3), items(), later, champion, PARAMS)
    assert lines[-1].startswith("Older:        3 of them were bought more than 30 days before; the model has learned")


def test_a_champion_of_another_source_is_named_on_the_page_and_on_the_terminal(champion: RegisteredPredictor) -> None:
    lent = champion._replace(is_lent=True)
    said = "Of another source: the model is the champion of the source simulated. It has learned nothing of these"
    assert said in words(page(lent))
    assert "Hindsight" not in words(page(lent))
    assert "Of another source" not in words(page(champion))
    lines = summarise_scoring(predictions(), items(), AS_OF, lent, PARAMS)
    assert lines[1].startswith("Champion:     of source simulated, as scoring.champion_source says; it was neither")
    assert not any(
        line.startswith("Champion:") for line in summarise_scoring(predictions(), items(), AS_OF, champion, PARAMS)
    )
