"""Price ladders under coupled rules, against every possible choice."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from pricing_core.optimize.ladder import LadderProblem, LadderSolution, OrderPair, SumRow, solve_ladder


def random_problem(seed: int, products: int = 4, points: int = 4) -> LadderProblem:
    rng = np.random.default_rng(seed)
    price = np.sort(rng.uniform(1, 10, (products, points)), axis=1)
    value = rng.normal(5, 3, (products, points))
    if seed % 3 == 0:
        value[0, 0] = -np.inf
    changed = np.ones((products, points))
    changed[np.arange(products), rng.integers(0, points, products)] = 0
    sums = [
        SumRow("budget", rng.uniform(0, 3, (products, points)), float(rng.uniform(2, 6))),
        SumRow("changes", changed, float(rng.integers(1, products))),
    ]
    return LadderProblem(price, value, sums, [OrderPair("order", 0, 1, 0.2)])


def best_by_force(problem: LadderProblem) -> float:
    """Value of the best choice that keeps every rule; −inf if none does."""
    products, points = problem.value.shape
    best, row = -np.inf, np.arange(products)
    for choice in itertools.product(range(points), repeat=products):
        at = np.array(choice)
        kept = all(each.coefficient[row, at].sum() <= each.bound + 1e-9 for each in problem.sums)
        for pair in problem.orders:
            low, high = problem.price[pair.lower, at[pair.lower]], problem.price[pair.higher, at[pair.higher]]
            kept = kept and low + pair.gap <= high + 1e-9
        if kept:
            best = max(best, float(problem.value[row, at].sum()))
    return best


@pytest.mark.parametrize("seed", range(40))
def test_the_choice_is_the_best_of_all(seed: int) -> None:
    problem = random_problem(seed)
    best, found = best_by_force(problem), solve_ladder(problem, wanted_gap=1e-9)
    if not np.isfinite(best):
        assert not found.feasible and np.isnan(found.gap_rate)
        return
    assert found.feasible
    assert found.value == pytest.approx(best, abs=1e-6)
    assert found.bound >= best - 1e-6
    assert_kept(problem, found)


def assert_kept(problem: LadderProblem, found: LadderSolution) -> None:
    row = np.arange(len(found.point))
    for each in problem.sums:
        assert each.coefficient[row, found.point].sum() <= each.bound + 1e-6
    for pair in problem.orders:
        low = problem.price[pair.lower, found.point[pair.lower]]
        assert low + pair.gap <= problem.price[pair.higher, found.point[pair.higher]] + 1e-9


def test_the_gap_of_a_large_problem_is_proven_by_its_duals() -> None:
    """Any duals bound the best choice: recompute the bound from the problem and the duals that are returned."""
    problem = random_problem(7, products=300, points=12)
    problem = LadderProblem(
        problem.price, problem.value, [SumRow("budget", problem.sums[0].coefficient, 200.0), problem.sums[1]]
    )
    found = solve_ladder(problem)
    assert_kept(problem, found)
    assert found.gap_rate < 0.005
    charged = problem.value - sum(found.duals[each.name] * each.coefficient for each in problem.sums)
    bound = charged.max(axis=1).sum() + sum(found.duals[each.name] * each.bound for each in problem.sums)
    assert found.bound == pytest.approx(bound, rel=1e-6)
    assert found.value <= bound + 1e-6
    assert all(dual >= 0 for dual in found.duals.values())


def test_without_rules_each_product_takes_its_best_point() -> None:
    problem = random_problem(1)
    found = solve_ladder(LadderProblem(problem.price, problem.value))
    np.testing.assert_array_equal(found.point, problem.value.argmax(axis=1))
    assert found.gap_rate == pytest.approx(0.0, abs=1e-12)
    assert found.duals == {}


def test_a_chain_of_orders_holds_at_every_link() -> None:
    rng = np.random.default_rng(2)
    price = np.tile(np.arange(1.0, 9.0), (5, 1))
    value = rng.normal(0, 1, price.shape) + np.linspace(3, 0, 5)[:, None] * price / 8
    chain = [OrderPair(f"o{k}", k, k + 1, 1.0) for k in range(4)]
    found = solve_ladder(LadderProblem(price, value, orders=chain), wanted_gap=1e-9)
    chosen = price[np.arange(5), found.point]
    assert (np.diff(chosen) >= 1.0).all()
    assert found.value == pytest.approx(best_by_force(LadderProblem(price, value, orders=chain)))
