"""Boosted trees of the pricing model: how they are set up, fitted, and cross-fitted over customers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import lightgbm as lgb

Floats = NDArray[np.float64]
Floats32 = NDArray[np.float32]

THREADS: Final = 2

_FINE_BINS: Final = 255
_SMALL_SHAPES: Final = ((8, 0.1, 200), (3, 0.2, 200))  # leaves, step, most trees


@dataclass(frozen=True)
class TreeSettings:
    """Most trees, leaves of each, step of each, folds, the seed, and bins of a feature."""

    n_trees: int
    n_leaves: int
    learning_rate: float
    n_folds: int
    random_state: int
    max_bin: int = 63

    def parameters(self, n: int) -> dict[str, Any]:
        """LightGBM's parameters for ``n`` rows."""
        return {
            "objective": "regression",
            "num_leaves": self.n_leaves,
            "learning_rate": self.learning_rate,
            "min_data_in_leaf": max(5, min(100, n // 200)),
            "lambda_l2": 1.0,
            "max_bin": self.max_bin,
            "seed": self.random_state,
            "deterministic": True,
            "force_row_wise": True,
            "num_threads": THREADS,
            "verbosity": -1,
        }


@dataclass(frozen=True)
class Crossfit:
    """Boosters, one per fold; the prediction for each row by the one that did not see it (n,); trees in each.

    ``error`` is the mean squared error of the predictions, ``settings`` what the boosters were fitted with.
    """

    models: list[lgb.Booster]
    prediction: Floats
    n_trees: int
    error: float
    settings: TreeSettings


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
    errors = {size: float(np.average((target - guesses[size]) ** 2, weights=weight)) for size in sizes}
    best = min(sizes, key=lambda size: errors[size])
    models = [lgb.Booster(model_str=model.model_to_string(num_iteration=best)) for model in models]
    return Crossfit(models, guesses[best], best, errors[best], settings)


def crossfit_few(
    matrix: Floats32, target: Floats, weight: Floats, folds: Sequence[NDArray[np.int64]], settings: TreeSettings
) -> Crossfit:
    """Cross-fit where rows are few: smaller trees compete, and each row's prediction is averaged over partitions.

    Few rows teach large trees mostly noise, and noise in what is expected of a training row is noise in all that is
    learned from its distance to the price. The boosters that predict other rows are those of the first partition:
    their mean is about as exact as the average of a training row.

    Parameters
    ----------
    folds
        Partitions of the rows, each the number of a row's fold (n,).
    settings
        The largest trees; smaller shapes are tried beside them.
    """
    import lightgbm as lgb

    shapes = [
        settings,
        *(
            replace(settings, n_leaves=leaves, learning_rate=step, n_trees=trees, max_bin=_FINE_BINS)
            for leaves, step, trees in _SMALL_SHAPES
            if leaves < settings.n_leaves
        ),
    ]
    best = min((crossfit_trees(matrix, target, weight, folds[0], shape) for shape in shapes), key=lambda c: c.error)
    guesses = [best.prediction]
    parameters = best.settings.parameters(len(target))
    data = lgb.Dataset(matrix, target, weight=weight, params=parameters, free_raw_data=False).construct()
    for fold in folds[1:]:
        guess = np.empty(len(target))
        for k in range(settings.n_folds):
            mine = fold == k
            model = lgb.train(parameters, data.subset(np.flatnonzero(~mine).tolist()), num_boost_round=best.n_trees)
            guess[mine] = model.predict(matrix[mine], num_threads=THREADS)
        guesses.append(guess)
    prediction = np.mean(guesses, axis=0)
    return replace(best, prediction=prediction, error=float(np.average((target - prediction) ** 2, weights=weight)))


def train_trees(matrix: Floats32, target: Floats, weight: Floats, n_trees: int, settings: TreeSettings) -> lgb.Booster:
    """Fit one booster of so many trees on all rows."""
    import lightgbm as lgb

    parameters = settings.parameters(len(target))
    return lgb.train(parameters, lgb.Dataset(matrix, target, weight=weight, params=parameters), num_boost_round=n_trees)
