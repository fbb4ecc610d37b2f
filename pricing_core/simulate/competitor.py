r"""Competitors who move, and who follow our own moves.

The models answer for a moved competitor only when asked again; for a slider that is too slow, so that they are asked
once at a few moves, and between two of these the curves are interpolated: intercept and slope in money are straight
lines in :math:`\ln(1 + \text{move})`.

A competitor who follows the share :math:`\rho` of our price changes offsets part of what they do to demand. With
:math:`\gamma = \partial\,\text{logit} / \partial \ln(\text{competitor price})` and today's price :math:`p_0`,

.. math:: \text{logit} = a - b\,p/r + \gamma\rho \ln(p/p_0) \approx a' - b'\,p/r, \quad b' = b - \gamma\rho\,r/p_0

with :math:`a'` such that nothing changes at :math:`p_0`. The response keeps its form, so that strategies foresee the
reaction. The straight line is off by the square of the price change: at +10% it counts 10% for 9.5%.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pricing_core.errors import ConfigError, DataError
from pricing_core.response import PricingRows

Floats = NDArray[np.float64]

MOVES: Final = (-0.5, -0.3, -0.2, -0.1, 0.0, 0.1, 0.2, 0.35, 0.5)
_LEAST_SENSITIVITY: Final = 0.05  # of the sensitivity without reaction
_STEP: Final = 0.1


@dataclass(frozen=True, eq=False)
class CompetitorMoves:
    """The same rows with competitor prices moved by each of the ``rates`` (ascending), as the models answered."""

    rates: tuple[float, ...]
    rows: tuple[PricingRows, ...]

    def __post_init__(self) -> None:
        if len(self.rates) != len(self.rows) or not self.rates:
            raise DataError(f"There are {len(self.rates)} moves and {len(self.rows)} answers.")
        if list(self.rates) != sorted(set(self.rates)):
            raise DataError(f"The moves {self.rates} are not in ascending order.")

    @property
    def base(self) -> PricingRows:
        """Rows without a move."""
        return self.rows[self.rates.index(0.0)]

    def at(self, rate: float) -> PricingRows:
        """Rows with competitor prices moved by ``rate``.

        Raises
        ------
        ConfigError
            If the rate lies outside the moves that the models were asked about.
        """
        if not self.rates[0] <= rate <= self.rates[-1]:
            raise ConfigError(
                f"A competitor move of {rate:+.0%} is outside {self.rates[0]:+.0%} to {self.rates[-1]:+.0%}.",
                fix="Choose a smaller move, or simulate it in full.",
            )
        right = int(np.searchsorted(self.rates, rate))
        if self.rates[right] == rate:
            return self.rows[right]
        ends = np.log1p([self.rates[right - 1], self.rates[right]])
        share = float((np.log1p(rate) - ends[0]) / (ends[1] - ends[0]))
        return _between(self.rows[right - 1], self.rows[right], share, self.base, rate)

    def pull(self, rate: float = 0.0) -> Floats:
        """Change of the log odds per unit of log competitor price, (n, D), around a move."""
        low = max(self.rates[0], (1 + rate) * (1 - _STEP) - 1)
        high = min(self.rates[-1], (1 + rate) * (1 + _STEP) - 1)
        return competitor_pull(self.at(low), self.at(high), float(np.log1p(high) - np.log1p(low)))


def competitor_pull(low: PricingRows, high: PricingRows, distance: float) -> Floats:
    """Slope of the log odds at today's price, (n, D), from rows whose log competitor prices lie ``distance`` apart."""
    return (_log_odds(high) - _log_odds(low)) / distance


def with_reaction(rows: PricingRows, pull: Floats, rate: float) -> PricingRows:
    """Rows whose competitors follow the share ``rate`` of our price changes; see the module's text.

    Where the pull is so strong that demand would hardly fall with price, a twentieth of the sensitivity stays.
    """
    if not rate:
        return rows
    response = rows.response
    unit = (response.reference_price / rows.current_price)[:, None]
    sensitivity = np.maximum(response.sensitivity - pull * rate * unit, _LEAST_SENSITIVITY * response.sensitivity)
    intercept = response.intercept + (sensitivity - response.sensitivity) / unit
    return replace(rows, response=replace(response, intercept=intercept, sensitivity=sensitivity))


def _log_odds(rows: PricingRows) -> Floats:
    response = rows.response
    relative = (rows.current_price / response.reference_price)[:, None]
    return np.asarray(response.intercept - response.sensitivity * relative)


def _between(left: PricingRows, right: PricingRows, share: float, base: PricingRows, rate: float) -> PricingRows:
    unit = base.response.reference_price
    slopes = [part.response.sensitivity / part.response.reference_price[:, None] for part in (left, right)]
    slope = (1 - share) * slopes[0] + share * slopes[1]
    intercept = (1 - share) * left.response.intercept + share * right.response.intercept
    response = replace(base.response, intercept=intercept, sensitivity=slope * unit[:, None])
    ends = {
        name: (1 - share) * getattr(left, name) + share * getattr(right, name)
        for name in ("support_low", "support_high")
    }
    return replace(base, response=response, competitor_price=base.competitor_price * (1.0 + rate), **ends)
