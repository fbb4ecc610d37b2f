"""Rows that a demand model learns from, and their weights in the members of an ensemble."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pricing_core.features.batch import EncodedBatch
from pricing_core.models.warm_start import WarmStart

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

RARE_PURCHASES: Final = 0.05
"""Share of offers that sell below which purchases, not offers, are what there is to learn from."""

MANY_ROWS: Final = 700_000
"""Rows from which on a training saves time where that changes no more than chance does.

So many earlier offers choose among the families and the length of learning, and so many make a compiler worth its
seconds. With fewer, the same seed gives bit for bit the same prices as it always has.
"""


@dataclass(frozen=True)
class LearningRows:
    """Rows to learn from: encoded features with expected price; relative price, outcome, customer, weight (n,).

    ``customer_id`` is any name that is the same for a customer in all rows; training gives the labels of
    :func:`~pricing_core.models.folds.customer_labels`. ``period`` numbers the weeks of the log (n,); None: one period.
    ``residual`` is what the first stage of the control function left of the price (n,), in its standard deviations;
    None without an instrument. ``start`` holds the networks of the last model, where they are to start from.
    """

    batch: EncodedBatch
    x: Floats
    y: Floats
    customer_id: NDArray[np.object_]
    weight: Floats = field(repr=False)
    period: Ints | None = field(default=None, repr=False)
    residual: Floats | None = field(default=None, repr=False)
    start: WarmStart | None = field(default=None, repr=False)

    def reweighted(self, rows: Ints, weight: Floats) -> LearningRows:
        """Rows by index, with other weights."""
        return replace(self.take(rows), weight=weight)

    def without_events(self) -> LearningRows:
        """The same rows for models that read no event sequence."""
        return replace(self, batch=self.batch.without_events())

    def take(self, rows: Ints | NDArray[np.bool_]) -> LearningRows:
        """Rows by index or mask."""
        period = None if self.period is None else self.period[rows]
        residual = None if self.residual is None else self.residual[rows]
        own = (self.x[rows], self.y[rows], self.customer_id[rows], self.weight[rows])
        return LearningRows(self.batch.take(rows), *own, period, residual, self.start)


def of_few_customers(customer_id: NDArray[np.object_], limit: int) -> Ints:
    """Places of about ``limit`` rows, of customers who come first in an order of chance that never changes."""
    place = pd.util.hash_array(customer_id.astype(str).astype(object), categorize=True)
    return np.flatnonzero(place <= np.partition(place, limit - 1)[limit - 1])


def sells_rarely(y: Floats, weight: Floats) -> bool:
    """Whether so few offers sell that a sample of the refusals can stand for all of them."""
    return float(np.average(y, weights=weight)) < RARE_PURCHASES


def thinned_refusals(y: Floats, weight: Floats, limit: int, seed: int = 0) -> tuple[Ints, Floats]:
    """Places, in order, of all purchases and of a random sample of refusals, ``limit`` in all, and their weights.

    The refusals of the sample are weighted up to stand for all: a few hundred purchases tell more than a hundred times
    as many refusals, of which a plain sample of this size would consist.
    """
    refused = np.flatnonzero(y == 0)
    kept = np.random.default_rng(seed).permutation(refused)[: limit - (len(y) - len(refused))]
    scaled = weight.astype(float)
    scaled[kept] *= weight[refused].sum() / weight[kept].sum()
    index = np.sort(np.concatenate([np.flatnonzero(y != 0), kept]))
    return index, scaled[index]


def drawn_rows(rows: LearningRows, among: Ints, limit: int, rng: np.random.Generator) -> LearningRows:
    """At most ``limit`` of some places by chance, in order; where few offers sell, all purchases and some refusals."""
    order = rng.permutation(len(among))
    y, weight = rows.y[among], rows.weight[among]
    if len(y) > limit and sells_rarely(y, weight) and y.sum() <= limit // 2:
        index, scaled = thinned_refusals(y, weight, limit, int(order[0]))
        return rows.reweighted(among[index], scaled)
    return rows.take(np.sort(among[order[:limit]]))


def bootstrap_weights(customer_id: NDArray[np.object_], members: int, seed: int, period: Ints | None = None) -> Floats:
    """Weights of a weighted likelihood bootstrap over customers and over weeks, shape (n, members).

    Each member draws an exponential(1) weight per customer, and a gamma weight of mean one and variance one half per
    week: all offers of a week share what happened in it, so that a week is worth less than the number of its offers,
    and a member that has seen other weeks expects another future.
    """
    code, names = pd.factorize(pd.Series(customer_id), sort=True)
    weight = np.random.default_rng([seed, 17]).exponential(size=(len(names), members))[code]
    if period is None:
        return np.asarray(weight)
    _, week = np.unique(period, return_inverse=True)
    shared = np.random.default_rng([seed, 23]).gamma(2.0, 0.5, size=(int(week.max()) + 1, members))
    return np.asarray(weight * shared[week])
