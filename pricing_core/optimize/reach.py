"""Which prices hard rules that tie rows together still leave to each row: necessary bounds, found by propagation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pricing_core.guardrails import AllowedRange, Guardrails, Rule, coupled_rules, price_points
from pricing_core.guardrails.coupled import group_codes, order_rows
from pricing_core.guardrails.kinds import EQUAL_PRICE, MAX_DISPERSION, PRICE_ORDER
from pricing_core.guardrails.scope import codes_of
from pricing_core.response import PricingRows

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_ROUNDS: Final = 8
_SLACK: Final = 1e-9


@dataclass(frozen=True, eq=False)
class Clash:
    """A rule that no prices keep: which rows, and the least number with which they could.

    ``needed`` is NaN where no number helps.
    """

    rule: Rule
    rows: Ints
    needed: float


@dataclass(frozen=True, eq=False)
class Reach:
    """Lowest and highest price (n,) of each row, and rules that nothing keeps; those are left out of the bounds."""

    low: Floats
    high: Floats
    clashes: tuple[Clash, ...]


def reach(rows: PricingRows, guardrails: Guardrails, bounds: AllowedRange) -> Reach:
    """Bounds of each row's price under row rules, ladders, and equal price, dispersion and price order.

    Rows without an allowed price stay at today's price, and so count with that.
    """
    points = price_points(rows, guardrails)
    _, low = points.neighbors(bounds.low)
    high, _ = points.neighbors(bounds.high)
    stuck = ~bounds.feasible | ~(low <= high)
    low, high = np.where(stuck, rows.current_price, low), np.where(stuck, rows.current_price, high)
    rules = [rule for rule in coupled_rules(guardrails) if rule.kind in _NARROW]
    clashes: list[Clash] = []
    for _ in range(_ROUNDS):
        before = low.copy(), high.copy()
        for rule in list(rules):
            found = _NARROW[rule.kind](rule, rows, low, high)
            if found is None:
                continue
            clashes.append(found)
            rules.remove(rule)
        if np.array_equal(before[0], low) and np.array_equal(before[1], high):
            break
    return Reach(low, high, tuple(clashes))


def _extremes(code: Ints, low: Floats, high: Floats) -> tuple[Floats, Floats]:
    """Highest lower and lowest upper bound of each group; rows with the code −1 do not count."""
    inside = code >= 0
    groups = int(code.max(initial=-1)) + 1
    floor, ceiling = np.full(groups, -np.inf), np.full(groups, np.inf)
    np.maximum.at(floor, code[inside], low[inside])
    np.minimum.at(ceiling, code[inside], high[inside])
    return floor, ceiling


def _equal(rule: Rule, rows: PricingRows, low: Floats, high: Floats) -> Clash | None:
    code = group_codes(rule, rows)
    floor, ceiling = _extremes(code, low, high)
    failing = np.flatnonzero(floor > ceiling + _SLACK)
    if failing.size:
        return Clash(rule, np.flatnonzero(np.isin(code, failing)), np.nan)
    inside = code >= 0
    low[inside], high[inside] = floor[code[inside]], ceiling[code[inside]]
    return None


def _dispersion(rule: Rule, rows: PricingRows, low: Floats, high: Floats) -> Clash | None:
    product, _ = codes_of(rows.product_id)
    code = np.where(rule.scope.mask(rows), product, -1)
    floor, ceiling = _extremes(code, low, high)
    spread = 1.0 + float(rule.value or 0.0)
    failing = np.flatnonzero(floor > ceiling * spread * (1 + _SLACK))
    if failing.size:
        needed = float((floor[failing] / ceiling[failing]).max() - 1)
        return Clash(rule, np.flatnonzero(np.isin(code, failing)), needed)
    inside = code >= 0
    low[inside] = np.maximum(low[inside], floor[code[inside]] / spread)
    high[inside] = np.minimum(high[inside], ceiling[code[inside]] * spread)
    return None


def _order(rule: Rule, rows: PricingRows, low: Floats, high: Floats) -> Clash | None:
    lower, higher = order_rows(rule, rows)
    if not lower.size or not higher.size:
        return None
    gap, least, most = float(rule.value or 0.0), low[lower].max(), high[higher].min()
    if least + gap > most + _SLACK:
        return Clash(rule, np.concatenate([lower, higher]), float(most - least) if most >= least else np.nan)
    low[higher] = np.maximum(low[higher], least + gap)
    high[lower] = np.minimum(high[lower], most - gap)
    return None


_NARROW: Final[dict[str, Callable[[Rule, PricingRows, Floats, Floats], Clash | None]]] = {
    EQUAL_PRICE: _equal,
    MAX_DISPERSION: _dispersion,
    PRICE_ORDER: _order,
}
