"""Offers in the order of their products, as arrays."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from pricing_core.data.suspects import to_seconds

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Offers:
    """Offers of some products, product by product and within a product by position.

    Attributes
    ----------
    names, counts
        The products in the order of their text, and how many offers each has; at least one.
    positions, second, price, bought
        Of each offer; times are seconds since 1970.
    unit_cost, stock
        What the offers say of them; None where they say nothing.
    """

    names: pd.Index
    counts: Ints
    positions: Ints
    second: Ints
    price: Floats
    bought: NDArray[np.int8]
    unit_cost: Floats | None = None
    stock: Floats | None = None

    @property
    def product(self) -> NDArray[np.int32]:
        """Number of each offer's product among the names."""
        return np.repeat(np.arange(len(self.counts), dtype=np.int32), self.counts)

    @classmethod
    def of_frame(cls, frame: pd.DataFrame) -> Offers:
        """Offers of a frame whose products are categories in the order of their text, indexed by position."""
        code = frame["product_id"].cat.codes.to_numpy()
        order = np.argsort(code, kind="stable")
        given = {name: frame[name].to_numpy(dtype=float)[order] for name in ("unit_cost", "stock") if name in frame}
        names = frame["product_id"].cat.categories
        return cls(
            names, np.bincount(code, minlength=len(names)), frame.index.to_numpy(dtype=np.int64)[order],
            to_seconds(frame["offered_at"])[order], frame["price"].to_numpy(dtype=float)[order],
            frame["purchased"].to_numpy(dtype=np.int8)[order], **given,
        )  # fmt: skip


def count_each(numbers: NDArray[np.integer], many: int, piece: int) -> Ints:
    """How often each number below ``many`` occurs; ``piece`` by piece, as counting widens them. None is above."""
    counts = np.zeros(many + 1, dtype=np.int64)
    for start in range(0, len(numbers), piece):
        counts += np.bincount(numbers[start : start + piece], minlength=many + 1)
    return counts[:many]


def split_evenly(counts: Ints, most: int) -> tuple[list[int], NDArray[np.integer]]:
    """Split products into pieces of about ``most`` offers.

    Parameters
    ----------
    counts
        Offers of each product.

    Returns
    -------
    tuple
        First product of each piece, and the number of products; number of each product's piece, and behind them that
        of what is no product.
    """
    group = (np.cumsum(counts) - 1).clip(0) // most
    bounds = [0, *(np.flatnonzero(np.diff(group)) + 1).tolist(), len(counts)]
    kind = np.uint8 if len(bounds) <= 1 << 8 else np.int32
    return bounds, np.repeat(np.arange(len(bounds), dtype=kind), np.diff([*bounds, len(counts) + 1]))


def stable_order(keys: NDArray[np.generic]) -> Ints:
    """Places of the keys from the smallest on, equal ones in their order; of keys of a small range, by counting."""
    return cast(Ints, pc.array_sort_indices(pa.array(keys)).to_numpy().view(np.int64))
