"""How long a product keeps where it is stored, from the packaged shelf-life table, for items without a printed date."""

from functools import cache

import numpy as np
import pandas as pd

from waste_risk.arrays import Floats, Integers
from waste_risk.reference import shelf_life
from waste_risk.reference.vocabulary import CATEGORIES, STORAGES, codes


def reference_life(items: pd.DataFrame) -> tuple[Floats, Floats]:
    """Return how long each item keeps; columns read: product, category, storage.

    Returns:
        days unopened: those of product and storage; for a product the table does not list there the median of its
            category at that storage, else of the category, else of the whole table;
        days once opened: NaN where the table knows no shorter life, or does not list the product there.
    """
    product, products = pd.factorize(items["product"])
    category, storage = codes(items["category"], CATEGORIES), codes(items["storage"], STORAGES)
    return lives(product, products, category, storage)


def lives(product: Integers, products: pd.Index, category: Integers, storage: Integers) -> tuple[Floats, Floats]:
    """Return the same as `reference_life`, for codes: places in `products`, CATEGORIES and STORAGES, -1 for null."""
    by_product = _by_product()
    listed = np.stack([by_product.get(name, _NOT_LISTED) for name in (*products, None)])[product, storage]
    unopened = np.where(np.isnan(listed[:, 0]), _medians()[category, storage], listed[:, 0])
    return unopened, listed[:, 1]


@cache
def _by_product() -> dict[str | None, Floats]:
    """Return life and opened life of each product: storages (then other, then unknown) x 2, NaN where not listed."""
    listed: dict[str | None, Floats] = {}
    for product, rows in shelf_life().groupby("product"):
        listed[str(product)] = by_storage = _NOT_LISTED.copy()
        by_storage[codes(rows["storage"], STORAGES)] = rows[["life_days", "opened_life_days"]].to_numpy(np.float64)
    return listed


@cache
def _medians() -> Floats:
    """Return the median life of each category and storage, last two rows and columns for others and unknown ones."""
    table = shelf_life()
    overall, by_category = table["life_days"].median(), table.groupby("category")["life_days"].median()
    medians = np.full((len(CATEGORIES) + 2, len(STORAGES) + 2), overall)
    medians[codes(by_category.index.to_series(), CATEGORIES)] = by_category.to_numpy()[:, None]
    both = table.groupby(["category", "storage"])["life_days"].median().reset_index()
    medians[codes(both["category"], CATEGORIES), codes(both["storage"], STORAGES)] = both["life_days"]
    return medians


_NOT_LISTED = np.full((len(STORAGES) + 2, 2), np.nan)
