"""A challenger: gradient-boosted trees whose purchase probability cannot rise with price."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from pricing_core.errors import ConfigError
from pricing_core.features.batch import EncodedBatch

if TYPE_CHECKING:
    import lightgbm as lgb

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class MonotoneTreesConfig:
    """Size of the challenger.

    Parameters
    ----------
    n_trees, n_leaves, learning_rate
        Of the boosted trees.
    constraint
        LightGBM's method to keep the probability from rising with price: ``basic``, ``intermediate``, ``advanced``.
    max_rows
        Rows to learn from; above it a random sample of this size.
    random_state
        Seed.
    """

    n_trees: int = 200
    n_leaves: int = 31
    learning_rate: float = 0.05
    constraint: str = "advanced"
    max_rows: int = 1_000_000
    random_state: int = 0

    def __post_init__(self) -> None:
        if self.constraint not in ("basic", "intermediate", "advanced"):
            raise ConfigError(f"The constraint is {self.constraint!r}; allowed are basic, intermediate, advanced.")
        for name in ("n_trees", "max_rows"):
            if getattr(self, name) < 1:
                raise ConfigError(f"{name} is {getattr(self, name)}; it must be at least 1.")


class MonotoneTrees:
    """LightGBM classifier on all features and the relative price, monotone decreasing in the price.

    What a good data scientist would reach for first. It returns probabilities, not demand curves, so its best price
    is found by searching a grid.
    """

    def __init__(self, config: MonotoneTreesConfig | None = None) -> None:
        self.config = config or MonotoneTreesConfig()

    def fit(self, batch: EncodedBatch, x: Floats, y: Floats, weight: Floats | None = None) -> MonotoneTrees:
        """Fit on relative prices ``x`` and outcomes ``y`` (n,)."""
        if batch.n > self.config.max_rows:
            rng = np.random.default_rng(self.config.random_state)
            rows = np.sort(rng.permutation(batch.n)[: self.config.max_rows])
            batch, x, y, weight = batch.take(rows), x[rows], y[rows], None if weight is None else weight[rows]
        import lightgbm as lgb

        matrix = self._matrix(batch, x)
        parameters = {
            "objective": "binary",
            "num_leaves": self.config.n_leaves,
            "learning_rate": self.config.learning_rate,
            "min_data_in_leaf": max(5, min(100, len(x) // 200)),
            "monotone_constraints": [-1] + [0] * (matrix.shape[1] - 1),
            "monotone_constraints_method": self.config.constraint,
            "seed": self.config.random_state,
            "deterministic": True,
            "force_row_wise": True,
            "num_threads": 2,
            "verbosity": -1,
        }
        self.booster_: lgb.Booster = lgb.train(parameters, lgb.Dataset(matrix, y, weight=weight), self.config.n_trees)
        return self

    def probability(self, batch: EncodedBatch, x: Floats) -> Floats:
        """Chance of a purchase at relative price ``x`` (n,)."""
        return np.asarray(self.booster_.predict(self._matrix(batch, x)))

    def best_price(
        self, batch: EncodedBatch, *, reference: Floats, unit_cost: Floats, low: Floats, high: Floats, points: int = 40
    ) -> Floats:
        """Price (n,) with the highest expected profit on a grid over ``[low, high]``."""
        best, best_profit = low.copy(), np.full(batch.n, -np.inf)
        for share in np.linspace(0, 1, points):
            price = low + share * (high - low)
            profit = (price - unit_cost) * self.probability(batch, price / reference)
            better = profit > best_profit
            best, best_profit = np.where(better, price, best), np.where(better, profit, best_profit)
        return best

    @staticmethod
    def _matrix(batch: EncodedBatch, x: Floats) -> NDArray[np.float32]:
        return np.hstack([x[:, None].astype(np.float32), batch.matrix()])
