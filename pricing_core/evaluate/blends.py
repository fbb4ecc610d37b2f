"""Blends of families: whose average chance predicts best, and whether that is worth more than one family alone.

Where offers are many, a blend takes longer to price and to explain, so that it has to earn its place: later offers must
put it ahead of every family in log loss by more than chance would, and must not say that its prices or its reaction to
price are worse than those of the family that would be chosen without it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from pricing_core.evaluate.families import FamilyAnswer, FamilyScore, JudgedOffers
from pricing_core.evaluate.family_values import FamilyValues, in_errors
from pricing_core.evaluate.metrics import SMALLEST_PROBABILITY

LEAD: Final = 2.0
"""Standard errors by which a blend must be ahead of each family in log loss where offers are many."""

_Z90: Final = 1.6449


@dataclass(frozen=True)
class BlendTrial:
    """Whether a blend takes the place of the chosen family.

    Parameters
    ----------
    wins
        Whether it does.
    lead
        Log loss of the best family less the blend's, per offer.
    errors
        The least lead over a family, in standard errors of the paired difference (offers of a customer together).
    worse_slope, worse_value
        By how many standard errors its slope between price bands is farther from one, and its prices earn less, than
        the chosen family's; below zero it is better.
    """

    wins: bool
    lead: float
    errors: float
    worse_slope: float
    worse_value: float


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


def try_blend(scores: Sequence[FamilyScore], values: FamilyValues, chosen: int, blend: int) -> BlendTrial:
    """Compare a blend with the families on the same offers.

    Parameters
    ----------
    scores
        Lines of all families and of the blend; ``values`` has the same order.
    chosen, blend
        Places of the family that is chosen without the blend, and of the blend.
    """
    mine, theirs = scores[blend], [score for k, score in enumerate(scores) if k != blend]
    errors = min(in_errors(each.losses - mine.losses, values.customer) for each in theirs)
    slope = _farther_from_one(mine, scores[chosen])
    gap = values.difference(chosen, blend)
    value = gap.value / max(gap.error, 1e-300) if np.isfinite(gap.value) and gap.value != 0 else 0.0
    lead = min(each.log_loss for each in theirs) - mine.log_loss
    return BlendTrial(errors > LEAD and slope <= 1 and value <= 1, lead, errors, slope, value)


def blend_reason(blend: FamilyScore, trial: BlendTrial) -> str:
    """Why a blend takes the place of the chosen family, and what it costs, in two sentences."""
    return (
        f"{blend.label}: on later offers its log loss is {trial.lead:.5f} lower than that of the best single kind,"
        f" {trial.errors:.1f} standard errors of the difference, and neither its prices nor its reaction to price are"
        " worse beyond their errors. It prices more slowly than one kind alone, and takes no shortcut for many pairs."
    )


def _farther_from_one(one: FamilyScore, other: FamilyScore) -> float:
    """By how many standard errors the slope of ``one`` is farther from one; zero where a slope is unknown."""
    if not np.isfinite([one.price_slope, other.price_slope]).all():
        return 0.0
    error = (one.price_slope_high - one.price_slope_low) / (2 * _Z90)
    return float((abs(one.price_slope - 1) - abs(other.price_slope - 1)) / max(error, 1e-9))
