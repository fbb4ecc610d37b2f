"""Every family of demand models, the automatic choice and what one would do without them, on data of known truth.

``python benchmarks/families.py [--seeds N] [--first-seed K] [--data D1:5000,F:1000] [--families taste_network,l1_logit]
[--peers] [--results FILE]``. D1–D6 of Biggs, Sun & Ettl (2021) and F (confounded), see :mod:`benchmarks.policies` and
:mod:`benchmarks.uplift`: a log is learned from, 20,000 other customers are priced at nine prices, the 10–90% quantiles
of the logged ones, and the prices are judged by the true chances. Shares are of the revenue of who knows the truth.
Optimism is what was claimed over what is true, less one: the draws of one half of the customers choose, those of the
other half claim. The automatic choice is that of a training: fitted on the earlier 85%, judged on the rest, the chosen
family then fitted on all. With ``--results`` every figure is kept as a line of JSON; what is there is not run again.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).parents[1]))
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

from benchmarks.known_markets import KnownMarket, draw
from benchmarks.tables import mean_and_error, print_table
from pricing_core.evaluate.families import JudgedOffers
from pricing_core.models.choice import FEW_OFFERS, Candidate, chosen_model, fit_candidates, refit
from pricing_core.models.demand_model import BLEND, FAMILIES, DemandModel
from pricing_core.workflows.choosing import verdict_on

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

DATA = "D1:5000,D2:5000,D3:5000,D4:5000,D5:5000,D6:5000,F:1000,F:5000,F:20000"
LATE = 0.15
BEST_KNOWN = {
    "D1:5000": 99.9, "D2:5000": 99.7, "D3:5000": 99.3, "D4:5000": 98.9, "D5:5000": 99.9, "D6:5000": 97.7,
    "F:1000": 94.1, "F:5000": 98.6, "F:20000": 99.0,
}  # fmt: skip
UNIFORM, PLAIN, MONOTONE, AUTOMATIC = "best uniform", "LightGBM + grid", "monotone LightGBM", "automatic choice"
Line = dict[str, Any]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--data", default=DATA)
    parser.add_argument("--families", default=",".join(FAMILIES))
    parser.add_argument("--peers", action="store_true", help="also EconML, XGBoost and scikit-learn where installed")
    parser.add_argument("--results", type=Path, help="file of results so far, to go on with")
    options = parser.parse_args()
    names = options.families.split(",")
    lines = _read(options.results)
    for seed in range(options.first_seed, options.first_seed + options.seeds):
        for data in options.data.split(","):
            lines += _run(data, seed, names, lines, options)
    print_summary(lines, options.data.split(","))


def _run(data: str, seed: int, names: Sequence[str], known: list[Line], options: argparse.Namespace) -> list[Line]:
    """Figures of one market and seed that are not known yet."""
    done = {line["way"] for line in known if line["data"] == data and line["seed"] == seed}
    name, n = data.split(":")
    market: KnownMarket | None = None
    found: list[Line] = []

    def keep(way: str, make: Callable[[KnownMarket], Line]) -> None:
        nonlocal market
        if way in done:
            return
        market = market or draw(name, int(n), seed)
        started = time.perf_counter()
        line = {"data": data, "seed": seed, "way": way, **make(market)}
        line["seconds"] = round(time.perf_counter() - started, 2)
        found.append(line)
        print(f"{data} seed {seed} {way}: {line['share']:.2f}%, {line['seconds']:.0f} s", flush=True)
        if options.results is not None:
            with options.results.open("a", encoding="utf-8") as file:
                file.write(json.dumps(line) + "\n")

    keep(UNIFORM, lambda m: {"share": m.share(np.full(m.fresh.n, m.revenue.sum(axis=0).argmax()))})
    for way, falling in ((PLAIN, False), (MONOTONE, True)):
        keep(way, lambda m, falling=falling: {"share": m.share(tuned_trees(m, falling=falling))})  # type: ignore[misc]
    if options.peers:
        from benchmarks.peers import PEERS, PeerMissing

        for way, choose in PEERS.items():
            try:
                keep(way, lambda m, choose=choose: {"share": m.share(choose(m))})  # type: ignore[misc]
            except PeerMissing as error:
                print(error, flush=True)
    if not {AUTOMATIC, *names} <= done:
        market = market or draw(name, int(n), seed)
        for way, line in of_families(market, names, seed).items():
            keep(way, lambda m, line=line: line)  # type: ignore[misc]
    return found


def of_families(market: KnownMarket, names: Sequence[str], seed: int) -> dict[str, Line]:
    """Each family fitted on all rows, and the automatic choice among them."""
    n = market.rows.batch.n
    late = np.arange(n) >= int((1 - LATE) * n)
    own: dict[str, Any] = {"settings": {}, "quick": False, "random_state": seed}
    candidates = fit_candidates(names, market.rows.take(~late), market.rows.take(late), **own)
    final = {c.family: refit(c.model, market.rows, **own) for c in candidates}
    few = n <= FEW_OFFERS
    judges = np.ones(n, dtype=bool) if few else late
    verdict = verdict_on(candidates, market.rows.take(judges), _judged(market, judges), few=few)
    parts = [Candidate(name, name, final[name], 0.0, 0) for name in verdict.parts]
    chosen = chosen_model(parts, verdict, quick=False, random_state=seed)
    # A blend of fitted parts is what fitting the blend gives: each part learns alone.
    found = {name: _line(market, model) for name, model in final.items()}
    blend = "+".join(verdict.parts) if verdict.family == BLEND else verdict.family
    return found | {AUTOMATIC: {**_line(market, chosen), "chosen": blend, "reason": verdict.reason}}


def _judged(market: KnownMarket, late: NDArray[np.bool_]) -> JudgedOffers:
    n = int(late.sum())
    return JudgedOffers(
        price=market.price[late],
        unit_cost=np.zeros(n),
        reference_price=market.going.reference[late],
        expected=market.going.expected[late],
        low=np.full(n, market.prices[0]),
        high=np.full(n, market.prices[-1]),
        purchased=market.bought[late],
        density=market.density[late],
        customer_id=market.rows.customer_id[late],
        weight=np.ones(n),
    )


def _line(market: KnownMarket, model: DemandModel) -> Line:
    """Share of the oracle by all draws, and what each half of the draws claims for the prices of the other half."""
    response = model.respond(market.fresh, np.full(market.fresh.n, market.reference))
    grid = np.broadcast_to(market.prices, (market.fresh.n, len(market.prices)))
    halves = [response.with_draws(response.draw_fold == k).probability(grid) * market.prices for k in (0, 1)]
    row = np.arange(market.fresh.n)
    optimism = []
    for k in (0, 1):
        choice = halves[k].argmax(axis=1)
        optimism.append(halves[1 - k][row, choice].mean() / market.earned(choice) - 1)
    return {"share": market.share((halves[0] + halves[1]).argmax(axis=1)), "optimism": float(np.mean(optimism))}


def tuned_trees(market: KnownMarket, *, falling: bool) -> Ints:
    """Prices by LightGBM on attributes and price: leaves and trees by log loss on the latest 15%, prices by search."""
    import lightgbm

    table = np.column_stack([market.price, market.features])
    early = np.arange(len(table)) < int((1 - LATE) * len(table))
    best: tuple[float, int, int] = (np.inf, 0, 0)
    for leaves in (7, 15, 31):
        settings = {
            "objective": "binary", "num_leaves": leaves, "learning_rate": 0.05, "min_child_samples": 30, "seed": 0,
            "monotone_constraints": [-1 if falling else 0, *[0] * market.features.shape[1]], "num_threads": 1,
            "verbosity": -1, "deterministic": True,
        }  # fmt: skip
        booster = lightgbm.train(settings, lightgbm.Dataset(table[early], market.bought[early]), 300)
        for trees in range(20, 301, 20):
            p = np.asarray(booster.predict(table[~early], num_iteration=trees))
            y = market.bought[~early]
            best = min(best, (float(-np.mean(y * np.log(p) + (1 - y) * np.log(1 - p))), leaves, trees))
    booster = lightgbm.train({**settings, "num_leaves": best[1]}, lightgbm.Dataset(table, market.bought), best[2])
    return best_on_grid(market, lambda rows: np.asarray(booster.predict(rows)))


def best_on_grid(market: KnownMarket, chance: Callable[[Floats], Floats]) -> Ints:
    """Best of the nine prices by a function of (price, attributes) rows."""
    x = market.fresh_features
    revenue = [p * chance(np.column_stack([np.full(len(x), p), x])) for p in market.prices]
    return np.asarray(np.stack(revenue, axis=1).argmax(axis=1))


def _read(path: Path | None) -> list[Line]:
    if path is None or not path.exists():
        return []
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line]


def print_summary(lines: list[Line], data: Sequence[str]) -> None:
    """One table of shares, and one of the optimism and choices."""
    ways = list(dict.fromkeys(line["way"] for line in lines))
    ways = [*(way for way in ways if way != AUTOMATIC), AUTOMATIC]
    rows, notes = [], []
    for each in data:
        mine = [line for line in lines if line["data"] == each]
        by_way = {way: [line["share"] for line in mine if line["way"] == way] for way in ways}
        seeds = len({line["seed"] for line in mine})
        cells = [mean_and_error(values, 2) if values else "" for values in by_way.values()]
        rows.append([f"{each} ({seeds})", *cells, f"{BEST_KNOWN.get(each, np.nan):.1f}"])
        auto = [line for line in mine if line["way"] == AUTOMATIC]
        if auto:
            kinds = [line["chosen"] for line in auto]
            common = max(set(kinds), key=kinds.count)
            optimism = [100 * line["optimism"] for line in auto]
            notes.append([each, mean_and_error(optimism), common, f"{kinds.count(common)} of {len(kinds)}"])
    print_table("% of the oracle's revenue (seeds)", ("data", *ways, "best known"), rows)
    print_table("Automatic choice", ("data", "claimed/true − 1, %", "most often", "seeds"), notes)


if __name__ == "__main__":
    main()
