"""Row prices under rules that compare prices: equal prices, a product's spread, and orders between products.

Each rule leaves every row a window that a few numbers set: the price that a group shares, the lowest price of a
product (its highest may be a rate above), the threshold between two products. The numbers are searched on a line, the
rows follow by moving to the nearest end of their window, which is their best price there as long as their objective
has one peak.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pricing_core.guardrails.price_points import PricePoints
from pricing_core.optimize.curves import Responder
from pricing_core.optimize.parity import Parity, level_out
from pricing_core.optimize.pooled import maximize_by_group

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Values = Callable[[Floats], Floats]

_SWEEPS: Final = 3
_ANY: Final = 1e-9


@dataclass(frozen=True, eq=False)
class Spread:
    """Highest price of a group at most ``1 + rate`` times its lowest: code (n,), −1 outside; rates (groups,)."""

    name: str
    code: Ints
    rate: Floats
    groups: tuple[str, ...]
    points: PricePoints | None = None


@dataclass(frozen=True, eq=False)
class Order:
    """No price of the rows ``lower`` plus ``gap`` is above any price of the rows ``higher`` (indices)."""

    name: str
    lower: Ints
    higher: Ints
    gap: float
    products: tuple[str, str]
    points: PricePoints | None = None


@dataclass(frozen=True, eq=False)
class Windows:
    """Prices (n,) and the windows (n,) in which they may still move without breaking a rule."""

    price: Floats
    low: Floats
    high: Floats


@dataclass(eq=False)
class WindowRules:
    """Spreads, orders and parities that hold together; what cannot be kept is loosened or dropped, and named.

    ``impossible`` grows while rules are checked: one sentence per rule, with the smallest relaxation.
    """

    spreads: Sequence[Spread] = ()
    orders: Sequence[Order] = ()
    parities: Sequence[Parity] = ()
    impossible: list[str] = field(default_factory=list)

    def check(self, low: Floats, high: Floats) -> None:
        """Relax or drop what the rows' ranges rule out."""
        kept = []
        for order in self.orders:
            room = float(high[order.higher].min() - low[order.lower].max())
            if room < order.gap - _ANY:
                self.impossible.append(_order_words(order, room))
                if room < 0:
                    continue
                order = replace(order, gap=room)
            kept.append(order)
        self.orders = _without_contradictions(kept, low, high, self.impossible)
        low, high = _ordered_ranges(self.orders, low, high)
        for spread in self.spreads:
            least, most = _common(spread, low, high)
            needed = least / most - 1.0
            for g in np.flatnonzero(needed > spread.rate + _ANY):
                self.impossible.append(
                    f"{spread.name}: the allowed prices of {spread.groups[g]} lie further apart; "
                    f"{100 * needed[g]:.1f}% is the smallest spread that works"
                )
            np.maximum(spread.rate, needed, out=spread.rate)
        self.parities = [each.checked(low, high, self.impossible) for each in self.parities]

    def settle(self, price: Floats, low: Floats, high: Floats, worth: Values) -> Windows:
        """Windows that keep the rules and are worth most, and the prices in them.

        Parameters
        ----------
        price
            (n,) best prices without the rules.
        low, high
            (n,) allowed range.
        worth
            Prices (n,) → objective (n,), by row, times its weight.
        """
        low, high = self._settle_orders(price, low, high, worth)
        for spread in self.spreads:
            price = np.clip(price, low, high)
            low, high = _settle_spread(spread, price, low, high, worth)
        price = np.clip(price, low, high)
        for parity in self.parities:
            price = level_out(parity, price, low, high, worth)
        return Windows(price, low, high)

    def _settle_orders(self, price: Floats, low: Floats, high: Floats, worth: Values) -> tuple[Floats, Floats]:
        if not self.orders:
            return low, high
        low, high = _ordered_ranges(self.orders, low, high)
        threshold = np.full(len(self.orders), np.nan)
        batches = _disjoint(self.orders)
        for _ in range(_SWEEPS if len(batches) > 1 else 1):
            for batch in batches:
                threshold[batch] = self._thresholds(batch, threshold, price, low, high, worth)
        return _windows(self.orders, threshold, low, high)

    def _thresholds(
        self, batch: Ints, threshold: Floats, price: Floats, low: Floats, high: Floats, worth: Values
    ) -> Floats:
        """Best thresholds of orders without a product in common, given the others."""
        others = threshold.copy()
        others[batch] = np.nan
        low, high = _windows(self.orders, others, low, high)
        code, side = np.full(len(price), -1), np.zeros(len(price))
        gap = np.array([self.orders[k].gap for k in batch])
        least, most, first, last = np.empty((4, len(batch)))
        orders = [self.orders[k] for k in batch]
        for j, order in enumerate(orders):
            code[order.lower], side[order.lower] = j, -1
            code[order.higher], side[order.higher] = j, 1
            # Below both products' own best prices, or above both, a threshold only costs.
            own = price[order.lower].max(), price[order.higher].min() - order.gap
            first[j], last[j] = low[order.lower].max(), high[order.higher].min() - order.gap
            least[j], most[j] = np.clip([min(own), max(own)], first[j], max(first[j], last[j]))
        mine = code >= 0
        at = np.maximum(code, 0)

        def total(tried: Floats) -> Floats:
            upper = np.where(mine & (side < 0), np.minimum(high, tried[at]), high)
            lower = np.where(mine & (side > 0), np.maximum(low, tried[at] + gap[at]), low)
            value = worth(np.clip(price, lower, np.maximum(upper, lower)))
            return np.asarray(np.bincount(code[mine], value[mine], len(batch)), dtype=float)

        best = maximize_by_group(total, np.maximum(least, _ANY), np.maximum(most, _ANY))
        pairs = [each.points.neighbors(best[[j]]) for j, each in enumerate(orders) if each.points is not None]
        if len(pairs) < len(orders):
            return best
        return _better_point(best, np.hstack(pairs), (first, last), total)


def _windows(orders: Sequence[Order], threshold: Floats, low: Floats, high: Floats) -> tuple[Floats, Floats]:
    low, high = low.copy(), high.copy()
    for order, at in zip(orders, threshold, strict=True):
        if np.isfinite(at):
            high[order.lower] = np.minimum(high[order.lower], at)
            low[order.higher] = np.maximum(low[order.higher], at + order.gap)
    return low, high


def _settle_spread(spread: Spread, price: Floats, low: Floats, high: Floats, worth: Values) -> tuple[Floats, Floats]:
    least, most = _common(spread, low, high)
    start = least / (1.0 + spread.rate)
    mine = spread.code >= 0
    code = spread.code[mine]
    at, factor = np.maximum(spread.code, 0), 1.0 + spread.rate

    def total(floor: Floats) -> Floats:
        lower = np.where(mine, np.maximum(low, floor[at]), low)
        upper = np.where(mine, np.minimum(high, (floor * factor)[at]), high)
        value = worth(np.clip(price, lower, np.maximum(upper, lower)))
        return np.asarray(np.bincount(code, value[mine], len(spread.rate)), dtype=float)

    bottom, top = np.full(len(spread.rate), np.inf), np.zeros(len(spread.rate))
    np.minimum.at(bottom, code, price[mine])
    np.maximum.at(top, code, price[mine])
    # Floors outside of today's best prices cannot help; within them the search is finer.
    first = np.clip(np.minimum(bottom, top / factor), start, most)
    last = np.clip(np.maximum(bottom, top / factor), first, most)
    floor = maximize_by_group(total, np.maximum(first, _ANY), np.maximum(last, _ANY))
    if spread.points is not None:
        floor = _better_point(floor, np.stack(spread.points.neighbors(floor)), (start, most), total)
    lower = np.where(mine, np.maximum(low, floor[at]), low)
    return lower, np.where(mine, np.maximum(np.minimum(high, (floor * factor)[at]), lower), high)


def _better_point(value: Floats, pair: Floats, ends: tuple[Floats, Floats], total: Values) -> Floats:
    """Of the allowed amounts below and above each value (2, groups) the one within the ends that is worth more."""
    good = [np.isfinite(p) & (p >= ends[0] - _ANY) & (p <= ends[1] + _ANY) for p in pair]
    below, above = (np.where(ok, p, value) for ok, p in zip(good, pair, strict=True))
    worth_below = np.where(good[0], total(below), -np.inf)
    worth_above = np.where(good[1], total(above), -np.inf)
    return np.where(worth_above > worth_below, above, below)


def _common(spread: Spread, low: Floats, high: Floats) -> tuple[Floats, Floats]:
    """Highest lower end and lowest upper end of each group."""
    least, most = np.full(len(spread.rate), _ANY), np.full(len(spread.rate), np.inf)
    mine = spread.code >= 0
    np.maximum.at(least, spread.code[mine], low[mine])
    np.minimum.at(most, spread.code[mine], high[mine])
    return least, most


def _disjoint(orders: Sequence[Order]) -> list[Ints]:
    """Orders in batches within which no product occurs twice."""
    batches: list[tuple[set[str], list[int]]] = []
    for k, order in enumerate(orders):
        for used, members in batches:
            if not used.intersection(order.products):
                used.update(order.products)
                members.append(k)
                break
        else:
            batches.append((set(order.products), [k]))
    return [np.array(members) for _, members in batches]


def _ordered_ranges(orders: Sequence[Order], low: Floats, high: Floats) -> tuple[Floats, Floats]:
    """Ranges without what chains of orders rule out."""
    low, high = low.copy(), high.copy()
    for _ in orders:
        before = low.sum() - high.sum()
        for order in orders:
            low[order.higher] = np.maximum(low[order.higher], low[order.lower].max() + order.gap)
            high[order.lower] = np.minimum(high[order.lower], high[order.higher].min() - order.gap)
        if low.sum() - high.sum() == before:
            break
    return low, high


def _without_contradictions(orders: Sequence[Order], low: Floats, high: Floats, impossible: list[str]) -> list[Order]:
    kept: list[Order] = []
    for order in orders:
        narrow_low, narrow_high = _ordered_ranges([*kept, order], low, high)
        if (narrow_low > narrow_high + _ANY).any():
            impossible.append(f"{order.name}: together with the other price orders no prices keep it")
        else:
            kept.append(order)
    return kept


def _order_words(order: Order, room: float) -> str:
    if room < 0:
        return (
            f"{order.name}: the lowest allowed price of {order.products[0]} is {-room:.2f} above the highest of "
            f"{order.products[1]}; let their prices move further"
        )
    return f"{order.name}: a gap of {room:.2f} is the largest that the allowed prices leave"


class WindowedRows:
    """Rows that answer duals with prices that keep window rules."""

    def __init__(self, rows: Responder, rules: WindowRules, weight: Floats) -> None:
        self.rows, self.rules, self.weight = rows, rules, weight
        self.low, self.high = rows.low, rows.high
        self.last = Windows(rows.low, rows.low, rows.high)

    def best(self, unit_dual: Floats, discount_dual: Floats) -> Floats:
        """Return the best price of each row within the rules, (n,)."""
        free = self.rows.best(unit_dual, discount_dual)
        self.last = self.rules.settle(
            free, self.low, self.high, lambda price: self.weight * self.rows.value(price, unit_dual, discount_dual)
        )
        return self.last.price

    def value(self, price: Floats, unit_dual: Floats, discount_dual: Floats) -> Floats:
        """Return the objective minus what the duals charge, (n,)."""
        return self.rows.value(price, unit_dual, discount_dual)

    def chance(self, price: Floats) -> Floats:
        """Return the mean chance of a purchase, (n,)."""
        return self.rows.chance(price)

    def take(self, rows: Ints) -> Responder:
        """Return the rows of an index, without the window rules: good for a first guess of duals."""
        return self.rows.take(rows)
