"""Earlier offers are judged by draws that did not learn from their customers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy.special import logit

from pricing_core.features import EncodedBatch
from pricing_core.models.folds import customer_fold
from pricing_core.models.learning_rows import LearningRows
from pricing_core.models.past_offers import past_offers
from pricing_core.response.price_response import PriceResponse

CHANCE = np.array([0.1, 0.1, 0.3, 0.3])  # of draws of the first half of the customers, and of the second


class Told:
    """Model whose draws of either half know one chance at a relative price of one."""

    def respond(self, batch: EncodedBatch, reference_price: np.ndarray) -> PriceResponse:
        level = np.broadcast_to(logit(CHANCE) + 2.0, (batch.n, 4))
        return PriceResponse(reference_price, level, np.full((batch.n, 4), 2.0), np.array([0, 0, 1, 1]), np.arange(4))


def _rows(batch: EncodedBatch, rate: float) -> LearningRows:
    rng = np.random.default_rng(1)
    n = batch.n
    names = rng.integers(0, 40, n).astype(str).astype(object)
    return LearningRows(batch, np.ones(n), (rng.random(n) < rate).astype(float), names, np.ones(n), np.arange(n) // 50)


def test_each_offer_is_judged_by_the_half_that_did_not_learn_from_its_customer(
    batch_of: Callable[..., EncodedBatch],
) -> None:
    rows = _rows(batch_of(300), 0.3)
    index = np.arange(20, 260)
    model: Any = Told()
    past = past_offers(model, rows, index)
    fold = customer_fold(rows.customer_id[index])
    assert set(fold) == {0, 1}
    assert past.probability == pytest.approx(np.where(fold == 0, 0.3, 0.1))
    assert past.week.tolist() == rows.period[index].tolist()  # type: ignore[index]
    assert len(np.unique(past.customer)) == len(np.unique(rows.customer_id[index]))


@pytest.mark.parametrize("rate", [0.03, 0.3])
def test_of_many_offers_a_part_stands_for_all(batch_of: Callable[..., EncodedBatch], rate: float) -> None:
    rows = _rows(batch_of(600), rate)
    model: Any = Told()
    past = past_offers(model, rows, np.arange(600), limit=200)
    assert len(past.week) <= 250
    if rate < 0.05:  # all purchases, and refusals that stand for others
        assert past.purchased.sum() == rows.y.sum()
        assert past.weight.sum() == pytest.approx(600)
    else:  # all offers of some customers
        kept = {name: (rows.customer_id == name).sum() for name in np.unique(rows.customer_id)}
        assert set(np.bincount(past.customer).tolist()) <= set(kept.values())
