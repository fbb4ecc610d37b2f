"""Price levels of groups of customers that may differ only so far: all rows of a group move together."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pricing_core.optimize.pooled import maximize_by_group

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_HALVINGS: Final = 50
_PROBE: Final = 0.01  # of a price: step of the numerical curvature
_WIDEST: Final = 20.0  # times the median: how much further than others a flat row may move


@dataclass(frozen=True, eq=False)
class Parity:
    """Highest price level of a group at most ``1 + rate`` times the lowest.

    Attributes
    ----------
    name
        Of the rule.
    code
        (n,) group, −1 outside.
    weight, base
        (n,) occasions, and the usual price of each row's product: a level is paid over usual money.
    rate
        Allowed difference.
    groups
        Names.
    """

    name: str
    code: Ints
    weight: Floats
    base: Floats
    rate: float
    groups: tuple[str, ...]

    def levels(self, price: Floats) -> Floats:
        """Price level of each group, (groups,)."""
        mine = self.code >= 0
        paid = np.bincount(self.code[mine], (self.weight * price)[mine], len(self.groups))
        usual = np.bincount(self.code[mine], (self.weight * self.base)[mine], len(self.groups))
        return np.asarray(paid / np.maximum(usual, 1e-300))

    def difference(self, price: Floats) -> float:
        """How far the highest level is above the lowest."""
        levels = self.levels(price)[np.unique(self.code[self.code >= 0])]
        return float(levels.max() / levels.min() - 1.0) if len(levels) > 1 else 0.0

    def with_rate(self, rate: float) -> Parity:
        """Return the rule with another allowed difference."""
        return replace(self, rate=rate)

    def checked(self, low: Floats, high: Floats, impossible: list[str]) -> Parity:
        """Return the rule, or the tightest one that the allowed prices can keep, which is then named."""
        there = np.unique(self.code[self.code >= 0])
        if len(there) < 2:
            return self
        needed = float(self.levels(low)[there].max() / self.levels(high)[there].min() - 1.0)
        if needed <= self.rate:
            return self
        impossible.append(f"{self.name}: {100 * needed:.1f}% is the smallest difference that the allowed prices reach")
        return replace(self, rate=needed * (1 + 1e-9))


def level_out(parity: Parity, price: Floats, low: Floats, high: Floats, worth: Callable[[Floats], Floats]) -> Floats:
    """Prices whose levels differ no more than allowed, at little loss.

    All groups move into a band of levels. Within a group a row moves the further the flatter its objective is, which
    is cheapest to second order; the band is searched on a line.
    """
    there = np.unique(parity.code[parity.code >= 0])
    if len(there) < 2:
        return price
    now = parity.levels(price)[there]
    if now.max() <= (1.0 + parity.rate) * now.min():
        return price
    softness = _softness(price, worth)
    least, most = parity.levels(low)[there], parity.levels(high)[there]

    def moved(floor: float) -> Floats:
        target = np.full(len(parity.groups), np.nan)
        target[there] = np.clip(np.clip(now, floor, floor * (1.0 + parity.rate)), least, most)
        return _shifted(parity, price, low, high, softness, target)

    def total(floor: Floats) -> Floats:
        return np.array([worth(moved(float(floor[0]))).sum()])

    first = max(now.min() / (1.0 + parity.rate), least.max() / (1.0 + parity.rate), 1e-9)
    last = max(min(now.max(), most.min()), first)
    return moved(float(maximize_by_group(total, np.array([first]), np.array([last]))[0]))


def _softness(price: Floats, worth: Callable[[Floats], Floats]) -> Floats:
    """One over the curvature of each row's objective per occasion, relative to the median."""
    step = _PROBE * price
    bend = (2.0 * worth(price) - worth(price + step) - worth(price - step)) / step**2
    usual = float(np.median(bend[bend > 0])) if (bend > 0).any() else 1.0
    return np.asarray(usual / np.maximum(bend, usual / _WIDEST))


def _shifted(parity: Parity, price: Floats, low: Floats, high: Floats, softness: Floats, target: Floats) -> Floats:
    """Rows of each group moved by a common step times their softness until the group's level is its target."""
    mine = np.flatnonzero(parity.code >= 0)
    code, soft = parity.code[mine], softness[mine]
    start, floor, ceiling = price[mine], low[mine], high[mine]
    reach = float(np.max((high - low)[mine] / soft)) or 1.0
    left, right = np.full(len(target), -reach), np.full(len(target), reach)
    for _ in range(_HALVINGS):
        middle = 0.5 * (left + right)
        out = price.copy()
        out[mine] = np.clip(start + middle[code] * soft, floor, ceiling)
        below = parity.levels(out) < target
        left, right = np.where(below, middle, left), np.where(below, right, middle)
    return out
