"""What explanations need from encoded rows: pick some, and exchange features between them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from pricing_core.errors import DataError

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]


class FeatureBatch(Protocol):
    """Encoded rows whose features come in named groups, such as :class:`~pricing_core.features.batch.EncodedBatch`."""

    @property
    def n(self) -> int:
        """Number of rows."""
        ...

    @property
    def feature_names(self) -> tuple[str, ...]:
        """Readable names of the G groups."""
        ...

    def take(self, rows: Ints, /) -> Self:
        """Rows by index, repeated ones included."""
        ...

    def mix(self, other: Self, mask: Mask, /) -> Self:
        """Rows in which the groups with ``mask`` (n, G) False come from ``other``."""
        ...


Outcome = Callable[[Any], NDArray[Any]]
"""Model as a function of a batch: answers (n,), or (n, K) for K outcomes at once."""


def checked_pair(batch: FeatureBatch, background: FeatureBatch) -> tuple[str, ...]:
    """Feature names of two batches that can be mixed, or a :class:`DataError` that says why they cannot."""
    if batch.n == 0:
        raise DataError("There is no row to explain.")
    if background.n == 0:
        raise DataError("There are no background rows to compare with.")
    if batch.feature_names != background.feature_names:
        raise DataError("The rows and the background have different features.", fix="Encode both with one encoder.")
    if not batch.feature_names:
        raise DataError("The rows have no features.")
    return tuple(batch.feature_names)


def answers(f: Outcome, batch: FeatureBatch) -> Floats:
    """Outcomes of the rows as (n, K), checked to be finite."""
    values = np.asarray(f(batch), dtype=float)
    if values.shape[:1] != (batch.n,) or values.ndim > 2:
        raise DataError(f"The model answered with shape {values.shape} for {batch.n} rows.")
    if not np.isfinite(values).all():
        raise DataError(f"The model gave {int((~np.isfinite(values)).sum())} answers that are not finite.")
    return values[:, None] if values.ndim == 1 else values
