r"""The price that maximizes posterior mean profit: many draws of a demand curve, one price.

For each row

.. math:: f(x) = (x - c)\,\bar P(x), \qquad \bar P(x) = \frac1D \sum_d \sigma(\alpha_d - \beta_d x)

Each draw alone has one maximum (closed form). Below the smallest of them every draw's profit rises and above the
largest every one falls, so the maximum of the mean lies between them. It is found by Newton steps on f' that fall
back on halving the bracket; where draws disagree so much that their mean may have several maxima, each of the
highest is climbed.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from pricing_core.errors import DataError
from pricing_core.optimize.blocks import for_blocks
from pricing_core.optimize.closed_form import lambert_of_exp
from pricing_core.response import PriceResponse

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_BLOCK: Final = 1024
_STEPS: Final = 40
_TOLERANCE: Final = 1e-4  # last move, in log odds; profit is flat there, so its error is the square of this
_APART: Final = 4.0  # disagreement of the draws, in units of log odds, from which several maxima are looked for
_POINTS: Final = 16
_CLIMBS: Final = 3


def posterior_profit(response: PriceResponse, price: Floats, unit_cost: Floats) -> Floats:
    """Posterior mean profit of each row, (n,), in money, at ``price`` (n,) with ``unit_cost`` (n,)."""
    out = np.empty(response.n)
    scale = response.reference_price

    def work(rows: slice) -> None:
        x = price[rows] / scale[rows]
        alpha, beta = _by_draw(response, rows)
        out[rows] = (price[rows] - unit_cost[rows]) * _chance(alpha, beta, x).mean(axis=0)

    for_blocks(response.n, _BLOCK, work)
    return out


class ProfitFunction:
    """Posterior mean profit of fixed rows at many prices, one call per price: ``profit(price)``, (n,) → (n,).

    Parameters
    ----------
    response
        Demand curves.
    unit_cost
        (n,) money.

    Attributes
    ----------
    alpha, slope
        (D, n): log odds at a price of zero, and their fall per unit of money.
    """

    def __init__(self, response: PriceResponse, unit_cost: Floats) -> None:
        self.unit_cost = unit_cost
        self.alpha = np.ascontiguousarray(response.intercept.T, dtype=float)
        self.slope = np.ascontiguousarray((response.sensitivity / response.reference_price[:, None]).T, dtype=float)

    def __call__(self, price: Floats) -> Floats:
        """Return the profit of each row at ``price``."""
        out = np.empty(len(price))

        def work(rows: slice) -> None:
            x = price[rows]
            chance = _chance(self.alpha[:, rows], self.slope[:, rows], x)
            out[rows] = (x - self.unit_cost[rows]) * chance.mean(axis=0)

        for_blocks(len(price), _BLOCK, work)
        return out


def maximize_posterior_profit(response: PriceResponse, unit_cost: Floats, low: Floats, high: Floats) -> Floats:
    """Price within ``[low, high]`` that maximizes posterior mean profit, row by row.

    Parameters
    ----------
    response
        Demand curves.
    unit_cost, low, high
        (n,) money, ``low <= high``. A ``unit_cost`` of zero maximizes revenue.

    Returns
    -------
    (n,) money. Profit is within 1e-6 (relative) of the best on the range.

    Raises
    ------
    DataError
        If a range is empty or not finite.
    """
    empty = ~(low <= high) | ~np.isfinite(low) | ~np.isfinite(high)
    if empty.any():
        raise DataError(f"The range of allowed prices is empty or unknown in {int(empty.sum())} of {response.n} rows.")
    out = np.empty(response.n)
    scale = response.reference_price

    def work(rows: slice) -> None:
        unit = scale[rows]
        alpha, beta = _by_draw(response, rows)
        best = _maximize(alpha, beta, unit_cost[rows] / unit, low[rows] / unit, high[rows] / unit)
        out[rows] = np.clip(best * unit, low[rows], high[rows])

    for_blocks(response.n, _BLOCK, work)
    return out


def climb(alpha: Floats, slope: Floats, cost: Floats, low: Floats, start: Floats, high: Floats) -> Floats:
    """Price in ``[low, high]`` at which mean profit stops rising, by Newton steps from ``start``.

    Where the draws agree (see :func:`disagreeing`) it is the best price of the range.

    Parameters
    ----------
    alpha, slope
        (D, n): log odds at a price of zero, and their fall per unit of money.
    cost, low, start, high
        (n,) money.
    """
    return _climb(alpha, slope, cost, _Bracket(low.copy(), start.copy(), high.copy()))


def disagreeing(response: PriceResponse, unit_cost: Floats, low: Floats, high: Floats) -> Ints:
    """Index of rows whose draws disagree so much that their mean profit may have several maxima on the range."""
    out = np.zeros(response.n, dtype=bool)
    scale = response.reference_price

    def work(rows: slice) -> None:
        alpha, beta = _by_draw(response, rows)
        peaks = (lambert_of_exp(alpha - beta * (unit_cost[rows] / scale[rows]) - 1.0) + 1.0) / beta
        peaks += unit_cost[rows] / scale[rows]
        np.clip(peaks, low[rows] / scale[rows], high[rows] / scale[rows], out=peaks)
        out[rows] = np.ptp(peaks, axis=0) * beta.max(axis=0) > 0.5 * _APART  # duals move the peaks a little

    for_blocks(response.n, _BLOCK, work)
    return np.flatnonzero(out)


def _by_draw(response: PriceResponse, rows: slice) -> tuple[Floats, Floats]:
    """Intercept and sensitivity as (D, block): sums over draws then run along whole vectors."""
    return (
        np.ascontiguousarray(response.intercept[rows].T, dtype=float),
        np.ascontiguousarray(response.sensitivity[rows].T, dtype=float),
    )


def _chance(alpha: Floats, beta: Floats, x: Floats) -> Floats:
    """P by draw, (D, block)."""
    z = beta * x
    z -= alpha
    np.minimum(z, 700.0, out=z)
    np.exp(z, out=z)
    z += 1.0
    return np.asarray(np.reciprocal(z, out=z))


def _mean_profit(alpha: Floats, beta: Floats, cost: Floats, x: Floats) -> Floats:
    return np.asarray((x - cost) * _chance(alpha, beta, x).mean(axis=0))


def _maximize(alpha: Floats, beta: Floats, cost: Floats, low: Floats, high: Floats) -> Floats:
    peaks = lambert_of_exp(alpha - beta * cost - 1.0)
    peaks += 1.0
    peaks /= beta
    peaks += cost
    np.clip(peaks, low, high, out=peaks)
    left, right = peaks.min(axis=0), peaks.max(axis=0)
    start = np.clip(peaks.mean(axis=0), left, right)
    best = _climb(alpha, beta, cost, _Bracket(left, start, right))
    apart = np.flatnonzero((peaks.max(axis=0) - peaks.min(axis=0)) * beta.max(axis=0) > _APART)
    if apart.size:
        best[apart] = _highest_peak(alpha[:, apart], beta[:, apart], cost[apart], _points(peaks[:, apart]), best[apart])
    return best


def _points(peaks: Floats) -> Floats:
    """Where the mean profit of disagreeing draws may peak: at the draws' own best prices and in between."""
    ordered = np.sort(peaks, axis=0)
    if len(ordered) > _POINTS:
        ordered = ordered[np.linspace(0, len(ordered) - 1, _POINTS).round().astype(int)]
    between = [ordered[:-1] + share * (ordered[1:] - ordered[:-1]) for share in (0.25, 0.5, 0.75)]
    evenly = ordered[0] + (ordered[-1] - ordered[0]) * np.linspace(0.0, 1.0, _POINTS)[1:-1, None]
    return np.asarray(np.sort(np.concatenate([ordered, *between, evenly]), axis=0))


def _highest_peak(alpha: Floats, beta: Floats, cost: Floats, points: Floats, best: Floats) -> Floats:
    """Climb from the highest local maxima among ascending points (m, block) where they beat or nearly tie ``best``."""
    value = np.stack([_mean_profit(alpha, beta, cost, x) for x in points])
    top = _mean_profit(alpha, beta, cost, best)
    edge = np.full((1, value.shape[1]), -np.inf)
    padded = np.concatenate([edge, value, edge])
    value[(value <= padded[:-2]) | (value < padded[2:])] = -np.inf  # only local maxima stay
    column = np.arange(value.shape[1])
    for _ in range(_CLIMBS):
        at = value.argmax(axis=0)
        start = points[at, column]
        below = np.where(points < start, points, -np.inf).max(axis=0)
        above = np.where(points > start, points, np.inf).min(axis=0)
        below, above = np.where(np.isfinite(below), below, start), np.where(np.isfinite(above), above, start)
        found = _climb(alpha, beta, cost, _Bracket(below, start, above))
        reached = _mean_profit(alpha, beta, cost, found)
        better = reached > top
        best, top = np.where(better, found, best), np.maximum(reached, top)
        value[at, column] = -np.inf
    return best


class _Bracket:
    """Range that holds the maximum of each column, the current price in it, and which ends were evaluated."""

    def __init__(self, left: Floats, x: Floats, right: Floats) -> None:
        self.left, self.x, self.right = left, x, right
        self.left_known = np.zeros(len(x), dtype=bool)
        self.right_known = np.zeros(len(x), dtype=bool)

    def take(self, keep: Ints) -> _Bracket:
        part = _Bracket(self.left[keep], self.x[keep], self.right[keep])
        part.left_known, part.right_known = self.left_known[keep], self.right_known[keep]
        return part

    def step(self, gain: Floats, curve: Floats) -> Floats:
        """Move to the next price given f' and f'' at the current one; return how far."""
        x, rises, falls = self.x, gain > 0, gain < 0
        np.copyto(self.left, x, where=rises)
        np.copyto(self.right, x, where=falls)
        self.left_known |= rises
        self.right_known |= falls
        newton = np.divide(gain, -curve, out=_far(gain), where=curve < 0)
        target = np.clip(x + newton, self.left, self.right)
        middle = 0.5 * (self.left + self.right)
        stuck = ((target <= self.left) & self.left_known) | ((target >= self.right) & self.right_known)
        stuck &= gain != 0
        np.copyto(target, middle, where=stuck)
        moved = np.abs(target - x)
        self.x = target
        return np.asarray(moved)


def _climb(alpha: Floats, beta: Floats, cost: Floats, bracket: _Bracket) -> Floats:
    """Zero of f' within each bracket; columns leave the work as they arrive."""
    out = bracket.x
    active, steepest = np.arange(len(out)), beta.max(axis=0)
    for _ in range(_STEPS):
        moved = bracket.step(*_slopes(alpha, beta, cost, bracket.x))
        out[active] = bracket.x
        going = np.flatnonzero(moved * steepest > _TOLERANCE)
        if not going.size:
            break
        if 2 * going.size < active.size:
            active, bracket = active[going], bracket.take(going)
            alpha, beta, cost, steepest = alpha[:, going], beta[:, going], cost[going], steepest[going]
    return out


def _slopes(alpha: Floats, beta: Floats, cost: Floats, x: Floats) -> tuple[Floats, Floats]:
    """First and second derivative of the summed profit of all draws."""
    p = _chance(alpha, beta, x)
    level = p.sum(axis=0)
    fall = beta * p
    np.subtract(1.0, p, out=p)
    fall *= p  # b P (1 - P)
    slope = fall.sum(axis=0)
    p *= 2.0
    p -= 1.0  # 1 - 2 P
    p *= beta
    p *= fall
    margin = x - cost
    return level - margin * slope, margin * p.sum(axis=0) - 2.0 * slope


def _far(gain: Floats) -> Floats:
    """Return a step uphill that reaches the end of any bracket."""
    return np.asarray(np.sign(gain) * 1e300)
