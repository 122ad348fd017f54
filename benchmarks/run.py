"""Measure speed and memory, keep the figures in figures.json, and write docs/benchmarks.md: `make bench`."""

import argparse
import json
import os
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import measure
import measure_postgres
import measure_search
from render import render

ROOT = Path(__file__).parents[1]
FIGURES = Path(__file__).with_name("figures.json")
Group = Callable[[], dict[str, Any]]

_USUAL: dict[str, Group] = {
    "simulation": measure.simulation,
    "training": measure.training,
    "runs": measure.runs,
    "startup": measure.start,
    "validation": measure.validation,
    "scoring": measure.scoring,
}
_LARGE: dict[str, Group] = {"simulation_large": measure.simulation_large, "large": measure.large}
_SEARCH: dict[str, Group] = {"search_cost": measure_search.cost, "search_found": measure_search.held_out}
_POSTGRES: dict[str, Group] = {"postgres": measure_postgres.reading}  # make bench-postgres
GROUPS = _USUAL | _LARGE | _SEARCH | _POSTGRES


def main() -> None:
    """Measure the groups asked for; of the others the last figures stay."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--large", action="store_true", help="only 10 M simulated items and 1 M training rows")
    parser.add_argument("--search", action="store_true", help="only the search; its peers need requirements-bench.lock")
    parser.add_argument("--only", nargs="+", choices=GROUPS, help="only these groups")
    parser.add_argument("--page", action="store_true", help="measure nothing, write the page")
    chosen = parser.parse_args()
    names = chosen.only or ([] if chosen.page else _names(large=chosen.large, search=chosen.search))
    for name in names:
        sys.stdout.write(f"{name} …\n")
        sys.stdout.flush()
        keep(name, GROUPS[name]())
    page = render(kept())
    (ROOT / "docs/benchmarks.md").write_text(page, encoding="utf-8")
    sys.stdout.write(page)


def _names(*, large: bool, search: bool) -> list[str]:
    slow = [*(_LARGE if large else ()), *(_SEARCH if search else ())]
    return slow or list(_USUAL)


def kept() -> dict[str, Any]:
    """All groups that were ever measured: date, hardware and figures of each."""
    known: dict[str, Any] = json.loads(FIGURES.read_text(encoding="utf-8")) if FIGURES.exists() else {}
    return known


def keep(name: str, figures: dict[str, Any]) -> None:
    """Put a group's figures in place of its last ones."""
    group = {"date": datetime.now(UTC).date().isoformat(), "hardware": _hardware(), "figures": figures}
    text = json.dumps({**kept(), name: group}, indent=1, default=float)
    FIGURES.write_text(text + "\n", encoding="utf-8")


def _hardware() -> str:
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    return f"{_cpu_model()}, {os.cpu_count()} cores, {memory:.0f} GB"


def _cpu_model() -> str:
    path = Path("/proc/cpuinfo")
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), "CPU")


if __name__ == "__main__":
    main()
