"""What any demand model answers at costed offers, for models whose answers have no slopes to follow."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pricing_core.errors import ConfigError
from pricing_core.models.demand_model import DemandModel
from pricing_core.models.surface import OUTCOMES, BestPrice, CostedBatch, outcome_table

Floats = NDArray[Any]


class DemandOutcomes:
    """Outcomes of a demand model of any family at :class:`CostedBatch` rows, each averaged over the posterior draws.

    They are those of :class:`~pricing_core.models.surface.DemandSurface`, without derivatives.

    Parameters
    ----------
    best_price
        Function of intercept (n, D), sensitivity (n, D) and cost (n,) that finds the best relative price (n,).
    relative_price
        Price over reference price at which the chance of a purchase is asked.
    outcomes
        Those wanted, of :data:`~pricing_core.models.surface.OUTCOMES`.
    """

    def __init__(
        self,
        behavior: DemandModel,
        best_price: BestPrice,
        *,
        relative_price: float = 1.0,
        outcomes: tuple[str, ...] = OUTCOMES,
    ) -> None:
        unknown = [name for name in outcomes if name not in OUTCOMES]
        if unknown or not outcomes:
            raise ConfigError(f"There is no outcome {unknown or 'at all'}.", fix=f"Choose of {', '.join(OUTCOMES)}.")
        self.behavior, self.best_price = behavior, best_price
        self.relative_price, self.outcomes = relative_price, outcomes

    def answers(self, batch: CostedBatch) -> Floats:
        """Outcomes of the rows (n, K)."""
        response = self.behavior.respond(batch.batch, np.ones(batch.n))
        return outcome_table(response, batch.cost, self.outcomes, self.relative_price, self.best_price)


def without_events(costed: CostedBatch) -> CostedBatch:
    """The same offers without the sequence of events, for models that do not read it: mixing them is then cheap."""
    return CostedBatch(costed.batch.without_events(), costed.cost)
