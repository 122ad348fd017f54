"""Tables come out of Parquet and CSV files equal to what was put in, and what has two readings is refused."""

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from waste_risk.adapters.files import FilesDataset
from waste_risk.errors import ContractError
from waste_risk.simulation import simulate
from waste_risk.sources.csv_files import CSVOptions
from waste_risk.sources.files import read_table
from waste_risk.tables.contracts import check

TABLES = ("households", "items", "events")
SIMULATED = simulate(n_households=40, n_items_per_household=30, seed=11)
# With texts that need quotes, in letters that are not ASCII.
ITEMS = SIMULATED.items.assign(product=SIMULATED.items["product"].map(lambda name: f'Crème "{name}", 1;2\tx'))
EXPECTED = {name: check(name, ITEMS if name == "items" else getattr(SIMULATED, name)) for name in TABLES}

Write = Callable[[pd.DataFrame, Path], object]


def add_separators(table: pd.DataFrame, path: Path) -> None:
    text = table.assign(product="plain").to_csv(index=False) if "product" in table else table.to_csv(index=False)
    path.write_text("\n".join(f"{line}," for line in text.splitlines()), encoding="utf-8")


def group_thousands(table: pd.DataFrame, path: Path) -> None:
    def written(number: float) -> str:
        return f"{number:,.6f}".replace(",", " ").replace(".", ",")

    numbers = {name: table[name].map(written, na_action="ignore") for name in table.select_dtypes("float64")}
    table.assign(**numbers).to_csv(path, index=False, sep=";")


def say_yes(table: pd.DataFrame, path: Path) -> None:
    words = {name: table[name].map({True: "YES", False: "no"}) for name in table.select_dtypes(["bool", "boolean"])}
    table.assign(**words).to_csv(path, index=False, sep="|", na_rep="NULL")


DIALECTS: dict[str, Write] = {
    "commas": lambda table, path: table.to_csv(path, index=False),
    "semicolons and decimal commas": lambda table, path: table.to_csv(path, index=False, sep=";", decimal=","),
    "tabs in UTF-16": lambda table, path: table.to_csv(path, index=False, sep="\t", encoding="utf-16"),
    "a byte-order mark and quotes": lambda table, path: table.to_csv(
        path, index=False, encoding="utf-8-sig", quoting=1
    ),
    "empty lines": lambda table, path: table.to_csv(path, index=False, lineterminator="\r\n\r\n"),
    "words for null and for true": say_yes,
    "spaces between thousands": group_thousands,
    "compressed": lambda table, path: table.to_csv(f"{path}.gz", index=False),
    "columns in another order": lambda table, path: table[table.columns[::-1]].to_csv(path, index=False),
}


def read(folder: Path, table: str) -> pd.DataFrame:
    return check(table, FilesDataset(str(folder), table).load()[EXPECTED[table].columns])


@pytest.mark.parametrize("dialect", DIALECTS)
def test_tables_in_csv_come_out_as_they_were_put_in(tmp_path: Path, dialect: str) -> None:
    for name, table in EXPECTED.items():
        DIALECTS[dialect](table, tmp_path / f"{name}.csv")
        pd.testing.assert_frame_equal(read(tmp_path, name), table)


def test_separators_at_the_end_of_lines_are_no_column(tmp_path: Path) -> None:
    for name in ("households", "events"):
        add_separators(EXPECTED[name], tmp_path / f"{name}.csv")
        pd.testing.assert_frame_equal(read(tmp_path, name), EXPECTED[name])


@pytest.mark.parametrize("ending", ["parquet", "csv"])
def test_a_folder_of_parts_is_one_table(tmp_path: Path, ending: str) -> None:
    for name, table in EXPECTED.items():
        (tmp_path / name).mkdir()
        for number, start in enumerate(range(0, len(table), -(-len(table) // 3))):
            part, path = table.iloc[start : start + -(-len(table) // 3)], tmp_path / name / f"part-{number}.{ending}"
            part.to_parquet(path) if ending == "parquet" else part.to_csv(path, index=False)
        (tmp_path / name / "_SUCCESS").touch()
        pd.testing.assert_frame_equal(read(tmp_path, name), table)


def test_a_glob_is_one_table_and_an_index_with_a_name_a_column(tmp_path: Path) -> None:
    table = EXPECTED["events"]
    for number in (1, 2):
        table.iloc[number::2].set_index("item_id").to_parquet(tmp_path / f"events-{number}.parquet")
    expected = pd.concat([table.iloc[1::2], table.iloc[2::2]], ignore_index=True)
    loaded = read_table(str(tmp_path / "events-*.parquet"))[table.columns]
    pd.testing.assert_frame_equal(check("events", loaded), expected)


def test_the_types_of_columns_that_nobody_has_named_follow_from_all_of_their_values(tmp_path: Path) -> None:
    (tmp_path / "any.csv").write_text(
        "customer;month;joined;active;usage;calls;plan;empty\n"
        "007;2024-01;31.12.2023 07:05;true;1.234,5;3;basic;\n"
        "008;2024-02;01.02.2024;FALSE;0,25;;2;\n"
    )
    table = read_table(str(tmp_path / "any.csv"))
    assert table["customer"].tolist() == ["007", "008"]
    assert table["month"].tolist() == [pd.Timestamp("2024-01-01"), pd.Timestamp("2024-02-01")]
    assert table["joined"].tolist() == [pd.Timestamp("2023-12-31T07:05"), pd.Timestamp("2024-02-01")]
    assert table["active"].tolist() == [True, False]
    assert table["usage"].tolist() == [1234.5, 0.25]
    assert table["calls"].fillna(-1).tolist() == [3, -1]
    assert table["plan"].tolist() == ["basic", "2"]
    assert table["empty"].isna().all()


@pytest.mark.parametrize(
    ("dates", "expected"),
    [
        (["2024-02-01T10:00:00Z", "2024-02-01T10:00:00+05:30"], ["2024-02-01T10:00", "2024-02-01T04:30"]),
        (["02/13/2024", "02/01/2024"], ["2024-02-13", "2024-02-01"]),
        (["13/02/2024 9:30", "01/02/2024"], ["2024-02-13T09:30", "2024-02-01"]),
        (["2024/2/1", "2024/12/31"], ["2024-02-01", "2024-12-31"]),
    ],
)
def test_dates_are_read_where_all_of_them_together_say_how(
    tmp_path: Path, dates: list[str], expected: list[str]
) -> None:
    pd.DataFrame({"at": dates, "x": 1}).to_csv(tmp_path / "dates.csv", index=False)
    assert read_table(str(tmp_path / "dates.csv"), {"at": "time", "x": "number"})["at"].tolist() == [
        pd.Timestamp(each) for each in expected
    ]


HEAD = "item_id,quantity,occurred_on,wasted\n"
KINDS = {"item_id": "identifier", "quantity": "number", "occurred_on": "time", "wasted": "truth value"}
REFUSED = {
    "two readings of a number": ('1,"1,500",2024-01-01,1', "column quantity .*thousands or with decimals.*1 of 1 rows"),
    "both marks": ('1,"1,5",2024-01-01,1\n2,2.5,2024-01-01,0', "column quantity has decimal commas.*of 2 rows"),
    "no number": ("1,SECRET,2024-01-01,1", r"column quantity holds something else than numbers.*\(1 of 1 rows\)"),
    "no truth": ("1,1,2024-01-01,SECRET", r"column wasted holds something else than true and false \(1 of 1 rows\)"),
    "two readings of a date": ("1,1,01/02/2024,1", r"day or month first.*date_format.*\(1 of 1 rows\)"),
    "two orders of a date": ("1,1,13/02/2024,1\n1,1,02/13/2024,1", r"day or month first.*\(2 of 2 rows\)"),
    "two formats of dates": ("1,1,2024-01-31,1\n1,1,31.01.2024,1", r"dates of 2 formats.*\(1 of 2 rows\)"),
    "no date": ("1,1,SECRET,1\n1,1,2024-01-01,1", r"something else than dates.*\(1 of 2 rows\)"),
    "no such day": ("1,1,2024-02-31,1", r"the calendar does not have.*\(1 of 1 rows\)"),
    "too many fields": ("1,1,2024-01-01,1,SECRET\n1,1,2024-01-01,1", "1 of 2 rows do not have the 4 fields.*row 1"),
    "an open quote": ('1,"SECRET,2024-01-01,1\n' * 3, "quote|fields"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_not_certain_is_refused_in_one_line_without_a_value(tmp_path: Path, case: str) -> None:
    rows, reason = REFUSED[case]
    (tmp_path / "events.csv").write_text(HEAD + rows + "\n")
    with pytest.raises(ContractError, match=reason) as refused:
        read_table(str(tmp_path / "events.csv"), KINDS)
    message = str(refused.value)
    assert "SECRET" not in message
    assert "\n" not in message
    assert message.startswith(str(tmp_path / "events.csv"))


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "is empty"),
        (b"\n\n", "is empty"),
        ("item_id,quantity,occurred_on,wasted\nCr\xe8me,1,2024-01-01,1\n".encode("latin-1"), "encoding: latin-1"),
        (b"item_id,quantity,quantity,wasted\n", "2 columns share a name"),
        (b"item_id,,quantity,wasted\n", "1 columns have no name"),
        (b"item_id,2024-01-31,7,wasted\n", "2 fields of the first line are numbers or dates; it must hold names"),
        (b"item_id,quantity,occurred_on\n1,2,2024-01-01\n", r"lacks the columns wasted \(1 rows\)"),
        (b"item_id,quantity,occurred_on,wasted,more\n", r"has 1 columns that the table does not have"),
        (b"7,1,2024-01-01,true\n", "first line holds none of the columns"),
    ],
)
def test_a_file_that_is_no_such_table_is_refused(tmp_path: Path, content: bytes, reason: str) -> None:
    (tmp_path / "events.csv").write_bytes(content)
    with pytest.raises(ContractError, match=reason):
        read_table(str(tmp_path / "events.csv"), KINDS)


def test_what_a_file_leaves_open_can_be_said(tmp_path: Path) -> None:
    text = 'item_id,quantity,occurred_on,wasted\nCr\xe8me,"1,500",01/02/2024,1\n'
    (tmp_path / "events.csv").write_bytes(text.encode("latin-1"))
    options = CSVOptions(encoding="latin-1", separator=",", decimal=",", date_format="%d/%m/%Y")
    (row,) = read_table(str(tmp_path / "events.csv"), KINDS, options).itertuples(index=False)
    assert row == ("Crème", 1.5, pd.Timestamp("2024-02-01"), True)


def test_parts_that_differ_are_refused(tmp_path: Path) -> None:
    pd.DataFrame({"a": [1.0], "b": ["x"]}).to_parquet(tmp_path / "1.parquet")
    pd.DataFrame({"a": ["SECRET"], "b": ["x"]}).to_parquet(tmp_path / "2.parquet")
    with pytest.raises(ContractError, match=r"2.parquet: the column a holds text, and numbers in 1.parquet"):
        read_table(str(tmp_path))
    pd.DataFrame({"a": [1.0]}).to_parquet(tmp_path / "2.parquet")
    with pytest.raises(ContractError, match="2.parquet has 0 columns more and 1 fewer than 1.parquet"):
        read_table(str(tmp_path))
    pd.DataFrame({"b": [None], "a": [2]}).to_parquet(tmp_path / "2.parquet")
    assert read_table(str(tmp_path))["a"].tolist() == [1.0, 2.0]
    (tmp_path / "3.csv").write_text("a,b\n1,2\n")
    with pytest.raises(ContractError, match="Parquet and CSV files"):
        read_table(str(tmp_path))


def test_a_place_without_a_table_is_named(tmp_path: Path) -> None:
    with pytest.raises(ContractError, match="items does not exist, nor a file of this name"):
        read_table(str(tmp_path / "items"))
    with pytest.raises(ContractError, match=r"holds no table \(files ending in .parquet"):
        read_table(str(tmp_path))
    for ending in ("csv", "parquet"):
        (tmp_path / f"items.{ending}").touch()
    with pytest.raises(ContractError, match=r"items.parquet and items.csv are both there; keep one"):
        read_table(str(tmp_path / "items"))
    with pytest.raises(ContractError, match="cannot be read as a Parquet table"):
        read_table(str(tmp_path / "items.parquet"))


def test_ids_beyond_64_bits_stay_text(tmp_path: Path) -> None:
    (tmp_path / "ids.csv").write_text("item_id,x\n9223372036854775808,1\n9223372036854775807,1\n")
    ids = read_table(str(tmp_path / "ids.csv"), {"item_id": "identifier", "x": "number"})["item_id"]
    assert ids.tolist() == ["9223372036854775808", "9223372036854775807"]
