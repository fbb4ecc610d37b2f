"""Shapley values of a run's behavior model, by the way that its family allows.

A network has slopes, along which its answers are shared out (expected gradients). Any other family is asked with
features switched one by one (permutation Shapley values), which adds up exactly but needs many more answers: where many
offers are explained at once, each is compared with fewer typical offers, so that the number of answers keeps to a
budget.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd

from pricing_core.explain.expected_gradients import expected_gradients
from pricing_core.explain.shapley import ShapResult, shap_outcomes
from pricing_core.models.demand_outcomes import DemandOutcomes, without_events
from pricing_core.models.surface import CostedBatch, DemandSurface

GRADIENTS: Final = "expected gradients"
PERMUTATIONS: Final = "permutations"

# Answers for one explanation. A family whose curves are projections is asked at several prices for each answer.
_BUDGET: Final = 300_000
_PROJECTED_BUDGET: Final = 60_000
_PROJECTED: Final = ("monotone_trees", "plain_network", "bayes")

Answering = DemandSurface | DemandOutcomes


def method_of(family: str) -> str:
    """How the answers of a family are shared out over the features."""
    return GRADIENTS if family == "network" else PERMUTATIONS


def attributed(
    asked: Answering,
    batch: CostedBatch,
    background: CostedBatch,
    *,
    n_points: int,
    displayed: pd.DataFrame | None = None,
    seed: int = 0,
) -> dict[str, ShapResult]:
    """Shapley values of every outcome of ``asked`` at the rows of ``batch``, against the background.

    Parameters
    ----------
    n_points
        Points on each line where the model has slopes.
    displayed
        Readable values of ``batch``, a column per feature.
    seed
        Of the orders in which features are switched, where the model has none.
    """
    if isinstance(asked, DemandSurface):
        return expected_gradients(asked, batch, background, n_points=n_points, displayed=displayed)
    each = 2 * max(len(batch.feature_names) - 1, 1)
    walks = max(1, budget(asked) // (each * max(batch.n, 1)))
    some = without_events(_typical(asked, background, walks))
    return shap_outcomes(
        asked.answers,
        without_events(batch),
        some,
        outcomes=asked.outcomes,
        n_permutations=int(np.clip(walks // some.n, 1, 8)),
        random_state=seed,
        displayed=displayed,
    )


def _typical(asked: DemandOutcomes, background: CostedBatch, size: int) -> CostedBatch:
    """At most ``size`` of the background's offers: those whose answers are nearest to the average of all."""
    if size >= background.n:
        return background
    answers = asked.answers(background)
    away = (answers - answers.mean(axis=0)) / np.maximum(answers.std(axis=0), 1e-12)
    return background.take(np.sort(np.argsort((away**2).sum(axis=1), kind="stable")[:size]))


def budget(asked: Answering) -> int:
    """Answers that an explanation may ask for."""
    return _PROJECTED_BUDGET if asked.behavior.family in _PROJECTED else _BUDGET


def affordable(asked: Answering, features: int, offers: int, background: int) -> int:
    """How many of ``offers`` can be explained against that many typical offers within the budget, at least 40."""
    if isinstance(asked, DemandSurface):
        return offers
    return int(min(offers, max(40, budget(asked) // (2 * max(features - 1, 1) * background))))
