"""The value ladder: what each step from one change for all to personal prices adds, so that the least will do.

Prices that know more about the customer earn more by the model, and cost more: trust, disclosure, upkeep. The ladder
orders strategies by how much they intrude, and says what each adds over the one before, with its 90% range, and how
much of the gain of personal prices it reaches.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pricing_core.errors import DataError
from pricing_core.optimize.settings import PERSONALIZED, PERSONALIZED_DISCOUNT, PRODUCT, SEGMENT, STATUS_QUO, UNIFORM
from pricing_core.simulate.intervals import draw_interval
from pricing_core.simulate.strategies import SimulationResult

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

STEPS: Final = (UNIFORM, PRODUCT, SEGMENT, PERSONALIZED_DISCOUNT, PERSONALIZED)
"""Strategies from the least to the most intrusive."""
ENOUGH: Final = 0.9
"""Share of the largest gain from which a strategy counts as sufficient."""


@dataclass(frozen=True, eq=False)
class ValueLadder:
    """Steps of the ladder.

    Attributes
    ----------
    table
        One row per strategy, the least intrusive first, today's prices before all: ``strategy``; ``profit`` over the
        horizon, ``gain`` over today's prices, ``step`` over the strategy before and ``missing`` to the most profitable
        one, each with ``_low`` and ``_high`` (90%); ``share`` of the largest gain that is reached (NaN without a gain).
    best
        The most profitable strategy.
    sufficient
        The least intrusive strategy that reaches :data:`ENOUGH` of the largest gain; today's prices if nothing gains.
    """

    table: pd.DataFrame
    best: str
    sufficient: str

    def row(self, strategy: str) -> pd.Series:
        """Figures of one strategy."""
        return self.table[self.table["strategy"] == strategy].iloc[0]


def ladder_of(result: SimulationResult, *, enough: float = ENOUGH) -> ValueLadder:
    """Ladder of simulated strategies."""
    profit = {name: played.sold.sums()["profit"] for name, played in result.played.items()}
    response = result.rows.response
    return value_ladder(profit, response.draw_member, response.draw_fold, enough=enough)


def value_ladder(
    profit: Mapping[str, Floats], member: Ints, fold: Ints, *, steps: Sequence[str] = STEPS, enough: float = ENOUGH
) -> ValueLadder:
    """Build the ladder from the profit of each strategy by posterior draw.

    Parameters
    ----------
    profit
        Strategy → (D,) money, judged by draws that had no part in the choice; today's prices must be among them.
    member, fold
        (D,) labels of the draws.
    steps
        Strategies from the least to the most intrusive; those without a profit are left out.
    enough
        Share of the largest gain that is sufficient.

    Raises
    ------
    DataError
        If today's prices or all steps are missing.
    """
    names = [name for name in steps if name in profit]
    if STATUS_QUO not in profit or not names:
        raise DataError("The value ladder needs today's prices and at least one strategy.")

    def figure(name: str, values: Floats) -> dict[str, float]:
        found = draw_interval(values, member, fold)
        return {name: float(found.estimate), f"{name}_low": float(found.low), f"{name}_high": float(found.high)}

    today = profit[STATUS_QUO]
    means = {name: figure("gain", profit[name] - today)["gain"] for name in names}
    best = max(names, key=lambda name: means[name])
    records = []
    before = today
    for name in (STATUS_QUO, *names):
        record: dict[str, object] = {"strategy": name}
        record |= figure("profit", profit[name]) | figure("gain", profit[name] - today)
        record |= figure("step", profit[name] - before) | figure("missing", profit[best] - profit[name])
        record["share"] = float(record["gain"]) / means[best] if means[best] > 0 else float("nan")  # type: ignore[arg-type]
        records.append(record)
        before = profit[name]
    reached = (name for name in names if means[best] > 0 and means[name] >= enough * means[best])
    return ValueLadder(pd.DataFrame(records), best, next(reached, STATUS_QUO))
