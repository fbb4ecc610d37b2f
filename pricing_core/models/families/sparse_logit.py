r"""Logistic regression with an L1 penalty, by proximal Newton steps.

Minimizes

.. math:: \frac{1}{\sum_i w_i} \sum_i w_i \bigl(\ln(1 + e^{\eta_i}) - y_i \eta_i\bigr) + \lambda \sum_{j} r_j |\theta_j|

with :math:`\eta = A\theta`. Each step replaces the loss by its quadratic at the current coefficients, whose minimum is
found by accelerated proximal gradients on the Gram matrix, so that only a few passes over the rows are needed.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

Floats = NDArray[Any]

_STEPS = 20
_INNER_STEPS = 600
_CURVATURE_ROWS = 30  # rows per column that are enough to know the curvature well; the gradient takes all rows


def largest_penalty(design: Floats, y: Floats, weight: Floats, relative: Floats, start: Floats) -> float:
    """Smallest λ at which no penalized coefficient leaves zero, given the others at ``start`` (p,)."""
    share = (weight / weight.sum()).astype(design.dtype)
    slope = np.abs(design.T @ (share * (expit(design @ start.astype(design.dtype)) - y)))
    penalized = relative > 0
    return float(np.max(slope[penalized] / relative[penalized], initial=1e-6))


def sparse_logit(
    design: Floats, y: Floats, weight: Floats, penalty: float, relative: Floats, start: Floats, *, ridge: float = 1e-6
) -> Floats:
    """Coefficients (p,) under the penalty λ.

    Parameters
    ----------
    design
        A, (n, p).
    y, weight
        Outcomes 0 or 1, and what each row counts, (n,).
    penalty
        λ ≥ 0, on the scale of the mean loss.
    relative
        :math:`r` (p,), how much of the penalty each coefficient bears; zero leaves it free.
    start
        Coefficients to start from.
    ridge
        A little quadratic penalty, so that columns that repeat each other share their effect.

    References
    ----------
    Lee, Sun and Saunders (2014), "Proximal Newton-type methods for minimizing composite functions"; Beck and Teboulle
    (2009) for the inner steps.
    """
    share = (weight / weight.sum()).astype(design.dtype)
    theta, bound = start.astype(float), penalty * relative
    logit = design @ theta.astype(design.dtype)
    value = _objective(logit, y, share, theta, bound, ridge)
    for _ in range(_STEPS):
        chance = expit(logit)
        steep = share * np.maximum(chance * (1 - chance), 1e-4).astype(design.dtype)
        gradient = (design.T @ (share * (chance - y))).astype(float) + ridge * theta
        gram = _curvature(design, steep)
        gram[np.diag_indices_from(gram)] += ridge
        move = _minimum_of_quadratic(gram, gradient - gram @ theta, bound, theta) - theta
        along, size = design @ move.astype(design.dtype), 1.0
        for _ in range(12):
            found = _objective(logit + size * along, y, share, theta + size * move, bound, ridge)
            if found <= value + 1e-12:
                break
            size /= 2
        else:
            break
        theta, logit = theta + size * move, logit + size * along
        gain, value = value - found, found
        if gain < 1e-7 * max(abs(value), 1e-3):
            break
    return theta


def _curvature(design: Floats, steep: Floats) -> Floats:
    """Gram matrix A'diag(steep)A, from rows at even distances where there are many."""
    step = max(1, len(steep) // max(_CURVATURE_ROWS * design.shape[1], 8_000))
    some, rows = steep[::step], design[::step]
    scale = float(steep.sum(dtype=float) / max(float(some.sum(dtype=float)), 1e-300))
    return np.asarray(((rows * some[:, None]).T @ rows).astype(float) * scale)


def pooled_curve(x: Floats, y: Floats, expected: Floats, weight: Floats) -> tuple[float, float]:
    """Log-odds at the expected price and price sensitivity of all rows together, the latter above zero.

    From a logit on the price variation that no feature explains, x − ê, and on ê. Where the rows say that demand does
    not fall with price, the sensitivity is a fall of the log-odds by a tenth per standard deviation of the price.
    """
    spread = max(float(np.std(x)), 1e-6)
    design = np.column_stack([np.ones(len(x)), -(x - expected) / spread, (expected - expected.mean()) / spread])
    theta = sparse_logit(design, y, weight, 0.0, np.zeros(3), np.zeros(3))
    return float(theta[0]), float(max(theta[1], 0.1) / spread)


def _minimum_of_quadratic(gram: Floats, linear: Floats, bound: Floats, start: Floats) -> Floats:
    """Minimum of θ'Gθ/2 + linear'θ + Σ bound |θ|, by accelerated proximal gradients with restarts."""
    # Scaled to a unit diagonal, the quadratic is round enough for a few hundred cheap steps.
    scale = 1 / np.sqrt(np.diag(gram))
    scaled, slope, limit = gram * scale * scale[:, None], linear * scale, bound * scale
    step = 1 / _largest_eigenvalue(scaled)
    here = start / scale
    ahead, momentum = here.copy(), 1.0
    for _ in range(_INNER_STEPS):
        moved = ahead - step * (scaled @ ahead + slope)
        new = np.sign(moved) * np.maximum(np.abs(moved) - step * limit, 0.0)
        change = new - here
        if (ahead - new) @ change > 0:
            momentum = 1.0
        following = (1 + np.sqrt(1 + 4 * momentum**2)) / 2
        ahead = new + (momentum - 1) / following * change
        here, momentum = new, following
        if np.abs(change).max() < 1e-7 * max(np.abs(here).max(), 1e-3):
            break
    return np.asarray(here * scale)


def _largest_eigenvalue(matrix: Floats) -> float:
    return float(np.linalg.eigvalsh(matrix)[-1])


def _objective(logit: Floats, y: Floats, share: Floats, theta: Floats, bound: Floats, ridge: float) -> float:
    loss = float(np.sum(share * (np.logaddexp(0, logit) - y * logit), dtype=float))
    return loss + float(bound @ np.abs(theta)) + 0.5 * ridge * float(theta @ theta)
