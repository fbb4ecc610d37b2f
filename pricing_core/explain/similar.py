"""Customers who answer to prices like this one, told only as a group and never below ten of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pricing_core.errors import ConfigError, DataError
from pricing_core.response.pricing_rows import PricingRows

Floats = NDArray[np.float64]

LEAST: Final = 10


@dataclass(frozen=True)
class SimilarCustomers:
    """Averages over the customers nearest to one, without anything about a single one of them.

    Attributes
    ----------
    customers, offers, purchases
        How many customers; their logged offers in the same category and how many of these led to a purchase.
    conversion_rate
        Purchases per offer.
    typical_price, typical_paid_price
        Median price offered and paid, as a multiple of the going price or in money, as the log was given.
    elasticity
        Median own-price elasticity by the model.
    recommended_change_rate
        Median recommended change of their prices; NaN if not given.
    """

    customers: int
    offers: int
    purchases: int
    conversion_rate: float
    typical_price: float
    typical_paid_price: float
    elasticity: float
    recommended_change_rate: float


def similar_customers(
    rows: PricingRows,
    index: int,
    log: pd.DataFrame,
    *,
    k: int = 50,
    change_rate: Floats | None = None,
) -> SimilarCustomers:
    """Find the ``k`` customers whose taste and price sensitivity are nearest, and average over them.

    Nearness is the distance in taste (log-odds of a purchase at the going price) and log sensitivity, each in standard
    deviations, among the rows of the same category; every customer counts once, by the nearest row.

    Parameters
    ----------
    rows
        Offers of many customers.
    index
        The row whose customer is looked at; that customer is not among the similar ones.
    log
        Logged offers: ``customer_id, price, purchased``; only those of the category are to be given.
    k
        Customers to average over, at least 10.
    change_rate
        (n,) recommended change of each row's price.

    Raises
    ------
    ConfigError
        If ``k`` is below 10 or there is no such row.
    DataError
        If fewer than ten other customers are there, or fewer than ten of the nearest have logged offers.
    """
    if k < LEAST:
        raise ConfigError(f"k is {k}; similar customers are shown only as groups of at least {LEAST}.")
    if not 0 <= index < rows.n:
        raise ConfigError(f"Row {index} is not there; there are {rows.n}.")
    ids = rows.customer_id.astype(str)
    place = _place(rows)
    distance = np.square(place - place[index]).sum(axis=1)
    distance[(ids == ids[index]) | (rows.category != rows.category[index])] = np.inf
    order = np.argsort(distance, kind="stable")
    order = order[np.isfinite(distance[order])]
    _, first = np.unique(ids[order], return_index=True)
    nearest = order[np.sort(first)[:k]]
    mine = log[log["customer_id"].astype(str).isin(set(ids[nearest]))]
    seen = int(mine["customer_id"].nunique())
    if len(nearest) < LEAST or seen < LEAST:
        raise DataError(
            f"Only {min(len(nearest), seen)} similar customers have offers in this category; groups below {LEAST} are "
            "not shown, so that nobody can be recognized."
        )
    bought = mine["purchased"].to_numpy(dtype=float) == 1
    price = mine["price"].to_numpy(dtype=float)
    part = rows.take(nearest)
    change = np.full(len(nearest), np.nan) if change_rate is None else change_rate[nearest]
    return SimilarCustomers(
        customers=seen,
        offers=len(mine),
        purchases=int(bought.sum()),
        conversion_rate=float(bought.mean()),
        typical_price=float(np.median(price)),
        typical_paid_price=float(np.median(price[bought])) if bought.sum() >= LEAST else float("nan"),
        elasticity=float(np.median(part.response.elasticity(part.current_price))),
        recommended_change_rate=float(np.median(change)),
    )


def _place(rows: PricingRows) -> Floats:
    """Taste and log sensitivity of each row in standard deviations, (n, 2)."""
    taste = (rows.response.intercept - rows.response.sensitivity).mean(axis=1)
    sensitivity = np.log(rows.response.sensitivity.mean(axis=1))
    both: NDArray[np.float64] = np.column_stack([taste, sensitivity]).astype(float)
    spread = both.std(axis=0)
    return np.asarray((both - both.mean(axis=0)) / np.where(spread > 0, spread, 1.0))
