"""What is explained: three outcomes of the behavior model as functions of an encoded batch."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from pricing_core.features import EncodedBatch
from pricing_core.models.behavior import BehaviorModel

Floats = NDArray[np.float64]

OUTCOMES = ("probability", "sensitivity", "taste")
OUTCOME_WORDS = {
    "probability": "chance of a purchase",
    "sensitivity": "price sensitivity",
    "taste": "taste (log-odds of a purchase at the going price)",
}


def outcome_function(behavior: BehaviorModel, outcome: str, relative_price: float = 1.0) -> Callable[[EncodedBatch], Floats]:
    """A function from a batch to one number per row, averaged over the posterior draws.

    Parameters
    ----------
    outcome
        ``probability`` at ``relative_price`` (price over reference price); ``sensitivity`` β; ``taste`` α − β.
    """

    def evaluate(batch: EncodedBatch) -> Floats:
        response = behavior.respond(batch, np.ones(batch.n))
        if outcome == "sensitivity":
            return np.asarray(response.sensitivity.mean(axis=1))
        if outcome == "taste":
            return np.asarray((response.intercept - response.sensitivity).mean(axis=1))
        return np.asarray(response.probability(np.full(batch.n, relative_price)))

    return evaluate
