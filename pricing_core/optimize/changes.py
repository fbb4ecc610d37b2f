"""How many prices may change, or must: which rows or products are worth it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pricing_core.guardrails import Guardrails, Rule, allowed_range
from pricing_core.guardrails.coupled import changed
from pricing_core.guardrails.kinds import MAX_CHANGES, MIN_CHANGES
from pricing_core.guardrails.price_points import PricePoints
from pricing_core.optimize.settings import PRODUCT
from pricing_core.response import PricingRows

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]

CHANGE_KINDS: Final = (MIN_CHANGES, MAX_CHANGES)
_ANY_LOW, _ANY_HIGH = 1e-9, 1e15


@dataclass(frozen=True, eq=False)
class Staying:
    """Rows (n,) whose price stays as it is, and what the changes that were given up were worth."""

    rows: Mask
    given_up: float
    dual: float


def may_stay(rows: PricingRows, guardrails: Guardrails) -> Mask:
    """(n,) flag: today's price breaks no rule of the row (past data need not support a price that nobody changes)."""
    free = replace(rows, support_low=np.full(rows.n, _ANY_LOW), support_high=np.full(rows.n, _ANY_HIGH))
    bounds = allowed_range(free, guardrails, PRODUCT)
    half = 0.5 * 10.0**-guardrails.decimals
    return (rows.current_price >= bounds.low - half) & (rows.current_price <= bounds.high + half) & bounds.feasible


def units_of(rule: Rule, rows: PricingRows) -> Ints:
    """What a rule counts: product (or row) of each row within its scope, −1 outside; (n,)."""
    mask = rule.scope.mask(rows)
    unit = np.arange(rows.n) if rule.level == "row" else pd.factorize(pd.Series(rows.product_id), sort=True)[0]
    return np.where(mask, unit, -1).astype(np.int64)


def keep_the_best_changes(
    rule: Rule, rows: PricingRows, price: Floats, gain: Floats, stay: Mask, decimals: int
) -> Staying | None:
    """Rows to leave alone so that no more prices change than the rule allows; None if it holds already.

    Parameters
    ----------
    price, gain
        (n,) prices, and what each is worth beyond today's price, times weight.
    stay
        (n,) flag: today's price is allowed.
    """
    unit = units_of(rule, rows)
    mine = np.flatnonzero((unit >= 0) & changed(rows, price, decimals))
    moving, code = np.unique(unit[mine], return_inverse=True)
    allowed = int(rule.value or 0)
    if len(moving) <= allowed:
        return None
    worth = np.bincount(code, gain[mine], len(moving))
    forced = np.bincount(code, ~stay[mine], len(moving)) > 0
    order = np.lexsort((-worth, ~forced))
    dropped = order[allowed:]
    dropped = dropped[~forced[dropped]]
    if not dropped.size:
        return None
    staying = np.isin(unit, moving[dropped])
    return Staying(staying, float(np.maximum(worth[dropped], 0.0).sum()), float(max(worth[dropped].max(), 0.0)))


def add_changes(
    rule: Rule, rows: PricingRows, price: Floats, worth_of: tuple[Floats, Floats, Floats], points: PricePoints
) -> Floats:
    """Prices with as many changes as the rule asks for, those that cost least first; cells of one row only.

    Parameters
    ----------
    worth_of
        Low and high end of each row's window, and loss of objective per money moved (slope), (n,) each.
    """
    low, high, slope = worth_of
    unit = units_of(rule, rows)
    moved = changed(rows, price, points.decimals)
    missing = int(rule.value or 0) - len(np.unique(unit[(unit >= 0) & moved]))
    if missing <= 0:
        return price
    step = 10.0**-points.decimals
    above, below = points.neighbors(price + step)[1], points.neighbors(price - step)[0]
    up, down = above <= high + 1e-9, below >= low - 1e-9
    up_cost = np.where(up, (above - price) * np.abs(slope), np.inf)
    down_cost = np.where(down, (price - below) * np.abs(slope), np.inf)
    cost = np.where(np.isin(unit, unit[moved]) | (unit < 0), np.inf, np.minimum(up_cost, down_cost))
    first = pd.Series(cost).groupby(unit).idxmin().to_numpy()
    chosen = first[np.argsort(cost[first], kind="stable")][:missing]
    chosen = chosen[np.isfinite(cost[chosen])]
    out = price.copy()
    out[chosen] = np.where(up_cost[chosen] <= down_cost[chosen], above[chosen], below[chosen])
    return out
