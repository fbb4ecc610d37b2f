r"""L1 logit: intercept and price sensitivity are linear in all features, and few of them count.

.. math:: \operatorname{logit} P = a'z + (c_0 + c'z)\,\hat e - (b_0 + b'z)\,x

with the shop's expected price :math:`\hat e(z)` beside the price :math:`x`: what goes along with the habit of pricing
is not taken for an effect of the price. Held-out time chooses how far to go down the path of penalties.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from pricing_core.features.batch import EncodedBatch
from pricing_core.models.families.design import LinearColumns
from pricing_core.models.families.files import read_arrays, write_arrays
from pricing_core.models.families.folded import FoldedModel
from pricing_core.models.families.learner import FamilyConfig, FoldLearner, FoldRows, Report
from pricing_core.models.families.sparse_logit import largest_penalty, sparse_logit
from pricing_core.models.settings_check import check_range

Floats = NDArray[Any]

_FEWEST_ROWS = 30  # of a product that gets coefficients of its own


@dataclass(frozen=True)
class L1LogitConfig(FamilyConfig):
    """Size and fitting of the L1 logit.

    Parameters
    ----------
    steps
        Penalties on the path, from the one that leaves only a pooled price effect downwards.
    depth
        Largest over smallest penalty, powers of ten.
    max_products
        Products with coefficients of their own, the most frequent ones; others are known by their attributes.
    """

    max_rows: int = 400_000
    steps: int = 16
    depth: float = 2.8
    max_products: int = 40

    usual_members = (8, 4)

    def __post_init__(self) -> None:
        super().__post_init__()
        check_range(self, "steps", low=2)
        check_range(self, "depth", above=0)
        check_range(self, "max_products", low=0)


class L1LogitLearner(FoldLearner):
    """Members of one fold; they share the scaling of the features."""

    config: L1LogitConfig

    @property
    def lengths(self) -> tuple[int, ...]:
        """Steps down the path of penalties."""
        return tuple(range(1, self.config.steps + 1))

    def explore(self, rows: FoldRows, report: Report) -> None:
        """Walk down the path with the weights of all members together."""
        self._scale(rows)
        design, weight = self._design(rows), rows.mean_weight
        theta, path = self._pooled(design, rows.y, weight), []
        top = largest_penalty(design, rows.y, weight, self._relative, theta)
        for step in self.lengths:
            report(step / self.config.steps)
            theta = sparse_logit(design, rows.y, weight, self._penalty(top, step), self._relative, theta)
            path.append(theta)
        self._path = np.column_stack(path)

    def explored(self, batch: EncodedBatch, x: Floats) -> Iterator[Floats]:
        """Chance by each step of the path."""
        alpha, beta = self._curves(batch, self._path)
        for step in range(self.config.steps):
            yield expit(alpha[:, step] - beta[:, step] * x)

    def settle(self, rows: FoldRows, length: int, report: Report) -> None:
        """Fit the members at the chosen penalty, starting from the path."""
        self._members(rows, length, self._path[:, length - 1], report)

    def fit(self, rows: FoldRows, length: int, report: Report) -> None:
        """Fit the members at a chosen step of the path."""
        self._scale(rows)
        self._members(rows, length, None, report)

    def _members(self, rows: FoldRows, length: int, start: Floats | None, report: Report) -> None:
        design = self._design(rows)
        pooled = self._pooled(design, rows.y, rows.mean_weight)
        top = largest_penalty(design, rows.y, rows.mean_weight, self._relative, pooled)
        found: list[Floats] = []
        for m in range(rows.weight.shape[1]):
            report(m / rows.weight.shape[1])
            begin = found[-1] if found else pooled if start is None else start
            penalty = self._penalty(top, length)
            found.append(sparse_logit(design, rows.y, rows.weight[:, m], penalty, self._relative, begin))
        self.coefficients_ = np.column_stack(found)
        self.counts["coefficients_that_count"] = float((np.abs(self.coefficients_) > 1e-8).sum(axis=0).mean())

    def curves(self, batch: EncodedBatch) -> tuple[Floats, Floats]:
        """Intercept and sensitivity (n, members)."""
        return self._curves(batch, self.coefficients_)

    def save(self, folder: Path, stem: str) -> None:
        """Write ``<stem>.npz``."""
        own = {"products": self.products_, "coefficients": self.coefficients_}
        write_arrays(folder, stem, self.columns_.arrays() | own)

    def read(self, folder: Path, stem: str) -> None:
        """Read ``<stem>.npz``."""
        stored = read_arrays(folder, stem, ("keep", "center", "scale", "price", "products", "coefficients"))
        self.columns_ = LinearColumns.from_arrays(stored)
        self.products_, self.coefficients_ = stored["products"], stored["coefficients"]

    def _penalty(self, top: float, step: int) -> float:
        return float(top * 10 ** (-self.config.depth * (step - 1) / (self.config.steps - 1)))

    def _scale(self, rows: FoldRows) -> None:
        """Learn means and spreads, and which products get coefficients."""
        self.columns_ = LinearColumns.fit(rows)
        count = np.bincount(rows.batch.product_code, minlength=rows.batch.n_products + 1)
        known = np.flatnonzero((count >= _FEWEST_ROWS) & (np.arange(len(count)) > 0))
        frequent = np.sort(known[np.argsort(-count[known], kind="stable")][: self.config.max_products])
        # With a single product its own effect is the intercept.
        self.products_ = frequent if len(np.flatnonzero(count)) > 1 else frequent[:0]
        self.counts["products_without_coefficients"] = float((count[1:] > 0).sum() - len(frequent))

    def _features(self, batch: EncodedBatch) -> tuple[Floats, Floats]:
        """Columns of the intercept and of the sensitivity, (n, a) and (n, b)."""
        z, usual = self.columns_.features(batch)
        one = np.ones((batch.n, 1), dtype=z.dtype)
        product = (batch.product_code[:, None] == self.products_).astype(z.dtype)
        return np.hstack([one, z, product, usual, usual * z]), np.hstack([one, z, product])

    def _design(self, rows: FoldRows) -> Floats:
        level, slope = self._features(rows.batch)
        u = self.columns_.standardized(rows.x).astype(level.dtype)
        self._width = level.shape[1]
        self._relative = np.ones(level.shape[1] + slope.shape[1])
        self._relative[[0, self._width]] = 0.0
        return np.hstack([level, -u[:, None] * slope])

    def _pooled(self, design: Floats, y: Floats, weight: Floats) -> Floats:
        """Coefficients with an intercept and one price effect only."""
        both = [0, self._width]
        theta = np.zeros(design.shape[1])
        theta[both] = sparse_logit(design[:, both], y, weight, 0.0, np.zeros(2), np.zeros(2))
        return theta

    def _curves(self, batch: EncodedBatch, theta: Floats) -> tuple[Floats, Floats]:
        """Intercept and sensitivity (n, D) of the relative price."""
        level, slope = self._features(batch)
        kind, width = level.dtype, level.shape[1]
        return self.columns_.curves(level @ theta[:width].astype(kind), slope @ theta[width:].astype(kind))


class L1Logit(FoldedModel):
    """L1 logit as a demand model."""

    family = "l1_logit"
    learner = L1LogitLearner
    config_class = L1LogitConfig
