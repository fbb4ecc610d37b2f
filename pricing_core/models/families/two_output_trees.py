r"""Two-output trees: boosted trees for the level of demand and for the logarithm of the price sensitivity.

Every round grows one tree for :math:`m(z)` and one for :math:`s(z)` of

.. math:: \operatorname{logit} P = m(z) - e^{s(z)}\,(x - \hat e(z)),

with the expected price :math:`\hat e` among the features, so that demand falls with price by construction and the
sensitivity is learned from price variation that no feature explains. With :math:`u = x - \hat e`, residual
:math:`r = \sigma(\cdot) - y` and :math:`h = \sigma(1 - \sigma)`, the gradients are :math:`r` and :math:`-r e^s u`, the
(Fisher) curvatures :math:`h` and :math:`h (e^s u)^2`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from pricing_core.errors import ModelError, reason
from pricing_core.features.batch import EncodedBatch
from pricing_core.models.families.boosters import (
    lengths_up_to,
    parameters,
    read_boosters,
    shortened,
    tree_matrix,
    write_boosters,
)
from pricing_core.models.families.folded import FoldedModel
from pricing_core.models.families.learner import FEW_ROWS, FamilyConfig, FoldLearner, FoldRows, Report
from pricing_core.models.families.sparse_logit import pooled_curve
from pricing_core.models.settings_check import check_range

if TYPE_CHECKING:
    import lightgbm as lgb

Floats = NDArray[Any]

_LEAVES = 4, 15  # where rows are few, and where they are not
_WIDEST = 2.5  # a sensitivity lies within e^±2.5 of the pooled one


@dataclass(frozen=True)
class TwoOutputTreesConfig(FamilyConfig):
    """Size and fitting of the two-output trees.

    Parameters
    ----------
    n_trees
        Most rounds; each grows a tree for the level and one for the sensitivity.
    n_leaves
        Of a tree; None: 4 where at most 25,000 rows teach, of which more and smaller trees learn more, else 15.
    learning_rate
        Step of a tree.
    shrinkage
        Quadratic penalty on the values of the leaves, in rows of average weight.
    """

    n_trees: int = 160
    n_leaves: int | None = None
    learning_rate: float = 0.08
    shrinkage: float = 4.0

    usual_members = (6, 3)

    def __post_init__(self) -> None:
        super().__post_init__()
        check_range(self, "n_trees", low=1)
        check_range(self, "n_leaves", low=2)
        check_range(self, "learning_rate", above=0, high=1)
        check_range(self, "shrinkage", low=0)


class TwoOutputTreesLearner(FoldLearner):
    """Members of one fold; they share the bins of the features."""

    config: TwoOutputTreesConfig

    @property
    def lengths(self) -> tuple[int, ...]:
        """Numbers of rounds."""
        return lengths_up_to(self.config.n_trees)

    def fit(self, rows: FoldRows, length: int, report: Report) -> None:
        """Boost every member from the pooled logit."""
        import lightgbm as lgb

        expected = rows.batch.expected_price.astype(float)
        level, slope = pooled_curve(rows.x, rows.y, expected, rows.mean_weight)
        self.start_ = (level, float(np.log(slope)))
        leaves = self.config.n_leaves or _LEAVES[0 if len(rows.x) <= FEW_ROWS // 2 else 1]
        settings = parameters(len(rows.x), n_leaves=leaves, learning_rate=self.config.learning_rate, seed=self.seed) | {
            "lambda_l2": self.config.shrinkage * 0.2,  # a row's curvature is at most a quarter
            "min_sum_hessian_in_leaf": 1e-3,
            "boost_from_average": False,
        }
        data = lgb.Dataset(tree_matrix(rows.batch), rows.y, params=settings, free_raw_data=False).construct()
        self.boosters_ = []
        for m in range(rows.weight.shape[1]):
            report(m / rows.weight.shape[1])
            goal = _objective(rows.x - expected, rows.y, rows.weight[:, m], self.start_)
            self.boosters_.append(lgb.train(settings | {"objective": goal, "num_class": 2}, data, length))

    def settle(self, rows: FoldRows, length: int, report: Report) -> None:
        """Drop the later rounds."""
        self.boosters_ = [shortened(booster, length) for booster in self.boosters_]

    def explored(self, batch: EncodedBatch, x: Floats) -> Iterator[Floats]:
        """Chance by each number of rounds."""
        for length in self.lengths:
            intercept, sensitivity = self._curves(batch, length)
            yield expit(intercept - sensitivity * x[:, None]).mean(axis=1)

    def curves(self, batch: EncodedBatch) -> tuple[Floats, Floats]:
        """Intercept and sensitivity (n, members)."""
        return self._curves(batch, None)

    def save(self, folder: Path, stem: str) -> None:
        """Write ``<stem>_<member>.txt`` in LightGBM's format and ``<stem>.json``."""
        write_boosters(self.boosters_, folder, stem)
        state = {"start": self.start_, "members": len(self.boosters_)}
        (folder / f"{stem}.json").write_text(json.dumps(state), encoding="utf-8")

    def read(self, folder: Path, stem: str) -> None:
        """Read what :meth:`save` wrote."""
        try:
            state = json.loads((folder / f"{stem}.json").read_text(encoding="utf-8"))
            level, slope = state["start"]
            members = int(state.get("members", self.config.members or 0))
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ModelError(
                f"The model file {stem}.json cannot be read: {reason(error)}.", fix="Train again."
            ) from error
        self.start_ = (float(level), float(slope))
        self.boosters_ = read_boosters(folder, stem, members)

    def _curves(self, batch: EncodedBatch, length: int | None) -> tuple[Floats, Floats]:
        matrix = tree_matrix(batch)
        raw = np.stack([_raw(booster, matrix, length) for booster in self.boosters_], axis=1)
        sensitivity = np.exp(self.start_[1] + np.clip(raw[..., 1], -_WIDEST, _WIDEST))
        return self.start_[0] + raw[..., 0] + sensitivity * batch.expected_price[:, None], sensitivity


def _raw(booster: lgb.Booster, matrix: NDArray[np.float32], length: int | None) -> Floats:
    """Sums of the leaves for level and sensitivity, (n, 2)."""
    return np.asarray(booster.predict(matrix, raw_score=True, num_iteration=length, num_threads=2))


def _objective(u: Floats, y: Floats, weight: Floats, start: tuple[float, float]) -> Any:
    """Gradient and Fisher curvature of the logistic loss by both outputs, as LightGBM asks for them."""

    def goal(raw: Floats, _: Any) -> tuple[Floats, Floats]:
        raw = raw.reshape(len(y), 2) if raw.ndim == 1 else raw
        priced = np.exp(start[1] + np.clip(raw[:, 1], -_WIDEST, _WIDEST)) * u
        chance = expit(start[0] + raw[:, 0] - priced)
        missed, steep = weight * (chance - y), weight * chance * (1 - chance)
        gradient = np.stack([missed, -missed * priced], axis=1)
        return gradient, np.stack([steep, steep * priced**2], axis=1)

    return goal


class TwoOutputTrees(FoldedModel):
    """Two-output trees as a demand model."""

    family = "two_output_trees"
    learner = TwoOutputTreesLearner
    config_class = TwoOutputTreesConfig
