"""Rows to price with known demand, shared by the tests of optimize, guardrails, simulate and price list."""

from __future__ import annotations

from typing import Any

import numpy as np

from pricing_core.response import PriceResponse, PricingRows


def make_response(
    n: int, draws: int = 8, *, seed: int = 0, disagreement: float = 0.15, reference: np.ndarray | None = None
) -> PriceResponse:
    """Curves of offers that sell at a few percent; draws in two folds, two to a member."""
    rng = np.random.default_rng(seed)
    sensitivity = np.exp(rng.normal(1.44, 0.4, (n, 1)) + rng.normal(0, disagreement, (n, draws)))
    intercept = rng.normal(-2.0, 1.0, (n, 1)) + rng.normal(0, 2 * disagreement, (n, draws)) + sensitivity
    return PriceResponse(
        reference_price=rng.uniform(3, 20, n) if reference is None else reference,
        intercept=intercept,
        sensitivity=sensitivity,
        draw_fold=np.repeat([0, 1], (draws + 1) // 2)[:draws],
        draw_member=np.arange(draws) // 2,
    )


def make_rows(n: int = 60, draws: int = 8, *, seed: int = 0, products: int = 6, **changes: Any) -> PricingRows:
    """Customers and products with list prices, costs, competitor prices and a supported range of about ±25%."""
    rng = np.random.default_rng([seed, 1])
    product = np.arange(n) % products
    list_price = np.round(rng.uniform(3, 20, products), 2)[product]
    fields: dict[str, Any] = {
        "customer_id": np.array([f"c{i // products:04d}" for i in range(n)], dtype=object),
        "product_id": np.array([f"P{p}" for p in product], dtype=object),
        "category": np.array([f"k{p % 2}" for p in product], dtype=object),
        "current_price": np.round(list_price * 0.97, 2),
        "list_price": list_price,
        "unit_cost": list_price * 0.55,
        "competitor_price": np.round(list_price * rng.uniform(0.9, 1.1, n), 2),
        "support_low": list_price * 0.75,
        "support_high": list_price * 1.25,
        "customer_fold": (np.arange(n) // products) % 2,
        "evidence": np.full(n, "measured", dtype=object),
        "weight": np.ones(n),
        "response": make_response(n, draws, seed=seed, reference=list_price),
        "cost_assumed": np.zeros(n, dtype=bool),
    }
    return PricingRows(**(fields | changes))


def grid_best(
    response: PriceResponse, cost: np.ndarray, low: np.ndarray, high: np.ndarray, points: int = 2001
) -> np.ndarray:
    """Largest posterior mean profit of each row on a dense grid between low and high."""
    best = np.full(response.n, -np.inf)
    for share in np.linspace(0, 1, points):
        price = low + share * (high - low)
        best = np.maximum(best, (price - cost) * response.probability(price))
    return best
