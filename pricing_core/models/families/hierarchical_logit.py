r"""Hierarchical logit: every product has its own level and price sensitivity, pulled toward those of its kind.

.. math:: \operatorname{logit} P = a'z + (c_0 + c'z)\,\hat e + a_j - (b_0 + b'z + b_j)\,x

Coefficients of customers, of the kinds of products (categories), and of products are groups with spreads of their own,
estimated by empirical Bayes: where the rows say little, an effect shrinks to that of the level above, and a new product
is priced by its attributes alone. Customers are known by what is known of them (habits, attributes), not by a name.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pricing_core.features.batch import EncodedBatch
from pricing_core.models.families.design import LinearColumns
from pricing_core.models.families.files import read_arrays, write_arrays
from pricing_core.models.families.folded import FoldedModel
from pricing_core.models.families.learner import FamilyConfig, FoldLearner, FoldRows, Report
from pricing_core.models.families.random_effects import EffectRows, Effects, empirical_bayes, most_likely
from pricing_core.models.families.sparse_logit import sparse_logit

Floats = NDArray[Any]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class HierarchicalLogitConfig(FamilyConfig):
    """Fitting of the hierarchical logit; its shrinkage is estimated, not set."""

    max_rows: int = 400_000


class HierarchicalLogitLearner(FoldLearner):
    """Members of one fold; they share the scaling of the features and the spreads of the effects.

    A member's prior for each product is centered at a draw of what products differ by, so that draws disagree most on
    the products about which least is known.
    """

    config: HierarchicalLogitConfig

    def fit(self, rows: FoldRows, length: int, report: Report) -> None:
        """Estimate the spreads from all rows, then the effects of every member."""
        self.columns_ = LinearColumns.fit(rows)
        order = np.argsort(rows.batch.product_code, kind="stable")
        batch, weight = rows.batch.take(order), rows.weight[order]
        level, slope = self._features(batch)
        u = self.columns_.standardized(rows.x[order]).astype(level.dtype)
        design = np.hstack([level, -u[:, None] * slope])
        codes, first = np.unique(batch.product_code, return_index=True)
        each = EffectRows(design, u, rows.y[order], first)
        free = np.array([0, level.shape[1]])
        both = sparse_logit(design[:, free], each.y, weight.mean(axis=1), 0.0, np.zeros(2), np.zeros(2))
        start = Effects(np.zeros(design.shape[1]), np.zeros((len(codes), 2)))
        start.common[free] = both
        start, variance, spread = empirical_bayes(each, weight.mean(axis=1), self._groups(batch), free, start)
        self.n_products_ = max(rows.batch.n_products, int(codes[-1]))
        noise = self._noise(weight.shape[1]) * np.sqrt(spread)
        self.common_ = np.empty((design.shape[1], weight.shape[1]))
        self.product_ = noise.copy()
        for m in range(weight.shape[1]):
            report((m + 1) / (weight.shape[1] + 1))
            found = most_likely(each, weight[:, m], variance, spread, free, start, noise[codes, m])
            self.common_[:, m], self.product_[codes, m] = found.common, found.product
        self.counts["spread_of_product_levels"] = float(np.sqrt(spread[0]))
        self.counts["spread_of_product_sensitivities"] = float(np.sqrt(spread[1]))

    def curves(self, batch: EncodedBatch) -> tuple[Floats, Floats]:
        """Intercept and sensitivity (n, members)."""
        level, slope = self._features(batch)
        kind, width = level.dtype, level.shape[1]
        own = self.product_[np.minimum(batch.product_code, self.n_products_)]  # (n, members, 2)
        height = level @ self.common_[:width].astype(kind) + own[..., 0]
        return self.columns_.curves(height, slope @ self.common_[width:].astype(kind) + own[..., 1])

    def save(self, folder: Path, stem: str) -> None:
        """Write ``<stem>.npz``."""
        own = {"common": self.common_, "product": self.product_}
        write_arrays(folder, stem, self.columns_.arrays() | own)

    def read(self, folder: Path, stem: str) -> None:
        """Read ``<stem>.npz``."""
        stored = read_arrays(folder, stem, ("keep", "center", "scale", "price", "common", "product"))
        self.columns_ = LinearColumns.from_arrays(stored)
        self.common_, self.product_ = stored["common"], stored["product"]
        self.n_products_ = len(self.product_) - 1

    def _features(self, batch: EncodedBatch) -> tuple[Floats, Floats]:
        """Columns of the intercept and of the sensitivity that products share, (n, a) and (n, b)."""
        z, usual = self.columns_.features(batch)
        one = np.ones((batch.n, 1), dtype=z.dtype)
        return np.hstack([one, z, usual, usual * z]), np.hstack([one, z])

    def _groups(self, batch: EncodedBatch) -> Ints:
        """Group of each common coefficient: numbers of a block together, every category by itself."""
        kind = np.zeros(batch.matrix().shape[1], dtype=np.int64)
        start = dict(
            zip(
                ("customer", "product", "market"),
                np.cumsum([0, batch.customer.shape[1], batch.product.shape[1]]),
                strict=True,
            )
        )
        for k, (block, first) in enumerate(start.items()):
            kind[first : first + getattr(batch, block).shape[1]] = k
        for k, (_, block, columns) in enumerate(batch.groups):
            if block in start and len(columns) > 2:  # a number has at most two columns
                kind[start[block] + np.array(columns)] = 3 + k
        kind = kind[self.columns_.keep]
        most = 4 + len(batch.groups)
        level = np.concatenate([[0], 1 + kind, [most], 1 + most + kind])
        slope = np.concatenate([[0], 1 + kind]) + 3 * most
        return np.unique(np.concatenate([level, slope]), return_inverse=True)[1]

    def _noise(self, members: int) -> Floats:
        """Standard normal noise (products + 1, members, 2) with mean zero over the members."""
        noise = np.random.default_rng([self.seed, 31]).standard_normal((self.n_products_ + 1, members, 2))
        if members == 1:
            return np.zeros_like(noise)
        return (noise - noise.mean(axis=1, keepdims=True)) * np.sqrt(members / (members - 1))


class HierarchicalLogit(FoldedModel):
    """Hierarchical logit as a demand model."""

    family = "hierarchical_logit"
    learner = HierarchicalLogitLearner
    config_class = HierarchicalLogitConfig
