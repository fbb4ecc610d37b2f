r"""Bayes: P(u | p) = P(p | u) P(u) / P(p) from counts, where u is a purchase and p what was offered at which price.

What was offered is described by the product, the price band, and the features that tell most; given the outcome they
are taken as independent (naive Bayes), so that

.. math:: \operatorname{logit} P(u \mid p) = \ln\frac{P(u)}{P(\bar u)}
          + \sum_f \ln\frac{P(p_f \mid u)}{P(p_f \mid \bar u)}

and every factor is a share of counts, smoothed toward the shop's average. The price bands of each product are smoothed
toward those of the shop.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit

from pricing_core.features.batch import EncodedBatch
from pricing_core.models.families.files import read_arrays, write_arrays
from pricing_core.models.families.folded import FoldedModel
from pricing_core.models.families.learner import FamilyConfig, FoldRows, Report
from pricing_core.models.families.projected import ProjectedLearner
from pricing_core.models.settings_check import check_range

Floats = NDArray[Any]
Ints = NDArray[np.int64]

_BANDS = 9  # of the price
_BINS = 6  # of a feature


@dataclass(frozen=True)
class BayesConfig(FamilyConfig):
    """Size of the Bayes baseline.

    Parameters
    ----------
    smoothing
        Offers that the shop's average counts for in every share.
    n_features
        Features that take part, those with the most information about the outcome.
    """

    max_rows: int = 2_000_000
    smoothing: float = 50.0
    n_features: int = 8

    def __post_init__(self) -> None:
        super().__post_init__()
        check_range(self, "smoothing", above=0)
        check_range(self, "n_features", low=0)


class BayesLearner(ProjectedLearner):
    """Counts of one fold by member.

    Attributes
    ----------
    rate_
        Log-odds of a purchase in the shop, (members,).
    bands_
        Edges of the price bands, distances from the expected price, (bands − 1,).
    price_
        Evidence of each price band by product, (products + 1, bands, members); row 0 is the shop.
    product_
        Evidence of each product, (products + 1, members).
    chosen_, edges_, evidence_
        Columns that take part (k,), edges of their bins (k, bins − 1), evidence of each bin (k, bins, members).
    """

    config: BayesConfig

    def fit(self, rows: FoldRows, length: int, report: Report) -> None:
        """Count."""
        self._measure(rows)
        members = rows.weight.shape[1]
        expected = rows.batch.expected_price.astype(float)
        self.rate_ = logit(np.clip(rows.y @ rows.weight / rows.weight.sum(axis=0), 1e-6, 1 - 1e-6))
        levels = np.linspace(0, 1, _BANDS + 1)[1:-1]
        self.bands_ = np.unique(np.quantile(rows.x - expected, levels, weights=rows.mean_weight, method="inverted_cdf"))
        band, bands = np.searchsorted(self.bands_, rows.x - expected, side="right"), len(self.bands_) + 1
        shop = self._evidence(band, bands, rows)
        width = max(rows.batch.n_products, int(rows.batch.product_code.max())) + 1
        code = rows.batch.product_code.astype(np.int64)
        self.product_ = self._evidence(code, width, rows)
        self.product_[0] = 0.0  # a product never seen says nothing
        self.price_ = self._by_product(code * bands + band, (width, bands, members), shop, rows)
        self.price_[0] = shop
        self._choose_features(rows)
        self._count_error(rows)

    def chances(self, batch: EncodedBatch, x: Floats, length: int | None = None) -> Floats:
        """Chance at each price by each member, (n, G, members)."""
        code = np.where(batch.product_code < len(self.product_), batch.product_code, 0)
        known = self.rate_ + self.product_[code]
        matrix = batch.matrix()
        for k, column in enumerate(self.chosen_):
            known = known + self.evidence_[k, np.searchsorted(self.edges_[k], matrix[:, column], side="right")]
        band = np.searchsorted(self.bands_, x - batch.expected_price.astype(float)[:, None], side="right")
        return np.asarray(expit(known[:, None] + self.price_[code[:, None], band]))

    def save(self, folder: Path, stem: str) -> None:
        """Write ``<stem>.npz``."""
        write_arrays(folder, stem, {name: getattr(self, f"{name}_") for name in _WRITTEN})

    def read(self, folder: Path, stem: str) -> None:
        """Read ``<stem>.npz``."""
        stored = read_arrays(folder, stem, _WRITTEN)
        for name in _WRITTEN:
            setattr(self, f"{name}_", stored[name])

    def _evidence(self, place: Ints, size: int, rows: FoldRows) -> Floats:
        """Logarithm of P(place | purchase) over P(place | refusal), smoothed toward no evidence, (size, members)."""
        found = []
        for m in range(rows.weight.shape[1]):
            bought, all_rows = _counts(place, size, rows, m)
            prior = self.config.smoothing * float(expit(self.rate_[m]))
            share = (bought + prior) / (all_rows + self.config.smoothing)
            found.append(logit(np.clip(share, 1e-6, 1 - 1e-6)) - self.rate_[m])
        return np.stack(found, axis=-1)

    def _by_product(self, place: Ints, shape: tuple[int, int, int], shop: Floats, rows: FoldRows) -> Floats:
        """Evidence of price bands by product, smoothed toward what the shop's bands say of a product like it."""
        found = np.empty(shape)
        for m in range(shape[2]):
            bought, all_rows = _counts(place, shape[0] * shape[1], rows, m)
            level = self.rate_[m] + self.product_[:, m, None]
            prior = expit(level + shop[None, :, m])
            bought, all_rows = bought.reshape(shape[:2]), all_rows.reshape(shape[:2])
            share = (bought + self.config.smoothing * prior) / (all_rows + self.config.smoothing)
            found[:, :, m] = logit(np.clip(share, 1e-6, 1 - 1e-6)) - level
        return found

    def _choose_features(self, rows: FoldRows) -> None:
        """Keep the columns whose bins differ most in their evidence, weighed by how many offers they hold."""
        matrix = rows.batch.matrix()[:, :-1]
        members, found = rows.weight.shape[1], []
        for column in range(matrix.shape[1]):
            edges = np.quantile(matrix[:, column], np.linspace(0, 1, _BINS + 1)[1:-1])
            place = np.searchsorted(edges, matrix[:, column], side="right")
            evidence = self._evidence(place, _BINS, rows)
            information = np.bincount(place, rows.mean_weight, _BINS) @ evidence.mean(axis=1) ** 2
            found.append((-float(information), column, edges, evidence))
        found = sorted(found, key=lambda each: each[:2])[: self.config.n_features]
        self.chosen_ = np.array([each[1] for each in found], dtype=np.int64)
        self.edges_ = np.array([each[2] for each in found]).reshape(len(found), _BINS - 1)
        self.evidence_ = np.array([each[3] for each in found]).reshape(len(found), _BINS, members)


_WRITTEN = ("offsets", "rate", "bands", "price", "product", "chosen", "edges", "evidence")


def _counts(place: Ints, size: int, rows: FoldRows, member: int) -> tuple[Floats, Floats]:
    """Purchases and offers by place, weighted, (size,)."""
    weight = rows.weight[:, member]
    return np.bincount(place, weight * rows.y, size), np.bincount(place, weight, size)


class Bayes(FoldedModel):
    """Bayes baseline as a demand model."""

    family = "bayes"
    learner = BayesLearner
    config_class = BayesConfig
