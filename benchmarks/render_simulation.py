"""The page's sections on simulation and features."""

from typing import Any

from tables import Row, table

Groups = dict[str, Any]
Sizes = dict[int, dict[str, float]]


def simulation_sections(groups: Groups) -> list[str]:
    """Ratios, which other machines share, before figures of this one; nothing where nothing was measured."""
    if "simulation" not in groups:
        return []
    kinds = ("simulation", "random_numbers", "features", "parquet", "one_household")
    cases = {kind: _by_size(groups["simulation"]["figures"][kind]) for kind in kinds}
    large = groups.get("simulation_large", {"figures": {"simulation": {}}})
    cases["simulation"] |= _by_size(large["figures"]["simulation"])
    return [_ratios(cases), _absolute(cases), _growth(cases["simulation"])]


def _by_size(figures: dict[str, Any]) -> Sizes:
    return {int(size): values for size, values in figures.items()}


def _ratios(cases: dict[str, Sizes]) -> str:
    simulation, drawn, features = cases["simulation"], cases["random_numbers"], cases["features"]
    to_hashed = {size: simulation[size]["cpu_s"] / figures["uniform_cpu_s"] for size, figures in drawn.items()}
    to_numpy = simulation[10**6]["cpu_s"] / drawn[10**6]["numpy_cpu_s"]
    to_deviates = simulation[10**6]["cpu_s"] / drawn[10**6]["deviates_cpu_s"]
    per_item = _per(simulation, "items", 10**6) / _per(simulation, "items", 10**5)
    per_row = _per(features, "rows", 10**6) / _per(features, "rows", 10**5)
    rows = [
        (
            "simulating 1 M items, over drawing its random numbers with `hashing.uniform`",
            f"{to_hashed[10**6]:.1f}",
            "4",
        ),
        ("the same, 100,000 items", f"{to_hashed[10**5]:.1f}", "4"),
        ("simulating 1 M items, over drawing as many with NumPy's generator", f"{to_numpy:.1f}", "4"),
        ("simulating 1 M items, over drawing its deviates (see above)", f"{to_deviates:.1f}", "4"),
        ("CPU per item, simulating 1 M over 100,000", f"{per_item:.2f}", "1"),
        ("CPU per observation, features of 1 M over 100,000", f"{per_row:.2f}", "1"),
    ]
    draws_per_item = drawn[10**6]["draws"] / simulation[10**6]["items"]
    return f"""## Simulation and features: ratios within one run

CPU time on one core, each case in a process of its own, the best of three.
A simulated item takes {draws_per_item:.0f} uniform random numbers.
*Deviates* are these and the normal, gamma, beta, Poisson and Weibull numbers made of them by inverting their
distributions.

{table(("", "ratio", "goal"), rows)}"""


def _absolute(cases: dict[str, Sizes]) -> str:
    million, features = cases["simulation"][10**6], cases["features"][10**6]
    parquet, household = cases["parquet"][10**5], cases["one_household"][50]
    rows: list[Row] = [
        ("simulation, items in a second", f"{million['items'] / million['cpu_s']:,.0f}", "at least 300,000"),
        ("features of 1 M observations, CPU seconds", f"{features['cpu_s']:.1f}", "at most 6"),
        (
            "features of 1 M observations, peak memory, tables included",
            f"{features['peak_mb']:,.0f} MB",
            "at most 2,000 MB",
        ),
        ("features of a household's 50 open items, median", f"{household['median_ms']:.1f} ms", "at most 10 ms"),
        ("parquet of 100,000 observations, all features", f"{parquet['file_mb']:.1f} MB", "at most 20 MB"),
    ]
    return f"""## Simulation and features: on the machine that wrote this page

{table(("", "measured", "goal"), rows)}
One household's features were built from {household["items"]:,.0f} items in all. Of the peak memory of the features of
1 M observations, {features["tables_mb"]:,.0f} MB were there once the tables had been read.
"""


def _growth(simulation: Sizes) -> str:
    rows = [
        (f"{size:,}", f"{one['cpu_s']:.3f}", f"{_per(simulation, 'items', size):.2f}", f"{one['peak_mb']:,.0f}")
        for size, one in sorted(simulation.items())
    ]
    return f"""## Growth of the simulation

{table(("items", "CPU seconds", "µs per item", "peak memory in MB"), rows)}"""


def _per(cases: Sizes, unit: str, size: int) -> float:
    """Microseconds of CPU for one."""
    return 1e6 * cases[size]["cpu_s"] / cases[size][unit]
