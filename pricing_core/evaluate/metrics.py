"""How good predicted purchase probabilities are, in the figures that a manager and an analyst ask for."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from pricing_core.errors import DataError

Floats = NDArray[np.float64]

SMALLEST_PROBABILITY: Final = 1e-12
_NEWTON_STEPS: Final = 50


@dataclass(frozen=True)
class Metrics:
    """Quality of predicted probabilities on rows with a known outcome.

    A figure that the rows cannot answer (the ranking, where everybody bought) is NaN, never zero.

    Attributes
    ----------
    n
        Number of rows.
    base_rate, mean_prediction
        Observed and mean predicted share of purchases.
    log_loss
        Mean of −y ln p − (1 − y) ln(1 − p); lower is better.
    baseline_log_loss
        The same for a forecast that gives every row the base rate.
    auc
        Chance that a random purchase is ranked above a random refusal; one half is guessing.
    accuracy
        Share of rows whose outcome is the likelier one (p ≥ ½). Where few offers sell, "nobody buys" is already
        right nearly always: read it beside ``baseline_accuracy``.
    baseline_accuracy
        Accuracy of always answering the commoner outcome.
    brier
        Mean of (y − p)².
    calibration_intercept, calibration_slope
        a and b of logit P(y = 1) = a + b · logit p; (0, 1) is perfect, b < 1 means that the predictions are too
        extreme.
    n_certain
        Predictions of exactly 0 or 1; for them the logarithms use :data:`SMALLEST_PROBABILITY`.
    """

    n: int
    base_rate: float
    mean_prediction: float
    log_loss: float
    baseline_log_loss: float
    auc: float
    accuracy: float
    baseline_accuracy: float
    brier: float
    calibration_intercept: float
    calibration_slope: float
    n_certain: int

    def to_dict(self) -> dict[str, float]:
        """Figures by name."""
        return asdict(self)

    def to_frame(self) -> pd.DataFrame:
        """One row per figure: ``metric``, ``value``."""
        return pd.DataFrame({"metric": list(self.to_dict()), "value": list(self.to_dict().values())})


def evaluate_probabilities(y: ArrayLike, p: ArrayLike, weight: ArrayLike | None = None) -> Metrics:
    """Judge predicted purchase probabilities against what happened.

    Parameters
    ----------
    y
        Outcome of each row, 0 or 1, shape (n,).
    p
        Predicted probability in [0, 1], shape (n,).
    weight
        How much each row counts, at least zero; default one each.

    Raises
    ------
    DataError
        If the lengths differ, there are no rows, or a value is outside its range.
    """
    outcome, probability, weights = checked_outcomes(y, p, weight)
    total = weights.sum()
    rate = float(weights @ outcome / total)
    safe = np.clip(probability, SMALLEST_PROBABILITY, 1 - SMALLEST_PROBABILITY)
    losses = -(outcome * np.log(safe) + (1 - outcome) * np.log1p(-safe))
    right = (probability >= 0.5) == (outcome == 1)
    intercept, slope = calibration_line(outcome, np.log(safe) - np.log1p(-safe), weights)
    return Metrics(
        n=len(outcome),
        base_rate=rate,
        mean_prediction=float(weights @ probability / total),
        log_loss=float(weights @ losses / total),
        baseline_log_loss=_entropy(rate),
        auc=ranking_quality(outcome, probability, weights),
        accuracy=float(weights @ right / total),
        baseline_accuracy=max(rate, 1 - rate),
        brier=float(weights @ (outcome - probability) ** 2 / total),
        calibration_intercept=intercept,
        calibration_slope=slope,
        n_certain=int(np.sum((probability == 0) | (probability == 1))),
    )


def ranking_quality(outcome: Floats, score: Floats, weight: Floats) -> float:
    """Area under the ROC curve with weights, ties counting one half; NaN where only one outcome occurs."""
    _, position = np.unique(score, return_inverse=True)
    positive = np.bincount(position, weights=weight * outcome)
    negative = np.bincount(position, weights=weight * (1 - outcome))
    pairs = positive.sum() * negative.sum()
    below = np.cumsum(negative) - negative
    return float(positive @ (below + negative / 2) / pairs) if pairs > 0 else float("nan")


def calibration_line(outcome: Floats, logit: Floats, weight: Floats) -> tuple[float, float]:
    """Maximum-likelihood (a, b) of logit P(y = 1) = a + b · ``logit``; NaN where the rows do not determine them.

    Newton's method on two parameters. There is no finite answer where only one outcome occurs, where all
    predictions are equal, or where the predictions separate the outcomes without error.
    """
    nothing = (float("nan"), float("nan"))
    if len(np.unique(outcome[weight > 0])) < 2 or np.ptp(logit[weight > 0]) < 1e-12:
        return nothing
    center = float(weight @ logit / weight.sum())
    design = np.column_stack([np.ones_like(logit), logit - center])
    line = np.array([_logit(float(weight @ outcome / weight.sum())), 0.0])
    for _ in range(_NEWTON_STEPS):
        fitted = 1 / (1 + np.exp(-np.clip(design @ line, -500, 500)))
        curvature = (design * (weight * fitted * (1 - fitted))[:, None]).T @ design
        if not np.all(np.isfinite(curvature)) or np.linalg.cond(curvature) > 1e14:
            return nothing
        step = np.linalg.solve(curvature, design.T @ (weight * (outcome - fitted)))
        # A long first step can overshoot on extreme predictions; it is shortened, and the maximum stays the same.
        line = line + step * min(1.0, 4.0 / max(float(np.abs(step).max()), 1e-300))
        if np.abs(step).max() < 1e-10:
            return float(line[0] - line[1] * center), float(line[1])
    return nothing


def checked_outcomes(y: ArrayLike, p: ArrayLike, weight: ArrayLike | None = None) -> tuple[Floats, Floats, Floats]:
    """Outcome, probability and weight as float arrays of one length, or a :class:`DataError` that says what is off."""
    outcome, probability = np.asarray(y, dtype=float).ravel(), np.asarray(p, dtype=float).ravel()
    weights = np.ones(len(outcome)) if weight is None else np.asarray(weight, dtype=float).ravel()
    if not len(outcome):
        raise DataError("There are no rows to evaluate.", fix="Give at least one row with a known outcome.")
    if not len(outcome) == len(probability) == len(weights):
        raise DataError(
            f"Outcomes, predictions and weights must have one length; they have {len(outcome)}, {len(probability)} "
            f"and {len(weights)} rows."
        )
    _refuse(~np.isin(outcome, (0.0, 1.0)), "outcomes are not 0 or 1")
    _refuse(~((probability >= 0) & (probability <= 1)), "predicted probabilities are missing or outside 0 to 1")
    _refuse(~((weights >= 0) & np.isfinite(weights)), "weights are negative or missing")
    if weights.sum() <= 0:
        raise DataError("All weights are zero.", fix="Give at least one row a weight above zero.")
    return outcome, probability, weights


def _refuse(wrong: NDArray[np.bool_], what: str) -> None:
    if wrong.any():
        raise DataError(f"{int(wrong.sum())} {what}; the first is in row {int(np.argmax(wrong)) + 1}.")


def _logit(rate: float) -> float:
    return float(np.log(rate) - np.log1p(-rate))


def _entropy(rate: float) -> float:
    if rate in (0.0, 1.0):
        return 0.0
    return float(-(rate * np.log(rate) + (1 - rate) * np.log1p(-rate)))
