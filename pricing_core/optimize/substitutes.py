r"""Products that compete with each other in their category: what a price gains for itself and takes from its siblings.

Offers of one product at a time show how a price moves that product's own sales, and nothing about where the other
sales go. How similar the products of a category are is therefore an assumption: of the sales that a price change
moves, a share φ is won from, or lost to, other products of the category, the rest comes from or goes to not buying.

Within a category the products and not buying (the outside option) share customers by a multinomial logit,

.. math:: s_j = \frac{e^{a_j - b_j p_j}}{1 + \sum_k e^{a_k - b_k p_k}}

calibrated so that today's shares are in proportion to today's expected sales, that the average diversion
:math:`(S - s_j) / (1 - s_j)` to siblings is φ (with *S* the share of all products), and that a product's own
reaction to its price, :math:`b_j (1 - s_j)`, is the one that the demand model measured. The best prices then have one
margin in common, :math:`p_j - c_j - 1/b_j = \theta`, within each product's range, and θ is searched on a line.

References
----------
Anderson, de Palma & Thisse (1992), Discrete Choice Theory of Product Differentiation, ch. 7; Li & Huh (2011), Pricing
Multiple Products with the Multinomial Logit and Nested Logit Models, M&SOM 13(4), for the common margin.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pricing_core.errors import ConfigError
from pricing_core.optimize.cautious import scan
from pricing_core.optimize.strategies import StrategyPrices
from pricing_core.response import PricingRows

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

DEFAULT_SIMILARITY: Final = 0.3
SIMILARITIES: Final = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8)
_HALVINGS: Final = 60
_MOST_SHARE: Final = 0.98  # of a category's customers: no product may win more
_LEAST_SHARE: Final = 1e-9


@dataclass(frozen=True, eq=False)
class CategoryDemand:
    """Expected sales of the products of all categories, at today's prices and at new ones.

    Attributes
    ----------
    product, category
        (J,) names.
    code
        (J,) category of each product, 0 … G − 1.
    sales, new_sales
        (J,) units at today's and at the new prices, each product for itself.
    price, new_price, cost, new_cost
        (J,) money per unit sold.
    reaction
        (J,) relative fall of sales per unit of money, above zero.
    low, high
        (J,) money: range of the average price.
    """

    product: Sequence[str]
    category: Sequence[str]
    code: Ints
    sales: Floats
    new_sales: Floats
    price: Floats
    new_price: Floats
    cost: Floats
    new_cost: Floats
    reaction: Floats
    low: Floats
    high: Floats

    @property
    def groups(self) -> int:
        """Number of categories."""
        return int(self.code.max(initial=-1)) + 1

    def total(self, values: Floats) -> Floats:
        """Sum over the products of each category, spread back over its products, (J,)."""
        return np.asarray(np.bincount(self.code, values, self.groups)[self.code], dtype=float)


@dataclass(frozen=True, eq=False)
class CannibalizationResult:
    """What prices gain and take under an assumed similarity.

    Attributes
    ----------
    table
        One row per product: ``product_id, category, current_price, new_price, own_gain`` (profit of the product if
        only its price moved), ``from_siblings`` (what that does to the rest of its category), ``net_gain``, and
        ``best_price``: the one that earns most for the category together.
    similarity
        φ: share of moved sales that stay in the category.
    alone
        Gain of the new prices if products did not compete.
    together
        Gain of the new prices with all of them in force and products competing.
    best
        Gain of the best prices for the categories.
    occasions
        Offers that the money stands for.
    """

    table: pd.DataFrame
    similarity: float
    alone: float
    together: float
    best: float
    occasions: float

    def to_frame(self) -> pd.DataFrame:
        """Return a copy of the table."""
        return self.table.copy()


def category_demand(rows: PricingRows, prices: StrategyPrices, *, occasions: float | None = None) -> CategoryDemand:
    """Sum what the demand model expects of each product; totals stand for ``occasions`` (default: the rows' own)."""
    code, names = pd.factorize(pd.Series(rows.product_id), sort=True)
    weight = rows.weight * ((occasions or float(rows.weight.sum())) / float(rows.weight.sum()))
    category = pd.Series(rows.category).groupby(code).first().to_numpy()
    now, new = rows.response.probability(rows.current_price), rows.response.probability(prices.price)
    low = np.where(np.isfinite(prices.low), prices.low, rows.current_price)
    high = np.where(np.isfinite(prices.high), prices.high, rows.current_price)
    groups = len(names)

    def by_product(values: Floats) -> Floats:
        return np.asarray(np.bincount(code, weight * values, groups), dtype=float)

    sales, new_sales = by_product(now), by_product(new)
    # The reaction at the new prices decides where the best ones lie; a fall of sales is counted as positive.
    fall = -rows.response.elasticity(prices.price) / prices.price
    return CategoryDemand(
        [str(name) for name in names],
        [str(name) for name in category],
        np.asarray(pd.factorize(category, sort=True)[0], dtype=np.int64),
        sales,
        new_sales,
        by_product(now * rows.current_price) / sales,
        by_product(new * prices.price) / new_sales,
        by_product(now * rows.unit_cost) / sales,
        by_product(new * rows.unit_cost) / new_sales,
        by_product(new * fall) / new_sales,
        by_product(new * low) / new_sales,
        by_product(new * high) / new_sales,
    )


def cannibalization(demand: CategoryDemand, similarity: float = DEFAULT_SIMILARITY) -> CannibalizationResult:
    """Own gain, what is taken from siblings, and the best prices for whole categories.

    Parameters
    ----------
    demand
        From :func:`category_demand`.
    similarity
        φ, from 0 (products do not compete) to 0.95.

    Raises
    ------
    ConfigError
        If the similarity is outside.
    """
    if not 0.0 <= similarity <= 0.95:
        raise ConfigError(f"The similarity is {similarity}.", fix="It must be a share from 0 to 0.95.")
    market = _Market(demand, similarity)
    today, new = demand.price - demand.cost, demand.new_price - demand.new_cost
    own = demand.new_sales * new - demand.sales * today
    pushed = (1.0 - market.alone) / (1.0 - market.share)  # of each sibling's share, when only this price moves
    siblings = market.size * (demand.total(market.share * today) - market.share * today) * (pushed - 1.0)
    together = market.size * (market.joint(market.odds_new) * new - market.share * today)
    best = market.best_prices()
    gained = market.size * (market.joint(market.odds_at(best)) * (best - demand.new_cost) - market.share * today)
    table = pd.DataFrame(
        {
            "product_id": demand.product, "category": demand.category, "current_price": demand.price,
            "new_price": demand.new_price, "own_gain": own, "from_siblings": siblings, "net_gain": own + siblings,
            "best_price": best,
        }
    )  # fmt: skip
    return CannibalizationResult(
        table, similarity, float(own.sum()), float(together.sum()), float(gained.sum()), float(demand.sales.sum())
    )


def similarity_table(demand: CategoryDemand, similarities: Sequence[float] = SIMILARITIES) -> pd.DataFrame:
    """Gain of the new prices by assumed similarity: ``similarity, alone, together, best``."""
    found = [cannibalization(demand, each) for each in similarities]
    return pd.DataFrame([{n: getattr(each, n) for n in ("similarity", "alone", "together", "best")} for each in found])


class _Market:
    """The multinomial logit of every category."""

    def __init__(self, demand: CategoryDemand, similarity: float) -> None:
        self.demand = demand
        within = demand.sales / demand.total(demand.sales)
        inside = _inside_share(demand, within, similarity)
        # No product can win more customers than there are: the market is larger where one would.
        growth = np.maximum(demand.new_sales / demand.sales, 1.0)
        limit = np.full(demand.groups, np.inf)
        np.minimum.at(limit, demand.code, _MOST_SHARE / (within * growth))
        self.share = within * np.minimum(inside, limit)[demand.code]
        self.size = demand.sales / self.share
        self.alone = self.share * demand.new_sales / demand.sales
        self.outside = 1.0 - demand.total(self.share)
        self.odds = self.share / self.outside
        self.odds_new = self.odds * _odds(self.alone) / _odds(self.share)
        self.slope = demand.reaction / (1.0 - self.alone)

    def joint(self, odds: Floats) -> Floats:
        """Shares (J,) when all prices are in force."""
        return odds / (1.0 + self.demand.total(odds))

    def odds_at(self, price: Floats) -> Floats:
        """Odds (J,) against not buying at other prices."""
        return self.odds_new * np.exp(-self.slope * (price - self.demand.new_price))

    def best_prices(self) -> Floats:
        """Prices (J,) with the largest profit of each category: one common margin, within the ranges."""
        demand = self.demand
        base = demand.new_cost + 1.0 / self.slope
        first, last = np.full(demand.groups, np.inf), np.full(demand.groups, -np.inf)
        np.minimum.at(first, demand.code, demand.low - base)
        np.maximum.at(last, demand.code, demand.high - base)

        def at(margin: Floats) -> Floats:
            return np.clip(base + margin[demand.code], demand.low, demand.high)

        def profit(margin: Floats) -> Floats:
            price = at(margin)
            each = self.joint(self.odds_at(price)) * (price - demand.new_cost) * self.size
            return np.asarray(np.bincount(demand.code, each, demand.groups), dtype=float)

        return at(scan(profit, first, last))


def _inside_share(demand: CategoryDemand, within: Floats, similarity: float) -> Floats:
    """Share of customers who buy anything, (G,), at which the average diversion to siblings is the similarity."""
    low, high = np.full(demand.groups, _LEAST_SHARE), np.full(demand.groups, _MOST_SHARE)
    for _ in range(_HALVINGS):
        middle = 0.5 * (low + high)
        inside = middle[demand.code]
        diverted = within * (inside - inside * within) / (1.0 - inside * within)
        less = np.bincount(demand.code, diverted, demand.groups) < similarity
        low, high = np.where(less, middle, low), np.where(less, high, middle)
    return 0.5 * (low + high)


def _odds(share: Floats) -> Floats:
    return share / (1.0 - share)
