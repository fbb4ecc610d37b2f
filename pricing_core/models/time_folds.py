"""Cross-validation that looks neither at the future nor at the customers it is judged on.

Later weeks are judged by models of earlier weeks (an expanding window), and no customer whose offers are judged has an
offer among those learned from. What is then measured is what a price list needs: how well next week's reaction of
somebody who is not known yet is forecast.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from pricing_core.errors import ConfigError, DataError

Ints = NDArray[np.int64]

_SALT: Final = np.uint64(0x9E3779B97F4A7C15)


@dataclass(frozen=True)
class FoldPlan:
    """How the log is divided.

    Parameters
    ----------
    n_folds
        Windows of time, each judged once.
    n_groups
        Groups of customers; one is judged in each window, and the others' earlier offers are learned from.
    judged_share
        Share of the offers, the latest, that the windows together cover, in (0, 1).
    random_state
        Seed of the drawing of the groups.
    """

    n_folds: int = 3
    n_groups: int = 3
    judged_share: float = 0.45
    random_state: int = 0

    def __post_init__(self) -> None:
        if self.n_folds < 1:
            raise ConfigError(f"n_folds is {self.n_folds}; it must be at least 1.")
        if self.n_groups < 2:
            raise ConfigError(f"n_groups is {self.n_groups}; at least 2 groups of customers are needed.")
        if not 0 < self.judged_share < 1:
            raise ConfigError(f"judged_share is {self.judged_share}; it must be between 0 and 1.")


@dataclass(frozen=True)
class TimeFold:
    """Rows of one fold, by index.

    Attributes
    ----------
    learn
        Offers before the window, of customers who are not judged.
    stop
        Offers within the window of those same customers: they may say how long to learn.
    judge
        Offers within the window of the customers who are judged.
    """

    learn: Ints
    stop: Ints
    judge: Ints


def time_folds(period: ArrayLike, customer: ArrayLike, plan: FoldPlan | None = None) -> list[TimeFold]:
    """Divide offers into folds, earliest window first.

    Windows are made of whole periods and hold about equally many offers each; window *k* is judged on the customers of
    group *k* modulo the number of groups. Which group a customer is in follows from the label and the seed alone, so
    that more data or another order of the rows leave it as it is.

    Parameters
    ----------
    period
        When each offer was made, as numbers that order (weeks, or seconds), shape (n,).
    customer
        Label of each offer's customer, shape (n,).
    plan
        How to divide.

    Raises
    ------
    DataError
        If there are fewer distinct periods than windows and one before them, or a part of a fold would be empty.
    """
    plan = plan or FoldPlan()
    when = np.asarray(period)
    group = customer_group(customer, plan.n_groups, plan.random_state)
    if len(when) != len(group):
        raise DataError(f"There are {len(when)} times and {len(group)} customers.")
    folds = []
    starts = _starts(when, plan)
    for k, start in enumerate(starts):
        end = starts[k + 1] if k + 1 < len(starts) else None
        within = when >= start if end is None else (when >= start) & (when < end)
        judged = group == k % plan.n_groups
        fold = TimeFold(
            *(np.flatnonzero(rows) for rows in ((when < start) & ~judged, within & ~judged, within & judged))
        )
        if not (len(fold.learn) and len(fold.stop) and len(fold.judge)):
            raise DataError(
                f"Window {k + 1} of {plan.n_folds} leaves nothing to learn from, or nothing to judge.",
                fix="Choose fewer windows, or bring more customers or a longer period.",
            )
        folds.append(fold)
    return folds


def customer_group(customer: ArrayLike, n_groups: int, random_state: int = 0) -> Ints:
    """Group of each customer, 0 … ``n_groups`` − 1, shape (n,); the same label is always in the same group."""
    labels = np.asarray(customer, dtype=object).astype(str).astype(object)
    hashed = pd.util.hash_array(labels, categorize=True)
    # Mixed once more with the seed: the halves of the customers within a model come from the same hash.
    seed = np.uint64((2 * random_state + 1) % 2**32)
    mixed = (hashed ^ (hashed >> np.uint64(29))) * _SALT * seed
    return ((mixed >> np.uint64(33)) % np.uint64(n_groups)).astype(np.int64)


def _starts(when: NDArray[np.generic], plan: FoldPlan) -> list[np.generic]:
    """First period of each window."""
    periods, counts = np.unique(when, return_counts=True)
    if len(periods) < plan.n_folds + 1:
        raise DataError(
            f"The offers were made at {len(periods)} different times; {plan.n_folds} windows need at least "
            f"{plan.n_folds + 1}.",
            fix="Choose fewer windows, or map a finer time column.",
        )
    before = np.concatenate([[0], np.cumsum(counts)[:-1]]) / len(when)  # share of the offers before each period
    wanted = 1 - plan.judged_share * np.arange(plan.n_folds, 0, -1) / plan.n_folds
    at = np.searchsorted(before, wanted)
    for k in range(plan.n_folds):  # one period at least in each window, and one before the first
        at[k] = max(at[k], at[k - 1] + 1 if k else 1)
    for k in range(plan.n_folds - 1, -1, -1):
        at[k] = min(at[k], len(periods) - plan.n_folds + k)
    return [periods[i] for i in at]
