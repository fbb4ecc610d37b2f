r"""What the prices of each family would have earned on the same later offers, judged by the other families.

Prices of two families are compared on the same offers, so most of the luck of those offers cancels from the difference.
Families that have no part in either judge it, with one kernel for all:

.. math:: v_{fj} = m_f \, \hat p_j(\pi_f) + w_f \, m_f \, (y - \hat p_j(x)) / \bar w_f

with margin m and price π of family f, chance p̂ of judge j, logged price x, outcome y and kernel weight w (see
:mod:`~pricing_core.evaluate.policy_value`). Where too few past offers are near a family's prices, the second part is
left out: the value is then what the judges forecast. How far the judges disagree widens every range.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pricing_core.evaluate.logged_offers import LoggedOffers
from pricing_core.evaluate.policy_value import MOST_OUTSIDE, kernel_weights

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

PAST_OFFERS: Final = "past offers"
FORECAST: Final = "forecast of the other models"
UNKNOWN: Final = ""

LEAST_EFFECTIVE: Final = 100
"""Fewest past offers in effect near a family's prices for their outcomes to correct what the judges forecast."""

_WORSE: Final = 2.0  # standard errors of log loss by which a judge may stand behind the best of them
_FEWEST_JUDGES: Final = 2  # without outcomes; how far a single one errs, nobody can say


@dataclass(frozen=True)
class Estimate:
    """A value or a difference with its standard error, and what it rests on; NaN where nobody can say."""

    value: float
    error: float
    basis: str


NOBODY: Final = Estimate(float("nan"), float("nan"), UNKNOWN)


@dataclass(frozen=True)
class JudgedPrices:
    """Prices of one family on the judged offers.

    Parameters
    ----------
    parts
        Families that it is made of; none of them judges it.
    claims
        What each judge forecasts, (J, n), per offer.
    corrections
        What the outcomes of past offers near the prices add to it, (J, n).
    enough
        Whether enough past offers are near.
    """

    parts: tuple[str, ...]
    claims: Floats
    corrections: Floats
    enough: bool

    @classmethod
    def of(cls, parts: tuple[str, ...], logged: LoggedOffers, chances: Sequence[tuple[Floats, Floats]]) -> JudgedPrices:
        """From the offers with the family's prices, and each judge's chances (n,) at logged and target price.

        The chances in ``logged`` are not looked at.
        """
        counts = np.ones(logged.n) if logged.weight is None else logged.weight
        weight, effective = kernel_weights(logged)
        mean = float(weight.mean())
        margin = logged.target_price - logged.unit_cost
        claim, correct = margin * counts / counts.mean(), margin * (weight / mean if mean > 0 else 0 * weight)
        outside = int((logged.logged_density <= 0).sum())
        return cls(
            parts,
            np.stack([claim * target for _, target in chances]),
            np.stack([correct * (logged.purchased - at) for at, _ in chances]),
            effective >= LEAST_EFFECTIVE and outside <= MOST_OUTSIDE * logged.n,
        )


@dataclass(frozen=True)
class FamilyValues:
    """Prices of all families, and the families that judge them.

    Parameters
    ----------
    prices
        One per candidate.
    judges
        Names of the judges, J of them.
    losses
        Log loss by judge and offer, (J, n).
    customer
        Number of the customer, (n,).
    """

    prices: list[JudgedPrices]
    judges: list[str]
    losses: Floats
    customer: Ints

    def value(self, k: int) -> Estimate:
        """Profit per offer of one candidate's prices."""
        mine = self.prices[k]
        rows = [mine.claims[j] + mine.enough * mine.corrections[j] for j in self._judges(mine.parts)]
        return self._estimate(rows, past=mine.enough)

    def difference(self, k: int, other: int) -> Estimate:
        """Profit per offer of one candidate's prices minus that of another's, on the same offers by the same judges.

        Where nobody else is left and outcomes correct them, both judge both.
        """
        one, two = self.prices[k], self.prices[other]
        past, parts = one.enough and two.enough, (*one.parts, *two.parts)
        judges = self._judges(parts) or [j for j, name in enumerate(self.judges) if past and name in parts]
        rows = [one.claims[j] - two.claims[j] + past * (one.corrections[j] - two.corrections[j]) for j in judges]
        return self._estimate(rows, past=past)

    def levels(self) -> Floats:
        """Values that agree best with all differences, so that lines of a table compare; NaN where nobody can say."""
        size = len(self.prices)
        level = np.array([self.value(k).value for k in range(size)])
        apart = np.array([[0.0 if k == j else self.difference(k, j).value for j in range(size)] for k in range(size)])
        known = np.isfinite(apart).all(axis=1)
        if known.sum() < size or not np.isfinite(level).all():
            return level
        return np.asarray(level.mean() + apart.mean(axis=1))

    def _judges(self, parts: Sequence[str]) -> list[int]:
        """Families that have no part in it: the two that predict best, and others that predict nearly as well."""
        apart = [j for j, name in enumerate(self.judges) if name not in parts]
        apart.sort(key=lambda j: float(self.losses[j].mean()))
        near = [in_errors(self.losses[j] - self.losses[apart[0]], self.customer) <= _WORSE for j in apart]
        return [j for place, j in enumerate(apart) if place < _FEWEST_JUDGES or near[place]]

    def _estimate(self, rows: Sequence[Floats], *, past: bool) -> Estimate:
        """Mean over judges; its error counts the luck of the offers and how far the judges disagree."""
        if not rows or (not past and len(rows) < _FEWEST_JUDGES):
            return NOBODY
        each = np.array([row.mean() for row in rows])
        spread = float(each.std(ddof=1)) if len(each) > 1 else 0.0
        luck = error_of_mean(np.mean(rows, axis=0), self.customer)
        return Estimate(float(each.mean()), float(np.hypot(luck, spread)), PAST_OFFERS if past else FORECAST)


def error_of_mean(rows: Floats, customer: Ints) -> float:
    """Standard error of a mean, rows of one customer together."""
    each = np.bincount(customer, weights=rows - rows.mean())
    return float(np.sqrt((each**2).sum()) / len(rows))


def in_errors(difference: Floats, customer: Ints) -> float:
    """Mean difference in its standard errors, rows of one customer together."""
    if not np.any(difference):
        return 0.0
    return float(difference.mean() / max(error_of_mean(difference, customer), 1e-300))
