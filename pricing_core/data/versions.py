"""How two versions of a shop's data differ."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd

from pricing_core.data.dataset import Dataset

_FIGURES: dict[str, Callable[[Dataset], object]] = {
    "offers": lambda data: len(data.offers),
    "first offer": lambda data: f"{data.offers['offered_at'].min():%Y-%m-%d}",
    "last offer": lambda data: f"{data.offers['offered_at'].max():%Y-%m-%d}",
    "customers with offers": lambda data: data.offers["customer_id"].nunique(),
    "products with offers": lambda data: data.offers["product_id"].nunique(),
    "purchases": lambda data: int(data.offers["purchased"].sum()),
    "purchases per 100 offers": lambda data: round(100 * float(data.offers["purchased"].mean()), 2),
    "median price": lambda data: round(float(data.offers["price"].median()), 2),
    "columns of offers": lambda data: ", ".join(map(str, data.offers.columns)),
    "rows of customers": lambda data: 0 if data.customers is None else len(data.customers),
    "rows of products": lambda data: 0 if data.products is None else len(data.products),
    "rows of market": lambda data: 0 if data.market is None else len(data.market),
    "rows of events": lambda data: 0 if data.events is None else len(data.events),
    "repairs": lambda data: ", ".join(data.manifest.repairs) or "none",
}


def compare_datasets(first: Dataset, second: Dataset) -> pd.DataFrame:
    """Key figures of two versions side by side.

    Returns
    -------
    DataFrame
        ``figure, first, second, difference``: text; the difference is that of numbers, else "changed" or empty. The
        last two rows count the offers that only one of the versions holds.
    """
    rows = []
    for name, figure in _FIGURES.items():
        one, two = figure(first), figure(second)
        rows.append((name, _text(one), _text(two), _difference(one, two)))
    keys = ["customer_id", "product_id", "offered_at", "price", "purchased"]
    counts = [data.offers[keys].value_counts(sort=False) for data in (first, second)]
    aligned = pd.concat(counts, axis=1).fillna(0).to_numpy()
    gone = int((aligned[:, 0] - aligned[:, 1]).clip(min=0).sum())
    new = int((aligned[:, 1] - aligned[:, 0]).clip(min=0).sum())
    rows += [("offers only in the first", _text(gone), "", ""), ("offers only in the second", "", _text(new), "")]
    return pd.DataFrame(rows, columns=["figure", "first", "second", "difference"])


def _text(value: object) -> str:
    return f"{value:,}" if isinstance(value, (int, float)) else str(value)


def _difference(one: object, two: object) -> str:
    if isinstance(one, (int, float)) and isinstance(two, (int, float)):
        change = round(two - one, 2)
        return "" if change == 0 else f"{change:+,}"
    return "" if one == two else "changed"
