r"""First stage of the control function: what moved the price, once the instrument has said its part.

Where something unseen moves both the price and the wish to buy, the price variation that no feature explains does not
identify the response. An *instrument* — a cost shock — moves the price alone. With instrument *w* the price is

.. math:: x = \hat e(z) + h(z, w) + v

and the residual *v* holds whatever else moved it, the unseen included. Entered into the utility with a coefficient of
its own, *v* takes up what it shares with demand, and the rest of the price variation, that of *w*, tells the response
(Petrin & Train, "A Control Function Approach to Endogeneity in Consumer Choice Models"). A decision does not know *v*:
it averages over its distribution.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

WEAK_F: Final = 10.0
"""F below which an instrument counts as too weak to be used (Staiger & Stock, 1997)."""

_FOLDS = 3
_NODES = 5
_RIDGE = 1e-3
_TREES = (0, 10, 20, 40, 80)


@dataclass(frozen=True)
class FirstStage:
    """What the instrument says of the price.

    Attributes
    ----------
    residual
        *v* of each row (n,), cross-fitted over customers, in its own standard deviations.
    scale
        Standard deviation of *v*, relative to the reference price.
    f_statistic
        Of the instrument, beside all features; robust to unequal variances.
    partial_r2
        Share of the price variation left by the features that the instrument explains.
    missing
        Rows without an instrument; their residual is zero.
    """

    residual: Floats
    scale: float
    f_statistic: float
    partial_r2: float
    missing: int

    @property
    def weak(self) -> bool:
        """Whether the instrument moves the price too little to be of use."""
        return not self.f_statistic >= WEAK_F

    def facts(self) -> dict[str, Any]:
        """JSON-able account."""
        return {
            "f_statistic": self.f_statistic,
            "partial_r2": self.partial_r2,
            "residual_sd": self.scale,
            "missing": self.missing,
            "weak": self.weak,
        }


def instrument_stage(
    offers: pd.DataFrame,
    matrix: Callable[[], NDArray[Any]],
    expected: Floats,
    x: Floats,
    weight: Floats,
    customer: Ints,
    random_state: int = 0,
) -> FirstStage | None:
    """First stage of offers that have the column ``instrument``; None where they have not, or know none of its values.

    ``matrix`` is called for the features only where they are needed; the others as in :func:`fit_first_stage`.
    """
    if "instrument" not in offers.columns:
        return None
    instrument = pd.to_numeric(offers["instrument"], errors="coerce").to_numpy(dtype=float)
    if not np.isfinite(instrument).any():
        return None
    return fit_first_stage(matrix(), instrument, expected, x, weight, customer, random_state=random_state)


def fit_first_stage(
    matrix: NDArray[Any],
    instrument: Floats,
    expected: Floats,
    x: Floats,
    weight: Floats,
    customer: Ints,
    *,
    random_state: int = 0,
) -> FirstStage:
    """Explain the price by features and instrument, cross-fitted over customers: a line, then boosted trees.

    Parameters
    ----------
    matrix
        Features (n, k).
    instrument
        (n,), NaN where unknown.
    expected
        Price expected without the instrument, cross-fitted (n,).
    x
        Relative price (n,).
    weight, customer
        Weight and number of the customer of each row (n,).
    """
    known = np.isfinite(instrument)
    blank = np.zeros(len(x))
    if known.sum() < 50 or np.ptp(instrument[known]) == 0:
        return FirstStage(blank, 0.0, 0.0, 0.0, int((~known).sum()))
    fold = np.random.default_rng([random_state, 41]).permutation(int(customer.max()) + 1)[customer] % _FOLDS
    rows = np.flatnonzero(known)
    features = _standardized(np.asarray(matrix, dtype=float)[rows])
    shifter = _standardized(instrument[rows, None])[:, 0]
    rest, mass, part = (x - expected)[rows], weight[rows], fold[rows]
    f_statistic, partial_r2 = _strength(features, shifter, rest, mass, part)
    bent = np.column_stack([features, shifter, shifter**2, features * shifter[:, None]])
    line = _line(bent, rest, mass, part)
    trees = _trees(np.column_stack([features, shifter]).astype(np.float32), rest - line, mass, part, random_state)
    residual = rest - line - trees
    residual -= np.average(residual, weights=mass)
    scale = float(np.sqrt(np.average(residual**2, weights=mass)))
    found = blank
    found[rows] = residual / max(scale, 1e-9)
    return FirstStage(found, scale, f_statistic, partial_r2, int((~known).sum()))


def residual_nodes(residual: Floats, weight: Floats) -> Floats:
    """Return equally likely values (5,) that stand for the distribution of the residual: its mean and its spread."""
    share = (np.arange(_NODES) + 0.5) / _NODES
    nodes = np.quantile(residual, share, weights=weight, method="inverted_cdf")
    mean = np.average(residual, weights=weight)
    spread = np.sqrt(np.average((residual - mean) ** 2, weights=weight))
    nodes = nodes - nodes.mean()
    return np.asarray(mean + nodes * spread / max(float(nodes.std()), 1e-9))


def _strength(features: Floats, shifter: Floats, rest: Floats, weight: Floats, fold: Ints) -> tuple[float, float]:
    """F and partial R² of the instrument's own part, what features explain of it being taken out."""
    own = shifter - _line(features, shifter, weight, fold)
    left = rest - _line(features, rest, weight, fold)
    mass = float(np.sum(weight * own**2))
    slope = float(np.sum(weight * own * left)) / max(mass, 1e-12)
    error = left - slope * own
    variance = float(np.sum((weight * own * error) ** 2)) / max(mass, 1e-12) ** 2
    explained = 1 - float(np.sum(weight * error**2)) / max(float(np.sum(weight * left**2)), 1e-12)
    return slope**2 / max(variance, 1e-12), max(explained, 0.0)


def _line(design: Floats, target: Floats, weight: Floats, fold: Ints) -> Floats:
    """Ridge regression with an intercept; each row predicted by the folds without it (n,)."""
    full = np.column_stack([np.ones(len(target)), design])
    found = np.empty(len(target))
    for k in range(_FOLDS):
        mine = fold == k
        heavy = full[~mine] * weight[~mine, None]
        gram = heavy.T @ full[~mine]
        penalty = _RIDGE * weight[~mine].sum() * np.eye(full.shape[1])
        penalty[0, 0] = 0.0
        found[mine] = full[mine] @ np.linalg.solve(gram + penalty, heavy.T @ target[~mine])
    return found


def _trees(matrix: NDArray[np.float32], target: Floats, weight: Floats, fold: Ints, seed: int) -> Floats:
    """What boosted trees add to the line, each row predicted by the folds without it; none where they do not help."""
    import lightgbm as lgb

    parameters = {
        "objective": "regression", "num_leaves": 15, "learning_rate": 0.1, "lambda_l2": 1.0, "max_bin": 63,
        "min_data_in_leaf": max(5, min(100, len(target) // 200)), "seed": seed, "deterministic": True,
        "force_row_wise": True, "num_threads": 2, "verbosity": -1,
    }  # fmt: skip
    guesses = {size: np.zeros(len(target)) for size in _TREES}
    for k in range(_FOLDS):
        mine = fold == k
        data = lgb.Dataset(matrix[~mine], target[~mine], weight=weight[~mine], params=parameters)
        model = lgb.train(parameters, data, num_boost_round=_TREES[-1])
        for size in _TREES[1:]:
            guesses[size][mine] = model.predict(matrix[mine], num_iteration=size, num_threads=2)
    best = min(_TREES, key=lambda size: float(np.average((target - guesses[size]) ** 2, weights=weight)))
    return guesses[best]


def _standardized(values: Floats) -> Floats:
    spread = values.std(axis=0)
    return np.asarray((values - values.mean(axis=0)) / np.where(spread > 1e-9, spread, 1.0))
