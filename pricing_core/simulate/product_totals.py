"""What a strategy sells of each product over the horizon, by posterior draw: the ground of every figure above it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from pricing_core.response import PriceResponse, PricingRows
from pricing_core.response.willingness import consumer_surplus
from pricing_core.simulate.cross_fitting import Judgment
from pricing_core.simulate.intervals import fold_mean
from pricing_core.simulate.scenario import Scenario

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Texts = NDArray[np.object_]

AMOUNTS: Final = ("visits", "purchases", "units", "revenue", "cost", "surplus")
_DOUBTS = ("purchases", "units", "revenue", "profit")


@dataclass(frozen=True, eq=False)
class ProductTotals:
    """Expected totals by product and draw.

    Attributes
    ----------
    product_id
        (J,) ids, sorted.
    visits, purchases, units, revenue, cost, surplus
        (J, D) over the horizon: purchase occasions, purchases, units sold, money taken, unit costs of what is sold, and
        what customers gain beyond the price.
    doubt
        ``purchases``, ``units``, ``revenue``, ``profit`` → (J,): how far the total would move if demand answered the
        whole change from today's prices as if the price sensitivity were twice what it is, to first order and in
        absolute terms row by row; zero at today's prices.
    """

    product_id: Texts
    visits: Floats
    purchases: Floats
    units: Floats
    revenue: Floats
    cost: Floats
    surplus: Floats
    doubt: dict[str, Floats] = field(default_factory=dict)

    @property
    def profit(self) -> Floats:
        """Revenue less unit costs, (J, D)."""
        return self.revenue - self.cost

    @property
    def units_each(self) -> Floats:
        """Units per purchase of each product (J,); one where nothing is bought."""
        bought = self.purchases.sum(axis=1)
        return np.where(bought > 0, self.units.sum(axis=1) / np.where(bought > 0, bought, 1.0), 1.0)

    def buyers(self, stock: Floats) -> Floats:
        """Purchases for which a ``stock`` (J,) of units suffices."""
        return np.asarray(np.floor(stock / self.units_each + 1e-9))

    def sums(self) -> dict[str, Floats]:
        """Totals over products by draw, (D,) each: visits, purchases, units, revenue, cost, surplus and profit."""
        found = {name: getattr(self, name).sum(axis=0) for name in AMOUNTS}
        return found | {"profit": found["revenue"] - found["cost"]}

    def served(self, share: Floats) -> ProductTotals:
        """Totals when only a ``share`` (J, D) of the demand finds stock; visits stay."""
        doubt = {name: share.mean(axis=1) * value for name, value in self.doubt.items()}
        return replace(self, doubt=doubt, **{name: share * getattr(self, name) for name in AMOUNTS[1:]})

    def moved(self, before: ProductTotals, after: ProductTotals) -> ProductTotals:
        """These totals times the ratio of ``after`` to ``before``, amount by amount, (J, D).

        A product that has no such amount before is moved by the ratio of the sums over products.
        """
        out = {}
        for name in AMOUNTS:
            old, new = getattr(before, name), getattr(after, name)
            whole = _ratio(new.sum(axis=0), old.sum(axis=0), np.ones(old.shape[1]))
            out[name] = getattr(self, name) * _ratio(new, old, np.broadcast_to(whole, old.shape))
        doubt = {
            name: value * _ratio(after.doubt[name], before.doubt[name], np.ones(len(value)))
            for name, value in self.doubt.items()
        }
        return replace(self, doubt=doubt, **out)

    def mixed(self, other: ProductTotals, share: float) -> ProductTotals:
        """``share`` of these totals plus the rest of the ``other``'s."""
        if share == 1.0:
            return self
        doubt = {name: share * value + (1 - share) * other.doubt[name] for name, value in self.doubt.items()}
        amounts = {name: share * getattr(self, name) + (1 - share) * getattr(other, name) for name in AMOUNTS}
        return replace(self, doubt=doubt, **amounts)

    def to_frame(self, fold: Ints) -> pd.DataFrame:
        """Means over draws, one row per product: ``product_id, visits, purchases, units, revenue, cost, profit``."""
        frame = pd.DataFrame({"product_id": self.product_id})
        for name in (*AMOUNTS[:5], "profit"):
            frame[name] = np.asarray(fold_mean(getattr(self, name), fold))
        return frame


def product_codes(rows: PricingRows) -> tuple[Ints, Texts]:
    """Number of each row's product (n,), and the sorted product ids (J,)."""
    ids, code = np.unique(rows.product_id.astype(str), return_inverse=True)
    return code.astype(np.int64), ids.astype(object)


def product_totals(rows: PricingRows, judgments: Sequence[Judgment], scenario: Scenario) -> ProductTotals:
    """Totals of the judged prices, each by the draws that may judge it, scaled to the scenario's occasions."""
    code, ids = product_codes(rows)
    scale = scenario.occasions(rows) / float(rows.weight.sum())
    shape = (len(ids), rows.response.draws)
    out = {name: np.empty(shape) for name in AMOUNTS}
    doubt = {name: np.zeros(len(ids)) for name in _DOUBTS}
    for judgment in judgments:
        price, judges = judgment.price, judgment.judges
        demand = rows.response if judges.all() else rows.response.with_draws(judges)
        stays = scale * rows.weight * scenario.retention(price, rows.current_price)
        adds = csr_matrix((stays, (code, np.arange(rows.n))), shape=(len(ids), rows.n))
        chance = demand.probability_draws(price)
        out["visits"][:, judges] = np.asarray(adds.sum(axis=1)).reshape(-1, 1)
        sells = adds.multiply(rows.units_per_purchase).tocsr()
        out["purchases"][:, judges] = adds @ chance
        out["units"][:, judges] = sells @ chance
        out["revenue"][:, judges] = sells.multiply(price).tocsr() @ chance
        out["cost"][:, judges] = sells.multiply(rows.unit_cost).tocsr() @ chance
        out["surplus"][:, judges] = sells @ consumer_surplus(demand, price)
        swing = _swing(demand, price, rows.current_price, chance) * judges.mean()
        doubt["purchases"] += adds @ swing
        for name, worth in (("units", 1.0), ("revenue", price), ("profit", np.abs(price - rows.unit_cost))):
            doubt[name] += sells @ (swing * worth)
    return ProductTotals(ids, doubt=doubt, **out)


def _swing(demand: PriceResponse, price: Floats, today: Floats, chance: Floats) -> Floats:
    """Change of the chance of a purchase (n,) if the price sensitivity counted twice between today's price and this."""
    step = np.abs(price - today) / demand.reference_price
    return step * (demand.sensitivity * chance * (1.0 - chance)).mean(axis=1)


def _ratio(top: Floats, bottom: Floats, otherwise: Floats) -> Floats:
    known = bottom > 0
    return np.where(known, top / np.where(known, bottom, 1.0), otherwise)
