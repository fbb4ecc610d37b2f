"""Does conversion change with price as forecast: held-out last weeks of the demo shop and of the grocery sample.

``python benchmarks/bands.py [--seeds N] [--quick] [--shop demo|grocery|both]``. Each seed is another demo shop, or
another training on the grocery sample. The models learn from the earlier 85% of the offers; the later ones are put into
six bands of price over reference price. The slope is the observed change between bands per forecast change (1 is
right); a 90% range covers where the observed conversion of the band lies in it.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

from benchmarks.tables import mean_and_error, print_table
from pricing_core.data.dataset import Dataset
from pricing_core.data.demo_shop import DemoShopConfig, simulate_demo_shop
from pricing_core.data.importing import import_tables
from pricing_core.data.samples import load_sample_sources
from pricing_core.evaluate.band_forecasts import band_forecasts
from pricing_core.evaluate.calibration import price_band_calibration
from pricing_core.evaluate.metrics import evaluate_probabilities
from pricing_core.models.training import TrainingConfig, train_models


@dataclass(frozen=True)
class Verdict:
    """Slope between price bands, bands that are covered, and log loss of ours and of the best baseline."""

    slope: float
    margin: float
    covered: int
    bands: int
    log_loss: float
    baseline: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--shop", choices=("demo", "grocery", "both"), default="both")
    options = parser.parse_args()
    rows = []
    for shop in ("demo", "grocery") if options.shop == "both" else (options.shop,):
        found = []
        for seed in range(options.first_seed, options.first_seed + options.seeds):
            start = time.perf_counter()
            found.append(judge(dataset_of(shop, seed), seed, quick=options.quick))
            print(f"{shop}, seed {seed}, {time.perf_counter() - start:.0f} s: {found[-1]}", flush=True)
        covered, bands = sum(v.covered for v in found), sum(v.bands for v in found)
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
                mean_and_error([v.log_loss for v in found], 4),
                mean_and_error([v.baseline for v in found], 4),
            ]
        )
    columns = (
        "held-out weeks of",
        "slope by price band",
        "its own 90% margin",
        "error, %",
        "error of the mean, %",
        "90% ranges cover",
        "log loss",
        "best baseline's",
    )
    print_table(f"Price bands, {'quick' if options.quick else 'full'} training, {options.seeds} seeds", columns, rows)


def dataset_of(shop: str, seed: int) -> Dataset:
    """Simulated demo shop of a seed, or the grocery sample."""
    if shop == "demo":
        return import_tables(simulate_demo_shop(DemoShopConfig(random_state=seed)).tables, name="demo").dataset
    sample = load_sample_sources("grocery")
    return import_tables(
        sample.tables, mapping=sample.mapping, name=sample.name, margin_assumption=sample.margin_assumption
    ).dataset


def judge(dataset: Dataset, seed: int, *, quick: bool) -> Verdict:
    """Train on the earlier offers and compare forecasts with the later ones."""
    held = train_models(dataset, TrainingConfig(seed=seed, quick=quick, family="network")).held_out
    going = held.encoded.going
    bands = price_band_calibration(held.price / going.reference, held.purchased, held.probability, held.weight)
    response = held.model.behavior.respond(held.encoded.batch, going.reference)
    table = band_forecasts(response, held.price, held.purchased, held.weight)
    loss = evaluate_probabilities(held.purchased, held.probability, held.weight).log_loss
    others = [evaluate_probabilities(held.purchased, p, held.weight).log_loss for p in held.baselines.values()]
    margin = (bands.slope_high - bands.slope_low) / 2
    return Verdict(bands.slope, margin, int(table["covered"].sum()), len(table), loss, min(others))


if __name__ == "__main__":
    main()
