"""Which family of demand models prices best, judged on offers that none of them learned from.

Families are compared by what their prices would have earned (judged by the other families, so that none judges itself,
see :mod:`~pricing_core.evaluate.family_values`), then by whether conversion changes between price bands as they say,
then by log loss. A difference decides only where it is larger than its standard error: among families that cannot be
told apart in one figure the next figure speaks, so that chance does not choose.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pricing_core.errors import DataError
from pricing_core.evaluate.calibration import PriceBandCalibration, price_band_calibration
from pricing_core.evaluate.choice_words import ChoiceStep, reason_in_words
from pricing_core.evaluate.family_values import PAST_OFFERS, FamilyValues, JudgedPrices, in_errors
from pricing_core.evaluate.logged_offers import LoggedOffers
from pricing_core.evaluate.metrics import SMALLEST_PROBABILITY, evaluate_probabilities
from pricing_core.response.price_response import PriceResponse

Floats = NDArray[np.float64]

_GRID: Final = 25
_BANDS: Final = 6
_Z90: Final = 1.6449
_TOLERANCE: Final = 2.0  # standard errors by which a family is behind before it is dropped


@dataclass(frozen=True)
class JudgedOffers:
    """Later offers, all of shape (n,).

    Parameters
    ----------
    price, unit_cost, reference_price
        Money.
    expected
        Relative price that the shop's habit would have set.
    low, high
        Prices that the data support, in money.
    purchased, density, customer_id, weight
        Outcome, density of the logged relative price, customer, and how many offers a row stands for.
    """

    price: Floats
    unit_cost: Floats
    reference_price: Floats
    expected: Floats
    low: Floats
    high: Floats
    purchased: Floats
    density: Floats
    customer_id: NDArray[np.object_]
    weight: Floats


@dataclass(frozen=True)
class FamilyAnswer:
    """What a family says of the judged offers: its response, and its chance at the logged price (n,).

    ``parts`` are the families that it is made of, itself alone unless it is a blend.
    """

    family: str
    label: str
    response: PriceResponse
    probability: Floats
    parts: tuple[str, ...]


@dataclass(frozen=True)
class FamilyScore:
    """One line of the leaderboard: figures with 90% ranges; NaN where nobody can say.

    ``policy_basis`` says what the value of its prices rests on, such as past offers; empty where there is none.
    """

    family: str
    label: str
    policy_value: float
    policy_low: float
    policy_high: float
    policy_basis: str
    price_slope: float
    price_slope_low: float
    price_slope_high: float
    log_loss: float
    auc: float
    accuracy: float
    losses: Floats = field(repr=False)

    def to_dict(self) -> dict[str, Any]:
        """Figures without the rows behind them; JSON-able."""
        return {name: value for name, value in asdict(self).items() if name != "losses"}


def best_prices(response: PriceResponse, unit_cost: Floats, low: Floats, high: Floats) -> Floats:
    """Price (n,) with the highest expected profit among 25 between ``low`` and ``high``."""
    best, most = low.copy(), np.full(response.n, -np.inf)
    for share in np.linspace(0, 1, _GRID):
        price = low + share * (high - low)
        profit = (price - unit_cost) * response.probability(price)
        better = profit > most
        best, most = np.where(better, price, best), np.where(better, profit, most)
    return best


def value_families(offers: JudgedOffers, answers: Sequence[FamilyAnswer]) -> FamilyValues:
    """Have the families judge each other's prices; a blend is judged and judges nobody."""
    judges = [answer for answer in answers if len(answer.parts) == 1]
    prices = []
    for answer in answers:
        target = best_prices(answer.response, offers.unit_cost, offers.low, offers.high)
        logged = LoggedOffers(
            price=offers.price,
            target_price=target,
            unit_cost=offers.unit_cost,
            reference_price=offers.reference_price,
            purchased=offers.purchased,
            logged_density=offers.density,
            probability_logged=answer.probability,
            probability_target=answer.response.probability(target),
            customer_id=offers.customer_id,
            weight=offers.weight,
        )
        chances = [(judge.probability, judge.response.probability(target)) for judge in judges]
        prices.append(JudgedPrices.of(answer.parts, logged, chances))
    code = pd.factorize(np.asarray(offers.customer_id, dtype=object), use_na_sentinel=False)[0]
    losses = np.stack([_losses(offers, judge.probability) for judge in judges])
    return FamilyValues(prices, [judge.family for judge in judges], losses, code)


def score_families(offers: JudgedOffers, answers: Sequence[FamilyAnswer], values: FamilyValues) -> list[FamilyScore]:
    """Figures of each family on the same offers; ``values`` are those of :func:`value_families`, in the same order."""
    levels = values.levels()
    found = []
    for k, answer in enumerate(answers):
        own = values.value(k)
        figures = evaluate_probabilities(offers.purchased, answer.probability, offers.weight)
        bands = _bands(offers, answer.probability)
        found.append(
            FamilyScore(
                answer.family,
                answer.label,
                float(levels[k]),
                float(levels[k] - _Z90 * own.error),
                float(levels[k] + _Z90 * own.error),
                own.basis,
                bands.slope,
                bands.slope_low,
                bands.slope_high,
                figures.log_loss,
                figures.auc,
                figures.accuracy,
                _losses(offers, answer.probability),
            )
        )
    return found


def _losses(offers: JudgedOffers, probability: Floats) -> Floats:
    """Addends (n,) whose mean is the log loss."""
    p = np.clip(probability, SMALLEST_PROBABILITY, 1 - SMALLEST_PROBABILITY)
    losses = -(offers.purchased * np.log(p) + (1 - offers.purchased) * np.log1p(-p)) * offers.weight
    return np.asarray(losses / offers.weight.mean())


def _bands(offers: JudgedOffers, probability: Floats) -> PriceBandCalibration:
    """Calibration by bands of the price variation that no feature explains."""
    gap = offers.price / offers.reference_price - offers.expected
    try:
        return price_band_calibration(gap, offers.purchased, probability, offers.weight, bands=_BANDS)
    except DataError:
        return PriceBandCalibration(pd.DataFrame(), float("nan"), float("nan"), float("nan"))


@dataclass(frozen=True)
class FamilyChoice:
    """The chosen family, and why in one sentence."""

    family: str
    reason: str


def choose_family(scores: Sequence[FamilyScore], values: FamilyValues, *, by_loss: bool = True) -> FamilyChoice:
    """Choose by the value of the prices, then slope by price band, then log loss.

    A family stays in the running while it is behind the best by less than two standard errors of the difference (by
    customer): among eight, chance alone puts one ahead by more than one, and would then drop a family whose chances are
    surely closer. Those whose prices are worth more than its own stay with it: a small difference that is sure must not
    drop a family where a large one that is unsure drops none. Without ``by_loss`` the log loss is not asked. Whoever is
    left at the end and stands first in ``scores`` is chosen; ``values`` has the same order.
    """
    if not scores:
        raise DataError("There is no family to choose from.")
    left, told = list(range(len(scores))), list[ChoiceStep]()
    steps: tuple[tuple[str, Callable[[], list[float]]], ...] = (
        ("the prices' value on later offers", lambda: _behind_in_value(scores, left, values)),
        ("the change of conversion between price bands", lambda: _behind_in_slope([scores[k] for k in left])),
        ("log loss", lambda: _behind_in_loss([scores[k] for k in left], values.customer)),
    )
    for words, behind in steps if by_loss else steps[:2]:
        if len(left) == 1:
            break
        kept = [k for k, gap in zip(left, behind(), strict=True) if not gap > _TOLERANCE]
        if words == steps[0][0]:
            least = min((scores[k].policy_value for k in kept if np.isfinite(scores[k].policy_value)), default=np.inf)
            kept = [k for k in left if k in kept or scores[k].policy_value >= least]
        told.append(ChoiceStep(words, tuple(scores[k].label for k in left if k not in kept), len(kept)))
        left = kept
    chosen = scores[left[0]]
    return FamilyChoice(chosen.family, reason_in_words(chosen.label, len(scores), told))


def _behind_in_value(scores: Sequence[FamilyScore], left: Sequence[int], values: FamilyValues) -> list[float]:
    """By how many standard errors each family earns less than the best, as far as past offers say.

    Forecasts alone do not decide: where all other families err alike, they prefer prices that err with them.
    """
    known = [k for k in left if np.isfinite(scores[k].policy_value)]
    if not known:
        return [0.0] * len(left)
    best = max(known, key=lambda k: scores[k].policy_value)
    behind = []
    for k in left:
        gap = values.difference(best, k)
        decides = k != best and gap.basis == PAST_OFFERS and gap.value != 0
        behind.append(gap.value / max(gap.error, 1e-300) if decides else 0.0)
    return behind


def _behind_in_loss(scores: list[FamilyScore], customer: NDArray[np.int64]) -> list[float]:
    best = min(scores, key=lambda score: score.log_loss)
    return [in_errors(score.losses - best.losses, customer) for score in scores]


def _behind_in_slope(scores: list[FamilyScore]) -> list[float]:
    """By how many standard errors each slope is farther from one than the best."""
    slopes = np.array([score.price_slope for score in scores])
    if not np.isfinite(slopes).all():
        return [0.0] * len(scores)
    off = np.abs(slopes - 1)
    error = np.array([(score.price_slope_high - score.price_slope_low) / (2 * _Z90) for score in scores])
    return [float(gap) for gap in (off - off.min()) / np.maximum(error, 1e-9)]


def blend_of(answers: Sequence[FamilyAnswer], offers: JudgedOffers, most: int = 3) -> tuple[str, ...]:
    """Families whose average chance has the lowest log loss, found one by one; at most ``most``."""
    single = {answer.family: answer.probability for answer in answers if len(answer.parts) == 1}

    def loss(names: Sequence[str]) -> float:
        p = np.mean([single[name] for name in names], axis=0)
        p = np.clip(p, SMALLEST_PROBABILITY, 1 - SMALLEST_PROBABILITY)
        each = -(offers.purchased * np.log(p) + (1 - offers.purchased) * np.log1p(-p))
        return float(np.average(each, weights=offers.weight))

    found: list[str] = []
    while len(found) < min(most, len(single)):
        least, name = min((loss([*found, name]), name) for name in single if name not in found)
        if found and least >= loss(found):
            break
        found.append(name)
    return tuple(found)


def leaderboard(
    scores: Sequence[FamilyScore], chosen: str, seconds: Mapping[str, float], sizes: Mapping[str, int]
) -> list[dict[str, Any]]:
    """Lines for the Models page, the chosen family marked; seconds of fitting and bytes on disk where known."""
    return [
        {
            **score.to_dict(),
            "seconds": seconds.get(score.family),
            "size_bytes": sizes.get(score.family),
            "chosen": score.family == chosen,
        }
        for score in scores
    ]
