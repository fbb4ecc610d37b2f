"""Choose the family of the behavior model by what later offers say: composition of models and evaluate."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from pricing_core.data.dataset import Dataset
from pricing_core.evaluate.families import (
    FamilyAnswer,
    JudgedOffers,
    blend_of,
    choose_family,
    leaderboard,
    score_families,
    value_families,
)
from pricing_core.models.behavior import logged_response
from pricing_core.models.choice import Candidate, Verdict, blended, in_order_of_preference
from pricing_core.models.demand_model import DemandModel
from pricing_core.models.folds import customer_fold
from pricing_core.models.held_out import LaterOffers
from pricing_core.models.learning_rows import LearningRows, sells_rarely, thinned_refusals
from pricing_core.models.shop_model import ShopModel
from pricing_core.response.price_response import PriceResponse
from pricing_core.workflows.runs import usual_prices, with_margin

_JUDGED_ROWS = 15_000
_LOSS_OFFERS = 3_000  # with fewer, log loss prefers models that hardly tell customers apart, whatever they would earn


def judge_candidates(
    dataset: Dataset, candidates: Sequence[Candidate], later: LaterOffers, complete: Callable[[DemandModel], ShopModel]
) -> Verdict:
    """Choose among candidates that learned from earlier offers; at most 15,000 offers judge.

    They are drawn evenly, or where few offers sell all purchases judge, and a sample of refusals stands for all.
    """
    later = _judging(later)
    shop = complete(candidates[0].model)
    rows = with_margin(shop.rows(dataset, later.encoded), dataset.manifest.margin_assumption, usual_prices(dataset))
    going = later.encoded.going
    offers = JudgedOffers(
        price=later.rows.x * going.reference,
        unit_cost=rows.unit_cost,
        reference_price=going.reference,
        expected=going.expected,
        low=rows.support_low,
        high=rows.support_high,
        purchased=later.rows.y,
        density=shop.pricing.density(going, later.rows.x),
        customer_id=later.rows.customer_id,
        weight=later.rows.weight,
    )
    return verdict_on(candidates, later.rows, offers, few=later.earlier)


def _judging(later: LaterOffers) -> LaterOffers:
    rows, n = later.rows, later.rows.batch.n
    if n <= _JUDGED_ROWS:
        return later
    if not sells_rarely(rows.y, rows.weight) or rows.y.sum() > _JUDGED_ROWS // 2:
        return later.take(np.floor(np.linspace(0, n - 1, _JUDGED_ROWS)).astype(np.int64))
    index, weight = thinned_refusals(rows.y, rows.weight, _JUDGED_ROWS)
    return replace(later.take(index), rows=rows.reweighted(index, weight))


def verdict_on(candidates: Sequence[Candidate], rows: LearningRows, offers: JudgedOffers, *, few: bool) -> Verdict:
    """Choose among candidates, and a blend of those whose average chance predicts best, on judged offers.

    Parameters
    ----------
    rows
        The judged offers as the candidates read them.
    few
        Whether offers are few: then a blend is a candidate, and earlier offers are among those that judge, so that
        each is judged by draws that did not learn from its customer.
    """
    fold = customer_fold(rows.customer_id) if few else None
    singles = [_answer(candidate, rows, offers, (candidate.family,), fold) for candidate in candidates]
    running, parts = list(candidates), blend_of(singles, offers) if few and len(candidates) > 2 else ()
    if len(parts) > 1:
        running.append(blended(candidates, parts, quick=False, random_state=0))
    by_name = {answer.family: answer for answer in singles}
    running = in_order_of_preference(running, few=few)
    answers = [by_name.get(each.family) or _answer(each, rows, offers, parts, fold) for each in running]
    values = value_families(offers, answers)
    scores = score_families(offers, answers, values)
    enough = len(offers.price) >= _LOSS_OFFERS
    choice = choose_family(scores, values, by_loss=enough)
    lines = leaderboard(
        scores,
        choice.family,
        {each.family: round(each.seconds, 2) for each in running},
        {each.family: each.size_bytes for each in running},
    )
    chosen = next(answer for answer in answers if answer.family == choice.family)
    return Verdict(choice.family, choice.reason, chosen.parts, lines)


def _answer(
    candidate: Candidate,
    rows: LearningRows,
    offers: JudgedOffers,
    parts: tuple[str, ...],
    fold: NDArray[np.int64] | None,
) -> FamilyAnswer:
    """What a candidate says; where an instrument tells what moved a logged price, the chance at it knows that too.

    With a ``fold`` (n,) of the customers, what those draws say that did not learn from them.
    """

    def honest(response: PriceResponse) -> PriceResponse:
        return response if fold is None else response.unseen(fold)

    informed = honest(logged_response(candidate.model, rows, offers.reference_price))
    probability = informed.probability(offers.price)
    response = informed
    if rows.residual is not None:
        response = honest(candidate.model.respond(rows.batch, offers.reference_price))
    return FamilyAnswer(candidate.family, candidate.label, response, probability, parts)
