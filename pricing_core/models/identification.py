r"""What identifies the effect of the price: an instrument, or the price variation that no feature explains.

Without an instrument nobody can know whether something unseen moved both prices and demand. What can be said is how
strong it would have to be, and how strong the observed features are (Cinelli & Hazlett, "Making Sense of Sensitivity").
A feature's strength is told by two shares: of the price variation left by the other features that it explains
(:math:`R^2_p`), and of the variation of the log odds (:math:`R^2_d`). A shock of these strengths moves the price
sensitivity, per unit of relative price, by

.. math:: \gamma = \frac{s \, r}{\sigma_x}, \qquad r = \sqrt{R^2_p}, \quad
          s = \frac{\pi}{\sqrt 3} \sqrt{\frac{R^2_d}{1 - R^2_d}}

with :math:`\sigma_x` the standard deviation of the price variation that no feature explains and :math:`\pi^2/3` the
variance of the logistic distribution.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from pricing_core.models.control import FirstStage
from pricing_core.models.learning_rows import LearningRows

Floats = NDArray[np.float64]

LOGISTIC_SD: Final = float(np.pi / np.sqrt(3.0))
MOST_BENCHMARKS: Final = 12

_ROWS = 40_000
_RIDGE = 1e-3


def identification(rows: LearningRows, stage: FirstStage | None, random_state: int = 0) -> dict[str, Any]:
    """JSON-able account: the instrument where there is one, the price variation, and how strong features are.

    Returns
    -------
    dict
        ``instrument``: facts of the first stage, or None; ``used``: whether the control function is on;
        ``price_sd``: standard deviation of the price variation that no feature explains; ``benchmarks``: the strongest
        features, each with ``feature, price_share, demand_share, slope_shift``.
    """
    left = rows.x - rows.batch.expected_price.astype(float)
    return {
        "instrument": None if stage is None else stage.facts(),
        "used": rows.residual is not None,
        "price_sd": float(np.sqrt(np.average(left**2, weights=rows.weight))),
        "benchmarks": observed_strengths(rows, random_state),
    }


def slope_shift(price_share: Any, demand_share: Any, price_sd: float) -> Any:
    """By how much a shock of these strengths moves the price sensitivity; shares in [0, 1)."""
    demand = np.asarray(demand_share, dtype=float)
    return LOGISTIC_SD * np.sqrt(demand / (1 - demand) * np.asarray(price_share, dtype=float)) / max(price_sd, 1e-9)


def observed_strengths(rows: LearningRows, random_state: int = 0) -> list[dict[str, Any]]:
    """How strongly each observed feature is tied to price and demand, beside all others; strongest first.

    Price: share of the variance of the relative price, left by the other features, that the feature explains. Demand:
    variance of the feature's own part of the log odds in a logit on all features, over that variance plus π²/3.
    """
    pick = np.sort(np.random.default_rng([random_state, 43]).permutation(rows.batch.n)[:_ROWS])
    mine = rows.take(pick)
    design, columns = _design(mine)
    if not columns:
        return []
    price_sd = max(float((mine.x - mine.batch.expected_price).std()), 1e-9)
    by_price, gram = _linear(design, mine.x, mine.weight)
    by_demand = _logit(np.column_stack([design, mine.x - mine.batch.expected_price]), mine.y, mine.weight)
    error = float(np.average((mine.x - design @ by_price) ** 2, weights=mine.weight))
    found: list[dict[str, Any]] = []
    for name, place in columns.items():
        # The feature's own part: what the other features do not tell of it has this covariance.
        own = np.linalg.inv(np.linalg.inv(gram)[np.ix_(place, place)])
        explained = float(by_price[place] @ own @ by_price[place])
        taste = float(by_demand[place] @ own @ by_demand[place])
        shares = explained / (explained + error), taste / (taste + LOGISTIC_SD**2)
        shift = float(slope_shift(*shares, price_sd))
        found.append({"feature": name, "price_share": shares[0], "demand_share": shares[1], "slope_shift": shift})
    return sorted(found, key=lambda each: (-float(each["slope_shift"]), str(each["feature"])))[:MOST_BENCHMARKS]


def _design(rows: LearningRows) -> tuple[Floats, dict[str, list[int]]]:
    """Features side by side after a column of ones, and the columns of each."""
    batch = rows.batch
    blocks = ("customer", "product", "market")
    matrix = np.hstack([np.ones((batch.n, 1)), *(getattr(batch, name).astype(float) for name in blocks)])
    columns = {name: place for name, place in batch.columns_of(blocks, start=1).items() if place[-1] < matrix.shape[1]}
    return matrix, columns


def _linear(design: Floats, target: Floats, weight: Floats) -> tuple[Floats, Floats]:
    """Ridge regression, and the mean squares and products of the design."""
    heavy = design * (weight / weight.sum())[:, None]
    gram = heavy.T @ design + _RIDGE * np.eye(design.shape[1])
    return np.linalg.solve(gram, heavy.T @ target), gram


def _logit(design: Floats, y: Floats, weight: Floats) -> Floats:
    """Coefficients of a logit with a weak ridge (Newton)."""
    theta, mass = np.zeros(design.shape[1]), weight / weight.sum()
    rate = float(np.clip(mass @ y, 1e-6, 1 - 1e-6))
    theta[0] = np.log(rate / (1 - rate))
    for _ in range(15):
        p = 1 / (1 + np.exp(-np.clip(design @ theta, -30, 30)))
        curvature = (design * (mass * p * (1 - p))[:, None]).T @ design + 1e-4 * np.eye(len(theta))
        step = np.linalg.solve(curvature, design.T @ (mass * (y - p)) - 1e-4 * theta)
        theta = theta + np.clip(step, -2, 2)
        if np.abs(step).max() < 1e-7:
            break
    return np.asarray(theta)
