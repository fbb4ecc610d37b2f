"""The models as a whole: what moves each of their answers over many recent offers."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np
import pandas as pd

from pricing_core.explain.readable import SHARES, readable
from pricing_core.explain.shapley import ShapResult, mean_result, tree_shap_values
from pricing_core.workflows.attribution import affordable, attributed, method_of
from pricing_core.workflows.explained_offers import background_of, recent_offers, surface
from pricing_core.workflows.runs import TrainedRun

N_OFFERS = 1_000
TREES = "trees"
_POINTS = 8


@dataclass(frozen=True, eq=False)
class WholeModel:
    """Shapley values of a model's outcomes over a sample of recent offers.

    ``results`` by outcome; ``values`` of the features in their units, a column per feature; ``names`` the models' name
    of each; ``seconds`` it took; ``method`` by which the answers were shared out.
    """

    results: dict[str, ShapResult]
    values: pd.DataFrame
    names: dict[str, str]
    seconds: float
    method: str

    def is_share(self, label: str) -> bool:
        """Whether a feature's values are fractions that are written in percent."""
        return readable(self.names[label]).unit in SHARES


def behavior_as_a_whole(run: TrainedRun, *, n_offers: int = N_OFFERS, seed: int = 0) -> WholeModel:
    """Shapley values of the behavior model: chance at the going price, sensitivity, taste, and best price."""
    ready = recent_offers(run)
    started = time.perf_counter()
    order = np.random.default_rng(seed + 1).permutation(ready.rows.n)
    background = ready.batch.take(background_of(ready, seed=seed))
    asked = surface(run)
    most = affordable(asked, len(ready.labels), n_offers, background.n)
    pick = order[: min(most, ready.rows.n)]
    displayed = ready.written(pick)
    results = attributed(
        asked, ready.batch.take(pick), background, n_points=_POINTS, displayed=displayed, seed=seed
    )  # fmt: skip
    names = dict(zip(ready.labels, ready.names, strict=True))
    method = method_of(run.model.behavior.family)
    return WholeModel(results, ready.values(pick), names, time.perf_counter() - started, method)


def pricing_as_a_whole(run: TrainedRun, *, n_offers: int = N_OFFERS, seed: int = 0) -> WholeModel:
    """Exact Shapley values of the LightGBM pricing model: going price and expected price, averaged over its folds."""
    ready = recent_offers(run)
    started = time.perf_counter()
    order = np.random.default_rng(seed + 1).permutation(ready.rows.n)
    pick = order[: min(n_offers, ready.rows.n)]
    values = ready.values(pick)
    written = ready.written(pick)
    results = {}
    for name, (boosters, matrix, groups) in run.model.pricing.views(ready.batch.batch.take(pick)).items():
        parts = [tree_shap_values(booster, matrix, groups, displayed=written[list(groups)]) for booster in boosters]
        results[name] = mean_result(parts)
    names = dict(zip(ready.labels, ready.names, strict=True))
    return WholeModel(results, values, names, time.perf_counter() - started, TREES)
