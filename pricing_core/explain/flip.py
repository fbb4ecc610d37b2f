"""Flip point: the smallest change of one circumstance that changes the decision, found by bisection."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pricing_core.errors import ConfigError, DataError

Floats = NDArray[np.float64]
Decisions = NDArray[Any]
Decide = Callable[[Floats], Decisions]


@dataclass(frozen=True, eq=False)
class FlipPoints:
    """Smallest relative change of a circumstance, up and down, that changes the decision of each of *n* rows.

    Attributes
    ----------
    circumstance
        What was changed, such as ``unit cost``.
    value
        (n,) what it is today; NaN where unknown.
    up, down
        (n,) smallest relative change above and below zero that changes the decision; NaN where none within the range
        that was searched does. Beyond it the decision is ``up_decision`` or ``down_decision``; empty where none.
    decision
        (n,) decision today.
    lowest, highest
        Range of relative changes that was searched.
    """

    circumstance: str
    value: Floats
    decision: Decisions
    up: Floats
    down: Floats
    up_decision: Decisions
    down_decision: Decisions
    lowest: float
    highest: float

    @property
    def nearest(self) -> Floats:
        """Relative change (n,) to the nearer of the two flip points; NaN where there is none."""
        up, down = np.where(np.isnan(self.up), np.inf, self.up), np.where(np.isnan(self.down), -np.inf, self.down)
        found = np.where(up <= -down, up, down)
        return np.where(np.isfinite(found), found, np.nan)

    def to_frame(self) -> pd.DataFrame:
        """One row per row: today's value, the values at which the decision changes, and to what."""
        return pd.DataFrame(
            {
                "circumstance": self.circumstance,
                "value": self.value,
                "decision": self.decision,
                "change_up": self.up,
                "value_up": self.value * (1 + self.up),
                "decision_up": self.up_decision,
                "change_down": self.down,
                "value_down": self.value * (1 + self.down),
                "decision_down": self.down_decision,
            }
        )


def flip_points(
    decide: Decide,
    value: Floats,
    *,
    circumstance: str,
    lowest: float = -0.9,
    highest: float = 1.0,
    steps: int = 12,
    tolerance: float = 5e-4,
) -> FlipPoints:
    """Search each row's nearest flip points.

    A coarse grid, fine near zero, finds where the decision first differs; bisection finds the change. Where a decision
    flips forth and back within one step of the grid, it is not seen.

    Parameters
    ----------
    decide
        From a relative change of each row (n,) to its decision (n,), such as ``raise``; called
        2 · (steps + log2(step / tolerance)) times.
    value
        (n,) the circumstance today.
    lowest, highest
        Range of changes, below and above zero; a cost cannot fall by more than all of itself, so ``lowest`` > −1.
    steps
        Points of the grid to each side.
    tolerance
        Largest error of a flip point, as a relative change.

    Raises
    ------
    ConfigError
        If the range does not hold zero or there is no grid.
    DataError
        If the decisions have another length than the rows.
    """
    if not -1 < lowest < 0 < highest:
        raise ConfigError(f"The range is {lowest} to {highest}; it must reach from above -1 to above 0 with 0 inside.")
    if steps < 1 or not tolerance > 0:
        raise ConfigError(f"steps is {steps} and tolerance {tolerance}; both must be above 0.")
    value = np.asarray(value, dtype=float)
    today = np.asarray(decide(np.zeros(len(value))))
    if today.shape != value.shape:
        raise DataError(f"The decisions have the shape {today.shape}; there are {len(value)} rows.")
    up, up_decision = _side(decide, today, highest, steps, tolerance)
    down, down_decision = _side(decide, today, lowest, steps, tolerance)
    for side, what in ((up, up_decision), (down, down_decision)):
        side[np.isnan(value)], what[np.isnan(value)] = np.nan, ""
    return FlipPoints(circumstance, value, today, up, down, up_decision, down_decision, lowest, highest)


def _side(decide: Decide, today: Decisions, end: float, steps: int, tolerance: float) -> tuple[Floats, Decisions]:
    n = len(today)
    near, far = np.zeros(n), np.full(n, np.nan)
    other = np.full(n, "", dtype=object)
    for share in (np.arange(1, steps + 1) / steps) ** 2:
        waiting = np.isnan(far)
        if not waiting.any():
            break
        found = np.asarray(decide(np.where(waiting, end * share, 0.0)))
        flipped = waiting & (found != today)
        far[flipped], other[flipped] = end * share, found[flipped]
        near[waiting & ~flipped] = end * share
    hit = ~np.isnan(far)
    while hit.any() and np.abs(far - near)[hit].max() > tolerance:
        middle = np.where(hit, (near + far) / 2, 0.0)
        found = np.asarray(decide(middle))
        flipped = hit & (found != today)
        far[flipped], other[flipped] = middle[flipped], found[flipped]
        near[hit & ~flipped] = middle[hit & ~flipped]
    return far, other
