"""Do new data look like those that the model learned from: the population stability index of its inputs."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import chdtri

from pricing_core.data.columns import ColumnUse, classify_columns
from pricing_core.data.dataset import Dataset
from pricing_core.features.joins import attributes_of

Floats = NDArray[np.float64]

STABLE: Final = 0.1
MOVED: Final = 0.25
_BINS: Final = 10
_FLOOR: Final = 1e-4
_LEVELS: Final = 50
_PRICE: Final = "price against the usual price"
_YES_NO: Final = {"0": "no", "0.0": "no", "false": "no", "1": "yes", "1.0": "yes", "true": "yes"}


def stability_index(reference: pd.Series, later: pd.Series, *, bins: int = _BINS) -> float:
    """Population stability index Σ (a − e) ln(a / e) of a column.

    e and a are the shares of the reference and the later values by decile of the reference (numbers) or by level
    (text, the rarest together); unknown is a level of its own, and a share of zero counts as 0.0001.

    References
    ----------
    Siddiqi (2006), Credit risk scorecards, chapter 9: below 0.1 stable, above 0.25 moved.
    """
    return _index_and_chance(reference, later, bins)[0]


def _index_and_chance(reference: pd.Series, later: pd.Series, bins: int = _BINS) -> tuple[float, float]:
    """The index, and what it stays below in 95 of 100 cases where both come from the same shop.

    With B shares in use and n and m values, index / (1/n + 1/m) is then about χ² with B − 1 degrees of freedom. Values
    of the same customer go together, which this does not count.

    References
    ----------
    Yurdakul (2018), Statistical properties of population stability index, Western Michigan University.
    """
    codes, later_codes, size = _binned(reference, later, bins)
    counts, later_counts = np.bincount(codes, minlength=size), np.bincount(later_codes, minlength=size)
    expected = np.maximum(counts / max(len(codes), 1), _FLOOR)
    actual = np.maximum(later_counts / max(len(later_codes), 1), _FLOOR)
    index = float(np.sum((actual - expected) * np.log(actual / expected)))
    used = int(((counts + later_counts) > 0).sum())
    if used < 2:
        return index, 0.0
    return index, float(chdtri(used - 1, 0.05) * (1 / max(len(codes), 1) + 1 / max(len(later_codes), 1)))


def input_drift(dataset: Dataset, is_later: NDArray[np.bool_]) -> pd.DataFrame:
    """Stability of the models' inputs between two parts of the log; see :func:`drift_between`."""
    offers = dataset.offers.reset_index(drop=True)
    earlier, later = replace(dataset, offers=offers[~is_later]), replace(dataset, offers=offers[is_later])
    return drift_between(earlier, later, classify_columns(dataset))


def drift_between(reference: Dataset, later: Dataset, uses: list[ColumnUse] | None = None) -> pd.DataFrame:
    """Stability of the models' inputs between two data sets of one shop.

    Looked at are price against the product's usual price in the reference, the mix of products, and the used columns of
    offers and customers; a column that one of them lacks counts as unknown there.

    Parameters
    ----------
    uses
        Which columns are features; default: decided from the reference.

    Returns
    -------
    DataFrame
        ``column, index, verdict`` (stable, some change, moved), ``before`` and ``now`` (in words: the median of a
        number, the share of the value that moved most) and ``chance``, the index that chance alone stays below in 95 of
        100 cases; the most moved first.
    """
    product = reference.offers["product_id"].astype(str)
    usual = reference.offers["price"].groupby(product).median()
    chosen = classify_columns(reference) if uses is None else uses
    old, new = _inputs(reference, usual, chosen), _inputs(later, usual, chosen)
    rows = [
        (name, *_index_and_chance(old[name], new[name]), *_in_words(name, old[name], new[name])) for name in old
    ]  # fmt: skip
    found = pd.DataFrame(rows, columns=["column", "index", "chance", "before", "now"])
    found = found.sort_values("index", ascending=False, ignore_index=True)
    words = np.select([found["index"] < STABLE, found["index"] < MOVED], ["stable", "some change"], "moved")
    return found.assign(verdict=words)[["column", "index", "verdict", "before", "now", "chance"]]


def _in_words(name: str, reference: pd.Series, later: pd.Series) -> tuple[str, str]:
    if name != _PRICE:
        return move_in_words(reference, later)
    medians = [float(each.median()) for each in (reference, later)]
    told = ["no values" if np.isnan(each) else f"median {each:.1%} of the usual" for each in medians]
    return told[0], told[1]


def move_in_words(reference: pd.Series, later: pd.Series) -> tuple[str, str]:
    """How a column was and is, in words.

    The median of a number of many values, how many are a yes where there is only yes and no, else the share of the
    value that moved most.
    """
    if pd.api.types.is_numeric_dtype(reference) and reference.nunique() > _BINS:
        parts = [pd.to_numeric(each, errors="coerce").median() for each in (reference, later)]
        return _median(parts[0]), _median(parts[1])
    old, new = (each.astype("string").fillna("unknown").value_counts(normalize=True) for each in (reference, later))
    levels = old.index.union(new.index)
    before, now = old.reindex(levels, fill_value=0.0), new.reindex(levels, fill_value=0.0)
    if not len(levels):
        return "no values", "no values"
    told = {level: _YES_NO.get(str(level).lower(), "") for level in levels}
    if all(told.values()):
        yes = [sum(share for level, share in part.items() if told[level] == "yes") for part in (before, now)]
        return f"{yes[0]:.1%} yes", f"{yes[1]:.1%} yes"
    place = int((now - before).abs().to_numpy().argmax())
    return f"{before.iloc[place]:.1%} are {levels[place]}", f"{now.iloc[place]:.1%} are {levels[place]}"


def _median(value: float) -> str:
    return "no values" if np.isnan(value) else f"median {value:,.4g}"


def _inputs(dataset: Dataset, usual: pd.Series, uses: list[ColumnUse]) -> dict[str, pd.Series]:
    """What the models read of each offer, by name."""
    offers = dataset.offers.reset_index(drop=True)
    product = offers["product_id"].astype(str)
    known = offers["price"] / product.map(usual)
    columns = {_PRICE: known, "product mix": product}
    customer = attributes_of(dataset.customers, "customer_id", offers["customer_id"])
    for use in uses:
        table = {"offers": offers, "customers": customer}.get(use.table)
        if table is not None and use.used and use.kind != "time":
            missing = pd.Series(np.nan, index=offers.index)
            columns[f"{use.table}: {use.column}"] = table.get(use.column, missing)
    return columns


def _binned(reference: pd.Series, later: pd.Series, bins: int) -> tuple[NDArray[np.int64], NDArray[np.int64], int]:
    if pd.api.types.is_numeric_dtype(reference) and reference.nunique() > bins:
        values = reference.to_numpy(dtype=float)
        edges = np.unique(np.nanquantile(values, np.linspace(0, 1, bins + 1)[1:-1]))
        parts = [_cut(each.to_numpy(dtype=float), edges) for each in (reference, later)]
        return parts[0], parts[1], len(edges) + 2
    levels = reference.astype("string").value_counts().index[:_LEVELS]
    parts = [pd.Index(levels).get_indexer(pd.Index(each.astype("string"))) for each in (reference, later)]
    # Unknown and rare levels share the last place.
    parts = [np.where(part < 0, len(levels), part).astype(np.int64) for part in parts]
    return parts[0], parts[1], len(levels) + 1


def _cut(values: Floats, edges: Floats) -> NDArray[np.int64]:
    place = np.searchsorted(edges, values, side="right")
    return np.where(np.isnan(values), len(edges) + 1, place).astype(np.int64)
