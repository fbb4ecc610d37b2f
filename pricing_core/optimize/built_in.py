"""The strategies that come with the product and need no more than a row's own curve, or the curves of a product."""

from __future__ import annotations

import numpy as np

from pricing_core.optimize.contract import Proposal, Strategy, Task
from pricing_core.optimize.objectives import maximize_objective, objective_function
from pricing_core.optimize.pooled import product_prices, uniform_multiplier
from pricing_core.optimize.registry import register
from pricing_core.optimize.settings import (
    COMPETITOR,
    COST_PLUS,
    PERSONALIZED,
    PERSONALIZED_DISCOUNT,
    PRODUCT,
    STATUS_QUO,
    UNIFORM,
    usual_markup,
)
from pricing_core.optimize.snapping import Snapped, snap


class StatusQuo:
    """Today's prices, whatever rules or supported prices say."""

    name, label = STATUS_QUO, "Leave every price as it is"
    personal, shared, place = False, False, 8

    def propose(self, task: Task) -> Proposal:
        """Propose the current prices as they are."""
        rows = task.rows
        outside = (rows.current_price < rows.support_low) | (rows.current_price > rows.support_high)
        why = np.where(outside, "current price kept, although outside the supported prices", "current price kept")
        kept = Snapped(rows.current_price, np.ones(rows.n, dtype=bool))
        none = np.full(rows.n, "", dtype=object)
        low, high = task.bounds.low, task.bounds.high
        words = why.astype(object)
        return Proposal(rows.current_price, kept, low, high, none, none, none.copy(), "", row_why=words, as_is=True)


class CostPlus:
    """Unit cost plus a markup."""

    name, label = COST_PLUS, "Cost plus a markup"
    personal, shared, place = False, False, 5

    def propose(self, task: Task) -> Proposal:
        """Propose unit cost times one plus the markup (by default the usual one)."""
        markup = task.settings.markup
        markup = usual_markup(task.rows) if markup is None else markup
        return task.propose((1 + markup) * task.rows.unit_cost, f"unit cost plus {100 * markup:.0f}%")


class Competitor:
    """A share of the competitor's price."""

    name, label = COMPETITOR, "Follow the competitor"
    personal, shared, place = False, False, 6

    def propose(self, task: Task) -> Proposal:
        """Propose the competitor's price times the index; rows without one are held."""
        index = task.settings.competitor_index
        wanted = index * task.rows.competitor_price
        proposal = task.propose(wanted, f"{100 * index:.0f}% of the competitor price")
        unknown = ~np.isfinite(wanted) & (proposal.conflict == "")
        proposal.conflict[unknown] = "no competitor price is known"
        return proposal


class Uniform:
    """One percentage change of all current prices: the fair baseline."""

    name, label = UNIFORM, "Best change for all prices alike"
    personal, shared, place = False, True, 2

    def propose(self, task: Task) -> Proposal:
        """Propose the one multiplier of current prices that earns most on the learning rows."""
        multiplier = uniform_multiplier(task.rows, task.response, task.learn, task.bounds, objective=task.objective)
        why = f"one change of {100 * (multiplier - 1):+.1f}% for all prices"
        return task.propose(multiplier * task.rows.current_price, why)


class Product:
    """One price for each product."""

    name, label = PRODUCT, "Best price per product"
    personal, shared, place, coupled = False, True, 1, "product"

    def propose(self, task: Task) -> Proposal:
        """Propose for each product the price that earns most on its learning rows."""
        found = product_prices(task.rows, task.response, task.learn, task.guardrails, objective=task.objective)
        return Proposal(
            found.wanted,
            Snapped(found.price, np.ones(task.rows.n, dtype=bool)),
            found.low,
            found.high,
            found.low_rule,
            found.high_rule,
            found.conflict,
            "best single price for this product",
        )


class Personalized:
    """A price for each customer and product."""

    shared, coupled, personal = False, "row", True

    def __init__(self, name: str, label: str, place: int) -> None:
        self.name, self.label, self.place = name, label, place

    def propose(self, task: Task) -> Proposal:
        """Propose for each row the price with the largest objective within its range."""
        rows, bounds = task.rows, task.bounds
        wanted = rows.current_price.copy()
        open_rows = np.flatnonzero(bounds.feasible)
        fits = np.zeros(rows.n, dtype=bool)
        price = wanted.copy()
        if open_rows.size:
            demand, cost = task.response.take(open_rows), rows.unit_cost[open_rows]
            low, high = bounds.low[open_rows], bounds.high[open_rows]
            best = maximize_objective(demand, cost, low, high, task.objective)
            worth = objective_function(demand, cost, task.objective)
            snapped = snap(best, low, high, task.points.take(open_rows), worth)
            wanted[open_rows], price[open_rows], fits[open_rows] = best, snapped.price, snapped.fits
        return task.within(wanted, Snapped(price, fits), "")


BUILT_IN: tuple[Strategy, ...] = (
    Personalized(PERSONALIZED_DISCOUNT, "Personal discounts from the list price", 0),
    Product(),
    Uniform(),
    Personalized(PERSONALIZED, "Personal prices, up or down", 4),
    CostPlus(),
    Competitor(),
    StatusQuo(),
)
for _each in BUILT_IN:
    register(_each)
