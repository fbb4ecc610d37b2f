"""Shapley values: how much each feature moves an answer away from the average over other offers.

For a row x and a background row b, features are switched one after the other, in random order, from b's value to x's,
and each is credited with the change it causes. Averaged over all orders and over the background these credits are the
(interventional) Shapley values. Here every background row gets its own random orders, each together with its reverse,
which cancels much of the noise; and since every walk leads from f(b) to f(x), the values add up exactly whatever the
number of walks.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pricing_core.errors import ConfigError, DataError
from pricing_core.explain.mixing import FeatureBatch, Floats, Ints, Outcome, answers, checked_pair

_BLOCK: Final = 16_384


@dataclass(frozen=True)
class ShapResult:
    """Shapley values of *n* rows and G features.

    Attributes
    ----------
    feature_names
        Readable names, G of them.
    values
        Contribution of each feature in the unit of the answer, shape (n, G).
    base_value
        Average answer over the background.
    prediction
        Answer for each row, shape (n,).
    additivity_error
        Largest |base value + sum of contributions − answer| over the rows.
    standard_error
        Sampling error of ``values`` from the choice of orders and background rows, shape (n, G); zero where exact.
    displayed
        Values of the features as a person reads them, n × G; None where not given.
    """

    feature_names: tuple[str, ...]
    values: Floats
    base_value: float
    prediction: Floats
    additivity_error: float
    standard_error: Floats
    displayed: pd.DataFrame | None = None

    def scaled(self, factor: float) -> ShapResult:
        """The same answer in another unit: every number times ``factor``."""
        return replace(
            self,
            values=self.values * factor,
            base_value=self.base_value * factor,
            prediction=self.prediction * factor,
            additivity_error=self.additivity_error * abs(factor),
            standard_error=self.standard_error * abs(factor),
        )

    def importance(self) -> pd.DataFrame:
        """Features by mean |contribution|, largest first: ``feature, mean_abs, mean, share``."""
        size = np.abs(self.values).mean(axis=0)
        total = size.sum()
        table = pd.DataFrame(
            {
                "feature": list(self.feature_names),
                "mean_abs": size,
                "mean": self.values.mean(axis=0),
                "share": size / total if total > 0 else np.full(len(size), np.nan),
            }
        )
        return table.sort_values("mean_abs", ascending=False, kind="stable", ignore_index=True)

    def to_frame(self, row: int = 0) -> pd.DataFrame:
        """One row's features, largest contribution first: ``feature, displayed, contribution, standard_error``."""
        shown = [""] * len(self.feature_names)
        if self.displayed is not None:
            shown = [_as_text(self.displayed.iloc[row].get(name)) for name in self.feature_names]
        table = pd.DataFrame(
            {
                "feature": list(self.feature_names),
                "displayed": shown,
                "contribution": self.values[row],
                "standard_error": self.standard_error[row],
            }
        )
        order = np.argsort(-np.abs(self.values[row]), kind="stable")
        return table.iloc[order].reset_index(drop=True)


def shap_values(
    f: Outcome,
    batch: FeatureBatch,
    background: FeatureBatch,
    *,
    n_permutations: int = 4,
    random_state: int = 0,
    displayed: pd.DataFrame | None = None,
) -> ShapResult:
    """Shapley values of one outcome.

    Parameters
    ----------
    f
        Answer for each row of a batch, shape (n,).
    batch
        Rows to explain.
    background
        Rows that stand for "a typical offer"; 50 are enough for one row, 10 to 20 for the mean over many.
    n_permutations
        Random orders per background row; each is walked forward and backward. The model is asked for
        n · background · 2 · n_permutations · (G − 1) rows.
    random_state
        Seed of the orders.
    displayed
        Readable values of ``batch``, a column per feature.

    References
    ----------
    Štrumbelj and Kononenko (2014); Lundberg and Lee (2017); Mitchell et al. (2022) for the reversed orders.
    """
    found = shap_outcomes(
        f, batch, background, outcomes=("answer",), n_permutations=n_permutations, random_state=random_state,
        displayed=displayed,
    )  # fmt: skip
    return found["answer"]


def shap_outcomes(
    f: Outcome,
    batch: FeatureBatch,
    background: FeatureBatch,
    *,
    outcomes: Sequence[str],
    n_permutations: int = 4,
    random_state: int = 0,
    displayed: pd.DataFrame | None = None,
) -> dict[str, ShapResult]:
    """Shapley values of several outcomes that one call of the model answers, as (n, K) with K = len(outcomes).

    Asking for all at once costs as much as asking for one; see :func:`shap_values` for the parameters.

    Raises
    ------
    ConfigError
        If there is no order to draw.
    DataError
        If the batches do not match or the model's answers are not finite numbers of the expected shape.
    """
    names = checked_pair(batch, background)
    if n_permutations < 1:
        raise ConfigError(f"n_permutations is {n_permutations}; it must be at least 1.")
    prediction, typical = answers(f, batch), answers(f, background)
    if prediction.shape[1] != len(outcomes):
        raise DataError(f"The model gave {prediction.shape[1]} answers per row for {len(outcomes)} outcomes.")
    n, g, k = batch.n, len(names), len(outcomes)
    total, squares = np.zeros((n, g, k)), np.zeros((n, g, k))
    rng = np.random.default_rng(random_state)
    n_walks = background.n * n_permutations
    for rows, others, order in _walks(n, background.n, n_permutations, g, rng):
        forward = _credits(f, batch, background, rows, others, order, prediction, typical)
        backward = _credits(f, batch, background, rows, others, order[:, ::-1], prediction, typical)
        credit = (forward + backward) / 2
        np.add.at(total, rows, credit)
        np.add.at(squares, rows, credit**2)
    values = total / n_walks
    spread = np.maximum(squares / n_walks - values**2, 0.0)
    error = np.sqrt(spread / max(n_walks - 1, 1))
    base = typical.mean(axis=0)
    return {
        name: ShapResult(
            feature_names=names,
            values=values[:, :, j],
            base_value=float(base[j]),
            prediction=prediction[:, j],
            additivity_error=float(np.abs(base[j] + values[:, :, j].sum(axis=1) - prediction[:, j]).max()),
            standard_error=error[:, :, j],
            displayed=displayed,
        )
        for j, name in enumerate(outcomes)
    }


def _walks(
    n: int, n_background: int, n_permutations: int, g: int, rng: np.random.Generator
) -> Iterator[tuple[Ints, Ints, Ints]]:
    """Blocks of (row, background row, order of features) that together hold every pair ``n_permutations`` times."""
    rows, others = (part.ravel() for part in np.indices((n, n_background * n_permutations)))
    size = max(1, _BLOCK // max(g - 1, 1))
    for start in range(0, len(rows), size):
        block = slice(start, start + size)
        order = rng.permuted(np.tile(np.arange(g), (len(rows[block]), 1)), axis=1)
        yield rows[block], others[block] % n_background, order


def _credits(
    f: Outcome,
    batch: FeatureBatch,
    background: FeatureBatch,
    rows: Ints,
    others: Ints,
    order: Ints,
    prediction: Floats,
    typical: Floats,
) -> Floats:
    """Change that each feature causes on its walk from background row to row, shape (walks, G, K)."""
    walks, g = order.shape
    path = np.empty((walks, g + 1, prediction.shape[1]))
    path[:, 0], path[:, g] = typical[others], prediction[rows]
    if g > 1:
        step = np.empty_like(order)
        np.put_along_axis(step, order, np.broadcast_to(np.arange(g), order.shape), axis=1)
        switched = step[:, None, :] < np.arange(1, g)[None, :, None]
        mine, theirs = batch.take(np.repeat(rows, g - 1)), background.take(np.repeat(others, g - 1))
        mixed = mine.mix(theirs, switched.reshape(-1, g))
        path[:, 1:g] = answers(f, mixed).reshape(walks, g - 1, -1)
    credit = np.empty((walks, g, prediction.shape[1]))
    np.put_along_axis(credit, order[:, :, None], np.diff(path, axis=1), axis=1)
    return credit


def tree_shap_values(
    booster: Any, matrix: NDArray[Any], groups: Mapping[str, Sequence[int]], *, displayed: pd.DataFrame | None = None
) -> ShapResult:
    """Shapley values of a LightGBM model, computed by LightGBM itself along its trees (no sampling).

    Parameters
    ----------
    booster
        Fitted ``lightgbm.Booster`` with one output.
    matrix
        Columns as the booster was fitted on, shape (n, columns).
    groups
        Readable feature → positions of its columns, whose contributions are added up; every column in exactly one.

    Raises
    ------
    DataError
        If the groups leave out or repeat a column.
    """
    columns = [c for positions in groups.values() for c in positions]
    if sorted(columns) != list(range(matrix.shape[1])):
        raise DataError(f"The feature groups hold {len(columns)} columns where the model has {matrix.shape[1]}.")
    parts = np.asarray(booster.predict(matrix, pred_contrib=True), dtype=float)
    values = np.column_stack([parts[:, list(positions)].sum(axis=1) for positions in groups.values()])
    prediction = np.asarray(booster.predict(matrix, raw_score=True), dtype=float)
    return ShapResult(
        feature_names=tuple(groups),
        values=values,
        base_value=float(parts[0, -1]),
        prediction=prediction,
        additivity_error=float(np.abs(parts[:, -1] + values.sum(axis=1) - prediction).max()),
        standard_error=np.zeros_like(values),
        displayed=displayed,
    )


def mean_result(results: Sequence[ShapResult]) -> ShapResult:
    """Shapley values of the mean of several models' answers: the mean of their Shapley values.

    Raises
    ------
    DataError
        If there is no result, or the features differ.
    """
    if not results or any(each.feature_names != results[0].feature_names for each in results):
        raise DataError("Only Shapley values of the same features can be averaged.")
    values = np.mean([each.values for each in results], axis=0)
    base = float(np.mean([each.base_value for each in results]))
    prediction = np.mean([each.prediction for each in results], axis=0)
    return replace(
        results[0],
        values=values,
        base_value=base,
        prediction=prediction,
        additivity_error=float(np.abs(base + values.sum(axis=1) - prediction).max()),
        standard_error=np.zeros_like(values),
    )


def _as_text(value: Any) -> str:
    if pd.isna(value):
        return "unknown"
    if isinstance(value, float | np.floating):
        number = float(value)
        return f"{number:,.3g}" if abs(number) < 1_000 else f"{number:,.0f}"
    return str(value)
