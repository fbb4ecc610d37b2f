r"""The cheapest test that would settle a recommendation: which price to try, on how many offers.

To tell a gain :math:`\Delta` in profit per offer from none, with two groups of *n* offers each,

.. math:: n = (z_{1-a/2} + z_b)^2 \, \frac{s_0^2 + s_1^2}{\Delta^2},

where :math:`s_k^2` is the variance of the profit per offer in a group. Whether the recommended change, half of it or
half as much again shows its effect on fewest offers is tried out; the cheapest test is the one that needs fewest.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from pricing_core.errors import ConfigError, DataError
from pricing_core.response.pricing_rows import PricingRows

Floats = NDArray[np.float64]

_SURE: Final = 0.975  # chance of a gain from which no test is needed
_SHARES: Final = (0.5, 0.75, 1.0, 1.25, 1.5)


@dataclass(frozen=True, eq=False)
class PriceTest:
    """A test of changed prices against today's, half of the offers each.

    Attributes
    ----------
    share
        Part of the recommended change that is to be tried: 1 is the recommended price itself.
    price
        (n,) price to try for each row, money.
    offers_each
        Offers per group.
    weeks
        How long both groups together take at the given pace; NaN if the pace is unknown.
    gain
        Expected gain in profit per offer, money.
    chance_of_gain
        Share of the posterior draws in which the tried prices earn more than today's.
    """

    share: float
    price: Floats
    offers_each: int
    weeks: float
    gain: float
    chance_of_gain: float

    @property
    def needed(self) -> bool:
        """Whether a test is worth it: false where the model is already sure."""
        return self.chance_of_gain < _SURE


def cheapest_test(
    rows: PricingRows,
    price: Floats,
    *,
    offers_per_week: float = math.nan,
    power: float = 0.8,
    significance: float = 0.05,
    decimals: int = 2,
) -> PriceTest | None:
    """Price change that needs the fewest offers to show that it pays.

    Parameters
    ----------
    rows
        Offers whose price is to change.
    price
        (n,) their recommended price.
    offers_per_week
        Pace of such offers.
    power, significance
        Chance of seeing a gain of the expected size, and of seeing one that is not there.
    decimals
        Of the currency.

    Returns
    -------
    PriceTest or None
        None where no share of the change is expected to earn more than today's prices.

    Raises
    ------
    ConfigError
        If an option is out of range.
    DataError
        If there are no rows, or the prices have another length.
    """
    if not 0 < significance < 1 or not 0 < power < 1:
        raise ConfigError(f"power is {power} and significance {significance}; both must lie between 0 and 1.")
    if rows.n == 0 or len(price) != rows.n:
        raise DataError(f"A test needs a price for each offer; there are {rows.n} offers and {len(price)} prices.")
    weight = rows.weight / rows.weight.sum()
    now, now_draws, now_spread = _profit(rows, weight, rows.current_price)
    z = float(ndtri(1 - significance / 2) + ndtri(power))
    found: list[PriceTest] = []
    for share in _SHARES:
        wanted = rows.current_price + share * (price - rows.current_price)
        tried: Floats = np.round(np.clip(wanted, rows.support_low, rows.support_high), decimals).astype(float)
        mean, draws, spread = _profit(rows, weight, tried)
        if mean > now:
            offers = math.ceil(z**2 * (now_spread + spread) / (mean - now) ** 2)
            sure = float((draws > now_draws).mean())
            found.append(PriceTest(share, tried, offers, 2 * offers / offers_per_week, mean - now, sure))
    return min(found, key=lambda each: each.offers_each, default=None)


def _profit(rows: PricingRows, weight: Floats, price: Floats) -> tuple[float, Floats, float]:
    """Mean profit per offer, the same by draw, and its variance over offers."""
    margin = price - rows.unit_cost
    chance = rows.response.probability_draws(price)
    draws = weight @ (margin[:, None] * chance)
    mean = float(draws.mean())
    second = float(weight @ (margin**2 * chance.mean(axis=1)))
    return mean, np.asarray(draws), max(second - mean**2, 0.0)
