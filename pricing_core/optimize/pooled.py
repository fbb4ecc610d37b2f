"""Prices that many rows share: one change for all, or one price per product."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pricing_core.guardrails.allowed_range import (
    SUPPORTED,
    AllowedRange,
    CommonRange,
    allowed_range,
    narrow_common_range,
)
from pricing_core.guardrails.price_points import price_points
from pricing_core.guardrails.rules import Guardrails
from pricing_core.guardrails.selection import hard_only
from pricing_core.optimize.medians import grouped_median, weighted_median
from pricing_core.optimize.objectives import DEFAULT_OBJECTIVE, Objective, group_total
from pricing_core.optimize.settings import PRODUCT
from pricing_core.optimize.snapping import snap
from pricing_core.response import PriceResponse, PricingRows

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]
Texts = NDArray[np.object_]

_COARSE: Final = 25
_FINE: Final = 9
_ZOOMS: Final = 3
_TAIL: Final = 0.005  # of rows whose allowed changes are extremer than the changes that are tried
_ANY_LOW, _ANY_HIGH = 1e-9, 1e15
TYPICAL: Final = "supported prices of a typical row"


def maximize_by_group(total: Callable[[Floats], Floats], low: Floats, high: Floats) -> Floats:
    """Value in ``[low, high]`` (G,) with the largest ``total`` (G,) → (G,), for all groups at once.

    A scan of 25 values in equal ratios, then three scans around the best one.
    """
    best, left, right = low.copy(), low.copy(), high.copy()
    top = total(best)
    for points in (_COARSE, *(_FINE,) * _ZOOMS):
        ratio = np.log(right / left)
        for share in np.linspace(0.0, 1.0, points):
            tried = np.clip(left * np.exp(ratio * share), low, high)
            value = total(tried)
            better = value > top
            best, top = np.where(better, tried, best), np.where(better, value, top)
        step = np.exp(ratio / (points - 1))
        left, right = np.maximum(best / step, low), np.minimum(best * step, high)
    return best


def uniform_multiplier(
    rows: PricingRows,
    response: PriceResponse,
    learn: Mask,
    bounds: AllowedRange,
    *,
    objective: Objective = DEFAULT_OBJECTIVE,
) -> float:
    """One multiplier of current prices with the largest objective (by default profit) of the ``learn`` rows.

    Each row's price is clipped into its allowed range before its profit counts. 1 if no learning row is feasible.
    """
    index = np.flatnonzero(learn & bounds.feasible)
    if not index.size:
        return 1.0
    mine = rows.take(index)
    each = np.arange(mine.n)
    by_row = group_total(response.take(index), mine.unit_cost, mine.weight, each, mine.n, objective)
    low, high = bounds.low[index], bounds.high[index]

    def total(multiplier: Floats) -> Floats:
        price = np.clip(multiplier[0] * mine.current_price, low, high)
        return np.array([by_row(price).sum()])

    least = np.quantile(low / mine.current_price, _TAIL)
    most = np.quantile(high / mine.current_price, 1 - _TAIL)
    return float(maximize_by_group(total, np.array([max(least, 1e-6)]), np.array([most]))[0])


@dataclass(frozen=True, eq=False)
class ProductPrices:
    """One price per product, spread over the rows (n,), with the range that all rows of a product share.

    ``wanted`` is the best price before it moved to one that can be charged. ``conflict`` says why a product has no
    common price; empty where it has one.
    """

    wanted: Floats
    price: Floats
    low: Floats
    high: Floats
    low_rule: Texts
    high_rule: Texts
    conflict: Texts


def product_prices(
    rows: PricingRows,
    response: PriceResponse,
    learn: Mask,
    guardrails: Guardrails,
    *,
    objective: Objective = DEFAULT_OBJECTIVE,
) -> ProductPrices:
    """Price of each product with the largest objective (by default profit) over its ``learn`` rows (all rows if none).

    A product has one current price, the median of its rows; the maximum change counts against it. The range is what the
    rules of all feasible rows have in common. Supported prices count by their common part as well; where rows share
    none, those of the typical row (medians) stand for the product.
    """
    code, names = pd.factorize(pd.Series(rows.product_id), sort=True)
    groups = len(names)
    usual = grouped_median(rows.current_price, rows.weight, code, groups)
    rows = replace(rows, current_price=usual[code])
    bounds = allowed_range(rows, guardrails, PRODUCT)
    low, high, low_rule, high_rule, conflict = common_ranges(rows, code, groups, bounds, guardrails)
    open_group = conflict == ""
    best, price = low.copy(), low.copy()
    index = _objective_rows(code, groups, learn & bounds.feasible, bounds.feasible)
    index = index[open_group[code[index]]]
    if index.size:
        total = group_total(
            response.take(index), rows.unit_cost[index], rows.weight[index], code[index], groups, objective
        )
        safe_low, safe_high = np.where(open_group, low, 1.0), np.where(open_group, high, 1.0)
        best = maximize_by_group(total, np.maximum(safe_low, _ANY_LOW), safe_high)
        points = price_points(rows, guardrails).by_group(code, groups).giving_way(safe_low, safe_high)
        snapped = snap(best, safe_low, safe_high, points, total)
        price = snapped.price
        conflict[open_group & ~snapped.fits] = "no price with an allowed ending fits every row of this product"
    by_row = np.where(bounds.feasible, conflict[code], bounds.conflict).astype(object)
    return ProductPrices(best[code], price[code], low[code], high[code], low_rule[code], high_rule[code], by_row)


def _objective_rows(code: Ints, groups: int, learn: Mask, usable: Mask) -> Ints:
    """Learning rows, and all usable rows of products that have no learning row."""
    learned = np.bincount(code[learn], minlength=groups) > 0
    return np.flatnonzero(learn | (usable & ~learned[code]))


def common_ranges(
    rows: PricingRows, code: Ints, groups: int, bounds: AllowedRange, guardrails: Guardrails, strategy: str = PRODUCT
) -> tuple[Floats, Floats, Texts, Texts, Texts]:
    """Range that the feasible rows of each group share, what sets its ends, and why there is none: (groups,) each.

    Parameters
    ----------
    code
        (n,) group of each row, 0 … groups − 1: its product, or its segment and product.
    bounds
        Ranges of the rows; the others are computed here, with and without the supported prices.
    """
    unsupported = replace(rows, support_low=np.full(rows.n, _ANY_LOW), support_high=np.full(rows.n, _ANY_HIGH))
    rules = allowed_range(unsupported, hard_only(guardrails), strategy)
    low, high = np.full(groups, np.nan), np.full(groups, np.nan)
    low_rule, high_rule = np.full(groups, "", dtype=object), np.full(groups, "", dtype=object)
    conflict = np.full(groups, "no row of this product has an allowed price", dtype=object)
    order = np.argsort(code, kind="stable")
    edges = np.searchsorted(code[order], np.arange(groups + 1))
    for g in range(groups):
        members = order[edges[g] : edges[g + 1]]
        members = members[bounds.feasible[members]]
        if members.size:
            low[g], low_rule[g], high[g], high_rule[g], conflict[g] = _common(rows, rules, members, guardrails)
    found = narrow_common_range(CommonRange(low, high, low_rule, high_rule), rows, guardrails, code)
    return found.low, found.high, found.low_rule, found.high_rule, conflict


def _common(
    rows: PricingRows, rules: AllowedRange, members: Ints, guardrails: Guardrails
) -> tuple[float, str, float, str, str]:
    support_low, support_high = rows.support_low[members].max(), rows.support_high[members].min()
    label = SUPPORTED
    if support_low > support_high:
        label = TYPICAL
        support_low = weighted_median(rows.support_low[members], rows.weight[members])
        support_high = weighted_median(rows.support_high[members], rows.weight[members])
    at_low, at_high = members[rules.low[members].argmax()], members[rules.high[members].argmin()]
    unit = 10.0**guardrails.decimals
    low, low_rule = float(np.ceil(support_low * unit - 1e-6) / unit), label
    high, high_rule = float(np.floor(support_high * unit + 1e-6) / unit), label
    if rules.low[at_low] > low:
        low, low_rule = float(rules.low[at_low]), str(rules.low_rule[at_low])
    if rules.high[at_high] < high:
        high, high_rule = float(rules.high[at_high]), str(rules.high_rule[at_high])
    conflict = "" if low <= high else f"no price satisfies {low_rule} and {high_rule} in every row of this product"
    return low, low_rule, high, high_rule, conflict
