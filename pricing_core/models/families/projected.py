"""Learners that know the chance of a purchase at a price but no demand curve: their curves are projections."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pricing_core.features.batch import EncodedBatch
from pricing_core.models.families.learner import FoldLearner, FoldRows
from pricing_core.models.families.projection import price_offsets, project, projection_error

Floats = NDArray[Any]

_BLOCK = 20_000
_CHECKED_ROWS = 2_000


class ProjectedLearner(FoldLearner):
    """Members whose probabilities are read off at several prices around the expected one.

    Attributes
    ----------
    offsets_
        Distances from the expected price (G,), common in the log.
    """

    offsets_: Floats

    @abstractmethod
    def chances(self, batch: EncodedBatch, x: Floats, length: int | None = None) -> Floats:
        """Chance of a purchase at relative prices ``x`` (n, G) by member, (n, G, members); after ``length`` steps."""

    def curves(self, batch: EncodedBatch) -> tuple[Floats, Floats]:
        """Projected intercept and sensitivity (n, members)."""
        found = [self._projected(batch.take(np.arange(a, b))) for a, b in _blocks(batch.n)]
        return np.concatenate([f[0] for f in found]), np.concatenate([f[1] for f in found])

    def explored(self, batch: EncodedBatch, x: Floats) -> Iterator[Floats]:
        """Chance by each length, as the members say it, before any projection."""
        for length in self.lengths:
            yield self.chances(batch, x[:, None], length)[:, 0].mean(axis=1)

    def _measure(self, rows: FoldRows) -> None:
        """Learn where prices lie around the expected one."""
        self.offsets_ = price_offsets(rows.x, rows.batch.expected_price.astype(float), rows.mean_weight)

    def _count_error(self, rows: FoldRows) -> None:
        """Keep how far the curves are from what they stand for, on a sample of rows."""
        some = np.unique(np.linspace(0, rows.batch.n - 1, min(_CHECKED_ROWS, rows.batch.n)).astype(np.int64))
        batch = rows.batch.take(some)
        x = self._prices(batch)
        chance = self.chances(batch, x)
        curves = self._curves(chance, x)
        errors = [
            projection_error(chance[:, :, m], x, curves[0][:, m], curves[1][:, m]) for m in range(chance.shape[2])
        ]
        self.counts["projection_error"] = float(np.mean(errors))

    def _prices(self, batch: EncodedBatch) -> Floats:
        return np.asarray(batch.expected_price.astype(float)[:, None] + self.offsets_)

    def _projected(self, batch: EncodedBatch) -> tuple[Floats, Floats]:
        x = self._prices(batch)
        return self._curves(self.chances(batch, x), x)

    @staticmethod
    def _curves(chance: Floats, x: Floats) -> tuple[Floats, Floats]:
        found = [project(chance[:, :, m], x) for m in range(chance.shape[2])]
        return np.column_stack([f[0] for f in found]), np.column_stack([f[1] for f in found])


def _blocks(n: int) -> list[tuple[int, int]]:
    return [(a, min(a + _BLOCK, n)) for a in range(0, max(n, 1), _BLOCK)]
