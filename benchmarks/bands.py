"""Does conversion change with price as forecast: held-out last weeks of the demo shop and of the grocery sample.

``python benchmarks/bands.py [--seeds N] [--quick] [--shop demo|grocery|both] [--family network|auto] [--before]
[--windows N]``. Each seed is another demo shop, or another training on the grocery sample. The models learn from the
earlier 85% of the offers; the later ones are put into six bands of price over reference price. The slope is the
observed change between bands per forecast change (1 is right); a 90% range covers where the observed conversion of
the band lies in it. Where the slope's own margin is wide, as in a shop whose prices hardly vary, its error says
nothing about the model. ``--before`` takes the log as it was before those weeks, so that the weeks ahead of them are
held out; ``--windows N`` instead takes it as it was at N times, evenly from 70% of its offers on, and prints how many
ranges of all windows cover. Half of a range's width is printed as it is, and as it would be if offers shared nothing.
The lead in log loss is the best baseline's less ours, with the standard error of the mean over offers. The fit on all
offers, which a training ends with, is left out: it has no part in the figures.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from dataclasses import dataclass, replace
from pathlib import Path
from unittest.mock import patch

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).parents[1]))
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

from benchmarks.tables import mean_and_error, print_table
from pricing_core.data.dataset import Dataset
from pricing_core.data.demo_shop import DemoShopConfig, simulate_demo_shop
from pricing_core.data.importing import import_tables
from pricing_core.data.samples import load_sample_sources
from pricing_core.evaluate.band_forecasts import Shared, band_forecasts
from pricing_core.evaluate.calibration import price_band_calibration
from pricing_core.evaluate.metrics import SMALLEST_PROBABILITY
from pricing_core.models.choice import AUTO
from pricing_core.models.training import TrainingConfig, train_models
from pricing_core.workflows.choosing import judge_candidates

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Verdict:
    """Slope between price bands, bands that are covered, and log loss of ours and of the best baseline.

    ``plain`` are the bands that ranges cover which take offers to be independent; ``half`` and ``plain_half`` are the
    mean half widths of both; ``level`` is how much more conversion came than was forecast, as a share of the forecast.
    ``lead`` is the best baseline's log loss less ours, ``lead_error`` its standard error over offers; ``kind`` names
    the families that answered.
    """

    slope: float
    margin: float
    covered: int
    bands: int
    plain: int
    half: float
    plain_half: float
    level: float
    log_loss: float
    baseline: float
    best: str
    lead: float
    lead_error: float
    kind: str


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--shop", choices=("demo", "grocery", "both"), default="both")
    parser.add_argument("--family", default="network", help="a family of models, or auto")
    parser.add_argument("--before", action="store_true", help="hold out the weeks before the last ones")
    parser.add_argument("--windows", type=int, default=1, help="windows of held-out weeks, one after the other")
    options = parser.parse_args()
    shares = np.linspace(0.7, 1.0, options.windows) if options.windows > 1 else [0.85 if options.before else 1.0]
    rows = []
    for shop in ("demo", "grocery") if options.shop == "both" else (options.shop,):
        found = []
        for seed in range(options.first_seed, options.first_seed + options.seeds):
            for share in shares:
                start = time.perf_counter()
                dataset = earlier_part(dataset_of(shop, seed), share)
                found.append(judge(dataset, seed, quick=options.quick, family=options.family))
                seconds = time.perf_counter() - start
                print(f"{shop}, seed {seed}, {share:.0%} of the offers, {seconds:.0f} s: {found[-1]}", flush=True)
        covered, plain, bands = (sum(getattr(v, name) for v in found) for name in ("covered", "plain", "bands"))
        half, plain_half = (100 * np.mean([getattr(v, name) for v in found]) for name in ("half", "plain_half"))
        slopes = [v.slope for v in found]
        errors = [100 * abs(v.slope - 1) for v in found]
        rows.append(
            [
                shop,
                mean_and_error(slopes, 3),
                f"{np.mean([v.margin for v in found]):.3f}",
                mean_and_error(errors),
                f"{100 * abs(np.mean(slopes) - 1):.1f}",
                f"{covered} of {bands}",
                f"{half:.2f}",
                f"{plain} of {bands}, {plain_half:.2f}",
                mean_and_error([100 * v.level for v in found]),
                mean_and_error([v.log_loss for v in found], 4),
                mean_and_error([v.baseline for v in found], 4),
                f"{np.mean([v.lead for v in found]):+.5f} ± {np.mean([v.lead_error for v in found]):.5f}",
            ]
        )
    columns = (
        "held-out weeks of",
        "slope by price band",
        "its own 90% margin",
        "error, %",
        "error of the mean, %",
        "90% ranges cover",
        "half width, points",
        "if nothing were shared",
        "more sold than forecast, %",
        "log loss",
        "best baseline's",
        "lead",
    )
    what = f"{'quick' if options.quick else 'full'} training, {options.seeds} seeds, {len(shares)} windows"
    print_table(f"Price bands, {what}", columns, rows)


def dataset_of(shop: str, seed: int) -> Dataset:
    """Simulated demo shop of a seed, or the grocery sample."""
    if shop == "demo":
        return import_tables(simulate_demo_shop(DemoShopConfig(random_state=seed)).tables, name="demo").dataset
    sample = load_sample_sources("grocery")
    return import_tables(
        sample.tables, mapping=sample.mapping, name=sample.name, margin_assumption=sample.margin_assumption
    ).dataset


def earlier_part(dataset: Dataset, share: float = 0.85) -> Dataset:
    """Return the data set as it was when this share of its offers had been made."""
    if share >= 1:
        return dataset
    times = dataset.offers["offered_at"]
    end = times.sort_values().iloc[int(share * len(times))]
    events = dataset.events
    return replace(
        dataset,
        offers=dataset.offers[times < end].reset_index(drop=True),
        events=None if events is None else events[events["occurred_at"] < end].reset_index(drop=True),
    )


def judge(dataset: Dataset, seed: int, *, quick: bool, family: str = "network") -> Verdict:
    """Train on the earlier offers and compare forecasts with the later ones."""
    config = TrainingConfig(seed=seed, quick=quick, family=family)
    with patch("pricing_core.models.training.refit", lambda chosen, *_, **__: chosen):
        result = train_models(dataset, config, judge=judge_candidates if family == AUTO else None)
    held = result.held_out
    going = held.encoded.going
    bands = price_band_calibration(held.price / going.reference, held.purchased, held.probability, held.weight)
    response = held.model.behavior.respond(held.encoded.batch, going.reference)
    offers = held.encoded.table.offers
    shared = None if held.past is None else Shared(offers["customer_id"], offers["offered_at"], held.past)
    plain, table = (band_forecasts(response, held.price, held.purchased, held.weight, shared=s) for s in (None, shared))
    ours = losses(held.purchased, held.probability)
    others = {name: losses(held.purchased, p) for name, p in held.baselines.items()}
    best = min(others, key=lambda name: float(np.average(others[name], weights=held.weight)))
    gap = (others[best] - ours) * held.weight / held.weight.mean()
    margin = (bands.slope_high - bands.slope_low) / 2
    mine, theirs = (float(np.average(each, weights=held.weight)) for each in (ours, others[best]))
    lead, error = float(gap.mean()), float(gap.std() / np.sqrt(len(gap)))
    kind = "" if result.choice is None else "+".join(result.choice.parts)
    came, forecast = (float(np.average(each, weights=held.weight)) for each in (held.purchased, held.probability))
    return Verdict(
        slope=bands.slope,
        margin=margin,
        covered=int(table["covered"].sum()),
        bands=len(table),
        plain=int(plain["covered"].sum()),
        half=float((table["high"] - table["low"]).mean() / 2),
        plain_half=float((plain["high"] - plain["low"]).mean() / 2),
        level=came / forecast - 1,
        log_loss=mine,
        baseline=theirs,
        best=best,
        lead=lead,
        lead_error=error,
        kind=kind,
    )


def losses(purchased: Floats, probability: Floats) -> Floats:
    """Log loss of each offer."""
    p = np.clip(probability, SMALLEST_PROBABILITY, 1 - SMALLEST_PROBABILITY)
    return np.asarray(-(purchased * np.log(p) + (1 - purchased) * np.log1p(-p)))


if __name__ == "__main__":
    main()
