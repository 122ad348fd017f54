"""Work that needs no household's rows but its own, done for some households at a time."""

from collections.abc import Callable, Iterator
from itertools import pairwise

import numpy as np
import pandas as pd

Tables = tuple[pd.DataFrame, ...]

# Of about 100,000 items: shorter arrays stay in the processor's cache, and a million items take a third less time.
HOUSEHOLDS_PER_BLOCK = 1_000


def in_blocks(function: Callable[..., Tables], households: pd.DataFrame, *tables: pd.DataFrame) -> Tables:
    """Apply a function to one block of households after another, and concatenate the results.

    Args:
        function: takes a block's households and its rows of each table, and returns tables in the order of these rows;
            its result for a household must depend on that household's rows alone.
        households: one row for each household.
        tables: each with a ``household_id``; if one is not in the order of the households, there is a single block.
    """
    results = [function(*block) for block in _blocks((households, *tables))]
    if len(results) == 1:
        return results[0]
    return tuple(pd.concat(parts, ignore_index=True) for parts in zip(*results, strict=True))


def _blocks(tables: Tables) -> Iterator[Tables]:
    index = pd.Index(tables[0]["household_id"])
    block_of_row = [index.get_indexer(table["household_id"]) // HOUSEHOLDS_PER_BLOCK for table in tables]
    if any((np.diff(block) < 0).any() for block in block_of_row):
        yield tables
        return
    further = np.arange(1, -(-len(index) // HOUSEHOLDS_PER_BLOCK))
    cuts = [(0, *np.searchsorted(block, further), len(block)) for block in block_of_row]
    for bounds in zip(*map(pairwise, cuts), strict=True):
        yield tuple(table.iloc[start:end] for table, (start, end) in zip(tables, bounds, strict=True))
