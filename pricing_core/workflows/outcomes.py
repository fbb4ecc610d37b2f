"""What is explained: outcomes of the behavior model as functions of an encoded batch."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from pricing_core.features import EncodedBatch
from pricing_core.models.demand_model import DemandModel

Floats = NDArray[np.float64]

OUTCOMES = ("probability", "sensitivity", "taste")
OUTCOME_WORDS = {
    "probability": "chance of a purchase",
    "sensitivity": "price sensitivity",
    "taste": "taste (log-odds of a purchase at the going price)",
}


def outcomes_function(behavior: DemandModel, relative_price: float = 1.0) -> Callable[[EncodedBatch], Floats]:
    """A function from a batch to its outcomes (n, 3), each averaged over the posterior draws.

    The outcomes are the chance of a purchase at ``relative_price`` (price over reference price), the price
    sensitivity β, and the taste α − β: the log-odds of a purchase at the going price.
    """

    def evaluate(batch: EncodedBatch) -> Floats:
        response = behavior.respond(batch, np.ones(batch.n))
        probability = response.probability(np.full(batch.n, relative_price))
        taste = response.intercept - response.sensitivity
        return np.column_stack([probability, response.sensitivity.mean(axis=1), taste.mean(axis=1)])

    return evaluate


def outcome_function(
    behavior: DemandModel, outcome: str, relative_price: float = 1.0
) -> Callable[[EncodedBatch], Floats]:
    """One of the outcomes of :func:`outcomes_function` (n,)."""
    column = OUTCOMES.index(outcome)
    every = outcomes_function(behavior, relative_price)
    return lambda batch: every(batch)[:, column]
