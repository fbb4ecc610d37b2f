"""The cautious objective: a lower confidence bound of profit over posterior draws, and a search for its best price."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pricing_core.optimize.blocks import for_blocks
from pricing_core.response import PriceResponse

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Values = Callable[[Floats], Floats]

_BLOCK: Final = 1024
_COARSE: Final = 33
_FINE: Final = 9
_ZOOMS: Final = 4


class CautiousFunction:
    r"""Lower confidence bound of the profit of groups of rows that share a price.

    .. math:: \bar g(p) - z \, s(p)

    with the mean and the standard deviation over ensemble members (over draws if there is one member) of a group's
    profit. Errors that a group's rows do not share cancel before the spread is taken.

    Parameters
    ----------
    response, unit_cost
        Demand curves, and (n,) money.
    spread_weight
        Standard deviations taken off.
    """

    def __init__(self, response: PriceResponse, unit_cost: Floats, spread_weight: float) -> None:
        self.unit_cost, self.spread_weight = unit_cost, spread_weight
        self._alpha = np.ascontiguousarray(response.intercept.T, dtype=float)
        self._slope = np.ascontiguousarray((response.sensitivity / response.reference_price[:, None]).T, dtype=float)
        self._mixing = member_mixing(response)

    def __call__(self, price: Floats) -> Floats:
        """Return the bound of each row alone, (n,), at ``price`` (n,)."""
        out = np.empty(len(price))

        def work(rows: slice) -> None:
            out[rows] = self.bound(self.members(price[rows], rows))

        for_blocks(len(price), _BLOCK, work)
        return out

    def members(self, price: Floats, rows: slice | Ints) -> Floats:
        """Profit of rows by ensemble member, (K, rows)."""
        chance = _chance(self._alpha[:, rows], self._slope[:, rows], price)
        return np.asarray((price - self.unit_cost[rows]) * (self._mixing @ chance))

    def bound(self, members: Floats) -> Floats:
        """Mean minus spread over the first axis."""
        spread = members.std(axis=0, ddof=1) if len(members) > 1 else 0.0
        return np.asarray(members.mean(axis=0) - self.spread_weight * spread)


def scan(value: Values, low: Floats, high: Floats) -> Floats:
    """Price within ``[low, high]`` with the largest ``value`` (n,) → (n,), by scans that zoom in."""
    best, left, right = low.copy(), low.copy(), high.copy()
    top = value(best)
    for points in (_COARSE, *(_FINE,) * _ZOOMS):
        width = right - left
        for share in np.linspace(0.0, 1.0, points):
            tried = np.clip(left + share * width, low, high)
            reached = value(tried)
            better = reached > top
            best, top = np.where(better, tried, best), np.where(better, reached, top)
        step = width / (points - 1)
        left, right = np.maximum(best - step, low), np.minimum(best + step, high)
    return best


def member_mixing(response: PriceResponse) -> Floats:
    """Weights that average the draws of each ensemble member, (K, D); of each draw alone if there is one member."""
    names = np.unique(response.draw_member)
    if len(names) < 2:
        return np.eye(response.draws)
    same = response.draw_member[None, :] == names[:, None]
    return np.asarray(same / same.sum(axis=1, keepdims=True), dtype=float)


def _chance(alpha: Floats, slope: Floats, price: Floats) -> Floats:
    z = slope * price
    z -= alpha
    np.minimum(z, 700.0, out=z)
    np.exp(z, out=z)
    z += 1.0
    return np.asarray(np.reciprocal(z, out=z))
