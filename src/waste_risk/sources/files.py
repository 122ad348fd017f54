"""Tables in other people's files: Parquet or CSV, one file, a folder of parts, or a glob. They are only read.

What cannot be read for certain is refused in one line that names the file, the column and the number of rows.
"""

from collections.abc import Mapping
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from waste_risk.errors import ContractError
from waste_risk.sources.csv_files import CSV, CSVOptions, is_csv, read_csv
from waste_risk.sources.text_columns import Kind, parse_columns

PARQUET = (".parquet", ".pq")
_UNNAMED_INDEX = r"__index_level_\d+__"  # pandas writes one that nobody has named
_GLOB = frozenset("*?[")


def read_table(place: str, kinds: Mapping[str, Kind] | None = None, options: CSVOptions | None = None) -> pd.DataFrame:
    """Read a table from all files of a place, part after part in the order of their names.

    Args:
        place: a file, a folder of parts, a glob, or a path without its ending: ``exports/items`` for ``items.csv``.
        kinds: the columns that the table must have, and what CSV texts in each of them mean; if None, any columns, and
            their values tell.
        options: what CSV files do not say for certain.

    Raises:
        ContractError: nothing is there, parts differ, or a value cannot be read for certain.
    """
    parts = find_parts(place)
    if not is_csv(parts[0]):
        return _read_parquet(parts)
    options = options or CSVOptions()
    texts = [read_csv(part, kinds, options) for part in parts]
    _refuse_other_columns(parts, [text.table.schema for text in texts])
    decimals = [text.may_group_by_point for text in texts]
    table = pa.concat_tables([text.table.select(texts[0].table.column_names) for text in texts])
    columns = parse_columns(place, table, kinds or {}, options, may_group_by_point=any(decimals))
    return pd.DataFrame(columns)


def find_parts(place: str) -> list[Path]:
    """Return the files of a place, by name.

    Raises:
        ContractError: there is none, or files of two formats.
    """
    path = Path(place)
    if path.is_file():
        found = [path]
    elif path.is_dir():
        found = [each for each in sorted(path.iterdir()) if _is_table(each)]
    elif _GLOB & set(place):
        anchor = Path(path.anchor or ".")
        found = [each for each in sorted(anchor.glob(str(path.relative_to(path.anchor)))) if _is_table(each)]
    else:
        found = [each for ending in (*PARQUET, *CSV) if (each := path.with_name(path.name + ending)).is_file()]
        if len(found) > 1:
            raise ContractError(f"{place}: {' and '.join(each.name for each in found)} are both there; keep one")
    if not found:
        raise ContractError(f"{place} {_why_nothing(path)}")
    if len({is_csv(each) for each in found}) > 1:
        raise ContractError(f"{place} holds Parquet and CSV files ({len(found)} files); keep those of one format")
    return found


def _is_table(path: Path) -> bool:
    return path.is_file() and path.name[0] not in "._" and (path.suffix in PARQUET or is_csv(path))


def _why_nothing(path: Path) -> str:
    endings = ", ".join((*PARQUET, *CSV))
    if path.is_dir():
        folders = sorted(each.name for each in path.iterdir() if each.is_dir())
        raw = {"households", "items", "events"} <= set(folders)
        return f"holds no table (files ending in {endings}){'; is it a folder of raw tables?' if raw else ''}"
    return f"does not exist, nor a file of this name with an ending of {endings}, nor a folder"


def _read_parquet(parts: list[Path]) -> pd.DataFrame:
    tables = [_read_part(part) for part in parts]
    _refuse_other_columns(parts, [table.schema for table in tables])
    first = tables[0].schema
    for part, table in zip(parts[1:], tables[1:], strict=True):
        for name in first.names:
            _refuse_other_type(part, name, table.schema.field(name).type, parts[0], first.field(name).type)
    arranged = [table.select(first.names) for table in tables]
    table = pa.concat_tables(arranged, promote_options="permissive")
    frame: pd.DataFrame = table.to_pandas(ignore_metadata=True, split_blocks=True, self_destruct=True)
    return frame


def _read_part(part: Path) -> pa.Table:
    fault = None
    try:
        table = pq.ParquetFile(part).read()
        index = [name for name in table.column_names if pd.Series([name]).str.fullmatch(_UNNAMED_INDEX).all()]
        return table.drop_columns(index)
    except PermissionError:
        fault = "is closed to this user"
    except (OSError, pa.ArrowException):
        fault = "cannot be read as a Parquet table; it is cut off, damaged or of another format"
    raise ContractError(f"{part} {fault}")


def _refuse_other_type(part: Path, name: str, kind: pa.DataType, first: Path, expected: pa.DataType) -> None:
    """Refuse parts of which one holds text where the other holds numbers; a column without any value fits all."""
    plain, wanted = (each.value_type if pa.types.is_dictionary(each) else each for each in (kind, expected))
    words = {_word(plain), _word(wanted)}
    if len(words - {"null"}) > 1:
        raise ContractError(
            f"{part}: the column {name} holds {_word(plain)}, and {_word(wanted)} in {first.name}; write all parts "
            "alike"
        )


def _word(kind: pa.DataType) -> str:
    if pa.types.is_null(kind):
        return "null"
    if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        return "numbers"
    if pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
        return "text"
    return "times" if pa.types.is_temporal(kind) else str(kind)


def _refuse_other_columns(parts: list[Path], schemas: list[pa.Schema]) -> None:
    for part, schema in zip(parts, schemas, strict=True):
        other = set(schema.names) ^ set(schemas[0].names)
        if other or len(schema.names) != len(set(schema.names)):
            more, fewer = len(other & set(schema.names)), len(other - set(schema.names))
            what = f"{more} columns more and {fewer} fewer than {parts[0].name}" if other else "two columns of one name"
            raise ContractError(f"{part} has {what}; write all parts alike")
