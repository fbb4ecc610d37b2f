"""Which family of demand models prices best, judged on offers that none of them learned from.

Families are compared by what their prices would have earned (doubly robust, with the other families' chances, so that
none judges itself), then by whether conversion changes between price bands as they say, then by log loss. A difference
decides only where it is larger than its standard error: among families that cannot be told apart in one figure the next
figure speaks, so that chance does not choose.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pricing_core.errors import DataError
from pricing_core.evaluate.calibration import PriceBandCalibration, price_band_calibration
from pricing_core.evaluate.logged_offers import LoggedOffers
from pricing_core.evaluate.metrics import SMALLEST_PROBABILITY, evaluate_probabilities
from pricing_core.evaluate.policy_value import PolicyValueConfig, policy_value, row_values
from pricing_core.response.price_response import PriceResponse

Floats = NDArray[np.float64]

_GRID: Final = 25
_BANDS: Final = 6
_Z90: Final = 1.6449


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
    """One line of the leaderboard: figures with 90% ranges; NaN where the offers cannot say."""

    family: str
    label: str
    policy_value: float
    policy_low: float
    policy_high: float
    price_slope: float
    price_slope_low: float
    price_slope_high: float
    log_loss: float
    auc: float
    accuracy: float
    values: Floats = field(repr=False)
    losses: Floats = field(repr=False)

    def to_dict(self) -> dict[str, Any]:
        """Figures without the rows behind them; JSON-able."""
        return {name: value for name, value in asdict(self).items() if name not in ("values", "losses")}


def best_prices(response: PriceResponse, unit_cost: Floats, low: Floats, high: Floats) -> Floats:
    """Price (n,) with the highest expected profit among 25 between ``low`` and ``high``."""
    best, most = low.copy(), np.full(response.n, -np.inf)
    for share in np.linspace(0, 1, _GRID):
        price = low + share * (high - low)
        profit = (price - unit_cost) * response.probability(price)
        better = profit > most
        best, most = np.where(better, price, best), np.where(better, profit, most)
    return best


def score_families(
    offers: JudgedOffers, answers: Sequence[FamilyAnswer], *, random_state: int = 0
) -> list[FamilyScore]:
    """Judge each family on the same offers."""
    return [_score(offers, answer, judging_families(answer, answers), random_state) for answer in answers]


def judging_families(answer: FamilyAnswer, answers: Sequence[FamilyAnswer]) -> list[FamilyAnswer]:
    """Families whose chances judge the prices of ``answer``: those that have no part in it, if there are any."""
    single = [other for other in answers if len(other.parts) == 1]
    apart = [other for other in single if other.family not in answer.parts]
    return apart or single or [answer]


def _score(offers: JudgedOffers, answer: FamilyAnswer, judges: list[FamilyAnswer], random_state: int) -> FamilyScore:
    target = best_prices(answer.response, offers.unit_cost, offers.low, offers.high)
    logged = LoggedOffers(
        price=offers.price,
        target_price=target,
        unit_cost=offers.unit_cost,
        reference_price=offers.reference_price,
        purchased=offers.purchased,
        logged_density=offers.density,
        probability_logged=np.mean([judge.probability for judge in judges], axis=0),
        probability_target=np.mean([judge.response.probability(target) for judge in judges], axis=0),
        customer_id=offers.customer_id,
        weight=offers.weight,
    )
    value = policy_value(logged, PolicyValueConfig(random_state=random_state))
    figures = evaluate_probabilities(offers.purchased, answer.probability, offers.weight)
    bands = _bands(offers, answer.probability)
    p = np.clip(answer.probability, SMALLEST_PROBABILITY, 1 - SMALLEST_PROBABILITY)
    losses = -(offers.purchased * np.log(p) + (1 - offers.purchased) * np.log1p(-p)) * offers.weight
    return FamilyScore(
        answer.family,
        answer.label,
        value.value,
        value.low,
        value.high,
        bands.slope,
        bands.slope_low,
        bands.slope_high,
        figures.log_loss,
        figures.auc,
        figures.accuracy,
        row_values(logged) if value.reliable else np.full(len(target), np.nan),
        losses / offers.weight.mean(),
    )


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


def choose_family(
    scores: Sequence[FamilyScore], customer_id: NDArray[np.object_], *, tolerance: float = 1.0
) -> FamilyChoice:
    """Choose by policy value, then slope by price band, then log loss.

    A family stays in the running while it is behind the best by less than ``tolerance`` standard errors of the
    difference (by customer). Whoever is left at the end and stands first in ``scores`` is chosen.
    """
    if not scores:
        raise DataError("There is no family to choose from.")
    code = pd.factorize(np.asarray(customer_id, dtype=object), use_na_sentinel=False)[0]
    left, told = list(scores), []
    steps = (
        ("the prices' value on later offers", _behind_in_value),
        ("the change of conversion between price bands", _behind_in_slope),
        ("log loss", _behind_in_loss),
    )
    for words, behind in steps:
        if len(left) == 1:
            break
        kept = [score for score, gap in zip(left, behind(left, code), strict=True) if not gap > tolerance]
        if len(kept) < len(left):
            told.append(words)
        left = kept
    chosen = left[0]
    if len(scores) == 1:
        return FamilyChoice(chosen.family, f"{chosen.label} was the only family in the running.")
    return FamilyChoice(chosen.family, _reason(chosen, scores, told, len(left)))


def _reason(chosen: FamilyScore, scores: Sequence[FamilyScore], told: list[str], left: int) -> str:
    if not told:
        return (
            f"{chosen.label}: later offers cannot tell the {len(scores)} candidates apart, so the first in the order of"
            " preference is used."
        )
    by = told[0] if len(told) == 1 else f"{', '.join(told[:-1])} and {told[-1]}"
    tied = f", and {left - 1} more cannot be told apart from it" if left > 1 else ""
    return f"{chosen.label} is ahead of the other candidates by {by}{tied}."


def _behind_in_value(scores: list[FamilyScore], code: NDArray[np.int64]) -> list[float]:
    """By how many standard errors each family earns less than the best."""
    if not np.isfinite([score.policy_value for score in scores]).all():
        return [0.0] * len(scores)
    best = max(scores, key=lambda score: score.policy_value)
    return [_in_errors(best.values - score.values, code) for score in scores]


def _behind_in_loss(scores: list[FamilyScore], code: NDArray[np.int64]) -> list[float]:
    best = min(scores, key=lambda score: score.log_loss)
    return [_in_errors(score.losses - best.losses, code) for score in scores]


def _behind_in_slope(scores: list[FamilyScore], code: NDArray[np.int64]) -> list[float]:
    """By how many standard errors each slope is farther from one than the best."""
    slopes = np.array([score.price_slope for score in scores])
    if not np.isfinite(slopes).all():
        return [0.0] * len(scores)
    off = np.abs(slopes - 1)
    error = np.array([(score.price_slope_high - score.price_slope_low) / (2 * _Z90) for score in scores])
    return [float(gap) for gap in (off - off.min()) / np.maximum(error, 1e-9)]


def _in_errors(difference: Floats, code: NDArray[np.int64]) -> float:
    """Mean difference in its standard errors, rows of one customer together."""
    if not np.any(difference):
        return 0.0
    each = np.bincount(code, weights=difference - difference.mean())
    error = np.sqrt((each**2).sum()) / len(difference)
    return float(difference.mean() / max(error, 1e-300))


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
