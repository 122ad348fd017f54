"""Would the tests notice? Make small changes in the core, one at a time, and run the tests of its room: `make mutation`.

Cosmic Ray finds and applies the changes: a comparison turned, a number moved by one, an operator swapped. A fixed seed
draws as many from each part, at different places. What no test notices is listed in docs/mutation.md, and must be
killed by a test, or named as equivalent in `EQUIVALENT`, with a reason.
"""

import argparse
import os
import random
import re
import shutil
import sys
import tempfile
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

from cosmic_ray.commands import init
from cosmic_ray.mutating import mutate_and_test
from cosmic_ray.work_db import WorkDB, use_db
from cosmic_ray.work_item import MutationSpec, TestOutcome, WorkResult
from tables import table

ROOT = Path(__file__).parents[1]
SOURCE = "src/waste_risk"
# What is changed, and the tests that should notice.
PARTS = {
    "gates": (["validation/gates.py"], "tests/validation"),
    "splits": (["training/splits.py"], "tests/training"),
    "boosting": (["training/boosting.py"], "tests/training tests/model"),
    "calibration": (["model/calibration.py"], "tests/model"),
    "observations": (["observations"], "tests/observations"),
    "history": (["history"], "tests/features tests/observations"),
    "metrics": (["metrics"], "tests/metrics"),
    "cleaning": (["tables"], "tests/tables"),
}
SWAPS = {"Add_Sub", "Sub_Add", "Mul_Div", "Div_Mul", "FloorDiv_Div", "Mod_Div", "Pow_Mul", "BitAnd_BitOr", "BitOr_BitAnd"}
TURNS = {"Eq_NotEq", "NotEq_Eq", "Lt_LtE", "LtE_Lt", "Gt_GtE", "GtE_Gt", "Lt_Gt", "Gt_Lt", "LtE_GtE", "GtE_LtE"}
OPERATORS = {
    *(f"core/ReplaceBinaryOperator_{swap}" for swap in SWAPS),
    *(f"core/ReplaceComparisonOperator_{turn}" for turn in TURNS),
    *("core/ReplaceUnaryOperator_Delete_USub", "core/ReplaceUnaryOperator_Delete_Invert"),
    *("core/ReplaceUnaryOperator_Delete_Not", "core/ReplaceTrueWithFalse", "core/ReplaceFalseWithTrue"),
    *("core/ReplaceAndWithOr", "core/ReplaceOrWithAnd", "core/NumberReplacer"),
}
TIMEOUT_SECONDS = 900
# Changes that no test can notice: the changed line as it is afterwards, and why it is the same.
EQUIVALENT: dict[str, str] = {}


@dataclass(frozen=True)
class Change:
    """One small change, and the tests that were run on it."""

    part: str
    mutation: MutationSpec
    tests: str


@dataclass(frozen=True)
class Outcome:
    """What the tests said to a change."""

    part: str
    noticed: bool
    place: str
    before: str
    after: str


def main() -> None:
    """Draw the changes, run the tests on each, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--changes", type=int, default=104, help="in all; the same number for each part")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--parts", nargs="*", default=list(PARTS), choices=list(PARTS))
    parser.add_argument("--lanes", type=int, default=os.cpu_count() or 1, help="changes that are tried at a time")
    args = parser.parse_args()
    drawn = [draw(part, args.changes // len(PARTS), args.seed) for part in args.parts]
    changes = list(chain.from_iterable(zip(*drawn, strict=False)))
    with tempfile.TemporaryDirectory() as folder, ProcessPoolExecutor(args.lanes) as pool:
        outcomes = []
        tried = pool.map(_Try(Path(folder)), changes)
        for number, outcome in enumerate(tried, start=1):
            outcomes.append(outcome)
            sys.stdout.write(f"[{number}/{len(changes)}] {outcome.place} {'noticed' if outcome.noticed else 'SURVIVED'}\n")
            if not outcome.noticed:
                sys.stdout.write(f"    {outcome.before}\n    {outcome.after}\n")
            sys.stdout.flush()
    if args.parts == list(PARTS):
        (ROOT / "docs/mutation.md").write_text(render(outcomes, args.seed), encoding="utf-8")


def draw(part: str, n_changes: int, seed: int) -> list[Change]:
    """Draw changes of a part at different places: each place once, by one of the operators that fit it."""
    paths, tests = PARTS[part]
    modules = sorted(chain.from_iterable(_modules(ROOT / SOURCE / path) for path in paths))
    with use_db(":memory:", WorkDB.Mode.create) as found:
        init([path.relative_to(ROOT) for path in modules], found, {})
        mutations = [item.mutations[0] for item in found.work_items]
    random_ = random.Random(f"{seed} {part}")
    fitting = sorted(
        (each for each in mutations if each.operator_name in OPERATORS and not _is_annotation(each)),
        key=lambda each: (str(each.module_path), each.start_pos, each.operator_name, each.occurrence),
    )
    random_.shuffle(fitting)
    by_place = {(each.module_path, each.start_pos): each for each in fitting}
    places = sorted(by_place, key=str)
    return [Change(part, by_place[place], tests) for place in random_.sample(places, min(n_changes, len(places)))]


def _modules(path: Path) -> Iterable[Path]:
    return path.rglob("*.py") if path.is_dir() else [path]


def _is_annotation(mutation: MutationSpec) -> bool:
    """Whether a ``|`` is that of a type: no test can be expected to notice it, or the import fails."""
    line = (ROOT / mutation.module_path).read_text(encoding="utf-8").splitlines()[mutation.start_pos[0] - 1]
    return "BitOr" in mutation.operator_name and re.search(r"\| None\b|: .*\|.*[,)=]|-> ", line) is not None


class _Try:
    """Try a change in the lane of the process: a copy of the project."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __call__(self, change: Change) -> Outcome:
        lane = self._folder / str(os.getpid())
        if not lane.exists():
            kept = shutil.ignore_patterns(".git", ".venv*", "data", "mlruns", "logs", "__pycache__", "*.db", ".*_cache")
            shutil.copytree(ROOT, lane, ignore=kept)
        os.chdir(lane)
        os.environ["PYTHONPATH"] = str(lane / "src")
        python = ROOT / ".venv/bin/python"
        command = f"{python} -m pytest -x -q -p no:cacheprovider -p no:randomly {change.tests}"
        result = mutate_and_test([change.mutation], command, TIMEOUT_SECONDS)
        if result.test_outcome in {None, TestOutcome.INCOMPETENT}:
            raise RuntimeError(f"{change.mutation}: {result.output}")
        return _outcome(change, result)


def _outcome(change: Change, result: WorkResult) -> Outcome:
    lines = (result.diff or "").splitlines()
    before = [line[1:].strip() for line in lines if line.startswith("-") and not line.startswith("---")]
    after = [line[1:].strip() for line in lines if line.startswith("+") and not line.startswith("+++")]
    module = change.mutation.module_path.relative_to(SOURCE)
    place = f"{module}:{change.mutation.definition_name or change.mutation.start_pos[0]}"
    return Outcome(change.part, result.is_killed, place, " ".join(before), " ".join(after))


def render(outcomes: list[Outcome], seed: int) -> str:
    """Write the page: how many changes each part's tests noticed, and those that they did not."""
    survivors = [each for each in outcomes if not each.noticed]
    unexplained = [each for each in survivors if each.after not in EQUIVALENT]
    rows = [_row(part, [each for each in outcomes if each.part == part]) for part in PARTS]
    text = (
        "# Would the tests notice?\n\n"
        f"Generated by `make mutation` (seed {seed}). {len(outcomes)} small changes in the core, one at a time: a "
        "comparison turned, a number\nmoved by one, an operator swapped. "
        f"**{len(outcomes) - len(unexplained)} of {len(outcomes)} were noticed or are equivalent**; the goal is 92 of 100.\n\n"
        + table(("part", "changes", "noticed", "equivalent", "not noticed"), rows)
    )
    for title, kept in (("Equivalent", [s for s in survivors if s.after in EQUIVALENT]), ("Not noticed", unexplained)):
        lines = [(f"`{s.place}`", f"`{s.before}`", f"`{s.after}`", EQUIVALENT.get(s.after, "")) for s in kept]
        escaped = [tuple(cell.replace("|", "\\|") for cell in line) for line in lines]
        text += f"\n## {title}\n\n" + (table(("where", "before", "after", "why"), escaped) if lines else "None.\n")
    return text


def _row(part: str, outcomes: list[Outcome]) -> tuple[Any, ...]:
    equivalent = [each for each in outcomes if not each.noticed and each.after in EQUIVALENT]
    noticed = [each for each in outcomes if each.noticed]
    left = len(outcomes) - len(noticed) - len(equivalent)
    return part, str(len(outcomes)), str(len(noticed)), str(len(equivalent)), str(left)


if __name__ == "__main__":
    main()
