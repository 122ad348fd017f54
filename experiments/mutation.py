"""Do the tests notice small changes in the core? `make mutation` makes one at a time, and runs the tests of its part.

Cosmic Ray finds and applies the changes: a comparison turned, a number moved by one, an operator swapped. A fixed seed
draws as many from each part, at different places. What no test notices is listed in docs/mutation.md: kill it with a
test and rerun it with `--survivors`, or name it in `EQUIVALENT`, with a reason.
"""

import argparse
import ast
import json
import os
import random
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass, replace
from itertools import chain
from pathlib import Path

from cosmic_ray.commands import init
from cosmic_ray.mutating import mutate_and_test, mutate_code
from cosmic_ray.plugins import get_operator
from cosmic_ray.work_db import WorkDB, use_db
from cosmic_ray.work_item import MutationSpec, TestOutcome
from tables import table

ROOT = Path(__file__).parents[1]
SOURCE = Path("src/waste_risk")
KEPT = ROOT / "benchmarks/mutation.json"
PAGE = ROOT / "docs/mutation.md"
TIMEOUT_SECONDS = 300  # a change that makes the tests run forever is noticed


@dataclass(frozen=True)
class Part:
    """Modules or folders that are changed, and the fast tests that should notice."""

    modules: tuple[str, ...]
    tests: tuple[str, ...]


PARTS = {
    "gates": Part(("validation/gates.py", "validation/gate_definition.py"), ("validation/test_gates.py",)),
    "splits": Part(("training/splits.py",), ("training/test_splits.py",)),
    "boosting": Part(("training/boosting.py",), ("training/test_boosting.py", "training/test_cross_validation.py")),
    "calibration": Part(("model/calibration.py",), ("model/test_calibration.py",)),
    "observations": Part(("observations",), ("observations",)),
    "history": Part(("history",), ("history", "features", "observations")),
    "metrics": Part(("metrics",), ("metrics",)),
    "cleaning": Part(("tables",), ("tables",)),
}
EVERY_PART = ("test_house.py",)  # that dataclasses are frozen
SWAPS = (
    "Add_Sub",
    "Sub_Add",
    "Mul_Div",
    "Div_Mul",
    "FloorDiv_Div",
    "Mod_Div",
    "Pow_Mul",
    "BitAnd_BitOr",
    "BitOr_BitAnd",
)
TURNS = ("Eq_NotEq", "NotEq_Eq", "Lt_LtE", "LtE_Lt", "Gt_GtE", "GtE_Gt", "Lt_Gt", "Gt_Lt", "LtE_GtE", "GtE_LtE")
OPERATORS = {
    *(f"core/ReplaceBinaryOperator_{swap}" for swap in SWAPS),
    *(f"core/ReplaceComparisonOperator_{turn}" for turn in TURNS),
    *("core/ReplaceUnaryOperator_Delete_USub", "core/ReplaceUnaryOperator_Delete_Invert"),
    *("core/ReplaceUnaryOperator_Delete_Not", "core/ReplaceTrueWithFalse", "core/ReplaceFalseWithTrue"),
    *("core/ReplaceAndWithOr", "core/ReplaceOrWithAnd", "core/NumberReplacer"),
}
# Changes that no test can notice: the place and the line as it is changed, and why nothing differs.
EQUIVALENT: dict[tuple[str, str], str] = {}


@dataclass(frozen=True)
class Outcome:
    """What became of one small change.

    Attributes:
        place: module and function.
        operator: of Cosmic Ray.
        before: the line.
        after: the line as it was changed.
        noticed: whether a test failed.
    """

    part: str
    place: str
    operator: str
    before: str
    after: str
    noticed: bool = False


Change = tuple[Outcome, MutationSpec]
Position = tuple[int, int]
Span = tuple[Position, Position]


def main() -> None:
    """Draw the changes, run the tests on each, keep the outcomes, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--changes", type=int, default=104, help="in all; the same number for each part")
    parser.add_argument("--seed", default="1")
    parser.add_argument("--parts", nargs="*", default=list(PARTS), choices=list(PARTS))
    parser.add_argument("--survivors", action="store_true", help="only what the last run with this seed did not notice")
    parser.add_argument("--lanes", type=int, default=os.cpu_count() or 1, help="changes that are tried at a time")
    args = parser.parse_args()
    kept = _read()
    last = kept.get(args.seed, [])
    again = [each for each in last if not each.noticed and each.part in args.parts]
    stay = [each for each in last if each.part not in args.parts or (args.survivors and each.noticed)]
    drawn = [draw(part, args.changes // len(PARTS), args.seed) for part in args.parts]
    changes = find_again(again) if args.survivors else list(chain.from_iterable(zip(*drawn, strict=False)))
    with tempfile.TemporaryDirectory() as folder, ProcessPoolExecutor(args.lanes) as pool:
        lane = _Lane(Path(folder))
        for failed in pool.map(lane.fail_unchanged, dict.fromkeys(outcome.part for outcome, _ in changes)):
            if failed:
                sys.exit(failed)
        for number, outcome in enumerate(pool.map(lane.test, changes), start=1):
            stay.append(outcome)
            _report(outcome, f"{number}/{len(changes)}")
            KEPT.write_text(_to_json({**kept, args.seed: stay}), encoding="utf-8")
    PAGE.write_text(render(_read()), encoding="utf-8")


def draw(part: str, n_changes: int, seed: str) -> list[Change]:
    """Draw changes of a part at different places: each place once, by one of the operators that fit it."""
    random_ = random.Random(f"{seed} {part}")
    fitting = find(part)
    random_.shuffle(fitting)
    by_place = {(str(each.module_path), each.start_pos): each for each in fitting}
    places = random_.sample(sorted(by_place), min(n_changes, len(by_place)))
    return [(_describe(part, by_place[place]), by_place[place]) for place in places]


def find(part: str) -> list[MutationSpec]:
    """Find every change that could be made in a part."""
    modules = sorted(chain.from_iterable(_modules(ROOT / SOURCE / path) for path in PARTS[part].modules))
    with use_db(":memory:", WorkDB.Mode.create) as found:
        init([path.relative_to(ROOT) for path in modules], found, {})
        mutations = [item.mutations[0] for item in found.work_items if item.mutations[0].operator_name in OPERATORS]
    operations = {path.relative_to(ROOT): _operations(path) for path in modules}
    real = [each for each in mutations if "Binary" not in each.operator_name or _is_in(each, operations)]
    return sorted(real, key=lambda each: (str(each.module_path), each.operator_name, each.occurrence))


def find_again(outcomes: Iterable[Outcome]) -> list[Change]:
    """Find the changes of earlier outcomes; what the code no longer holds is left out, with a line."""
    wanted = {replace(outcome, noticed=False) for outcome in outcomes}
    possible = {part: find(part) for part in dict.fromkeys(outcome.part for outcome in wanted)}
    described = {_describe(part, each): each for part, found in possible.items() for each in found}
    for gone in wanted - set(described):
        sys.stdout.write(f"no longer there: {gone.place} {gone.before}\n")
    return [(outcome, mutation) for outcome, mutation in described.items() if outcome in wanted]


def _modules(path: Path) -> Iterable[Path]:
    return path.rglob("*.py") if path.is_dir() else [path]


def _operations(path: Path) -> list[Span]:
    """Return where operators stand in a module, without the stars of arguments and the types, which no test runs."""
    module = ast.parse(path.read_text(encoding="utf-8"))
    types: list[ast.AST | None] = [
        each.value for each in module.body if isinstance(each, ast.Assign) and isinstance(each.value, ast.BinOp)
    ]
    for node in ast.walk(module):
        if isinstance(node, ast.arg | ast.AnnAssign):
            types.append(node.annotation)
        elif isinstance(node, ast.FunctionDef):
            types.append(node.returns)
    of_types = {id(each) for node in types if node is not None for each in ast.walk(node)}
    return [
        ((node.left.end_lineno or 0, node.left.end_col_offset or 0), (node.right.lineno, node.right.col_offset))
        for node in ast.walk(module)
        if isinstance(node, ast.BinOp) and id(node) not in of_types
    ]


def _is_in(mutation: MutationSpec, operations: Mapping[Path, list[Span]]) -> bool:
    return any(start <= mutation.start_pos < end for start, end in operations[mutation.module_path])


def _describe(part: str, mutation: MutationSpec) -> Outcome:
    source = (ROOT / mutation.module_path).read_text(encoding="utf-8")
    operator = get_operator(mutation.operator_name)(**mutation.operator_args)
    changed = mutate_code(source, operator, mutation.occurrence) or source
    lines = zip(source.splitlines(), changed.splitlines(), strict=True)
    before, after = next((one.strip(), other.strip()) for one, other in lines if one != other)
    place = f"{mutation.module_path.relative_to(SOURCE)}:{mutation.definition_name or 'module'}"
    return Outcome(part, place, mutation.operator_name, before, after)


class _Lane:
    """Runs tests in a copy of the project, one for each process."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def test(self, change: Change) -> Outcome:
        """Make the change in the copy, and run the tests of its part."""
        outcome, mutation = change
        self._enter()
        result = mutate_and_test([mutation], _command(outcome.part), TIMEOUT_SECONDS)
        if result.test_outcome in {None, TestOutcome.INCOMPETENT}:
            raise RuntimeError(f"{mutation}: {result.output}")
        return replace(outcome, noticed=result.is_killed)

    def fail_unchanged(self, part: str) -> str:
        """Return why the tests of a part fail on the unchanged copy; empty if they pass."""
        self._enter()
        done = subprocess.run(shlex.split(_command(part)), capture_output=True, text=True, check=False)
        return f"The tests of {part} fail on the unchanged copy:\n{done.stdout[-2000:]}" if done.returncode else ""

    def _enter(self) -> None:
        copy = self._folder / str(os.getpid())
        if not copy.exists():
            left_out = (".git", ".venv*", "data", "mlruns", "logs", "__pycache__", "*.db", ".*_cache", ".hypothesis")
            shutil.copytree(ROOT, copy, ignore=shutil.ignore_patterns(*left_out))
        os.chdir(copy)
        os.environ["PYTHONPATH"] = str(copy / "src")


def _command(part: str) -> str:
    tests = " ".join(f"tests/{each}" for each in (*EVERY_PART, *PARTS[part].tests))
    return f"{ROOT}/.venv/bin/python -m pytest -x -q -p no:cacheprovider -m 'not slow' {tests}"


def _report(outcome: Outcome, number: str) -> None:
    sys.stdout.write(f"[{number}] {outcome.place} {'noticed' if outcome.noticed else 'SURVIVED'}\n")
    if not outcome.noticed:
        sys.stdout.write(f"    {outcome.before}\n    {outcome.after}\n")
    sys.stdout.flush()


def _read() -> dict[str, list[Outcome]]:
    kept = json.loads(KEPT.read_text(encoding="utf-8")) if KEPT.exists() else {}
    return {seed: [Outcome(**each) for each in outcomes] for seed, outcomes in kept.items()}


def _to_json(kept: dict[str, list[Outcome]]) -> str:
    order = list(PARTS)
    ordered = {
        seed: sorted(outcomes, key=lambda each: (order.index(each.part), each.place, each.before, each.after))
        for seed, outcomes in sorted(kept.items())
    }
    return json.dumps(ordered, default=asdict, indent=1, ensure_ascii=False) + "\n"


def render(kept: dict[str, list[Outcome]]) -> str:
    """Write the page: for each seed, how many changes the tests noticed; and those that they did not."""
    text = (
        "# Do the tests notice?\n\n"
        "Generated by `make mutation`: small changes in the core, one at a time, drawn by a seed: a comparison "
        "turned, a number moved by\none, an operator swapped. The fast tests of the changed part should fail. The goal "
        "is that 92 of 100 are noticed or equivalent;\nno test can notice an equivalent change.\n"
    )
    for seed, outcomes in kept.items():
        explained = [each for each in outcomes if each.noticed or _why(each)]
        rows = [_row(part, [each for each in outcomes if each.part == part]) for part in PARTS]
        text += (
            f"\n## Seed {seed}: {len(explained)} of {len(outcomes)} ({len(explained) / len(outcomes):.0%})\n\n"
            + table(("part", "changes", "noticed", "equivalent", "not noticed"), [*rows, _row("all", outcomes)])
        )
    survivors = [each for each in dict.fromkeys(chain.from_iterable(kept.values())) if not each.noticed]
    text += "\n## Equivalent\n\n" + _listed([each for each in survivors if _why(each)])
    return text + "\n## Not noticed\n\n" + _listed([each for each in survivors if not _why(each)])


def _why(outcome: Outcome) -> str:
    return EQUIVALENT.get((outcome.place, outcome.after), "")


def _row(name: str, outcomes: Sequence[Outcome]) -> tuple[str, ...]:
    noticed = sum(each.noticed for each in outcomes)
    equivalent = sum(not each.noticed and bool(_why(each)) for each in outcomes)
    return (name, *map(str, (len(outcomes), noticed, equivalent, len(outcomes) - noticed - equivalent)))


def _listed(outcomes: Sequence[Outcome]) -> str:
    lines = [(f"`{each.place}`", f"`{each.before}`", f"`{each.after}`", _why(each)) for each in outcomes]
    escaped = [tuple(cell.replace("|", "\\|") for cell in line) for line in lines]
    return table(("where", "before", "after", "why"), escaped) if lines else "None.\n"


if __name__ == "__main__":
    main()
