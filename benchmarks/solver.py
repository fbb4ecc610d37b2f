"""How fast prices are found once demand is known, and how close to the best they are proven to be.

``python benchmarks/solver.py``; ``--quick`` takes a tenth of the rows. Draws disagree as those of a trained model do:
by about 10% in price sensitivity. The grid search of a LightGBM model is what one would write without a solver: fit a
classifier with the price among its inputs, ask it at every price of a grid, take the best. It is timed in the same run,
after its training.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).parents[1]))

from pricing_core.guardrails import Guardrails, Rule, allowed_range
from pricing_core.guardrails.coupled import measures, public_price
from pricing_core.optimize.closed_form import optimal_relative_price
from pricing_core.optimize.coupled import solve_coupled
from pricing_core.optimize.ladder import LadderProblem, OrderPair, SumRow, solve_ladder
from pricing_core.optimize.posterior import maximize_posterior_profit, posterior_profit
from pricing_core.response import PriceResponse, PricingRows

DRAWS = 16
GRID = 50


def make_rows(n: int, draws: int, seed: int = 0) -> tuple[PriceResponse, np.ndarray, np.ndarray]:
    """Demand, unit cost and list price of *n* offers that sell at a few percent, as in a shop."""
    rng = np.random.default_rng(seed)
    sensitivity = np.exp(rng.normal(1.44, 0.4, (n, 1)) + rng.normal(0, 0.1, (n, draws)))
    intercept = rng.normal(-2.5, 1.0, (n, 1)) + rng.normal(0, 0.2, (n, draws)) + sensitivity
    price = rng.uniform(2, 20, n)
    return PriceResponse(price, intercept, sensitivity), price * rng.uniform(0.3, 0.7, n), price


def shop_rows(n: int, draws: int, products: int = 2_000) -> PricingRows:
    """Offers of many customers and products, priced at 95% of the list price, supported from −30% to +30%."""
    response, cost, price = make_rows(n, draws)
    product = np.arange(n) % products
    names = np.array([f"P{k:05d}" for k in range(products)], dtype=object)
    unknown = np.full(n, np.nan)
    return PricingRows(
        customer_id=np.array([f"c{k:07d}" for k in range(n)], dtype=object),
        product_id=names[product],
        category=np.array([f"k{k % 20}" for k in range(products)], dtype=object)[product],
        current_price=np.round(0.95 * price, 2),
        list_price=price,
        unit_cost=cost,
        competitor_price=unknown,
        support_low=0.7 * price,
        support_high=1.3 * price,
        customer_fold=np.arange(n) % 2,
        evidence=np.full(n, "measured", dtype=object),
        weight=np.ones(n),
        response=response,
    )


def grid_search(response: PriceResponse, unit_cost: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """Best of 50 evenly spaced prices by broadcasting, in pieces that fit memory."""
    out = np.empty(response.n)
    for start in range(0, response.n, 2000):
        rows = slice(start, start + 2000)
        price = np.linspace(low[rows], high[rows], GRID, axis=1)
        z = (
            response.intercept[rows, None, :]
            - response.sensitivity[rows, None, :] * (price / response.reference_price[rows, None])[:, :, None]
        )
        profit = (price - unit_cost[rows, None]) * (1 / (1 + np.exp(-z))).mean(axis=2)
        out[rows] = price[np.arange(len(price)), profit.argmax(axis=1)]
    return out


def lightgbm_search(n: int) -> tuple[Callable[[], np.ndarray], int]:
    """Train a classifier on 50,000 offers; return the search for the best of 50 prices of *n* others."""
    import lightgbm as lgb

    rng = np.random.default_rng(3)
    features = rng.normal(size=(50_000, 20))
    price = rng.uniform(0.6, 1.4, len(features))
    utility = 4.0 + features[:, 0] - np.exp(1.4 + 0.3 * features[:, 1]) * price
    bought = rng.random(len(features)) < 1 / (1 + np.exp(-utility))
    model = lgb.LGBMClassifier(n_estimators=200, num_leaves=31, n_jobs=2, verbose=-1)
    columns = [f"x{k}" for k in range(20)] + ["price"]
    model.fit(pd.DataFrame(np.column_stack([features, price]), columns=columns), bought)
    targets, cost = features[:n], rng.uniform(0.3, 0.7, n)
    grid = np.linspace(0.6, 1.4, GRID)

    def search() -> np.ndarray:
        table = np.repeat(targets, GRID, axis=0)
        asked = pd.DataFrame(np.column_stack([table, np.tile(grid, n)]), columns=columns)
        chance = model.predict_proba(asked)[:, 1].reshape(n, GRID)
        return grid[((grid[None, :] - cost[:, None]) * chance).argmax(axis=1)]

    return search, n


def seconds(work: Callable[[], Any], repeats: int = 3) -> tuple[float, Any]:
    """Shortest time of some repeats, and the last result."""
    return timed(work, repeats)[0::2]


def timed(work: Callable[[], Any], repeats: int = 3) -> tuple[float, float, Any]:
    """Shortest wall time and processor time (over all threads) of some repeats, and the last result."""
    best, least, out = np.inf, np.inf, None
    for _ in range(repeats):
        start, busy = time.perf_counter(), time.process_time()
        out = work()
        best, least = min(best, time.perf_counter() - start), min(least, time.process_time() - busy)
    return best, least, out


def speeds(n: int) -> None:
    one, cost, price = make_rows(n, 1)
    alpha, beta, relative = one.intercept[:, 0].copy(), one.sensitivity[:, 0].copy(), cost / price
    closed = n / seconds(lambda: optimal_relative_price(alpha, beta, relative), 5)[0]
    many, cost, price = make_rows(n // 5, DRAWS)
    low, high = price * 0.7, price * 1.3
    solver = n // 5 / seconds(lambda: maximize_posterior_profit(many, cost, low, high))[0]
    part = many.take(np.arange(10_000))
    taken, grid = seconds(lambda: grid_search(part, cost[:10_000], low[:10_000], high[:10_000]), 2)
    search, asked = lightgbm_search(4_000)
    trees = asked / seconds(search, 2)[0]
    print(f"\n{'':44}{'rows a second':>16}{'':4}")
    print(f"{'one draw, closed form':44}{closed:16,.0f}")
    print(f"{f'mean of {DRAWS} draws, Newton steps':44}{solver:16,.0f}")
    print(f"{f'mean of {DRAWS} draws, grid of {GRID} prices':44}{10_000 / taken:16,.0f}")
    print(f"{f'LightGBM, grid of {GRID} prices':44}{trees:16,.0f}")
    print(f"closed form over the LightGBM grid: {closed / trees:,.0f} times (target 1,000)")
    best = maximize_posterior_profit(part, cost[:10_000], low[:10_000], high[:10_000])
    lost = 1 - posterior_profit(part, grid, cost[:10_000]).sum() / posterior_profit(part, best, cost[:10_000]).sum()
    print(f"profit that the grid of {GRID} prices leaves behind: {lost:.4%}")


def large(n: int) -> list[tuple[str, float, float, float, str]]:
    """Row-wise guardrails, and one dual on top, for *n* rows."""
    rows = shop_rows(n, DRAWS)
    plain = Guardrails(margin_floor=0.1, max_change_rate=0.25)

    def row_wise() -> tuple[Any, np.ndarray]:
        bounds = allowed_range(rows, plain, "personalized")
        return bounds, maximize_posterior_profit(rows.response, rows.unit_cost, bounds.low, bounds.high)

    *taken, (bounds, price) = timed(row_wise)
    out = [(f"{n:,} rows, margin floor and maximum change", *taken, 2.0, "")]
    chance = rows.response.probability(price)
    spent = float(chance @ np.maximum(public_price(rows) - price, 0.0))
    for name, rule in (
        ("capacity", Rule("capacity", 0.9 * float(chance.sum()))),
        ("discount budget", Rule("discount_budget", 0.5 * spent)),
    ):
        guardrails = plain.with_changes(rules=(rule,))

        def tied(guardrails: Guardrails = guardrails) -> Any:
            return solve_coupled(rows, rows.response, guardrails, bounds, price)

        *taken, found = timed(tied, 2)
        kept = all(each.kept for each in measures(rows, guardrails, found.price))
        dual = found.duals[rule.label]
        note = f"gap {found.gap_rate:.5%} (target 0.1%), {'kept' if kept else 'BROKEN'}, dual {dual:.3f}"
        out.append((f"{n:,} rows, with a {name}", *taken, 10.0, note))
    return out


def ladder(products: int = 2_000, points: int = 15) -> tuple[str, float, float, float, str]:
    """Budget, price orders, least units and a number of changes over a ladder."""
    rng = np.random.default_rng(0)
    base = rng.uniform(3, 60, products)
    price = base[:, None] * np.linspace(0.7, 1.3, points)
    slope, start = rng.uniform(2, 7, products) / base, rng.normal(1, 1, products)
    chance = 1 / (1 + np.exp(-(start[:, None] - slope[:, None] * (price - 0.3 * base[:, None]))))
    sold = rng.lognormal(3, 1, products)[:, None] * chance
    value = sold * (price - (base * rng.uniform(0.3, 0.7, products))[:, None])
    given = sold * np.maximum(base[:, None] - price, 0)
    changed = np.ones((products, points))
    changed[:, points // 2] = 0
    free = given[np.arange(products), value.argmax(axis=1)].sum()
    ordered = np.argsort(base)
    problem = LadderProblem(
        price,
        value,
        [
            SumRow("discount budget", given, 0.5 * free),
            SumRow("number of changes", changed, products / 5),
            SumRow("least units", -sold, -float(sold[:, points // 2].sum())),
        ],
        [OrderPair(f"order {k}", int(ordered[2 * k]), int(ordered[2 * k + 1])) for k in range(products // 4)],
    )
    *taken, found = timed(lambda: solve_ladder(problem), 2)
    note = f"gap {found.gap_rate:.5%} (target 0.5%), {len(problem.orders)} orders, feasible: {found.feasible}"
    return f"{products:,} products x {points} points, 3 limits", *taken, 60.0, note


def main() -> None:
    n = 100_000 if "--quick" in sys.argv else 1_000_000
    table = [*large(n), ladder()]
    print(f"{'':52}{'seconds':>9}{'target':>9}{'processor':>11}")
    for name, taken, busy, target, note in table:
        print(f"{name:52}{taken:9.2f}{target:9.0f}{busy:11.2f}   {note}")
    speeds(n)


if __name__ == "__main__":
    main()
