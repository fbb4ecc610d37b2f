"""Boosted trees of the pricing model: how they are set up, fitted, and cross-fitted over customers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import lightgbm as lgb

Floats = NDArray[np.float64]
Floats32 = NDArray[np.float32]

THREADS: Final = 2


@dataclass(frozen=True)
class TreeSettings:
    """Most trees, leaves of each, step of each, folds, and the seed."""

    n_trees: int
    n_leaves: int
    learning_rate: float
    n_folds: int
    random_state: int

    def parameters(self, n: int) -> dict[str, Any]:
        """LightGBM's parameters for ``n`` rows."""
        return {
            "objective": "regression",
            "num_leaves": self.n_leaves,
            "learning_rate": self.learning_rate,
            "min_data_in_leaf": max(5, min(100, n // 200)),
            "lambda_l2": 1.0,
            "max_bin": 63,
            "seed": self.random_state,
            "deterministic": True,
            "force_row_wise": True,
            "num_threads": THREADS,
            "verbosity": -1,
        }


@dataclass(frozen=True)
class Crossfit:
    """Boosters, one per fold; the prediction for each row by the one that did not see it (n,); trees in each."""

    models: list[lgb.Booster]
    prediction: Floats
    n_trees: int


def crossfit_trees(
    matrix: Floats32, target: Floats, weight: Floats, fold: NDArray[np.int64], settings: TreeSettings
) -> Crossfit:
    """Fit one booster per fold without it; the number of trees is the one that predicts left-out rows best."""
    import lightgbm as lgb

    parameters = settings.parameters(len(target))
    data = lgb.Dataset(matrix, target, weight=weight, params=parameters, free_raw_data=False).construct()
    sizes = sorted({max(1, settings.n_trees // part) for part in (16, 8, 4, 2, 1)})
    guesses = {size: np.empty(len(target)) for size in sizes}
    models = []
    for k in range(settings.n_folds):
        mine = fold == k
        model = lgb.train(parameters, data.subset(np.flatnonzero(~mine).tolist()), num_boost_round=sizes[-1])
        for size in sizes:
            guesses[size][mine] = model.predict(matrix[mine], num_iteration=size, num_threads=THREADS)
        models.append(model)
    best = min(sizes, key=lambda size: float(np.average((target - guesses[size]) ** 2, weights=weight)))
    models = [lgb.Booster(model_str=model.model_to_string(num_iteration=best)) for model in models]
    return Crossfit(models, guesses[best], best)


def train_trees(matrix: Floats32, target: Floats, weight: Floats, n_trees: int, settings: TreeSettings) -> lgb.Booster:
    """Fit one booster of so many trees on all rows."""
    import lightgbm as lgb

    parameters = settings.parameters(len(target))
    return lgb.train(parameters, lgb.Dataset(matrix, target, weight=weight, params=parameters), num_boost_round=n_trees)
