"""What other prices than the proposed one would do in each row of a price list, so that an edit knows its effect."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pricing_core.errors import DataError

Floats = NDArray[np.float64]

MEASURES: Final = ("expected_conversion_rate", "expected_profit", "profit_low", "profit_high")
POINTS: Final = 7
"""Prices between the lowest and the highest one at which effects are tabulated, besides today's and the proposed."""


@dataclass(frozen=True, eq=False)
class EffectGrid:
    """Effects tabulated over prices.

    Parameters
    ----------
    price
        (n, K) prices of each row, rising.
    values
        Measure (:data:`MEASURES`) → (n, K) effect per occasion at those prices.
    """

    price: Floats
    values: dict[str, Floats]

    def __post_init__(self) -> None:
        for name in MEASURES:
            if self.values[name].shape != self.price.shape:
                raise DataError(f"{name} has the shape {self.values[name].shape}; prices have {self.price.shape}.")

    def at(self, rows: NDArray[np.int64], price: Floats) -> dict[str, Floats]:
        """Effects of other prices by linear interpolation, (m,) each; NaN outside of the tabulated prices.

        Parameters
        ----------
        rows
            (m,) positions in the list.
        price
            (m,) prices.
        """
        grid = self.price[rows]
        right = np.clip((grid < price[:, None] - 1e-9).sum(axis=1), 1, grid.shape[1] - 1)
        index = np.arange(len(rows))
        low, high = grid[index, right - 1], grid[index, right]
        step = np.divide(price - low, high - low, out=np.zeros(len(rows)), where=high > low)
        inside = (price >= grid[:, 0] - 1e-9) & (price <= grid[:, -1] + 1e-9)
        found = {}
        for name, values in self.values.items():
            ends = values[rows[:, None], np.stack([right - 1, right], axis=1)]
            found[name] = np.where(inside, ends[:, 0] + step * (ends[:, 1] - ends[:, 0]), np.nan)
        return found

    def to_frame(self) -> pd.DataFrame:
        """One row per price of the list; columns ``price_0 …`` and each measure's, these in single precision."""
        blocks: dict[str, NDArray[np.floating]] = {"price": self.price}
        blocks |= {name: block.astype(np.float32) for name, block in self.values.items()}
        return pd.DataFrame(
            {f"{name}_{k}": block[:, k] for name, block in blocks.items() for k in range(block.shape[1])}
        )

    @classmethod
    def from_frame(cls, frame: pd.DataFrame) -> EffectGrid:
        """Read what :meth:`to_frame` wrote."""
        k = sum(name.startswith("price_") for name in frame.columns)
        block = {name: frame[[f"{name}_{i}" for i in range(k)]].to_numpy(dtype=float) for name in ("price", *MEASURES)}
        return cls(block.pop("price"), block)


def grid_prices(frame: pd.DataFrame) -> Floats:
    """(n, K) prices to tabulate, rising: from the lowest to the highest of allowed, today's and proposed prices."""
    known = frame[["floor_price", "ceiling_price", "current_price", "new_price"]].to_numpy(dtype=float)
    low, high = np.nanmin(known, axis=1), np.nanmax(known, axis=1)
    even = low[:, None] + (high - low)[:, None] * np.linspace(0.0, 1.0, POINTS)
    own = np.where(np.isfinite(known[:, 2:]), known[:, 2:], low[:, None])
    return np.asarray(np.sort(np.concatenate([even, own], axis=1), axis=1))
