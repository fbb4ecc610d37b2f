"""Why no price fits a row, in words: its cost, the prices that past offers support, or rules against each other."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from pricing_core.guardrails import AllowedRange, Guardrails
from pricing_core.guardrails.allowed_range import BELOW_CURRENT, BELOW_LIST, SUPPORTED
from pricing_core.guardrails.kinds import DISCOUNT_ONLY, MARGIN_FLOOR
from pricing_core.guardrails.selection import all_rules
from pricing_core.response import PricingRows

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]
Texts = NDArray[np.object_]

COST: Final = "cost"
"""The unit cost is above every price that can be charged, so that any price would be one at a loss."""
SUPPORT: Final = "support"
"""A rule, or the list price that discounts start from, lies beyond the prices that past offers support."""
RULES: Final = "rules"
"""Rules leave no price between them."""
_NAMED: Final = 3  # products named before the rest is counted
_CEILINGS: Final = {
    SUPPORTED: "the highest price that past offers support",
    BELOW_LIST: "list price",
    BELOW_CURRENT: "today's price",
}
_CURES: Final = {
    SUPPORTED: "correct the {costs} if wrong, or offer higher prices for a while, so that data support them",
    BELOW_LIST: "correct the {costs} or list prices if wrong, or {rise}",
    BELOW_CURRENT: "correct the {costs} if wrong, or {rise}",
}


def at_a_loss(rows: PricingRows, guardrails: Guardrails, bounds: AllowedRange) -> Mask:
    """(n,) flag: no price fits because of a margin floor, and the unit cost alone is above what could be charged.

    Where a rule of the shop sets the highest price, that one and the margin floor contradict each other instead.
    """
    floors = [rule.label for rule in all_rules(guardrails) if rule.kind == MARGIN_FLOOR]
    low, high = np.isin(bounds.low_rule.astype(str), floors), np.isin(bounds.high_rule.astype(str), list(_CEILINGS))
    return np.asarray(~bounds.feasible & low & high & (rows.unit_cost > bounds.high))


def causes(rows: PricingRows, guardrails: Guardrails, bounds: AllowedRange) -> Texts:
    """Say why a price is missing where one is.

    Parameters
    ----------
    rows, guardrails, bounds
        What was to be priced, hard rules, and the range that these and past offers leave.

    Returns
    -------
    ndarray
        (n,) text, :data:`COST`, :data:`SUPPORT` or :data:`RULES`; without meaning where a price fits.
    """
    cause = np.full(rows.n, RULES, dtype=object)
    beyond = (bounds.low_rule == SUPPORTED) | (bounds.high_rule == SUPPORTED)
    cause[~bounds.feasible & beyond] = SUPPORT
    cause[at_a_loss(rows, guardrails, bounds)] = COST
    return cause


def to_rise(guardrails: Guardrails) -> str:
    """Say what would let prices rise above the list price."""
    own = next((rule for rule in all_rules(guardrails) if rule.kind == DISCOUNT_ONLY), None)
    return "choose a strategy that may raise prices" if own is None else f"leave out the rule “{own.label}”"


def loss_words(rows: PricingRows, guardrails: Guardrails, members: Ints, bounds: AllowedRange) -> str:
    """Say that costs are above every price that can be charged, of which rows, and what to do.

    Parameters
    ----------
    members
        Indices of the rows, which have the same rule at the upper end.
    """
    digits, ceiling = guardrails.decimals, str(bounds.high_rule[members[0]])
    costs = "costs (assumed from a margin)" if rows.cost_assumed[members].all() else "costs"
    cure = _CURES[ceiling].format(costs=costs, rise=to_rise(guardrails))
    return (
        f"the unit cost is above every price that can be charged for {where(rows, members)}: cost "
        f"{_span(rows.unit_cost[members], digits)}, {_CEILINGS[ceiling]} {_span(bounds.high[members], digits)}. "
        f"To price them, {cure}"
    )


def support_words(
    rows: PricingRows, guardrails: Guardrails, members: Ints, bounds: AllowedRange, words: tuple[str, str]
) -> str:
    """Say that a rule asks for prices that past offers do not support, and for which rows.

    Parameters
    ----------
    members
        Indices of the rows, which have the same rules at the two ends.
    words
        These rules with their numbers.
    """
    digits, first = guardrails.decimals, members[0]
    low, high = str(bounds.low_rule[first]), str(bounds.high_rule[first])
    lowest, highest = rows.support_low[members], rows.support_high[members]
    place = where(rows, members)
    if low == high:
        ends = f"{lowest.min():,.{digits + 2}f} to {highest.max():,.{digits + 2}f}"
        return f"no amount that can be charged lies in what past offers support ({ends}) for {place}"
    if high == SUPPORTED:
        top = f"the highest price that past offers support is {_span(highest, digits)} for {place}"
        return f"{top}, and {words[0]} asks for more"
    bottom = f"the lowest price that past offers support is {_span(lowest, digits)} for {place}"
    if high not in _CEILINGS:
        return f"{bottom}, and {words[1]} asks for less"
    rise = to_rise(guardrails)
    if high == BELOW_LIST:
        start = _span(rows.list_price[members], digits)
        return f"{bottom}, above the list price ({start}). To price them, correct the list price if wrong, or {rise}"
    start = _span(rows.current_price[members], digits)
    return f"{bottom}, above today's price ({start}). To price them, give the data list prices, or {rise}"


def where(rows: PricingRows, members: Ints) -> str:
    """Name products and count rows: ``P1 and P7 (1,200 rows)``, ``P1, P2, P3 and 9 more products (1,200 rows)``."""
    products = sorted({str(name) for name in rows.product_id[members]})
    more = len(products) - _NAMED
    listed = products[:_NAMED] if more > 0 else products[:-1]
    last = f"{more} more product{'' if more == 1 else 's'}" if more > 0 else products[-1]
    names = f"{', '.join(listed)} and {last}" if listed else last
    return f"{names} ({len(members):,} {'row' if len(members) == 1 else 'rows'})"


def _span(values: Floats, digits: int) -> str:
    low, high = f"{np.min(values):,.{digits}f}", f"{np.max(values):,.{digits}f}"
    return low if low == high else f"{low} to {high}"
