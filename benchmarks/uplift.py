r"""How far the uplift that the product reports can be believed, on markets whose true demand is known.

``python benchmarks/uplift.py [--seeds N] [--n OFFERS] [--quick] [--keep FOLDER]``. Each seed is another log of 4,000
customers with one offer each, imported, trained and priced by the public workflows; cost is zero, so that profit is
revenue. The status quo is each customer's logged price. Reported is what the simulation says of the personalized
prices for the latest third of the log, and what the off-policy estimate says of them over the whole log, each offer
priced by the half of the model that never saw its customer; both are held against the true demand, which no model
sees.

**F** (confounded): :math:`X \sim N(0, I_{10})`, utility
:math:`2 + \sin 2x_0 + 0.6(x_1^2 - 1) + 0.8 x_2 1\{x_3 > 0\}` less
:math:`\exp(-0.1 + 0.4 x_0 - 0.4 \tanh x_4)` times the price, logit; prices follow the utility.
**D5** (Biggs, Sun and Ettl, 2021): :math:`X \sim N(5, I_2)`, :math:`P \sim N(X_0, 2)`, bought where
:math:`X_0 - P + \varepsilon > 0`; prices of at most 0.1 are drawn again, since no shop asks them.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import expit
from scipy.stats import norm

sys.path.insert(0, str(Path(__file__).parents[1]))
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

from benchmarks.tables import mean_and_error, print_table
from pricing_core import workflows
from pricing_core.errors import NoModelError
from pricing_core.evaluate.policy_value import PolicyValue
from pricing_core.guardrails import NO_GUARDRAILS
from pricing_core.store.workspace import Workspace
from pricing_core.workflows.off_policy import judge_on_past

Floats = NDArray[np.float64]
POLICY = "personalized"
DAYS = 180


@dataclass(frozen=True)
class Market:
    """One draw: features (n, d), logged prices (n,), outcomes (n,), and the true chance of a purchase at any price."""

    features: Floats
    price: Floats
    bought: NDArray[np.int64]
    chance: Callable[[Floats, Floats], Floats]


def confounded(n: int, seed: int) -> Market:
    """F of the module's text."""
    rng = np.random.default_rng([seed, 1])
    x = rng.normal(size=(n, 10))

    def level(x: Floats) -> Floats:
        return 2 + np.sin(2 * x[:, 0]) + 0.6 * (x[:, 1] ** 2 - 1) + 0.8 * x[:, 2] * (x[:, 3] > 0)

    def chance(x: Floats, price: Floats) -> Floats:
        return np.asarray(expit(level(x) - np.exp(-0.1 + 0.4 * x[:, 0] - 0.4 * np.tanh(x[:, 4])) * price))

    price = np.clip(2.2 + 0.5 * (level(x) - 2) + rng.normal(0, 0.6, n), 0.3, 6)
    return Market(x, price, (rng.random(n) < chance(x, price)).astype(int), chance)


def linear(n: int, seed: int) -> Market:
    """D5 of the module's text."""
    rng = np.random.default_rng([seed, 2])
    x = rng.normal(5, 1, size=(n, 2))
    price = rng.normal(x[:, 0], 2)
    while (low := price <= 0.1).any():
        price[low] = rng.normal(x[low, 0], 2)

    def chance(x: Floats, price: Floats) -> Floats:
        return np.asarray(norm.cdf(x[:, 0] - price))

    return Market(x, price, (rng.random(n) < chance(x, price)).astype(int), chance)


MARKETS = {"F": confounded, "D5": linear}


@dataclass(frozen=True)
class Verdict:
    """What was claimed of one policy, and what it truly earns.

    ``claimed``, ``raw`` (before correction) and ``off_policy`` are profits over the true one, minus one; ``covered``
    and ``off_policy_covered`` tell whether the 90% range of the uplift holds the truth.
    """

    market: str
    seed: int
    share_of_oracle: float
    share_of_supported: float
    true_uplift: float
    uplift: float
    low: float
    high: float
    claimed: float
    raw: float
    covered: float
    effective_share: float
    off_policy: float
    off_policy_covered: float
    seconds: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--n", type=int, default=4_000)
    parser.add_argument("--quick", action="store_true", help="quick training")
    parser.add_argument("--markets", default=",".join(MARKETS))
    parser.add_argument("--keep", type=Path, help="keep the trained workspaces here, and use those that are here")
    options = parser.parse_args()
    rows = []
    for market in options.markets.split(","):
        found = []
        for seed in range(options.first_seed, options.first_seed + options.seeds):
            verdict = judge(market, options.n, seed, quick=options.quick, keep=options.keep)
            found.append(verdict)
            print(
                f"{market} seed {seed}, {verdict.seconds:.0f} s: {verdict.share_of_oracle:.1f}% of oracle, uplift "
                f"{verdict.uplift:+.1%} [{verdict.low:+.1%}, {verdict.high:+.1%}], truth {verdict.true_uplift:+.1%}, "
                f"claimed/true {verdict.claimed:+.1%}, raw {verdict.raw:+.1%}, ESS {verdict.effective_share:.0%}, "
                f"off-policy {verdict.off_policy:+.1%} {verdict.off_policy_covered}",
                flush=True,
            )
        rows.append(_row(market, found))
    columns = (
        "market", "% of oracle", "% of oracle at supported prices", "true uplift, %", "reported, %", "90% range covers",
        "claimed/true − 1, %", "uncorrected, %", "ESS, %", "off-policy/true − 1, %", "off-policy uplift range covers",
        "seconds",
    )  # fmt: skip
    kind = "quick" if options.quick else "full"
    print_table(f"Uplift of personalized prices, {options.n:,} offers, {kind} training", columns, rows)


def _row(market: str, found: list[Verdict]) -> list[str]:
    def mean(name: str, digits: int = 1) -> str:
        values = [100 * getattr(v, name) for v in found if np.isfinite(getattr(v, name))]
        return mean_and_error(values, digits) if values else "none"

    def hits(name: str) -> str:
        known = [getattr(v, name) for v in found if np.isfinite(getattr(v, name))]
        return f"{int(sum(known))} of {len(known)}"

    return [
        market, mean_and_error([v.share_of_oracle for v in found]),
        mean_and_error([v.share_of_supported for v in found]), mean("true_uplift"), mean("uplift"),
        hits("covered"), mean("claimed"), mean("raw"), mean("effective_share"), mean("off_policy"),
        hits("off_policy_covered"), mean_and_error([v.seconds for v in found], 0),
    ]  # fmt: skip


def judge(name: str, n: int, seed: int, *, quick: bool, keep: Path | None = None) -> Verdict:
    """Log, train, price, and hold what is reported against the truth."""
    market = MARKETS[name](n, seed)
    start = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        ws = Workspace.open(folder if keep is None else keep / f"{name}_{seed}")
        try:
            workflows.load_run(ws)
        except NoModelError:
            workflows.import_files(ws, tables(market, seed), name=name, source="simulated", pseudonymize=False)
            workflows.train(ws, config=workflows.TrainingConfig(seed=seed, quick=quick))
        result = workflows.simulate(ws, [POLICY, "status_quo"], guardrails=NO_GUARDRAILS)
        seconds = time.perf_counter() - start
        rows, price = result.rows, result.prices[POLICY].price
        who = np.array([int(each[1:]) for each in rows.customer_id])
        features = market.features[who]
        if not np.allclose(rows.current_price, market.price[who], atol=0.005):
            raise AssertionError("the status quo is not the logged price")
        true = float(np.sum(price * market.chance(features, price)))
        today = float(np.sum(rows.current_price * market.chance(features, rows.current_price)))
        oracle = best(market, features, np.full(len(who), 0.05), np.full(len(who), 15.0))
        supported = best(market, features, rows.support_low, rows.support_high)
        claim = result.row(POLICY)
        low, high = float(claim["profit_uplift_rate_low"]), float(claim["profit_uplift_rate_high"])
        truth = true / today - 1
        off, off_truth, off_today = past_verdict(ws, market)
        known = off.reliable
        return Verdict(
            market=name,
            seed=seed,
            share_of_oracle=100 * true / oracle,
            share_of_supported=100 * true / supported,
            true_uplift=truth,
            uplift=float(claim["profit_uplift_rate"]),
            low=low,
            high=high,
            claimed=float(claim["profit"]) / true - 1,
            raw=float(claim["profit_uncorrected"]) / true - 1,
            covered=float(low <= truth <= high),
            effective_share=off.effective_share,
            off_policy=off.value / off_truth - 1 if known else np.nan,
            off_policy_covered=float(off.uplift_low <= off_truth - off_today <= off.uplift_high) if known else np.nan,
            seconds=seconds,
        )


def best(market: Market, features: Floats, low: Floats, high: Floats) -> float:
    """Profit of who knows the truth and asks the best price of each customer between ``low`` and ``high``."""
    top = np.zeros(len(low))
    for share in np.linspace(0.0, 1.0, 401):
        price = low + share * (high - low)
        top = np.maximum(top, price * market.chance(features, price))
    return float(top.sum())


def past_verdict(ws: Workspace, market: Market) -> tuple[PolicyValue, float, float]:
    """Off-policy value over the whole log, and what the judged prices and the logged ones truly earn per offer."""
    found = judge_on_past(ws, POLICY, guardrails=NO_GUARDRAILS, every_offer=True)
    logged = found.logged
    who = np.array([int(each[1:]) for each in logged.customer_id])  # type: ignore[union-attr]
    features = market.features[who]
    target = float(np.mean(logged.target_price * market.chance(features, logged.target_price)))
    return found.value, target, float(np.mean(logged.price * market.chance(features, logged.price)))


def tables(market: Market, seed: int) -> dict[str, pd.DataFrame]:
    """The log as a shop's files: one product without cost, one offer per customer, times drawn over half a year."""
    n = len(market.price)
    rng = np.random.default_rng([seed, 3])
    minutes = np.sort(rng.integers(0, DAYS * 1440, n))
    ids = [f"c{i:06d}" for i in range(n)]
    offers = pd.DataFrame(
        {
            "customer_id": ids,
            "product_id": "item",
            "offered_at": pd.Timestamp("2025-01-01", tz="UTC") + pd.to_timedelta(minutes, "min"),
            "price": market.price,
            "purchased": market.bought,
        }
    )
    features = {f"x{k}": market.features[:, k] for k in range(market.features.shape[1])}
    customers = pd.DataFrame({"customer_id": ids, **features})
    products = pd.DataFrame({"product_id": ["item"], "unit_cost": [0.0]})
    return {"offers": offers, "customers": customers, "products": products}


if __name__ == "__main__":
    main()
