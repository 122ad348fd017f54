"""Measure speed and memory, print them, and write docs/benchmarks.md: `make bench`."""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
Figures = dict[str, float]

_SIZES = (1_000, 10_000, 100_000, 1_000_000)
_REPEATS = 3
# One core: nothing may hide its cost in threads.
_ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")


def main() -> None:
    """Run all cases and write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--large", action="store_true", help="also simulate 10 M items (about 15 GB of memory)")
    sizes = (*_SIZES, 10_000_000) if parser.parse_args().large else _SIZES
    page = render(measure(sizes))
    (ROOT / "docs/benchmarks.md").write_text(page, encoding="utf-8")
    sys.stdout.write(page)


def measure(sizes: tuple[int, ...]) -> dict[str, dict[int, Figures]]:
    """All figures, by case and size."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        growth = {}
        for size in (100_000, 1_000_000):
            _run("prepare", size, folder)
            growth[size] = _best("features", size, folder)
            if size == 100_000:
                parquet = _run("parquet", size, folder)
        return {
            "simulation": {size: _best("simulation", size, folder) for size in sizes},
            "random_numbers": {size: _best("random_numbers", size, folder) for size in (100_000, 1_000_000)},
            "features": growth,
            "parquet": {100_000: parquet},
            "one_household": {50: _run("one_household", 50, folder)},
        }


def render(cases: dict[str, dict[int, Figures]]) -> str:
    """The page: ratios, which other machines share, before figures of this one."""
    simulation, drawn, features = cases["simulation"], cases["random_numbers"], cases["features"]
    per_item = {size: 1e6 * figures["cpu_s"] / figures["items"] for size, figures in simulation.items()}
    per_row = {size: 1e6 * figures["cpu_s"] / figures["rows"] for size, figures in features.items()}
    to_hashed = {size: simulation[size]["cpu_s"] / figures["uniform_cpu_s"] for size, figures in drawn.items()}
    to_numpy = {size: simulation[size]["cpu_s"] / figures["numpy_cpu_s"] for size, figures in drawn.items()}
    to_deviates = simulation[1_000_000]["cpu_s"] / drawn[1_000_000]["deviates_cpu_s"]
    parquet, household = cases["parquet"][100_000], cases["one_household"][50]
    draws_per_item = drawn[1_000_000]["draws"] / simulation[1_000_000]["items"]
    million, table = simulation[1_000_000], features[1_000_000]
    rows = [
        (
            "simulating 1 M items, over drawing its random numbers with `hashing.uniform`",
            f"{to_hashed[10**6]:.1f}",
            "4",
        ),
        ("the same, 100,000 items", f"{to_hashed[10**5]:.1f}", "4"),
        ("simulating 1 M items, over drawing as many with NumPy's generator", f"{to_numpy[10**6]:.1f}", "4"),
        ("simulating 1 M items, over drawing its deviates (see above)", f"{to_deviates:.1f}", "4"),
        ("CPU per item, simulating 1 M over 100,000", f"{per_item[10**6] / per_item[10**5]:.2f}", "1"),
        ("CPU per observation, features of 1 M over 100,000", f"{per_row[10**6] / per_row[10**5]:.2f}", "1"),
    ]
    absolute = [
        ("simulation, items in a second", f"{million['items'] / million['cpu_s']:,.0f}", "at least 300,000"),
        ("features of 1 M observations, CPU seconds", f"{table['cpu_s']:.1f}", "at most 6"),
        (
            "features of 1 M observations, peak memory, tables included",
            f"{table['peak_mb']:,.0f} MB",
            "at most 2,000 MB",
        ),
        ("features of a household's 50 open items, median", f"{household['median_ms']:.1f} ms", "at most 10 ms"),
        ("parquet of 100,000 observations, all features", f"{parquet['file_mb']:.1f} MB", "at most 20 MB"),
    ]
    growth = [
        (f"{size:,}", f"{one['cpu_s']:.3f}", f"{per_item[size]:.2f}", f"{one['peak_mb']:,.0f}")
        for size, one in simulation.items()
    ]
    return f"""<!-- written by `make bench` -->
# Speed and memory

CPU time on one core, each case in a process of its own, the best of {_REPEATS}.

## Ratios within one run

A simulated item takes {draws_per_item:.0f} uniform random numbers.
*Deviates* are these and the normal, gamma, beta and Poisson numbers made of them by inverting their distributions.

{_table(("", "ratio", "goal"), rows)}
## On the machine that wrote this page

{_table(("", "measured", "goal"), absolute)}
One household's features were built from {household["items"]:,.0f} items in all. Of the peak memory of the features of
1 M observations, {table["tables_mb"]:,.0f} MB were there once the tables had been read.

## Growth of the simulation

{_table(("items", "CPU seconds", "µs per item", "peak memory in MB"), growth)}"""


def _best(case: str, size: int, folder: Path) -> Figures:
    """The run with the least CPU time: what else the machine does only adds to it."""
    return min(
        (_run(case, size, folder) for _ in range(_REPEATS)),
        key=lambda one: one.get("cpu_s", one.get("uniform_cpu_s", 0)),
    )


def _run(case: str, size: int, folder: Path) -> Figures:
    command = [sys.executable, str(Path(__file__).with_name("cases.py")), case, str(size), str(folder)]
    done = subprocess.run(command, check=True, capture_output=True, text=True, env={**os.environ, **_ONE_THREAD})
    figures: Figures = json.loads(done.stdout)
    return figures


def _table(header: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    return "".join(f"| {' | '.join(line)} |\n" for line in [header, ("---",) * len(header), *rows])


if __name__ == "__main__":
    main()
