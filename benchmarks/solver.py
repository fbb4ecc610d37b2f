"""Rows priced per second once their demand is known, beside the grid search that one would write without a solver.

``python benchmarks/solver.py``. Draws disagree as those of a trained model do: by about 10% in price sensitivity.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from pricing_core.optimize.closed_form import optimal_relative_price
from pricing_core.optimize.posterior import maximize_posterior_profit, posterior_profit
from pricing_core.response import PriceResponse

DRAWS = 16
GRID = 50


def make_rows(n: int, draws: int, seed: int = 0) -> tuple[PriceResponse, np.ndarray, np.ndarray]:
    """Demand, unit cost and list price of *n* offers that sell at a few percent, as in a shop."""
    rng = np.random.default_rng(seed)
    sensitivity = np.exp(rng.normal(1.44, 0.4, (n, 1)) + rng.normal(0, 0.1, (n, draws)))
    intercept = rng.normal(-2.5, 1.0, (n, 1)) + rng.normal(0, 0.2, (n, draws)) + sensitivity
    price = rng.uniform(2, 20, n)
    return PriceResponse(price, intercept, sensitivity), price * rng.uniform(0.3, 0.7, n), price


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


def rate(work: Callable[[], object], n: int, repeats: int = 5) -> float:
    """Rows a second, best of some repeats."""
    best = np.inf
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        best = min(best, time.perf_counter() - start)
    return n / best


def main() -> None:
    n = 1_000_000
    one, cost, price = make_rows(n, 1)
    alpha, beta, relative = one.intercept[:, 0].copy(), one.sensitivity[:, 0].copy(), cost / price
    rows = [("one draw, closed form", rate(lambda: optimal_relative_price(alpha, beta, relative), n), 5e6)]
    few = 40_000
    part = one.take(np.arange(few))
    rows.append(
        (
            "one draw, grid of 50 prices",
            rate(lambda: grid_search(part, cost[:few], price[:few] * 0.5, price[:few] * 2), few, 2),
            None,
        )
    )
    n = 200_000
    many, cost, price = make_rows(n, DRAWS)
    low, high = price * 0.7, price * 1.3
    rows.append(
        (
            f"mean of {DRAWS} draws, solver",
            rate(lambda: maximize_posterior_profit(many, cost, low, high), n),
            5e5,
        )
    )
    few = 10_000
    part = many.take(np.arange(few))
    rows.append(
        (
            f"mean of {DRAWS} draws, grid of 50",
            rate(lambda: grid_search(part, cost[:few], low[:few], high[:few]), few, 2),
            None,
        )
    )
    print(f"{'':32}{'rows a second':>16}{'target':>14}")
    for name, speed, target in rows:
        print(f"{name:32}{speed:16,.0f}{'' if target is None else f'{target:14,.0f}'}")
    best = maximize_posterior_profit(part, cost[:few], low[:few], high[:few])
    grid = grid_search(part, cost[:few], low[:few], high[:few])
    lost = 1 - posterior_profit(part, grid, cost[:few]).sum() / posterior_profit(part, best, cost[:few]).sum()
    print(f"profit that the grid of {GRID} prices leaves behind: {lost:.4%}")


if __name__ == "__main__":
    main()
