r"""Stock that depletes: what is sold of a demand that is uncertain, with nothing delivered over the horizon.

Purchases of a product arrive at random with mean :math:`\mu`, so that their number *D* is Poisson; of *S* units in
stock the first *S* buyers are served:

.. math:: E\min(D, S) = \mu\,P(D \le S - 1) + S\,P(D > S)

Whoever comes when nothing is left buys nothing. Buyers at different prices come in random order, so that they share
the stock in proportion to their demand.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.special import pdtr

from pricing_core.response import PricingRows
from pricing_core.simulate.scenario import Scenario

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

UNLIMITED: Final = np.inf


def product_stock(rows: PricingRows, code: Ints, weekly_sales: Floats, scenario: Scenario) -> Floats:
    """Whole units of each product that the scenario lets the shop sell, (J,); infinite where nothing limits it.

    Parameters
    ----------
    code
        (n,) number of each row's product. A product's recorded stock is that of its last row where one is known.
    weekly_sales
        (J,) expected weekly sales at today's prices before the scenario, the measure of ``stock_cover_weeks``.
    """
    units = np.full(len(weekly_sales), UNLIMITED)
    recorded = np.full(len(weekly_sales), np.nan)
    known = np.flatnonzero(np.isfinite(rows.stock))
    recorded[code[known]] = rows.stock[known]  # rows are in time order: the last one stays
    there = np.isfinite(recorded)
    if scenario.stock_share is not None:
        units[there] = np.floor(scenario.stock_share * np.maximum(recorded[there], 0.0) + 1e-9)
    if scenario.stock_cover_weeks is not None:
        loose = ~there if scenario.stock_share is not None else np.ones(len(units), dtype=bool)
        units[loose] = np.floor(scenario.stock_cover_weeks * weekly_sales[loose] + 1e-9)
    return units


def expected_sales(mean: Floats, stock: Floats) -> Floats:
    """Expected units sold, the shape of ``mean`` (J, D), of Poisson demand with this mean and ``stock`` (J,)."""
    limit = np.broadcast_to(stock[:, None], mean.shape)
    finite = np.isfinite(limit)
    units = np.where(finite, limit, 0.0)
    below = np.where(units >= 1, pdtr(np.maximum(units - 1, 0), mean), 0.0)
    sold = mean * below + units * (1.0 - pdtr(units, mean))
    return np.where(finite, np.minimum(sold, np.minimum(mean, units)), mean)


def served_share(mean: Floats, stock: Floats) -> Floats:
    """Share of the demand that finds stock, (J, D); 1 where there is no demand."""
    sold = expected_sales(mean, stock)
    return np.where(mean > 0, sold / np.where(mean > 0, mean, 1.0), 1.0)


def turned_away(mean: Floats, stock: Floats) -> Floats:
    """Chance that some customer finds no stock, (J, D)."""
    limit = np.broadcast_to(stock[:, None], mean.shape)
    finite = np.isfinite(limit)
    return np.where(finite, 1.0 - pdtr(np.where(finite, limit, 0.0), mean), 0.0)
