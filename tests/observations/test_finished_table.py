"""A finished table becomes a model input, whatever its columns are called; what it lacks is null and never made up."""

import datetime
from typing import Any

import numpy as np
import pandas as pd
import pytest

from waste_risk.errors import ContractError
from waste_risk.observations.finished_table import Assembled, assemble_finished_table, find_open_rows
from waste_risk.parameters import Columns, Observation
from waste_risk.tables.contracts import check_model_input

OBSERVATION = Observation(horizon_days=30, max_age_days=30, per_item=1)
ROLES: dict[str, Any] = {
    **dict.fromkeys(("item", "days", "label_known_on")),
    "household": "customer",
    "time": "month",
    "label": "churned",
    "ignored": (),
    "max_levels": 3,
}
TABLE = pd.DataFrame(
    {
        "customer": ["007", "008", "007", "009"],
        "month": pd.to_datetime(["2024-03-01", "2024-01-01", "2024-02-01", "2024-02-01"]),
        "plan": ["pro", None, "basic", "pro"],
        "calls": [3, 0, 1, 2],
        "active": [True, False, True, False],
        "sensitive_region": ["north", "south", None, "north"],
        "churned": [False, True, False, True],
    }
)


def assemble(table: pd.DataFrame, **roles: Any) -> Assembled:
    return assemble_finished_table(table, Columns(**{**ROLES, **roles}), OBSERVATION)


def test_rows_are_sorted_by_time_under_the_names_of_the_model_input() -> None:
    rows = assemble(TABLE).model_input
    assert rows["item_id"].tolist() == [1, 2, 3, 0]
    assert rows["household_id"].tolist() == ["008", "007", "009", "007"]
    assert rows["plan"].fillna("").tolist() == ["", "basic", "pro", "pro"]
    assert rows["calls"].tolist() == [0, 1, 2, 3]
    assert rows["active"].tolist() == [0, 1, 0, 1]
    assert rows["wasted"].tolist() == [True, False, True, False]
    assert rows["days_to_waste"].isna().all()
    assert (rows["label_known_on"] - rows["observed_on"] == pd.Timedelta(days=30)).all()
    assert rows["sensitive_region"].tolist() == ["south", "unknown", "north", "north"]
    assert [*rows] == [
        *("item_id", "household_id", "observed_on", "plan", "calls", "active"),
        *("wasted", "days_to_waste", "label_known_on", "sensitive_region"),
    ]
    pd.testing.assert_frame_equal(check_model_input(rows), rows)


@pytest.mark.parametrize(
    "labels",
    [[0, 1, 0, 1], [0.0, 1.0, 0.0, 1.0], ["no", "YES", "no", "yes"], ["False", "True", "False", "True"]],
)
def test_a_label_may_be_written_in_several_ways(labels: list[object]) -> None:
    assert assemble(TABLE.assign(churned=labels)).model_input["wasted"].tolist() == [True, False, True, False]


@pytest.mark.parametrize(
    "times",
    [
        TABLE["month"].dt.date,
        TABLE["month"].dt.strftime("%Y-%m-%d"),
        TABLE["month"].dt.tz_localize("UTC").dt.tz_convert("Asia/Kolkata"),
        [datetime.datetime(each.year, each.month, 1) for each in TABLE["month"]],  # noqa: DTZ001
    ],
    ids=["dates", "text", "another zone", "Python's"],
)
def test_a_time_may_be_written_in_several_ways(times: Any) -> None:
    rows = assemble(TABLE.assign(month=times)).model_input
    assert rows["observed_on"].tolist() == sorted(TABLE["month"])


def test_the_item_may_be_named_and_the_household_be_the_item() -> None:
    rows = assemble(TABLE, item="customer", household=None).model_input
    assert rows["household_id"].tolist() == rows["item_id"].tolist() == ["008", "007", "009", "007"]
    rows = assemble(TABLE, item="customer", household="customer").model_input
    assert rows["household_id"].tolist() == ["008", "007", "009", "007"]


def test_of_the_newest_horizon_no_row_is_kept_if_others_have_no_label_yet() -> None:
    """Those that have one already are the quick outcomes."""
    table = pd.concat([TABLE, TABLE.assign(month=TABLE["month"] + pd.Timedelta(days=90))], ignore_index=True)
    labels = table["churned"].astype("boolean")
    labels.iloc[[4, 6]] = pd.NA
    assembled = assemble(table.assign(churned=labels))
    assert assembled.n_without_label == 2
    assert assembled.n_too_early == 1  # 2024-05-01, 29 days before the newest; 2024-03-31 is mature
    assert sorted(assembled.model_input["observed_on"].dt.strftime("%m-%d")) == [
        *("01-01", "02-01", "02-01", "03-01", "03-31"),
    ]
    assert assembled.observed_until == pd.Timestamp("2024-05-30")


def test_rows_without_a_label_are_what_can_be_scored() -> None:
    labels = TABLE["churned"].astype("boolean").mask([True, False, True, False])
    rows = find_open_rows(TABLE.assign(churned=labels), Columns(**ROLES), OBSERVATION)
    assert rows["item_id"].tolist() == [0, 2]
    assert rows["plan"].tolist() == ["pro", "basic"]
    assert not {"wasted", "days_to_waste", "label_known_on"} & set(rows)
    alone = find_open_rows(TABLE.drop(columns="churned"), Columns(**{**ROLES, "days": "after"}), OBSERVATION)
    assert alone["item_id"].tolist() == [0, 1, 2, 3]
    with pytest.raises(ContractError, match=r"churned: each row has a label, none is open \(4 rows\)"):
        find_open_rows(TABLE, Columns(**ROLES), OBSERVATION)


def test_days_are_kept_of_rows_whose_label_is_true() -> None:
    rows = assemble(TABLE.assign(after=[1.0, 2.0, 3.0, 4.0]), days="after").model_input
    assert rows["days_to_waste"].fillna(-1).tolist() == [2, -1, 4, -1]
    pd.testing.assert_frame_equal(check_model_input(rows), rows)
    with pytest.raises(ContractError, match=r"days_to_waste: must be given when wasted.*\(1 of 4 rows\)"):
        check_model_input(assemble(TABLE.assign(after=[1.0, 2.0, 3.0, np.nan]), days="after").model_input)


def test_a_label_known_earlier_counts_as_known_when_the_horizon_is_over() -> None:
    known = TABLE.assign(known=TABLE["month"] + pd.to_timedelta([3, 30, 8, 1], unit="D"))
    rows = assemble(known, label_known_on="known").model_input
    assert "known" not in rows
    assert (rows["label_known_on"] - rows["observed_on"] == pd.Timedelta(days=30)).all()


LATE = TABLE["month"] + pd.to_timedelta([3, 31, 45, 1], unit="D")
REFUSED: dict[str, tuple[pd.DataFrame, dict[str, Any], str]] = {
    "a missing column": (TABLE, {"days": "after"}, r"lacks the columns after \(columns.days\) \(4 rows\)"),
    "a missing column to ignore": (TABLE, {"ignored": ("x",)}, r"x \(columns.ignored\)"),
    "no rows": (TABLE.iloc[:0], {}, r"must not be empty \(0 rows\)"),
    "numbers for times": (TABLE.assign(month=1), {}, r"month: must hold times for columns.time, is int64"),
    "an odd time": (TABLE.assign(month=["2024-01-01", "SECRET", "", "x"]), {}, r"must hold a time .* \(3 of 4 rows\)"),
    "a null time": (TABLE.assign(month=[pd.NaT, *TABLE["month"][1:]]), {}, r"must hold a time .* \(1 of 4 rows\)"),
    "an odd label": (TABLE.assign(churned=["SECRET", 1, 0, 2]), {}, r"churned: must hold true .* \(2 of 4 rows\)"),
    "no label": (TABLE.assign(churned=None), {}, r"no row has a label that is mature \(4 rows\)"),
    "a later label": (
        TABLE.assign(known=LATE),
        {"label_known_on": "known"},
        r"known: must lie at most observation.horizon_days = 30 .* largest distance is 45 \(2 of 4 rows\)",
    ),
    "text for days": (TABLE, {"days": "plan"}, r"plan: must hold numbers for columns.days"),
    "many levels": (
        TABLE.assign(plan=["1", "2", "3", "SECRET"]),
        {},
        r"plan: has 4 different texts, 3 of them numbers, more than columns.max_levels = 3",
    ),
    "a time as a feature": (TABLE.assign(since=TABLE["month"]), {}, r"since: is datetime64, which is no feature"),
    "a list as a feature": (TABLE.assign(since=[[1]] * 4), {}, r"since: is mixed, which is no feature"),
    "an infinite feature": (TABLE.assign(calls=[1, 2, 1e300, np.inf]), {}, r"calls: must be finite .*\(2 of 4 rows\)"),
    "an odd name": (TABLE.rename(columns={"plan": "pl,an"}), {}, "name of 1 columns may hold letters"),
    "the name of a key": (TABLE.rename(columns={"plan": "wasted"}), {}, "name of 1 columns is that of a key or label"),
    "no feature": (TABLE[["customer", "month", "churned"]], {}, "has no column left that could be a feature"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_a_column_must_hold_is_said_in_one_line_without_a_value(case: str) -> None:
    table, roles, reason = REFUSED[case]
    with pytest.raises(ContractError, match=reason) as refused:
        assemble(table, **roles)
    assert "SECRET" not in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_column_has_one_part() -> None:
    with pytest.raises(ValueError, match="one part only"):
        Columns(**{**ROLES, "days": "churned"})


def test_assembling_changes_no_argument() -> None:
    before = TABLE.copy(deep=True)
    assemble(TABLE)
    pd.testing.assert_frame_equal(TABLE, before)
