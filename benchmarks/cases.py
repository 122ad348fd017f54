"""One measurement in a process of its own: `python cases.py <case> <size> <folder>` prints its figures as JSON."""

import json
import statistics
import sys
import time
from collections.abc import Callable
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from waste_risk import random_streams
from waste_risk.adapters.memory import peak_bytes
from waste_risk.features import build_features
from waste_risk.observations.observe import observe_items, open_items
from waste_risk.parameters import Observation
from waste_risk.simulation import consumption, households, latents, shopping, simulate
from waste_risk.simulation.draws import draw

Figures = dict[str, float]

_OBSERVATION = Observation(horizon_days=30, max_age_days=30, per_item=1)
_DEVIATES = ("draw", "uniform", "ndtri", "betaincinv", "gammaincinv", "pdtrik", "_poisson", "_weibull")
_TABLES = ("observations", "households", "items", "events")


def simulation(size: int, _: Path) -> Figures:
    """Simulate about `size` items, 100 for each household."""
    simulate(n_households=10)  # reads the reference data
    cpu, tables = _cpu(lambda: simulate(n_households=size // 100))
    return {"cpu_s": cpu, "items": len(tables.items), "events": len(tables.events)}


def random_numbers(size: int, _: Path) -> Figures:
    """Draw as many uniform numbers as the simulation of `size` items does, in arrays of the same lengths."""
    lengths, deviates = _drawn(size)
    keys = np.arange(max(lengths), dtype=np.uint64)
    generator = np.random.default_rng(0)
    hashed, _sizes = _cpu(
        lambda: [random_streams.uniform(keys[:length], random_streams.Stream.ITEM_LIFE).size for length in lengths]
    )
    numpy, _sizes = _cpu(lambda: [generator.random(length).size for length in lengths])
    return {"draws": sum(lengths), "uniform_cpu_s": hashed, "numpy_cpu_s": numpy, "deviates_cpu_s": deviates}


def prepare(size: int, folder: Path) -> Figures:
    """Write tables with `size` observations for the cases that follow."""
    source = simulate(n_households=round(size / 100 * 1.6))
    observations = observe_items(source.items, source.events, _OBSERVATION).head(size)
    for name, table in zip(_TABLES, (observations, source.households, source.items, source.events), strict=True):
        table.to_parquet(folder / f"{name}.parquet")
    return {"observations": len(observations), "items": len(source.items)}


def features(size: int, folder: Path) -> Figures:
    """Build the features of all observations that were prepared."""
    tables = [pd.read_parquet(folder / f"{name}.parquet") for name in _TABLES]
    before = peak_bytes() / 1e6
    cpu, table = _cpu(lambda: build_features(*tables))
    return {"cpu_s": cpu, "rows": len(table), "asked": size, "tables_mb": before}


def parquet(size: int, folder: Path) -> Figures:
    """Size of the features of `size` observations as the project writes them."""
    table = build_features(*(pd.read_parquet(folder / f"{name}.parquet") for name in _TABLES))
    path = folder / "features.parquet"
    table.to_parquet(path, index=False)
    return {"rows": len(table), "asked": size, "file_mb": path.stat().st_size / 1e6}


def one_household(size: int, _: Path) -> Figures:
    """Median CPU time of `build_features` for one household with `size` open items, over 200 calls."""
    source = simulate(n_households=200, n_items_per_household=600)
    observations = open_items(source.items, source.events, pd.Timestamp("2025-03-01"))
    count = observations["household_id"].value_counts().sort_index()
    chosen = count.index[count >= size][0]
    tables = [table[table["household_id"] == chosen] for table in (source.households, source.items, source.events)]
    observation = observations[observations["household_id"] == chosen].head(size)
    times = [_cpu(lambda: build_features(observation, *tables))[0] for _ in range(200)]
    return {"median_ms": 1000 * statistics.median(times), "rows": len(observation), "items": len(tables[1])}


def _drawn(size: int) -> tuple[list[int], float]:
    """Lengths of all arrays of uniform numbers that one simulation draws, and its CPU time in drawing deviates.

    Deviates are uniform numbers and what the inverses of normal, gamma, beta and Poisson distributions make of them.
    """
    lengths: list[int] = []
    seconds: list[float] = []

    def timed(function: Callable[..., Any], *arguments: Any) -> Any:
        if function in (random_streams.uniform, draw):
            lengths.append(len(arguments[0]))
        cpu, result = _cpu(lambda: function(*arguments))
        seconds.append(cpu)
        return result

    for module, name in product((households, shopping, latents, consumption), _DEVIATES):
        if hasattr(module, name):
            setattr(module, name, partial(timed, getattr(module, name)))
    simulate(n_households=size // 100)
    return lengths, sum(seconds)


def _cpu(work: Callable[[], Any]) -> tuple[float, Any]:
    start = time.process_time()
    result = work()
    return time.process_time() - start, result


def main() -> None:
    """Run one case."""
    case, size, folder = sys.argv[1:]
    figures = globals()[case](int(size), Path(folder))
    sys.stdout.write(json.dumps({**figures, "peak_mb": peak_bytes() / 1e6}))


if __name__ == "__main__":
    main()
