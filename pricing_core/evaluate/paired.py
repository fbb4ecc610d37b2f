"""Whether two models differ on the same offers by more than luck."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from pricing_core.errors import DataError

GROUPS: Final = 64
"""Groups of customers whose sums are kept; enough for a range of 90%, few enough to be kept with every trial."""


@dataclass(frozen=True)
class PairedDifference:
    """Difference of a mean loss between two models, and its 90% range."""

    value: float
    low: float
    high: float

    @property
    def told_apart(self) -> bool:
        """Whether zero lies outside the range."""
        return bool(self.low > 0 or self.high < 0)


def group_sums(group: ArrayLike, loss: ArrayLike, weight: ArrayLike) -> dict[str, list[float]]:
    """Return sums of weighted ``loss`` and of ``weight`` by group, from which two models can be compared later.

    Parameters
    ----------
    group
        Group of each offer's customer, 0 … :data:`GROUPS` − 1, shape (n,).
    """
    at, weights = np.asarray(group, dtype=np.int64), np.asarray(weight, dtype=float)
    losses = np.bincount(at, weights * np.asarray(loss, dtype=float), GROUPS)
    return {"loss": losses.tolist(), "weight": np.bincount(at, weights, GROUPS).tolist()}


def paired_difference(loss: ArrayLike, other: ArrayLike, weight: ArrayLike) -> PairedDifference:
    """Compare the mean losses of two models on the same offers.

    The variance is the delete-a-group jackknife's over groups of customers, ``(G−1)/G · Σ (d₍g₎ − d̄)²`` with ``d₍g₎``
    the difference without group g: offers of one customer go together, and what is hard for both models cancels. Luck
    in the learning itself comes on top.

    Parameters
    ----------
    loss, other
        Sums of weighted losses by group, shape (G,).
    weight
        Sums of weights by group, shape (G,); groups without offers are left out.

    Raises
    ------
    DataError
        If the sums do not belong to the same groups, or fewer than two groups have offers.

    References
    ----------
    Shao and Tu (1995), The jackknife and bootstrap, section 5.
    """
    one, two, sums = (np.asarray(each, dtype=float) for each in (loss, other, weight))
    if one.shape != two.shape or one.shape != sums.shape:
        raise DataError("The two models were not judged on the same groups of customers.")
    kept = sums > 0
    gap, sums = (one - two)[kept], sums[kept]
    if len(gap) < 2:
        raise DataError(f"{len(gap)} groups of customers have offers; a comparison needs at least 2.")
    value = float(gap.sum() / sums.sum())
    without = (gap.sum() - gap) / (sums.sum() - sums)
    error = float(np.sqrt((len(gap) - 1) / len(gap) * np.sum((without - without.mean()) ** 2)))
    half = float(stats.t.ppf(0.95, len(gap) - 1)) * error
    return PairedDifference(value, value - half, value + half)
