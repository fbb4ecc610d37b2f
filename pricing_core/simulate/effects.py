"""What one price would do in each row, with its 90% range."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pricing_core.response import PricingRows
from pricing_core.simulate.intervals import draw_interval

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class RowEffects:
    """Expected effect of a price per occasion, (n,) each: chance of a purchase, and profit in money with its range."""

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
    response = rows.response
    margin = price - rows.unit_cost
    chance = response.probability_draws(price)
    found = draw_interval(chance, response.draw_member, response.draw_fold)
    ends = np.stack([margin * np.clip(found.low, 0.0, 1.0), margin * np.clip(found.high, 0.0, 1.0)])
    return RowEffects(
        conversion_rate=chance.mean(axis=1),
        profit=margin * chance.mean(axis=1),
        profit_low=ends.min(axis=0),
        profit_high=ends.max(axis=0),
    )
