"""Standardized columns for families whose intercept and price sensitivity are linear in the features."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from pricing_core.features.batch import EncodedBatch
from pricing_core.models.families.learner import FoldRows

Floats = NDArray[Any]
Ints = NDArray[np.int64]

_SINGLE_PRECISION_ROWS = 20_000  # above it, half the memory is worth more than the last digits
_SMALLEST_SPREAD = 0.2  # a rare category is not blown up to the spread of a common one
_NAMES = ("keep", "center", "scale", "price")


@dataclass(frozen=True)
class LinearColumns:
    """Means and spreads of the columns that vary, learned from the rows of one fold.

    ``keep`` columns of the batch's matrix, their ``center`` and ``scale`` (k,), and ``price``: mean and standard
    deviation of the relative price.
    """

    keep: Ints
    center: Floats
    scale: Floats
    price: Floats

    @classmethod
    def fit(cls, rows: FoldRows) -> Self:
        """Learn from the rows."""
        weight = rows.mean_weight
        matrix = rows.batch.matrix()[:, :-1].astype(float)
        mean = weight @ matrix / weight.sum()
        spread = np.sqrt(weight @ (matrix - mean) ** 2 / weight.sum())
        keep = np.flatnonzero(spread > 1e-6)
        center = float(np.average(rows.x, weights=weight))
        width = float(np.sqrt(np.average((rows.x - center) ** 2, weights=weight)))
        price = np.array([center, max(width, 1e-6)])
        return cls(keep, mean[keep], np.maximum(spread[keep], _SMALLEST_SPREAD), price)

    def features(self, batch: EncodedBatch) -> tuple[Floats, Floats]:
        """Standardized features (n, k), and the expected price in standard deviations of the price, (n, 1).

        Measured so, the expected price says next to nothing where prices were random.
        """
        kind = np.float32 if batch.n > _SINGLE_PRECISION_ROWS else np.float64
        z = ((batch.matrix()[:, self.keep] - self.center) / self.scale).astype(kind)
        return z, ((batch.expected_price - self.price[0]) / self.price[1]).astype(kind)[:, None]

    def standardized(self, x: Floats) -> Floats:
        """Relative prices in standard deviations from their mean."""
        return np.asarray((x - self.price[0]) / self.price[1])

    def curves(self, height: Floats, steep: Floats) -> tuple[Floats, Floats]:
        """Intercept and sensitivity of relative price from log-odds at the mean price and fall per deviation."""
        beta = steep.astype(float) / self.price[1]
        return height.astype(float) + beta * self.price[0], beta

    def arrays(self) -> dict[str, Floats]:
        """What to write to a file."""
        return {name: getattr(self, name) for name in _NAMES}

    @classmethod
    def from_arrays(cls, stored: Any) -> Self:
        """Inverse of :meth:`arrays`."""
        return cls(*(stored[name] for name in _NAMES))
