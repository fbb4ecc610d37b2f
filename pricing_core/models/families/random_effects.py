r"""Logistic regression with effects per product around common coefficients, each group with its own spread.

.. math:: \eta_i = A_i \theta + a_{j(i)} - b_{j(i)} u_i, \qquad
          \theta_g \sim N(0, \sigma_g^2 I), \quad a_j \sim N(0, \sigma_a^2), \quad b_j \sim N(0, \sigma_b^2)

The spreads are estimated by empirical Bayes: after each Newton step a spread becomes the mean of squared effects plus
their posterior variance (Laplace). Products meet only in the common coefficients, so that their effects are eliminated
product by product and thousands of products cost no more than a few.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

Floats = NDArray[Any]
Ints = NDArray[np.int64]

_SMALLEST_VARIANCE, _LARGEST_VARIANCE = 1e-6, 25.0
_ROUNDS, _STEPS = 14, 8


@dataclass(frozen=True)
class EffectRows:
    """Rows in the order of their product.

    ``design`` A (n, p), standardized price ``u``, outcome ``y`` (n,), and for each product with rows the ``first`` of
    them, (J,).
    """

    design: Floats
    u: Floats
    y: Floats
    first: Ints

    @property
    def spans(self) -> Ints:
        """Rows per product, (J,)."""
        return np.diff(np.append(self.first, len(self.y)))


@dataclass(frozen=True)
class Effects:
    """Common coefficients (p,), and level and slope of each product (J, 2)."""

    common: Floats
    product: Floats


def empirical_bayes(
    rows: EffectRows, weight: Floats, groups: Ints, free: Ints, start: Effects
) -> tuple[Effects, Floats, Floats]:
    """Most likely effects together with the spread of each group.

    Parameters
    ----------
    weight
        What each row counts, (n,).
    groups
        Group of each common coefficient, 0 … G − 1, (p,).
    free
        Common coefficients without a prior.
    start
        Effects to start from.

    Returns
    -------
    tuple
        Effects, variance of each common coefficient (p,), variances of product levels and slopes (2,).

    References
    ----------
    MacKay (1992); Wood and Fasiolo (2017), "A generalized Fellner-Schall method".
    """
    # A single product cannot differ from others.
    variance, spread = np.full(len(groups), 0.1), np.full(2, 0.1 if len(rows.first) > 1 else _SMALLEST_VARIANCE)
    effects = start
    for _ in range(_ROUNDS):
        effects, (common, product), _ = _newton(rows, weight, effects, _precision(variance, free), 1 / spread)
        before = np.append(variance, spread)
        squares = effects.common**2 + common
        variance = np.bincount(groups, squares)[groups] / np.bincount(groups)[groups]
        spread = (effects.product**2 + product).mean(axis=0) if len(effects.product) > 1 else spread
        variance = np.clip(variance, _SMALLEST_VARIANCE, _LARGEST_VARIANCE)
        spread = np.clip(spread, _SMALLEST_VARIANCE, _LARGEST_VARIANCE)
        if np.abs(np.log(np.append(variance, spread) / before)).max() < 0.05:
            break
    return effects, variance, spread


def most_likely(
    rows: EffectRows, weight: Floats, variance: Floats, spread: Floats, free: Ints, start: Effects, center: Floats
) -> Effects:
    """Most likely effects with given spreads, where the products' prior has its mean at ``center`` (J, 2)."""
    effects = start
    for _ in range(_STEPS):
        effects, _, moved = _newton(
            rows, weight, effects, _precision(variance, free), 1 / spread, center=center, variances=False
        )
        if moved < 1e-5:
            break
    return effects


def _precision(variance: Floats, free: Ints) -> Floats:
    precision = 1 / variance
    precision[free] = 1e-4
    return precision


def _newton(
    rows: EffectRows,
    weight: Floats,
    effects: Effects,
    precision: Floats,
    product_precision: Floats,
    *,
    center: Floats | float = 0.0,
    variances: bool = True,
) -> tuple[Effects, tuple[Floats, Floats], float]:
    """One damped Newton step; also the posterior variances of both kinds of effects, and the size of the step."""
    design, u, kind = rows.design, rows.u, rows.design.dtype
    a, b = (np.repeat(effects.product[:, k], rows.spans).astype(kind) for k in (0, 1))
    chance = expit(design @ effects.common.astype(kind) + a - b * u)
    steep = (weight * np.maximum(chance * (1 - chance), 1e-5)).astype(kind)
    missed = (weight * (rows.y - chance)).astype(kind)
    weighted = design * steep[:, None]
    common = (weighted.T @ design).astype(float) + np.diag(precision)
    pull = (design.T @ missed).astype(float) - precision * effects.common
    # The 2 × 2 block of each product, what ties it to the common coefficients, and its own pull.
    first, priced = rows.first, -u
    block = np.empty((len(first), 2, 2))
    block[:, 0, 0] = np.add.reduceat(steep, first, dtype=float) + product_precision[0]
    block[:, 0, 1] = block[:, 1, 0] = np.add.reduceat(steep * priced, first, dtype=float)
    block[:, 1, 1] = np.add.reduceat(steep * priced**2, first, dtype=float) + product_precision[1]
    tied = np.stack(
        [np.add.reduceat(weighted, first, axis=0), np.add.reduceat(weighted * priced[:, None], first, axis=0)], axis=1
    ).astype(float)
    own = np.stack([np.add.reduceat(missed, first, dtype=float), np.add.reduceat(missed * priced, first, dtype=float)])
    own = own.T - product_precision * (effects.product - center)
    inverse = np.linalg.inv(block)
    passed = np.matmul(inverse, tied)  # (J, 2, p)
    flat, through = tied.reshape(-1, tied.shape[2]), passed.reshape(-1, tied.shape[2])
    reduced = common - flat.T @ through
    move = np.linalg.solve(reduced, pull - through.T @ own.ravel())
    move_product = np.matmul(inverse, own[:, :, None])[:, :, 0] - np.matmul(passed, move)
    size = max(float(np.abs(move).max()), float(np.abs(move_product).max()))
    damp = min(1.0, 2.0 / max(size, 1e-12))
    moved = Effects(effects.common + damp * move, effects.product + damp * move_product)
    if not variances:
        return moved, (np.empty(0), np.empty(0)), size
    covariance = np.linalg.inv(reduced)
    spread = np.stack([inverse[:, k, k] for k in (0, 1)], axis=1)
    spread += np.einsum("jkp,pq,jkq->jk", passed, covariance, passed, optimize=True)
    return moved, (np.diag(covariance), spread), size
