"""The page's section on reading PantryPal's PostgreSQL."""

from typing import Any

from tables import table

_LABELS = {
    "copy_by_psql": "a bare `COPY` to memory (psql)",
    "copy_text": "the same, row by row (psycopg)",
    "copy_binary": "the same, binary",
    "copy_csv_to_arrow": "`COPY` as CSV, parsed by Arrow (psycopg, pyarrow)",
    "fetch_all": "`SELECT`, binary, to Python objects (psycopg)",
    "adbc_to_arrow": "`SELECT` to Arrow tables (ADBC): the client of the project",
    "load": "**households, items and events of the project**",
    "load_and_check": "the same, held against their contracts",
}
_MOST_TIMES, _MOST_GB = 2, 2


def postgres_section(groups: dict[str, Any]) -> str:
    """Time and memory of each way to read, beside a bare COPY of the same rows."""
    if "postgres" not in groups:
        return "## PantryPal's PostgreSQL\n\nReading it was not measured.\n"
    figures = groups["postgres"]["figures"]
    bare, ours, n = figures["copy_by_psql"], figures["load"], figures["rows"]
    rows = [
        (label, *(f"{each[name]:.1f}" for name in ("wall_s", "cpu_s")), f"{each['peak_mb'] / 1000:.2f}", f"{ratio:.2f}")
        for label, each, ratio in (
            (label, figures[name], figures[name]["wall_s"] / bare["wall_s"]) for name, label in _LABELS.items()
        )
    ]
    reached = ours["wall_s"] <= _MOST_TIMES * bare["wall_s"] and ours["peak_mb"] <= _MOST_GB * 1000
    return f"""## PantryPal's PostgreSQL

{n["pantry_entries"]:,} pantry entries with {n["consumption_logs"]:,} records of consumption and
{n["waste_events"]:,} of waste, on a server on the same machine; the fastest of three repeats, in turns. The goal is
{_MOST_TIMES} times the bare `COPY` of the same rows and {_MOST_GB} GB: {"reached" if reached else "**missed**"}. CPU
time is the client's alone.

{table(("", "seconds", "CPU seconds", "GB", "over the bare `COPY`"), rows)}"""
