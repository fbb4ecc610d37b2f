"""Encoded features: the arrays that learners eat, and how to mix two batches feature by feature."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

Floats32 = NDArray[np.float32]
_ARRAYS = (
    "customer",
    "product",
    "market",
    "product_code",
    "sequence",
    "sequence_item",
    "sequence_mask",
    "expected_price",
)


@dataclass(frozen=True)
class EncodedBatch:
    """Encoded features of *n* offers.

    ``customer`` (n, a), ``product`` (n, b), ``market`` (n, c): standardized numbers and one-hot categories;
    ``product_code`` (n,) position + 1 in the product list, 0 for a product never seen; ``sequence`` (n, L, channels),
    ``sequence_item`` (n, L) and ``sequence_mask`` (n, L): recent events; ``expected_price`` (n,): the relative price
    that the shop's habit would have set, filled in by the pricing model. ``groups`` maps each readable feature to its
    block and columns. Codes run up to ``n_products``.
    """

    customer: Floats32
    product: Floats32
    market: Floats32
    product_code: NDArray[np.int32]
    sequence: Floats32
    sequence_item: NDArray[np.int32]
    sequence_mask: Floats32
    expected_price: Floats32
    groups: tuple[tuple[str, str, tuple[int, ...]], ...]
    n_products: int = 0

    @property
    def n(self) -> int:
        """Number of rows."""
        return len(self.product_code)

    @property
    def feature_names(self) -> tuple[str, ...]:
        """Readable names of the groups that :meth:`mix` exchanges."""
        return tuple(name for name, _, _ in self.groups)

    def matrix(self) -> Floats32:
        """All standardized columns side by side with the product code, for tree learners, shape (n, a + b + c + 1)."""
        code = self.product_code[:, None].astype(np.float32)
        return np.hstack([self.customer, self.product, self.market, code])

    def columns_of(self, blocks: tuple[str, ...], start: int = 0) -> dict[str, list[int]]:
        """Columns of each feature where ``blocks`` stand side by side with the product code behind them.

        Features without a column there (events, the usual price) are left out; ``start`` columns come before.
        """
        offsets = {}
        for block in blocks:
            offsets[block] = start
            start += getattr(self, block).shape[1]
        found: dict[str, list[int]] = {}
        for name, block, columns in self.groups:
            if block in offsets and columns:
                found[name] = [offsets[block] + column for column in columns]
            elif block == "product_code":
                found[name] = [start]
        return found

    def take(self, rows: NDArray[np.int64] | NDArray[np.bool_]) -> EncodedBatch:
        """Rows by index or mask."""
        return replace(self, **{name: getattr(self, name)[rows] for name in _ARRAYS})

    def without_events(self) -> EncodedBatch:
        """Batch whose event sequence has no length, for models that do not read it: it is most of the memory."""
        none = np.zeros((self.n, 0), dtype=np.float32)
        sequence = np.zeros((self.n, 0, self.sequence.shape[2]), dtype=np.float32)
        return replace(self, sequence=sequence, sequence_item=none.astype(np.int32), sequence_mask=none)

    def with_expected_price(self, expected: Floats32) -> EncodedBatch:
        """Copy with the expected relative price filled in."""
        return replace(self, expected_price=expected.astype(np.float32))

    def mix(self, other: EncodedBatch, mask: NDArray[np.bool_]) -> EncodedBatch:
        """Take the groups whose ``mask`` (n, G) is False from ``other`` (same number of rows)."""
        arrays = {name: getattr(self, name).copy() for name in _ARRAYS}
        for g, (_, block, columns) in enumerate(self.groups):
            swap = np.flatnonzero(~mask[:, g])
            # A category without a single known level has no columns, hence nothing to exchange.
            if not len(swap) or (not columns and block in ("customer", "product", "market")):
                continue
            names = ("sequence", "sequence_item", "sequence_mask") if block == "sequence" else (block,)
            for name in names:
                source = getattr(other, name)
                if columns:
                    cells = np.ix_(swap, np.array(columns))
                    arrays[name][cells] = source[cells]
                else:
                    arrays[name][swap] = source[swap]
        return replace(self, **arrays)
