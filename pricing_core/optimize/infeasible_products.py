"""Contradictions between rules of different rows of a product that has one price for all of them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from pricing_core.guardrails import AllowedRange, Guardrails, allowed_range, price_points
from pricing_core.guardrails.kinds import POINT_KINDS
from pricing_core.guardrails.scope import codes_of
from pricing_core.optimize.infeasible import Conflict, fields_to_move, range_conflict, rule_in_words, rules_between
from pricing_core.optimize.medians import grouped_median
from pricing_core.optimize.pooled import common_ranges
from pricing_core.optimize.relaxing import Relaxation, smallest_change
from pricing_core.optimize.settings import PRODUCT
from pricing_core.response import PricingRows

Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]


def with_one_price_today(rows: PricingRows) -> PricingRows:
    """Rows whose price today is the median of their product, against which one price per product is compared."""
    code, names = codes_of(rows.product_id)
    return replace(rows, current_price=grouped_median(rows.current_price, rows.weight, code, len(names))[code])


def product_conflicts(rows: PricingRows, guardrails: Guardrails, bounds: AllowedRange) -> list[Conflict]:
    """Find products whose rows each have a price, but none in common."""
    code, names = codes_of(rows.product_id)
    low, high, low_rule, high_rule, _ = common_ranges(rows, code, len(names), bounds, guardrails)
    known = np.isfinite(low)
    pointless = known & (low <= high) & ~price_points(rows, guardrails).by_group(code, len(names)).fits(low, high)
    found: dict[tuple[str, str, bool], list[int]] = {}
    for g in np.flatnonzero(known & ((low > high) | pointless)):
        found.setdefault((low_rule[g], high_rule[g], bool(pointless[g])), []).append(int(g))
    out = []
    for (lower, upper, without_point), groups in found.items():
        members = np.flatnonzero(np.isin(code, groups) & bounds.feasible)
        named = rules_between(guardrails, rows, members, lower, upper, without_point)
        moves = [(rule, name) for rule in named for name in fields_to_move(rule, lower, upper)]

        def fits(changed: Guardrails, index: Ints) -> Mask:
            return _has_one_price(rows.take(index), changed)

        singles = [smallest_change(guardrails, rule, name, members, fits) for rule, name in moves]
        words = [rule_in_words(guardrails, lower), rule_in_words(guardrails, upper)]
        words += [rule.words for rule in named if rule.kind in POINT_KINDS]
        relaxations = [Relaxation((each,)) for each in singles if each is not None]
        verb = "leave no single price to all customers of"
        out.append(range_conflict(rows, members, tuple(dict.fromkeys(words)), relaxations, named, verb))
    return out


def _has_one_price(rows: PricingRows, guardrails: Guardrails) -> Mask:
    """(n,) flag: the row's product has a price that the rules of all its rows allow."""
    code, names = codes_of(rows.product_id)
    bounds = allowed_range(rows, guardrails, PRODUCT)
    low, high, *_ = common_ranges(rows, code, len(names), bounds, guardrails)
    points = price_points(rows, guardrails).by_group(code, len(names))
    return np.asarray(((low <= high) & points.fits(low, high))[code])
