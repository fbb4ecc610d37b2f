"""Earlier offers as judged by draws that had not learned from their customers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pricing_core.models.behavior import logged_response
from pricing_core.models.demand_model import DemandModel
from pricing_core.models.folds import customer_fold
from pricing_core.models.learning_rows import LearningRows, of_few_customers, sells_rarely, thinned_refusals

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

MOST_OFFERS: Final = 250_000
"""Offers that say what the offers of a week, or of a customer, share; more tell hardly more and take seconds."""

_BLOCK = 20_000


@dataclass(frozen=True)
class PastOffers:
    """Earlier offers with their outcomes and honest forecasts.

    Attributes
    ----------
    relative_price
        Price / going price (n,).
    purchased
        Outcome 0 or 1 (n,).
    probability
        Chance by the draws that did not learn from the offer's customer (n,).
    weight
        Offers that each stands for (n,).
    customer, week
        Number of the customer and of the week (n,).
    """

    relative_price: Floats
    purchased: Floats
    probability: Floats
    weight: Floats
    customer: Ints
    week: Ints


def past_offers(model: DemandModel, rows: LearningRows, index: Ints, limit: int = MOST_OFFERS) -> PastOffers:
    """Judge rows that a model learned from, each by the half of its draws that did not learn from its customer.

    Above ``limit`` rows a share of the customers is judged, or where few offers sell all purchases and a sample of
    refusals that stands for all.

    Parameters
    ----------
    rows, index
        Rows and the places (m,) of those that the model learned from.
    """
    weight = rows.weight[index]
    if len(index) > limit:
        if sells_rarely(rows.y[index], weight) and rows.y[index].sum() <= limit // 2:
            place, weight = thinned_refusals(rows.y[index], weight, limit)
        else:
            place = of_few_customers(rows.customer_id[index], limit)
            weight = weight[place]
        index = index[place]
    chances = [_chance(model, rows.take(index[start : start + _BLOCK])) for start in range(0, len(index), _BLOCK)]
    week = np.zeros(len(index), dtype=np.int64) if rows.period is None else rows.period[index]
    return PastOffers(
        relative_price=rows.x[index],
        purchased=rows.y[index],
        probability=np.concatenate(chances),
        weight=weight,
        customer=pd.factorize(rows.customer_id[index])[0].astype(np.int64),
        week=week,
    )


def _chance(model: DemandModel, rows: LearningRows) -> Floats:
    response = logged_response(model, rows, np.ones(rows.batch.n))
    return response.unseen(customer_fold(rows.customer_id)).probability(rows.x)
