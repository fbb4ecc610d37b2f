"""How much of what personal prices earn a tree of segments keeps, by its depth, judged on other customers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pricing_core.guardrails import NO_GUARDRAILS, Guardrails
from pricing_core.optimize.objectives import Objective
from pricing_core.optimize.segments import prices_by_depth
from pricing_core.optimize.settings import PERSONALIZED, SEGMENT, StrategySettings
from pricing_core.optimize.strategies import make_task, price_strategy
from pricing_core.response import PricingRows
from pricing_core.simulate.intervals import draw_interval, fold_mean

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

DEPTHS: Final = (0, 1, 2, 3, 4)


@dataclass(frozen=True, eq=False)
class SegmentShares:
    """Outcome by depth.

    Attributes
    ----------
    table
        One row per depth: ``depth, segments`` (at most), ``share`` of the personal prices' profit that is kept with
        ``share_low`` and ``share_high`` (90%), and ``gain_share`` of their gain over today's prices (NaN without gain).
    teacher
        Profit of personal prices, money over the rows' occasions.
    """

    table: pd.DataFrame
    teacher: float


def segment_shares(
    rows: PricingRows,
    *,
    guardrails: Guardrails = NO_GUARDRAILS,
    settings: StrategySettings | None = None,
    objective: Objective | None = None,
    depths: Sequence[int] = DEPTHS,
) -> SegmentShares:
    """Compare trees of several depths with personal prices under the same rules.

    Trees are grown on one half of the customers and judged on the other. Every price is judged by draws that had no
    part in choosing it; with draws of one fold only, all draws do both.
    """
    fold = rows.response.draw_fold
    folds = np.unique(fold)
    profit = {depth: np.empty(fold.size) for depth in depths}
    teacher, today = np.empty(fold.size), np.empty(fold.size)
    for judge in folds:
        judges = fold == judge
        draws = None if folds.size < 2 else ~judges
        for depth, price in _held_out_prices(rows, guardrails, settings, objective, depths, draws).items():
            profit[depth][judges] = _profit(rows, price, judges)
        personal = price_strategy(
            PERSONALIZED, rows, guardrails, draws=draws, settings=settings, objective=objective, with_reasons=False
        )
        teacher[judges] = _profit(rows, personal.price, judges)
        today[judges] = _profit(rows, rows.current_price, judges)
    records = [_record(rows, depth, profit[depth], teacher, today) for depth in depths]
    return SegmentShares(pd.DataFrame(records), float(fold_mean(teacher, fold)))


def _held_out_prices(
    rows: PricingRows,
    guardrails: Guardrails,
    settings: StrategySettings | None,
    objective: Objective | None,
    depths: Sequence[int],
    draws: Mask | None,
) -> dict[int, Floats]:
    """Prices of each customer by trees that other customers grew."""
    sides = np.unique(rows.customer_fold)
    out = {depth: np.empty(rows.n) for depth in depths}
    for side in sides:
        mine = rows.customer_fold == side
        learn = None if sides.size < 2 else ~mine
        task = make_task(
            SEGMENT, rows, guardrails, learn_rows=learn, draws=draws, settings=settings, objective=objective
        )
        for depth, price in prices_by_depth(task, depths).items():
            out[depth][mine] = price[mine]
    return out


def _profit(rows: PricingRows, price: Floats, judges: Mask) -> Floats:
    """Profit over the rows' occasions by judging draw."""
    chance = rows.response.with_draws(judges).probability_draws(price)
    return np.asarray((rows.sales_weight * (price - rows.unit_cost)) @ chance)


def _record(rows: PricingRows, depth: int, profit: Floats, teacher: Floats, today: Floats) -> dict[str, float]:
    member, fold = rows.response.draw_member, rows.response.draw_fold
    most = float(fold_mean(teacher, fold))
    names = ("share", "share_low", "share_high")
    record: dict[str, float] = {"depth": depth, "segments": 2**depth}
    if most <= 0:
        return record | dict.fromkeys((*names, "gain_share"), float("nan"))
    found = draw_interval(profit / teacher, member, fold)
    gain = most - float(fold_mean(today, fold))
    kept = float(fold_mean(profit, fold)) - float(fold_mean(today, fold))
    return record | {
        "share": float(fold_mean(profit, fold)) / most,
        "share_low": float(found.low),
        "share_high": float(found.high),
        "gain_share": kept / gain if gain > 0 else float("nan"),
    }
