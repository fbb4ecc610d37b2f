"""Cannibalization against the multinomial logit written out, and best prices against brute force."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from pricing_core.errors import ConfigError
from pricing_core.guardrails import Guardrails
from pricing_core.optimize.strategies import price_strategy
from pricing_core.optimize.substitutes import CategoryDemand, cannibalization, category_demand, similarity_table
from tests.pricing_cases import make_rows


def demand_of(products: int = 3, *, cut: float = 0.1, seed: int = 0, wide: float = 0.3) -> CategoryDemand:
    """One category; new prices are 10% lower and sell more."""
    rng = np.random.default_rng(seed)
    price, sales = rng.uniform(8, 12, products), rng.uniform(20, 60, products)
    new = price * (1 - cut)
    reaction = rng.uniform(0.2, 0.4, products)
    return CategoryDemand(
        [f"P{k}" for k in range(products)], ["tea"] * products, np.zeros(products, dtype=np.int64), sales,
        sales * np.exp(reaction * price * cut), price, new, 0.5 * price, 0.5 * price, reaction,
        (1 - wide) * price, (1 + wide) * price,
    )  # fmt: skip


def logit_market(demand: CategoryDemand, inside: float) -> tuple[np.ndarray, float, np.ndarray]:
    """Today's shares with a given share of customers who buy, market size, and utilities against not buying."""
    share = inside * demand.sales / demand.sales.sum()
    return share, float(demand.sales.sum() / inside), np.log(share / (1 - share.sum()))


@pytest.mark.parametrize("similarity", [0.1, 0.3, 0.6])
def test_own_gain_and_losses_of_siblings_follow_the_logit(similarity: float) -> None:
    demand = demand_of()
    found = cannibalization(demand, similarity)
    # find the share of buyers for which the average diversion is the similarity
    inside = np.linspace(1e-4, 0.9799, 200_001)
    within = demand.sales / demand.sales.sum()
    diverted = sum(w * (inside - inside * w) / (1 - inside * w) for w in within)
    share, size, utility = logit_market(demand, float(inside[np.abs(diverted - similarity).argmin()]))
    margin, new_margin = demand.price - demand.cost, demand.new_price - demand.new_cost
    for k in range(3):
        wanted = share[k] * demand.new_sales[k] / demand.sales[k]
        odds = np.exp(utility)
        others = 1 + odds.sum() - odds[k]
        odds[k] = wanted / (1 - wanted) * others  # this price alone moves its product to the wanted share
        moved = odds / (1 + odds.sum())
        own = demand.new_sales[k] * new_margin[k] - demand.sales[k] * margin[k]
        siblings = sum(size * (moved[j] - share[j]) * margin[j] for j in range(3) if j != k)
        assert found.table["own_gain"][k] == pytest.approx(own, rel=1e-9)
        assert found.table["from_siblings"][k] == pytest.approx(siblings, rel=1e-3)
        assert found.table["net_gain"][k] == pytest.approx(own + siblings, rel=1e-3)


def test_a_cheaper_product_takes_and_a_dearer_one_gives() -> None:
    cheaper, dearer = cannibalization(demand_of(cut=0.1)), cannibalization(demand_of(cut=-0.1))
    assert (cheaper.table["from_siblings"] < 0).all() and cheaper.together < cheaper.alone
    assert (dearer.table["from_siblings"] > 0).all() and dearer.together > dearer.alone


def test_without_similarity_products_are_independent() -> None:
    found = cannibalization(demand_of(), 0.0)
    assert found.together == pytest.approx(found.alone, rel=1e-6)
    assert found.table["from_siblings"].abs().max() < 1e-6


def test_nothing_changes_where_prices_do_not() -> None:
    found = cannibalization(demand_of(cut=0.0), 0.4)
    assert found.alone == pytest.approx(0.0) and found.together == pytest.approx(0.0)
    assert found.best >= 0.0


@pytest.mark.parametrize("similarity", [0.0, 0.3, 0.7])
@pytest.mark.parametrize("wide", [0.05, 0.5])
def test_best_prices_are_those_of_brute_force(similarity: float, wide: float) -> None:
    demand = demand_of(wide=wide, seed=3)
    found = cannibalization(demand, similarity)
    assert found.table["best_price"].between(demand.low, demand.high).all()
    axes = [np.linspace(low, high, 45) for low, high in zip(demand.low, demand.high, strict=True)]
    best = gains_at(demand, similarity, np.array(list(itertools.product(*axes)))).max()
    reached = gains_at(demand, similarity, found.table["best_price"].to_numpy()[None, :])[0]
    assert reached == pytest.approx(found.best, rel=2e-3, abs=0.05)
    assert reached >= best - 2e-3 * abs(best)


def gains_at(demand: CategoryDemand, similarity: float, price: np.ndarray) -> np.ndarray:
    """Gain of any prices (m, J) in the calibrated logit, by its own arithmetic."""
    inside = np.linspace(1e-6, 0.9799, 200_001) if similarity else np.array([1e-6])
    within = demand.sales / demand.sales.sum()
    diverted = sum(w * (inside - inside * w) / (1 - inside * w) for w in within)
    share, size, utility = logit_market(demand, float(inside[np.abs(diverted - similarity).argmin()]))
    alone = share * demand.new_sales / demand.sales
    base = utility + np.log(alone / (1 - alone)) - np.log(share / (1 - share))
    slope = demand.reaction / (1 - alone)
    odds = np.exp(base - slope * (price - demand.new_price))
    moved = odds / (1 + odds.sum(axis=1, keepdims=True))
    margin = demand.price - demand.cost
    return np.asarray(size * ((moved * (price - demand.new_cost)).sum(axis=1) - share @ margin))


def test_categories_do_not_touch_each_other() -> None:
    one, two = demand_of(seed=1), demand_of(seed=2)
    both = CategoryDemand(
        [*one.product, *(f"Q{k}" for k in range(3))], ["tea"] * 3 + ["jam"] * 3, np.repeat([0, 1], 3),
        *(np.concatenate([getattr(one, name), getattr(two, name)]) for name in (
            "sales", "new_sales", "price", "new_price", "cost", "new_cost", "reaction", "low", "high")),
    )  # fmt: skip
    parts, found = [cannibalization(one, 0.4), cannibalization(two, 0.4)], cannibalization(both, 0.4)
    assert found.together == pytest.approx(parts[0].together + parts[1].together, rel=1e-9)
    np.testing.assert_allclose(found.table["best_price"][:3], parts[0].table["best_price"], rtol=1e-6)


def test_the_demand_of_products_adds_up_to_that_of_rows() -> None:
    rows = make_rows(120)
    prices = price_strategy("personalized", rows, Guardrails(max_change_rate=0.2))
    demand = category_demand(rows, prices, occasions=2 * rows.n)
    chance = rows.response.probability(rows.current_price)
    assert demand.sales.sum() == pytest.approx(2 * chance.sum())
    assert (demand.sales * (demand.price - demand.cost)).sum() == pytest.approx(
        2 * (chance @ (rows.current_price - rows.unit_cost))
    )
    new = rows.response.probability(prices.price)
    found = cannibalization(demand, 0.3)
    assert found.alone == pytest.approx(
        2 * (new @ (prices.price - rows.unit_cost) - chance @ (rows.current_price - rows.unit_cost))
    )
    assert sorted(found.table["category"].unique()) == ["k0", "k1"]
    table = similarity_table(demand, (0.0, 0.5))
    assert table["alone"].tolist() == pytest.approx([found.alone] * 2)


def test_an_impossible_similarity_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"The similarity is 1\.0"):
        cannibalization(demand_of(), 1.0)
