"""A market where something unseen moves both prices and demand: with its instrument, and without.

``python benchmarks/endogenous.py [--seeds N] [--offers N] [--quick]``. Features X ~ N(0, I₁₀), an unseen shock ξ and a
cost shock z, both N(0, 1): the price is 2.2 + 0.3 (g(X) − 2) + 0.45 ξ + 0.45 z + N(0, 0.25²) within [0.3, 6], and ξ
adds to the utility. Each log is trained on by the public training, once with z mapped as ``instrument`` and once
without it. 20,000 other customers are then priced at one of the nine 10–90% quantiles of the logged prices, and the
revenue is judged by the true chances, averaged over ξ, in % of who knows them.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import expit

sys.path.insert(0, str(Path(__file__).parents[1]))
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

from benchmarks.tables import mean_and_error, print_table
from pricing_core.data.dataset import Dataset, DatasetManifest
from pricing_core.models.choice import AUTO
from pricing_core.models.demand_model import NETWORK
from pricing_core.models.monotone_trees import MonotoneTreesConfig
from pricing_core.models.training import TrainingConfig, TrainingResult, train_models
from pricing_core.workflows.choosing import judge_candidates
from pricing_core.workflows.identifying import hold_level

Floats = NDArray[np.float64]

JUDGED = 20_000
_NODES, _MASS = np.polynomial.hermite_e.hermegauss(21)


@dataclass(frozen=True)
class Market:
    """Customers, prices, purchases and the truth: taste g, slope s, cost shock z, each (n,)."""

    features: Floats
    taste: Floats
    slope: Floats
    instrument: Floats
    price: Floats
    bought: NDArray[np.int8]

    def revenue(self, prices: Floats) -> Floats:
        """True expected revenue (n, K) at prices (K,), over the unseen shock."""
        logit = self.taste[:, None] - self.slope[:, None] * prices
        chance = sum(m * expit(logit + x) for x, m in zip(_NODES, _MASS / _MASS.sum(), strict=True))
        return np.asarray(prices * chance)


def draw(n: int, seed: int) -> Market:
    """Simulate ``n`` customers."""
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((n, 10))
    taste = 2 + np.sin(2 * x[:, 0]) + 0.6 * (x[:, 1] ** 2 - 1) + 0.8 * x[:, 2] * (x[:, 3] > 0)
    slope = np.exp(-0.1 + 0.4 * x[:, 0] - 0.4 * np.tanh(x[:, 4]))
    shock, z = rng.standard_normal(n), rng.standard_normal(n)
    price = np.clip(2.2 + 0.3 * (taste - 2) + 0.45 * shock + 0.45 * z + rng.normal(0, 0.25, n), 0.3, 6.0)
    bought = (rng.random(n) < expit(taste - slope * price + shock)).astype(np.int8)
    return Market(x, taste, slope, z, price, bought)


def as_dataset(market: Market, *, instrument: bool) -> Dataset:
    """One offer to each customer, of one product, evenly over half a year."""
    n = len(market.price)
    names = [f"c{k:06d}" for k in range(n)]
    offers = pd.DataFrame(
        {
            "customer_id": names,
            "product_id": "product",
            "offered_at": pd.Timestamp("2025-01-01", tz="UTC")
            + pd.to_timedelta(np.arange(n) * (182 * 86_400 / n), unit="s").floor("s"),
            "price": market.price,
            "purchased": market.bought,
        }
    )
    if instrument:
        offers["instrument"] = market.instrument
    customers = pd.DataFrame(market.features, columns=[f"trait {k}" for k in range(10)]).assign(customer_id=names)
    products = pd.DataFrame({"product_id": ["product"], "unit_cost": [0.0], "list_price": [2.2]})
    return Dataset(offers, customers, products, None, None, DatasetManifest("endogenous", "simulated"))


def chances(result: TrainingResult, dataset: Dataset, judged: Market, prices: Floats) -> Floats:
    """Predicted chance of the judged customers at each price, (n, K)."""
    n = len(judged.price)
    names = [f"n{k:06d}" for k in range(n)]
    asked = pd.DataFrame(
        {"customer_id": names, "product_id": "product", "offered_at": dataset.offers["offered_at"].max()}
    )
    strangers = pd.DataFrame(judged.features, columns=[f"trait {k}" for k in range(10)]).assign(customer_id=names)
    known = Dataset(dataset.offers, strangers, dataset.products, None, None, dataset.manifest)
    encoded = result.model.encode(known, asked)
    response = result.model.behavior.respond(encoded.batch, encoded.going.reference)
    return response.probability(np.broadcast_to(prices, (n, len(prices))))


def judge_seed(seed: int, offers: int, *, quick: bool, family: str = NETWORK) -> dict[str, float]:
    """Revenue of each way to price, in % of the oracle, and what the models say of themselves."""
    logged, judged = draw(offers, seed), draw(JUDGED, seed + 10_000)
    prices = np.quantile(logged.price, np.linspace(0.1, 0.9, 9))
    truth = judged.revenue(prices)
    best = truth.max(axis=1).sum()

    def share(chance: Floats) -> float:
        choice = (prices * chance).argmax(axis=1)
        return float(100 * truth[np.arange(JUDGED), choice].sum() / best)

    found = {"best uniform, chosen by who knows the truth": float(100 * truth.sum(axis=0).max() / best)}
    for name, instrument in (("this product, with the instrument", True), ("this product, without it", False)):
        dataset = as_dataset(logged, instrument=instrument)
        config = TrainingConfig(seed=seed, quick=quick, family=family)
        result = train_models(dataset, config, judge=judge_candidates if family == AUTO else None)
        measured, result = result, hold_level(dataset, result, config)
        chance = chances(result, dataset, judged, prices)
        found[name] = share(chance)
        if instrument:
            found["F"] = float(result.identification["instrument"]["f_statistic"])
        else:
            found["this product, without it, one price for all"] = float(
                100 * truth[:, int((prices * chance).sum(axis=0).argmax())].sum() / best
            )
            found["this product, without it, its level not held"] = share(chances(measured, dataset, judged, prices))
    found["monotone LightGBM, price by grid search"] = share(_by_trees(logged, judged, prices, quick=quick))
    return found


def _by_trees(logged: Market, judged: Market, prices: Floats, *, quick: bool) -> Floats:
    import lightgbm as lgb

    config = MonotoneTreesConfig(n_trees=80 if quick else 200)
    signs = [-1, *[0] * logged.features.shape[1]]
    parameters = {"objective": "binary", "num_leaves": config.n_leaves, "learning_rate": 0.05, "verbosity": -1,
                  "monotone_constraints": signs, "seed": 0, "deterministic": True, "num_threads": 2}  # fmt: skip
    matrix = np.column_stack([logged.price, logged.features])
    model = lgb.train(parameters, lgb.Dataset(matrix, logged.bought), num_boost_round=config.n_trees)
    return np.column_stack(
        [model.predict(np.column_stack([np.full(len(judged.price), p), judged.features])) for p in prices]
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--offers", type=int, default=10_000)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--family", default=NETWORK, help="a family of models, or auto")
    options = parser.parse_args()
    found = []
    for seed in range(options.first_seed, options.first_seed + options.seeds):
        start = time.perf_counter()
        found.append(judge_seed(seed, options.offers, quick=options.quick, family=options.family))
        shown = ", ".join(f"{name} {value:.2f}" for name, value in found[-1].items())
        print(f"seed {seed}, {time.perf_counter() - start:.0f} s: {shown}", flush=True)
    rows = []
    for name in found[0]:
        values = [each[name] for each in found]
        label = "F of the instrument" if name == "F" else name
        rows.append([label, mean_and_error(values, 2), f"{min(values):.2f}"])
    columns = ("way to price", "% of oracle", "worst")
    print_table(f"Endogenous prices, {options.offers:,} offers, {options.seeds} seeds", columns, rows)


if __name__ == "__main__":
    main()
