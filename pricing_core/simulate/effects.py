"""What one price would do in each row, with its 90% range."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pricing_core.response import PricingRows
from pricing_core.simulate.intervals import draw_interval

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class RowEffects:
    """Expected effect of a price per occasion, (n,) each: chance of a purchase, and profit in money, of all
    units, with its range.
    """

    conversion_rate: Floats
    profit: Floats
    profit_low: Floats
    profit_high: Floats

    def to_frame(self) -> pd.DataFrame:
        """Return the four columns."""
        return pd.DataFrame(
            {
                "conversion_rate": self.conversion_rate,
                "profit": self.profit,
                "profit_low": self.profit_low,
                "profit_high": self.profit_high,
            }
        )


def row_effects(rows: PricingRows, price: Floats) -> RowEffects:
    """Effect of charging ``price`` (n,) on one occasion of each row.

    The range covers the expected profit over the posterior draws; its ends are cut at the profit of a certain
    purchase and of none. NaN where a single ensemble member leaves the spread unknown.
    """
    return group_effects(rows, price, np.arange(rows.n), rows.n)


def group_effects(rows: PricingRows, price: Floats, code: Ints, groups: int) -> RowEffects:
    """Effect of charging ``price`` (n,) on an average occasion of each group of rows, (groups,) each.

    Draws are averaged over a group's rows, by weight, before their spread is taken: errors that rows do not share
    cancel.

    Parameters
    ----------
    code
        (n,) group of each row, 0 … groups − 1; every group has a row.
    """
    response = rows.response
    share = rows.weight / np.bincount(code, rows.weight, groups)[code]
    margin = price - rows.unit_cost
    chance = response.probability_draws(price) * share[:, None]
    conversion = _sums(chance, code, groups)
    worth = margin * rows.units_per_purchase
    profit = _sums(worth[:, None] * chance, code, groups)
    found = draw_interval(profit, response.draw_member, response.draw_fold)
    least = np.bincount(code, share * np.minimum(worth, 0.0), groups)
    most = np.bincount(code, share * np.maximum(worth, 0.0), groups)
    return RowEffects(
        conversion_rate=conversion.mean(axis=1),
        profit=profit.mean(axis=1),
        profit_low=np.clip(found.low, least, most),
        profit_high=np.clip(found.high, least, most),
    )


def _sums(values: Floats, code: Ints, groups: int) -> Floats:
    if groups == len(code):
        return values[np.argsort(code)]
    return np.stack([np.bincount(code, column, groups) for column in values.T], axis=1)
