"""Chargeable prices that still keep limits on sums: each price moves to a neighbor, then the cheapest moves repair."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pricing_core.guardrails.price_points import PricePoints
from pricing_core.optimize.limits import Limit
from pricing_core.optimize.snapping import snap

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]
Values = Callable[[Floats], Floats]

_ROUNDS: Final = 60
_SLACK: Final = 1e-10


@dataclass(frozen=True, eq=False)
class Chargeable:
    """How prices become chargeable.

    Attributes
    ----------
    code
        (n,) cell of each row; rows of a cell share a price.
    points
        Amounts that each cell may charge, (cells,).
    low, high
        (n,) windows that rules between rows leave.
    outer
        Low and high ends (n,) of the rows' own ranges, for prices that find no amount in their window.
    worth, chance
        Prices (n,) → objective times weight, and chance of a purchase.
    weight, public
        (n,) occasions, and money from which discounts count.
    """

    code: Ints
    points: PricePoints
    low: Floats
    high: Floats
    outer: tuple[Floats, Floats]
    worth: Values
    chance: Values
    weight: Floats
    public: Floats

    @property
    def cells(self) -> int:
        """Number of prices."""
        return self.points.n

    def by_cell(self, values: Floats) -> Floats:
        """Sum of rows (n,) by cell."""
        return np.asarray(np.bincount(self.code, values, self.cells), dtype=float)

    def ends(self) -> tuple[Floats, Floats]:
        """Windows by cell; the whole range of cells that find no amount in theirs."""
        low, high = self._common(self.low, self.high)
        stuck = ~self.points.fits(low, high)
        if stuck.any():
            wide_low, wide_high = self._common(*self.outer)
            low, high = np.where(stuck, wide_low, low), np.where(stuck, wide_high, high)
        return low, high

    def _common(self, low: Floats, high: Floats) -> tuple[Floats, Floats]:
        least, most = np.full(self.cells, -np.inf), np.full(self.cells, np.inf)
        np.maximum.at(least, self.code, low)
        np.minimum.at(most, self.code, high)
        return least, most


def make_chargeable(price: Floats, limits: Sequence[Limit], how: Chargeable, fixed: Mask) -> tuple[Floats, Mask]:
    """Chargeable prices (n,) near the given ones, and where there are such, (n,).

    Parameters
    ----------
    price
        (n,), equal within a cell.
    limits
        Limits on sums that must hold afterwards, where any neighbors allow it.
    fixed
        (n,) flag: rows that stay exactly as they are, chargeable or not.
    """
    single = how.cells == len(price)
    first = np.argsort(how.code, kind="stable") if single else np.unique(how.code, return_index=True)[1]
    low, high = how.ends()
    cell_fixed = np.zeros(how.cells, dtype=bool)
    cell_fixed[how.code[fixed]] = True
    start = np.clip(price[first], low, np.maximum(low, high))
    snapped = snap(start, low, high, how.points, lambda tried: how.by_cell(how.worth(tried[how.code])))
    cell = np.where(cell_fixed, price[first], np.where(snapped.fits, snapped.price, start))
    fits = (snapped.fits | cell_fixed)[how.code]
    movable = ~cell_fixed & snapped.fits
    for _ in range(_ROUNDS):
        broken = [limit for limit in limits if _excess(limit, cell, how).max(initial=0.0) > 0]
        if not broken:
            break
        moved = [_flip(limit, cell, (low, high), how, movable) for limit in broken]
        if not any(moved):
            break
    return np.where(fixed, price, cell[how.code]), fits


def _excess(limit: Limit, cell: Floats, how: Chargeable) -> Floats:
    price = cell[how.code]
    used = limit.used(price, how.chance(price), how.weight, how.public)
    over = used - limit.bound
    return np.where(over > _SLACK * np.maximum(np.abs(limit.bound), 1e-9), over, 0.0)


def _flip(limit: Limit, cell: Floats, ends: tuple[Floats, Floats], how: Chargeable, movable: Mask) -> bool:
    """Move the cells of a broken limit that lose least per unit saved, until it holds; in place."""
    over = _excess(limit, cell, how)
    step = 10.0**-how.points.decimals
    below, above = how.points.neighbors(cell - step)[0], how.points.neighbors(cell + step)[1]
    other = below if limit.sign < 0 else above
    good = movable & (other >= ends[0] - 1e-9) & (other <= ends[1] + 1e-9)
    other = np.where(good, other, cell)
    saved = _by_group(limit, cell, how) - _by_group(limit, other, how)
    lost = how.by_cell(how.worth(cell[how.code]) - how.worth(other[how.code]))
    group = _group_of(limit, how)
    usable = good & (group >= 0) & (saved > 0)
    usable &= over[np.maximum(group, 0)] > 0
    candidates = np.flatnonzero(usable)
    if not candidates.size:
        return False
    ratio = lost[candidates] / saved[candidates]
    order = candidates[np.lexsort((ratio, group[candidates]))]
    total = np.cumsum(saved[order])
    start = np.searchsorted(group[order], np.arange(len(over)), side="left")
    before = np.concatenate([[0.0], total])[start][group[order]]
    needed = total - saved[order] - before < over[group[order]]
    taken = order[needed]
    cell[taken] = other[taken]
    return True


def _by_group(limit: Limit, cell: Floats, how: Chargeable) -> Floats:
    """What each cell uses of a limit, (cells,)."""
    price = cell[how.code]
    used = how.weight * limit.amount(price, how.public) * how.chance(price)
    return how.by_cell(np.where(limit.code >= 0, used, 0.0))


def _group_of(limit: Limit, how: Chargeable) -> Ints:
    """Group of a limit to which each cell belongs, −1 for none; a cell in several counts for the last."""
    out = np.full(how.cells, -1, dtype=np.int64)
    mine = limit.code >= 0
    out[how.code[mine]] = limit.code[mine]
    return out
