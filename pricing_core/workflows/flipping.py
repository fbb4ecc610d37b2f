"""At which cost, competitor price or stock a recommendation becomes another one, and which test would settle it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pricing_core.explain.flip import Decide, FlipPoints, flip_points
from pricing_core.explain.price_test import PriceTest, cheapest_test
from pricing_core.guardrails.money import minor_unit_digits
from pricing_core.guardrails.rules import Guardrails
from pricing_core.optimize.objectives import Objective
from pricing_core.optimize.settings import COMPETITOR, PERSONAL, PRODUCT
from pricing_core.optimize.strategies import StrategyPrices, price_strategy
from pricing_core.response.pricing_rows import PricingRows
from pricing_core.workflows.explained_offers import ReadyOffers, asked_again
from pricing_core.workflows.objectives import chosen_objective

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

COST, COMPETITOR_PRICE, STOCK = "unit cost", "competitor price", "stock"
CIRCUMSTANCES = (COST, COMPETITOR_PRICE, STOCK)
BY_ROW = (*PERSONAL, COMPETITOR)
_GAP, _STOCK, _PRESSURE = "competitor gap", "stock (log)", "supply–demand pressure"
_RANGE: dict[str, dict[str, float]] = {
    COST: {"lowest": -0.9, "highest": 1.0},
    COMPETITOR_PRICE: {"lowest": -0.4, "highest": 0.4},
    STOCK: {"lowest": -0.95, "highest": 2.0},
}
# Asking the models again for many rows is slow: fewer steps and a coarser answer.
_COARSE, _MANY = {"steps": 6, "tolerance": 0.01}, 1_000


def searchable(strategy: str) -> bool:
    """Whether flip points are worked out for a strategy: those whose prices do not depend on all other rows."""
    return strategy in BY_ROW or strategy == PRODUCT


def flips(
    ready: ReadyOffers,
    at: Ints,
    strategy: str,
    rules: Guardrails,
    *,
    objective: Objective | None = None,
    circumstances: tuple[str, ...] = CIRCUMSTANCES,
    price_points: bool = False,
    coarse: bool = False,
) -> list[FlipPoints]:
    """Flip points of rows ``at``, by circumstance; those that are unknown of all rows are left out.

    Parameters
    ----------
    objective
        What prices are chosen for; default: what the workspace's user last chose.
    price_points
        Whether another price counts as another decision, instead of only raise, cut, keep or hold.
    coarse
        Whether competitor price and stock are searched with fewer steps, for many rows.
    """
    if not searchable(strategy):
        return []
    aim = objective or chosen_objective(ready.run.ws)
    task = _Task(ready, at, strategy, rules, aim, price_points)
    found, wide = [], coarse or len(task.members) > _MANY
    for name in circumstances:
        value = task.values(name)
        if not np.isnan(value).all():
            how: dict[str, Any] = {**_RANGE[name], **(_COARSE if wide and name != COST else {})}
            found.append(flip_points(task.decide(name), value, circumstance=name, **how))
    return found


def flips_of_row(ready: ReadyOffers, index: int, strategy: str, rules: Guardrails) -> list[FlipPoints]:
    """Flip points of one row; with price endings also those at which it only moves to another price point."""
    at = np.array([index])
    found = flips(ready, at, strategy, rules)
    if rules.endings is not None:
        found += [
            replace(each, circumstance=f"{each.circumstance} (price point)")
            for each in flips(ready, at, strategy, rules, price_points=True)
        ]
    return found


@dataclass(frozen=True, eq=False)
class SettlingTest:
    """Cheapest test of one recommendation: ``price`` to try for its row, on ``offers`` like it.

    ``everywhere`` is the same test on all products, where it would be over sooner; None where nothing is to be tested.
    """

    price: float
    offers: PriceTest
    everywhere: PriceTest | None


def settling_test(
    ready: ReadyOffers, index: int, prices: StrategyPrices, offers_per_week: float
) -> SettlingTest | None:
    """Test the recommended change on the product's offers that move in the same direction.

    None where the price is not to move, or moving is not expected to pay.
    """
    status = prices.status[index]
    if status not in ("raise", "cut"):
        return None
    rows, alike = ready.rows, prices.status == status
    digits, pace = minor_unit_digits(ready.currency), offers_per_week / rows.n
    found = []
    for group in (alike & (rows.product_id == rows.product_id[index]), alike):
        at = np.flatnonzero(group)
        test = cheapest_test(rows.take(at), prices.price[at], offers_per_week=pace * len(at), decimals=digits)
        if test is None:
            return None
        found.append((test, at))
    (mine, at), (everywhere, _) = found
    return SettlingTest(float(mine.price[np.searchsorted(at, index)]), mine, everywhere)


class _Task:
    """Rows whose decision is asked again and again under changed circumstances."""

    def __init__(
        self, ready: ReadyOffers, at: Ints, strategy: str, rules: Guardrails, aim: Objective, price_points: bool
    ) -> None:
        self.ready, self.at, self.strategy, self.rules = ready, at, strategy, rules
        self.aim, self.price_points = aim, price_points
        rows = ready.rows
        if strategy == PRODUCT:  # its price depends on all rows of the product, which all change alike
            wanted = np.isin(rows.product_id, rows.product_id[at])
            self.members = np.flatnonzero(wanted)
            asked = pd.Index(rows.product_id[at])
            first = pd.Index(rows.product_id[self.members])
            self.owner = asked.drop_duplicates().get_indexer(first)
            self.place = asked.drop_duplicates().get_indexer(asked)
            self.answer = np.array([np.flatnonzero(self.members == row)[0] for row in at])
        else:
            self.members = at
            self.owner = self.answer = np.arange(len(at))
            self.place = self.owner
        self.rows = rows.take(self.members)

    def values(self, name: str) -> Floats:
        rows, table = self.ready.rows, self.ready.encoded.table
        if name == COST:
            return np.where(rows.unit_cost > 0, rows.unit_cost, np.nan)[self.at]
        if name == COMPETITOR_PRICE:
            return rows.competitor_price[self.at] if _GAP in table.frame else np.full(len(self.at), np.nan)
        raw = table.frame.get(_STOCK, pd.Series(np.nan, index=table.frame.index))
        known = np.expm1(raw.to_numpy(dtype=float))
        return np.asarray(np.where(known > 0, known, np.nan)[self.at])

    def decide(self, name: str) -> Decide:
        def decision(change: Floats) -> NDArray[Any]:
            by_owner = np.zeros(int(self.place.max()) + 1)
            by_owner[self.place] = change
            rows = self._changed(name, by_owner[self.owner])
            prices = price_strategy(self.strategy, rows, self.rules, objective=self.aim, with_reasons=False)
            if self.price_points:
                return np.array([f"{p:.{self.rules.decimals}f}" for p in prices.price[self.answer]], dtype=object)
            return prices.status[self.answer]

        return decision

    def _changed(self, name: str, change: Floats) -> PricingRows:
        rows = self.rows
        if name == COST:
            return replace(rows, unit_cost=rows.unit_cost * (1 + change))
        frame = self.ready.encoded.table.frame
        raw = {key: frame[key].to_numpy(dtype=float)[self.members] for key in (_GAP, _STOCK, _PRESSURE) if key in frame}
        if name == COMPETITOR_PRICE:
            moved = {_GAP: raw[_GAP] + np.log1p(change)}
            rows = replace(rows, competitor_price=rows.competitor_price * (1 + change))
            return asked_again(self.ready, self.members, rows, moved)
        moved = {_STOCK: np.log1p(np.expm1(raw[_STOCK]) * (1 + change))}
        if _PRESSURE in raw:
            moved[_PRESSURE] = raw[_PRESSURE] / (1 + change)
        rows = replace(rows, stock=rows.stock * (1 + change))
        return asked_again(self.ready, self.members, rows, moved)
