"""Monotone trees: a boosted classifier whose purchase probability cannot rise with price, projected onto curves."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pricing_core.errors import ConfigError, ModelError, reason
from pricing_core.features.batch import EncodedBatch
from pricing_core.models.families.boosters import (
    THREADS,
    lengths_up_to,
    parameters,
    read_boosters,
    shortened,
    tree_matrix,
    write_boosters,
)
from pricing_core.models.families.folded import FoldedModel
from pricing_core.models.families.learner import FamilyConfig, FoldRows, Report
from pricing_core.models.families.projected import ProjectedLearner
from pricing_core.models.settings_check import check_range

Floats = NDArray[Any]


@dataclass(frozen=True)
class MonotoneFamilyConfig(FamilyConfig):
    """Size and fitting of the monotone trees.

    Parameters
    ----------
    n_trees
        Most trees.
    n_leaves, learning_rate
        Of the trees.
    constraint
        LightGBM's method to keep the probability from rising with price: ``basic``, ``intermediate``, ``advanced``.
    """

    max_rows: int = 400_000
    n_trees: int = 200
    n_leaves: int = 31
    learning_rate: float = 0.06
    constraint: str = "intermediate"

    usual_members = (6, 2)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.constraint not in ("basic", "intermediate", "advanced"):
            raise ConfigError(f"The constraint is {self.constraint!r}; allowed are basic, intermediate, advanced.")
        check_range(self, "n_trees", low=1)
        check_range(self, "n_leaves", low=2)
        check_range(self, "learning_rate", above=0, high=1)


class MonotoneTreesLearner(ProjectedLearner):
    """Members of one fold; they share the bins of the features."""

    config: MonotoneFamilyConfig

    @property
    def lengths(self) -> tuple[int, ...]:
        """Numbers of trees."""
        return lengths_up_to(self.config.n_trees)

    def fit(self, rows: FoldRows, length: int, report: Report) -> None:
        """Boost every member."""
        import lightgbm as lgb

        self._measure(rows)
        matrix = self._matrix(rows.batch, rows.x)
        settings = parameters(
            len(rows.x), n_leaves=self.config.n_leaves, learning_rate=self.config.learning_rate, seed=self.seed
        ) | {
            "objective": "binary",
            "lambda_l2": 1.0,
            "monotone_constraints": [-1] + [0] * (matrix.shape[1] - 1),
            "monotone_constraints_method": self.config.constraint,
        }
        data = lgb.Dataset(matrix, rows.y, params=settings, free_raw_data=False).construct()
        self.boosters_ = []
        for m in range(rows.weight.shape[1]):
            report(m / rows.weight.shape[1])
            self.boosters_.append(lgb.train(settings, data.set_weight(rows.weight[:, m]), length))
        self._count_error(rows)

    def settle(self, rows: FoldRows, length: int, report: Report) -> None:
        """Drop the later trees."""
        self.boosters_ = [shortened(booster, length) for booster in self.boosters_]
        self._count_error(rows)

    def chances(self, batch: EncodedBatch, x: Floats, length: int | None = None) -> Floats:
        """Chance at each price by each member, (n, G, members)."""
        n, grid = x.shape
        matrix = np.repeat(tree_matrix(batch), grid, axis=0)
        matrix = np.hstack([x.reshape(-1, 1).astype(np.float32), matrix])
        found = [b.predict(matrix, num_iteration=length, num_threads=THREADS) for b in self.boosters_]
        return np.stack(found, axis=-1).reshape(n, grid, len(found))

    def save(self, folder: Path, stem: str) -> None:
        """Write ``<stem>_<member>.txt`` in LightGBM's format and ``<stem>.json``."""
        write_boosters(self.boosters_, folder, stem)
        state = {"offsets": self.offsets_.tolist(), "members": len(self.boosters_)}
        (folder / f"{stem}.json").write_text(json.dumps(state), encoding="utf-8")

    def read(self, folder: Path, stem: str) -> None:
        """Read what :meth:`save` wrote."""
        try:
            state = json.loads((folder / f"{stem}.json").read_text(encoding="utf-8"))
            self.offsets_, members = np.array(state["offsets"]), int(state.get("members", self.config.members or 0))
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ModelError(
                f"The model file {stem}.json cannot be read: {reason(error)}.", fix="Train again."
            ) from error
        self.boosters_ = read_boosters(folder, stem, members)

    @staticmethod
    def _matrix(batch: EncodedBatch, x: Floats) -> NDArray[np.float32]:
        return np.hstack([x[:, None].astype(np.float32), tree_matrix(batch)])


class MonotoneTreesModel(FoldedModel):
    """Monotone trees as a demand model."""

    family = "monotone_trees"
    learner = MonotoneTreesLearner
    config_class = MonotoneFamilyConfig
