"""What trees make of the level of demand, for a network to learn from beside the outcomes.

Where few offers sell, an outcome says little about its offer: it is a refusal, as nearly all are. Trees find the level
of demand from few such outcomes, a network finds how it bends with price. A network therefore learns the level from
both: from what happened, and from the chance ``g`` of a purchase at the expected price that trees see there
("distillation", Hinton, Vinyals & Dean 2015). With the logit of the network at the expected price, ``m = α − β ê``, its
loss is

    (1 − w) · ln-loss(y; α − β x) + w · ln-loss(g; m),

so that only outcomes say how demand answers to a price that differs from the expected one. The trees of a half of the
customers learn from that half alone, as its network does: the other half stays a judge that neither has seen. They are
thrown away after training; nothing else about the network changes.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from pricing_core.models.folds import N_FOLDS
from pricing_core.models.learning_rows import LearningRows, sells_rarely
from pricing_core.models.pricing_trees import THREADS

Floats32 = NDArray[np.float32]
Ints = NDArray[np.int64]

_LEAST_ROWS: Final = 30_000  # of both halves; with fewer, trees take more from chance than they know of the level
_TREES: Final = 120
_LEAVES: Final = 15
_STEP: Final = 0.07
_FEATURES: Final = 0.4  # share of the features that each tree may use


def level_guides(rows: LearningRows, fold: Ints, share: float, random_state: int) -> list[Floats32 | None]:
    """Chance of a purchase at the expected price that trees see at the rows of each half of the customers.

    Parameters
    ----------
    rows
        Rows to learn from, with their expected prices.
    fold
        Half to which each row's customer belongs (n,).
    share
        What the guides will count in the loss; with none there is nothing to do.
    random_state
        Seed.

    Returns
    -------
    list
        For each half chances in (0, 1), one for each of its rows in order, from boosted trees that learned from these
        rows and in which no chance rises with the price. None where outcomes are enough: where more than a few offers
        sell, where there are few rows, and with an instrument, which splits the level in two.
    """
    if not share or rows.residual is not None or rows.batch.n < _LEAST_ROWS or not sells_rarely(rows.y, rows.weight):
        return [None] * N_FOLDS
    return [_guide(rows, np.flatnonzero(fold == k), random_state) for k in range(N_FOLDS)]


def _guide(rows: LearningRows, index: Ints, random_state: int) -> Floats32:
    import lightgbm as lgb

    matrix = _matrix(rows, index)
    parameters: dict[str, Any] = {
        "objective": "binary",
        "num_leaves": _LEAVES,
        "learning_rate": _STEP,
        "feature_fraction": _FEATURES,
        "min_data_in_leaf": max(5, min(100, len(index) // 200)),
        "monotone_constraints": [-1] + [0] * (matrix.shape[1] - 1),
        "seed": random_state,
        "deterministic": True,
        "force_row_wise": True,
        "num_threads": THREADS,
        "verbosity": -1,
    }
    data = lgb.Dataset(matrix, rows.y[index], weight=rows.weight[index], params=parameters)
    booster = lgb.train(parameters, data, num_boost_round=_TREES)
    matrix[:, 0] = matrix[:, 1]  # what they say at the expected price
    return np.asarray(booster.predict(matrix, num_threads=THREADS), dtype=np.float32)


def _matrix(rows: LearningRows, index: Ints) -> Floats32:
    """Relative price, expected price, and the columns that all trees read, (n, columns)."""
    batch = rows.batch
    blocks: list[Floats32] = [getattr(batch, block)[index] for block in ("customer", "product", "market")]
    single: list[NDArray[Any]] = [rows.x[index], batch.expected_price[index], batch.product_code[index]]
    first, second, last = (values[:, None].astype(np.float32) for values in single)
    return np.hstack([first, second, *blocks, last])
