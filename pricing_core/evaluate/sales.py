"""What every past offer earned, by customer, week and group: the ground of tests, readouts and ledgers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np
import pandas as pd

from pricing_core.data.columns import classify_columns
from pricing_core.data.dataset import Dataset
from pricing_core.errors import DataError
from pricing_core.features.joins import attributes_of, column_at, market_at

WEEK: Final = pd.Timedelta(days=7)
MOST_GROUPS: Final = 200
_TABLES: Final = ("customers", "offers")


def sales_log(
    dataset: Dataset, offers: pd.DataFrame | None = None, *, usual_price: Mapping[str, float] | None = None
) -> pd.DataFrame:
    """One row per offer with its revenue and profit.

    Revenue is price × units of an offer that was bought (one unit where the quantity is unknown) and profit the same
    product of price − unit cost. A missing unit cost is (1 − margin assumption) × the product's usual price.

    Parameters
    ----------
    dataset
        Where costs and the margin assumption come from, and the offers unless others are given.
    offers
        Canonical offers; default: the data set's own.
    usual_price
        Usual price by product; default: the median of ``offers``.

    Returns
    -------
    DataFrame
        In the order of the offers: ``customer_id, product_id, offered_at, week`` (its Monday, UTC), ``offers`` (1),
        ``purchased, price, unit_cost, revenue, profit`` (NaN where a bought offer's cost is unknown).
    """
    offers = (dataset.offers if offers is None else offers).reset_index(drop=True)
    product = attributes_of(dataset.products, "product_id", offers["product_id"])
    category = product["category"] if "category" in product.columns else pd.Series("all", index=offers.index)
    cost = column_at(offers, market_at(dataset, offers, category), product, "unit_cost")
    margin = dataset.manifest.margin_assumption
    price = offers["price"].astype(float)
    if margin is not None and cost.isna().any():
        names = offers["product_id"].astype(str)
        known = price.groupby(names).transform("median") if usual_price is None else names.map(dict(usual_price))
        cost = cost.fillna(known.astype(float).fillna(price) * (1 - margin))
    bought = offers["purchased"].astype(float)
    known_units = pd.to_numeric(offers["quantity"], errors="coerce") if "quantity" in offers.columns else bought
    units = known_units.where(bought > 0, 0.0).fillna(1.0)
    return pd.DataFrame(
        {
            "customer_id": offers["customer_id"].astype(str),
            "product_id": offers["product_id"].astype(str),
            "offered_at": offers["offered_at"],
            "week": monday(offers["offered_at"]),
            "offers": 1.0,
            "purchased": bought,
            "price": price,
            "unit_cost": cost,
            "revenue": price * units,
            "profit": ((price - cost) * units).where(units > 0, 0.0),
        }
    )


def monday(times: pd.Series) -> pd.Series:
    """Midnight (UTC) of the Monday on or before each time."""
    days = times.dt.floor("D")
    return days - pd.to_timedelta(days.dt.day_of_week, unit="D")


def complete_weeks(sales: pd.DataFrame) -> pd.DataFrame:
    """Rows of weeks that the log covers from Monday to Sunday; all rows where no week is covered.

    Sums of such weeks (:class:`WeeklySales`) have no times any more and are returned as they are.
    """
    if "offered_at" not in sales.columns:
        return sales
    return covered_weeks(sales, sales["offered_at"].min(), sales["offered_at"].max())


def covered_weeks(sales: pd.DataFrame, first: pd.Timestamp, last: pd.Timestamp) -> pd.DataFrame:
    """Rows whose ``week`` lies from Monday to Sunday between the days of two moments; all rows where none does."""
    full = (sales["week"] >= first.floor("D")) & (sales["week"] + WEEK <= last.floor("D") + pd.Timedelta(days=1))
    return sales[full] if full.any() else sales


class WeeklySales:
    """Sums of a sales log by a column and complete week: what test designs ask of it, in fewer and smaller rows.

    Parameters
    ----------
    by
        Column, such as ``customer_id``; rows without a value are one more unit, a missing one.
    """

    def __init__(self, by: str) -> None:
        self.keys = [by, "week"]
        self._sums: list[pd.DataFrame] = []
        self._span: list[pd.Timestamp] = []

    def add(self, sales: pd.DataFrame) -> None:
        """Add a part of an output of :func:`sales_log`; their order does not matter."""
        self._sums.append(self._summed(sales))
        self._span += [sales["offered_at"].min(), sales["offered_at"].max()]

    def total(self) -> pd.DataFrame:
        """``by, week, offers, profit`` in the order of the first two.

        The profit of a unit's week is missing where that of one of its offers is.
        """
        self._sums = [pd.concat(self._sums)] if len(self._sums) > 1 else self._sums  # and let go of the parts
        self._sums = [self._summed(self._sums[0])]
        return covered_weeks(self._sums[0], min(self._span), max(self._span)).reset_index(drop=True)

    def _summed(self, rows: pd.DataFrame) -> pd.DataFrame:
        """Sums by unit and week: pandas' groupby by two columns takes four times the memory of millions of rows."""
        number, names = pd.factorize(rows[self.keys[0]], sort=True, use_na_sentinel=False)
        weeks, mondays = pd.factorize(rows["week"], sort=True)
        number *= len(mondays)  # in place, as below: each of these arrays is long
        number += weeks
        del weeks
        cell, place = np.unique(number, return_inverse=True)
        del number
        sums = {name: np.bincount(place, rows[name], len(cell)) for name in ("offers", "profit")}
        unit, week = np.divmod(cell, max(len(mondays), 1))
        return pd.DataFrame({self.keys[0]: names[unit], "week": mondays[week], **sums})


def group_names(dataset: Dataset) -> list[str]:
    """Groups of customers or offers by which a test can be randomized, such as ``customers: region``.

    Text columns with 2 to 200 levels; never protected attributes, personal data or outcomes.
    """
    found = []
    for use in classify_columns(dataset):
        values = getattr(dataset, use.table)[use.column] if use.table in _TABLES else None
        if values is None or not use.used or use.kind != "category":
            continue
        if 2 <= values.nunique() <= MOST_GROUPS:
            found.append(f"{use.table}: {use.column}")
    return found


def group_of(dataset: Dataset, name: str, offers: pd.DataFrame | None = None) -> pd.Series:
    """Group of each offer under a name of :func:`group_names`; missing where it is unknown.

    Raises
    ------
    DataError
        If there is no such group.
    """
    offers = (dataset.offers if offers is None else offers).reset_index(drop=True)
    table, _, column = name.partition(": ")
    source = offers if table == "offers" else attributes_of(dataset.customers, "customer_id", offers["customer_id"])
    if table not in _TABLES or column not in source.columns:
        known = ", ".join(group_names(dataset)) or "none"
        raise DataError(f"The data have no group {name!r}.", fix=f"Groups there are: {known}.")
    return source[column].astype("string").astype(object)
