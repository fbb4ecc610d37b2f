"""Markdown to a date: sell what is in stock by then, at weekly prices that never rise again.

Each product's ladder falls from its current price to the deepest discount that settings, guardrails and supported
prices allow. Expected demand of a week is the product's offers in a week times the mean chance of a purchase over its
rows. The strategy's price is that of the first week; the plan of the other weeks comes along.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pricing_core.guardrails.allowed_range import allowed_range
from pricing_core.guardrails.price_points import PricePoints
from pricing_core.optimize.contract import Proposal, Task
from pricing_core.optimize.markdown_plan import MarkdownPlan, plan_markdown
from pricing_core.optimize.medians import grouped_median
from pricing_core.optimize.pooled import common_ranges
from pricing_core.optimize.registry import register
from pricing_core.optimize.settings import MARKDOWN, MarkdownSettings
from pricing_core.optimize.snapping import Snapped, snap
from pricing_core.response import PriceResponse

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Texts = NDArray[np.object_]

NO_STOCK_KNOWN: Final = "its stock is unknown: the column stock is missing or empty for it"
SOLD_OUT: Final = "nothing of it is in stock"


@dataclass(frozen=True, eq=False)
class Markdowns:
    """Plans of all products that have stock.

    Attributes
    ----------
    plans
        Product → its plan.
    stock
        Product → units at the start.
    settings
        As asked for.
    """

    plans: dict[str, MarkdownPlan]
    stock: dict[str, int]
    settings: MarkdownSettings

    def to_frame(self) -> pd.DataFrame:
        """One row per product: ``product_id, stock, price, last_price, value, constant_price, constant_value, gain``
        (value over the best constant price), ``leftover, constant_leftover, sold_out``.
        """
        return pd.DataFrame(
            [
                {
                    "product_id": product,
                    "stock": self.stock[product],
                    "price": plan.price[0],
                    "last_price": plan.price[-1],
                    "value": plan.value,
                    "constant_price": plan.constant_price,
                    "constant_value": plan.constant_value,
                    "gain": plan.value - plan.constant_value,
                    "leftover": plan.leftover,
                    "constant_leftover": plan.constant_leftover,
                    "sold_out": plan.sold_out,
                }
                for product, plan in self.plans.items()
            ]
        )

    def by_week(self) -> pd.DataFrame:
        """One row per product and week: ``product_id, week, price, expected_price, expected_units, expected_stock``."""
        weeks = [plan.to_frame().assign(product_id=product) for product, plan in self.plans.items()]
        columns = ["product_id", "week", "price", "expected_price", "expected_units", "expected_stock"]
        return pd.concat(weeks, ignore_index=True)[columns] if weeks else pd.DataFrame(columns=columns)


@dataclass(frozen=True, eq=False)
class _Ranges:
    """Of each product, (G,): name, current price, common range, what sets its ends, and why there is no price."""

    code: Ints
    names: pd.Index
    current: Floats
    low: Floats
    high: Floats
    low_rule: Texts
    high_rule: Texts
    conflict: Texts


class Markdown:
    """Prices of the first week of a markdown."""

    name, label = MARKDOWN, "Markdown to a date, by stock"
    personal, shared, place = False, True, 7

    def propose(self, task: Task) -> Proposal:
        """Plan every product's markdown and propose the price of the first week."""
        ranges = _ranges(task)
        stock = product_stock(task.rows.stock, ranges.code, len(ranges.names))
        plans, price = _plans(task, ranges, stock)
        conflict = ranges.conflict.copy()
        conflict[np.isnan(stock)] = NO_STOCK_KNOWN
        conflict[stock == 0] = SOLD_OUT
        why = np.full(len(ranges.names), "", dtype=object)
        known: dict[str, int] = {}
        for g in map(int, np.flatnonzero(conflict == "")):
            name = str(ranges.names[g])
            known[name] = int(stock[g])
            why[g] = _why(plans[name], int(stock[g]))
        code = ranges.code
        by_row = np.where(task.bounds.feasible, conflict[code], task.bounds.conflict).astype(object)
        return Proposal(
            price[code],
            Snapped(price[code], np.ones(len(code), dtype=bool)),
            ranges.low[code],
            ranges.high[code],
            ranges.low_rule[code],
            ranges.high_rule[code],
            by_row,
            "",
            row_why=why[code],
            notes=_notes(stock),
            details={"markdowns": Markdowns(plans, known, task.settings.markdown)},
        )


def product_stock(stock: Floats, code: Ints, groups: int) -> Floats:
    """Whole units of each product, (groups,): the median of what its rows know, NaN where none does."""
    known = np.isfinite(stock)
    if not known.any():
        return np.full(groups, np.nan)
    return np.floor(grouped_median(stock[known], np.ones(int(known.sum())), code[known], groups))


def ladder(current: float, low: float, high: float, settings: MarkdownSettings) -> Floats:
    """Falling prices from the current one to the deepest discount, cut to ``[low, high]``; money, not yet rounded."""
    top = min(max(current, low), high)
    bottom = min(top, max(low, current * (1.0 - settings.deepest_rate)))
    return np.linspace(top, bottom, settings.steps)


def _ranges(task: Task) -> _Ranges:
    rows = task.rows
    code, names = pd.factorize(pd.Series(rows.product_id), sort=True)
    current = grouped_median(rows.current_price, rows.weight, code, len(names))
    same = replace(rows, current_price=current[code])
    bounds = allowed_range(same, task.guardrails, task.name)
    found = common_ranges(same, code, len(names), bounds, task.guardrails, task.name)
    return _Ranges(code, names, current, *found)


def _plans(task: Task, ranges: _Ranges, stock: Floats) -> tuple[dict[str, MarkdownPlan], Floats]:
    settings, rows = task.settings.markdown, task.rows
    groups = len(ranges.names)
    offers = np.bincount(ranges.code, rows.weight, groups)
    if settings.offers_per_week is not None:
        offers *= settings.offers_per_week / offers.sum()
    cost = grouped_median(rows.unit_cost, rows.weight, ranges.code, groups)
    order = np.argsort(ranges.code, kind="stable")
    edges = np.searchsorted(ranges.code[order], np.arange(groups + 1))
    price, plans = ranges.current.copy(), {}
    points = task.points.by_group(ranges.code, groups).giving_way(ranges.low, ranges.high)
    for g in map(int, np.flatnonzero((ranges.conflict == "") & (stock > 0))):
        wanted = ladder(ranges.current[g], ranges.low[g], ranges.high[g], settings)
        rungs = chargeable(wanted, ranges.low[g], ranges.high[g], points.take(np.full(len(wanted), g)))
        if not len(rungs):
            ranges.conflict[g] = "no price with an allowed ending fits every row of this product"
            continue
        mine = order[edges[g] : edges[g + 1]]
        learned = mine[task.learn[mine]]
        mine = learned if learned.size else mine
        chance = mean_chance(task.response.take(mine), rows.weight[mine], rungs)
        demand = np.tile(offers[g] * chance, (settings.weeks, 1))
        plan = plan_markdown(rungs, demand, int(stock[g]), salvage_value=settings.salvage_rate * cost[g])
        plans[str(ranges.names[g])], price[g] = plan, plan.price[0]
    return plans, price


def mean_chance(response: PriceResponse, weight: Floats, prices: Floats) -> Floats:
    """Mean chance of a purchase over rows, by weight, at each of some prices, (K,)."""
    chance = response.probability(np.tile(prices, (response.n, 1)))
    return np.asarray(weight @ chance / weight.sum())


def chargeable(wanted: Floats, low: float, high: float, points: PricePoints) -> Floats:
    """Amounts near a ladder (K,) that can be charged, falling, without repeats."""
    found = snap(wanted, np.full(len(wanted), low), np.full(len(wanted), high), points)
    return np.unique(found.price[found.fits])[::-1]


def _why(plan: MarkdownPlan, stock: int) -> str:
    weeks = len(plan.price)
    left = f"about {plan.leftover:,.0f} left over" if plan.leftover >= 0.5 else "nothing left over"
    return f"week 1 of {weeks} of a markdown of {stock:,} units, {left}"


def _notes(stock: Floats) -> tuple[str, ...]:
    unknown = int(np.isnan(stock).sum())
    if not unknown:
        return ()
    return (
        f"The stock of {unknown:,} of {len(stock):,} products is unknown, so they stay at today's price. "
        "Give a column stock in the table products or market.",
    )


register(Markdown())
