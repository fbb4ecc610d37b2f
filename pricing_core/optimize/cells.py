"""Rows that must have one price: they answer duals together."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pricing_core.optimize.curves import Responder
from pricing_core.optimize.pooled import maximize_by_group

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


class CellRows:
    """Rows of which those in a cell share a price.

    Parameters
    ----------
    rows
        The rows, priced one by one.
    code
        (n,) cell of each row, 0 … cells − 1.
    weight
        (n,) occasions.
    """

    def __init__(self, rows: Responder, code: Ints, weight: Floats) -> None:
        self.rows, self.code, self.weight = rows, code, weight
        self.cells = int(code.max(initial=-1)) + 1
        self.low, self.high = shared_range(code, rows.low, rows.high)

    def best(self, unit_dual: Floats, discount_dual: Floats) -> Floats:
        """Return the best shared prices, (n,)."""

        def total(price: Floats) -> Floats:
            value = self.rows.value(price[self.code], unit_dual, discount_dual)
            return np.asarray(np.bincount(self.code, self.weight * value, self.cells), dtype=float)

        first = np.unique(self.code, return_index=True)[1]
        return maximize_by_group(total, self.low[first], self.high[first])[self.code]

    def value(self, price: Floats, unit_dual: Floats, discount_dual: Floats) -> Floats:
        """Return the objective minus what the duals charge, (n,)."""
        return self.rows.value(price, unit_dual, discount_dual)

    def chance(self, price: Floats) -> Floats:
        """Return the mean chance of a purchase, (n,)."""
        return self.rows.chance(price)

    def take(self, rows: Ints) -> Responder:
        """Return the rows of an index, priced one by one: good for a first guess of duals."""
        return self.rows.take(rows)


def shared_range(code: Ints, low: Floats, high: Floats) -> tuple[Floats, Floats]:
    """Range that all rows of a cell have in common, (n,) each; empty (low above high) where there is none."""
    cells = int(code.max(initial=-1)) + 1
    least, most = np.full(cells, -np.inf), np.full(cells, np.inf)
    np.maximum.at(least, code, low)
    np.minimum.at(most, code, high)
    return least[code], most[code]


def joined_cells(n: int, groups: list[Ints]) -> Ints:
    """Cells (n,) of rows that some rule wants to be equal; −1 in a rule's code is a row that it leaves alone.

    Rules that overlap join their groups. Rows that no rule names are cells of their own.
    """
    from scipy import sparse
    from scipy.sparse.csgraph import connected_components

    rows, knots, reached = [np.empty(0, dtype=np.int64)], [np.empty(0, dtype=np.int64)], n
    for code in groups:
        mine = np.flatnonzero(code >= 0)
        rows.append(mine)
        knots.append(reached + code[mine])
        reached += int(code.max(initial=-1)) + 1
    row, knot = np.concatenate(rows), np.concatenate(knots)
    graph = sparse.csr_matrix((np.ones(len(row)), (row, knot)), shape=(reached, reached))
    label = connected_components(graph, directed=False)[1][:n]
    return np.asarray(pd.factorize(label)[0], dtype=np.int64)
