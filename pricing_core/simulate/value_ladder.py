"""The value ladder: what each step from one change for all to personal prices adds, so that the least will do.

Prices that know more about the customer earn more by the model, and cost more: trust, disclosure, upkeep. The ladder
orders strategies by how much they intrude, and says what each adds over the one before, with its 90% range, and how
much of the gain of personal prices it reaches.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pricing_core.errors import DataError
from pricing_core.optimize.settings import PERSONALIZED, PERSONALIZED_DISCOUNT, PRODUCT, SEGMENT, STATUS_QUO, UNIFORM
from pricing_core.simulate.intervals import CHANGE_SPREAD, FORM_DOUBT, Interval, draw_interval
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
    doubt = {name: float(played.sold.doubt["profit"].sum()) for name, played in result.played.items()}
    response = result.rows.response
    return value_ladder(profit, response.draw_member, response.draw_fold, doubt=doubt, enough=enough)


def value_ladder(
    profit: Mapping[str, Floats],
    member: Ints,
    fold: Ints,
    *,
    doubt: Mapping[str, float] | None = None,
    steps: Sequence[str] = STEPS,
    enough: float = ENOUGH,
) -> ValueLadder:
    """Build the ladder from the profit of each strategy by posterior draw.

    Parameters
    ----------
    profit
        Strategy → (D,) money, judged by draws that had no part in the choice; today's prices must be among them.
    member, fold
        (D,) labels of the draws.
    doubt
        Strategy → money by which its profit would move if demand answered price changes twice as strongly, which no
        draw shows (see :mod:`~pricing_core.simulate.intervals`). It is taken to point the same way for all strategies.
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

    doubts = dict(doubt or {})

    def change(label: str, of: str, against: str) -> dict[str, float]:
        apart = abs(doubts.get(of, 0.0) - doubts.get(against, 0.0))
        found = draw_interval(profit[of] - profit[against], member, fold).widened(FORM_DOUBT * apart, CHANGE_SPREAD)
        return _figure(label, found)

    gains = {name: change("gain", name, STATUS_QUO)["gain"] for name in names}
    best = max(names, key=lambda name: gains[name])
    records = []
    for before, name in zip((STATUS_QUO, STATUS_QUO, *names), (STATUS_QUO, *names), strict=False):
        own = draw_interval(profit[name], member, fold).widened(FORM_DOUBT * doubts.get(name, 0.0))
        record: dict[str, Any] = {"strategy": name} | _figure("profit", own)
        record |= change("gain", name, STATUS_QUO) | change("step", name, before) | change("missing", best, name)
        record["share"] = record["gain"] / gains[best] if gains[best] > 0 else float("nan")
        records.append(record)
    reached = (name for name in names if gains[best] > 0 and gains[name] >= enough * gains[best])
    return ValueLadder(pd.DataFrame(records), best, next(reached, STATUS_QUO))


def _figure(name: str, found: Interval) -> dict[str, float]:
    return {name: float(found.estimate), f"{name}_low": float(found.low), f"{name}_high": float(found.high)}
