r"""Intervals from posterior draws that come in groups.

Two draws of one ensemble member share its learning data, and members of one fold share its customers. Draws are
therefore averaged by member first, and the spread is taken over members:

.. math:: \hat\theta \pm t_{K-1,\,0.95}\; s \sqrt{1 + 1/K}

with :math:`\hat\theta` the mean over folds of fold means, *K* members in all, and *s* the standard deviation of member
averages around their common mean. *s* contains the difference between the folds, each of which learned from other
customers: a replicate of the whole experiment, which shows what members that share their customers cannot.

What all members share they cannot show: the form of demand, how far its differences between customers are smoothed,
and confounding that the data do not tell. All of it matters where prices differ from today's. The effect of the price
change on the log odds is therefore taken to be off by :data:`FORM_DOUBT` (one standard deviation, in the same direction
for all rows), and the spread of a *change* against today's prices is widened by :data:`CHANGE_SPREAD`. Both are set by
the uplift benchmark: without them, 90% ranges of uplift held the truth in two thirds of the markets whose demand is a
probit or confounded, at 4,000 offers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

LEVEL = 0.90
FORM_DOUBT = 0.05
CHANGE_SPREAD = 1.4


@dataclass(frozen=True)
class Interval:
    """Estimate with its 90% range; NaN ends where one member alone tells nothing about the spread."""

    estimate: Any
    low: Any
    high: Any
    scale: Any
    dof: int

    def widened(self, doubt: float, spread: float = 1.0) -> Interval:
        """Range with its scale times ``spread``, and a further, independent standard deviation ``doubt`` in it."""
        if not np.isfinite(self.scale):
            return self
        scale = float(np.hypot(spread * self.scale, doubt))
        half = float(special.stdtrit(self.dof, 0.5 + LEVEL / 2)) * scale
        return Interval(self.estimate, self.estimate - half, self.estimate + half, scale, self.dof)

    def probability_below(self, value: float) -> float:
        """Chance that the truth lies below ``value``."""
        if not np.isfinite(self.scale):
            return float("nan")
        if self.scale == 0:
            return float(self.estimate < value)
        return float(special.stdtr(self.dof, (value - self.estimate) / self.scale))


def member_means(values: Floats, member: Ints) -> Floats:
    """Average of the draws (last axis) of each member, (..., K)."""
    return np.stack([values[..., member == name].mean(axis=-1) for name in np.unique(member)], axis=-1)


def fold_mean(values: Floats, fold: Ints) -> Any:
    """Mean over folds of the mean over the fold's draws (last axis)."""
    return np.mean([values[..., fold == f].mean(axis=-1) for f in np.unique(fold)], axis=0)


def draw_interval(values: Floats, member: Ints, fold: Ints, level: float = LEVEL) -> Interval:
    """Estimate and central range of a quantity known by draw.

    Parameters
    ----------
    values
        (..., D): one value per draw.
    member, fold
        (D,) labels of the draws.
    level
        Chance that the range holds the truth.
    """
    means = member_means(values, member)
    estimate = fold_mean(values, fold)
    count = means.shape[-1]
    if count < 2:
        blank = np.full(np.shape(estimate), np.nan)
        return Interval(estimate, blank, blank, blank, 0)
    scale = means.std(axis=-1, ddof=1) * np.sqrt(1.0 + 1.0 / count)
    half = special.stdtrit(count - 1, 0.5 + level / 2) * scale
    return Interval(estimate, estimate - half, estimate + half, scale, count - 1)
