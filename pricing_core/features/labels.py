"""Names and numbers by which a shop groups its offers: for rules, segments and tests; no model uses them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pricing_core.data.columns import MAX_CATEGORY_LEVELS, ColumnUse
from pricing_core.data.dataset import Dataset
from pricing_core.data.personal import protected_attribute
from pricing_core.features.builder import FeatureTable
from pricing_core.features.joins import attributes_of, column_at, market_at

Floats = NDArray[np.float64]
Texts = NDArray[np.object_]

PROTECTED = "protected: "
_SPECIAL = {"products": ("brand",), "customers": ("segment",)}
_FEW_VALUES = 12  # a whole number with no more different values can be read as a group
_AGE_SPAN = 10
# History features a shop can compute itself and act on; the logarithm is taken back.
_HISTORY = ("purchases so far", "days since last purchase", "mean spend", "purchases in 30 days", "views in 30 days")


@dataclass(frozen=True)
class OfferGroups:
    """Labels (n,) text, numbers (n,) of each offer's customer, and stock (n,) units of its product (NaN: unknown)."""

    labels: dict[str, Texts]
    numbers: dict[str, Floats]
    stock: Floats


def offer_groups(dataset: Dataset, table: FeatureTable, uses: list[ColumnUse]) -> OfferGroups:
    """Look up by what the offers of a feature table can be grouped.

    Labels are ``brand``, ``segment`` (where customers have such a column), ``week`` (ISO year and week of the offer),
    and ``<table>: <column>`` for text, flags and whole numbers of few values in customers, products and offers.
    Protected attributes of customers appear as ``protected: <column>`` only. Numbers are the customers' numeric
    columns and the part of their history that a shop can compute itself.
    """
    offers = table.offers
    product = attributes_of(dataset.products, "product_id", offers["product_id"])
    customer = attributes_of(dataset.customers, "customer_id", offers["customer_id"])
    tables = {"customers": customer, "products": product, "offers": offers}
    labels: dict[str, Texts] = {"week": _iso_week(offers["offered_at"])}
    numbers: dict[str, Floats] = {}
    for use in uses:
        values = tables.get(use.table, pd.DataFrame()).get(use.column)
        if values is None or use.role == "structure":
            continue
        if use.table == "customers" and protected_attribute(use.column) is not None:
            labels[PROTECTED + use.column] = _protected(values)
        elif use.used and (use.kind in ("category", "flag") or _is_few(values)):
            special = use.column in _SPECIAL.get(use.table, ())
            labels[use.column if special else f"{use.table}: {use.column}"] = _texts(values)
        if use.used and use.table == "customers" and use.kind in ("number", "money"):
            numbers[f"customers: {use.column}"] = pd.to_numeric(values, errors="coerce").to_numpy(dtype=float)
    if "brand" in product.columns and "brand" not in labels:
        labels["brand"] = _texts(product["brand"])
    for name in _HISTORY:
        if name in table.frame.columns:
            numbers[name] = np.expm1(table.frame[name].to_numpy(dtype=float))
    stock = column_at(offers, market_at(dataset, offers, table.category), product, "stock")
    return OfferGroups(labels, numbers, stock.clip(lower=0).to_numpy(dtype=float))


def _iso_week(times: pd.Series) -> Texts:
    calendar = times.dt.isocalendar()
    year, week = calendar["year"].astype(str), calendar["week"].astype(str).str.zfill(2)
    return np.asarray((year + "-W" + week).astype(object), dtype=object)


def _is_few(values: pd.Series) -> bool:
    known = values.dropna()
    if not pd.api.types.is_numeric_dtype(known) or known.nunique() > _FEW_VALUES:
        return False
    return bool((known == known.round()).all())


def _protected(values: pd.Series) -> Texts:
    """Text of a protected attribute; numbers of many values (an age) in spans of ten."""
    number: Any = pd.to_numeric(values, errors="coerce")
    if number.notna().mean() < 0.5 or values.nunique() <= _FEW_VALUES:
        return _texts(values)
    start = (number // _AGE_SPAN * _AGE_SPAN).astype("Int64")
    return _texts(start.astype("string") + "–" + (start + _AGE_SPAN - 1).astype("string"))


def _texts(values: pd.Series) -> Texts:
    """Text of each value, empty where unknown; from the 200th level on all are one."""
    text = values.astype("string")
    if pd.api.types.is_float_dtype(values):
        text = values.astype("Int64").astype("string") if _is_few(values) else text
    text = text.fillna("")
    levels = text.value_counts()
    if len(levels) > MAX_CATEGORY_LEVELS:
        text = text.where(text.isin(levels.index[:MAX_CATEGORY_LEVELS]), "other")
    return np.asarray(text.astype(object), dtype=object)
