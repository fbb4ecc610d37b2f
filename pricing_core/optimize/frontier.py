"""What giving up some profit would buy: the best prices for objectives between profit and revenue, and conversion.

Every point is a whole set of prices within the same rules, of the same strategy, for another objective. Where the
draws learned from two halves of the customers, each half's draws judge the prices that the other half's chose, so
that a point is not praised for errors that it was picked for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pricing_core.guardrails import Guardrails, coupled_rules
from pricing_core.optimize.objectives import DEFAULT_OBJECTIVE, Objective
from pricing_core.optimize.settings import STATUS_QUO, StrategySettings
from pricing_core.optimize.strategies import price_strategy
from pricing_core.response import PricingRows

Floats = NDArray[np.float64]

TODAY: Final = "today"
CHOSEN: Final = "chosen"
_REVENUE_SHARES: Final = (0.0, 0.25, 0.5, 0.75, 1.0)
_UNIT_VALUES: Final = (0.08, 0.2, 0.45, 1.0)  # worth of a sale beyond its profit, in average prices
_FEW: Final = (0.0, 0.5, 1.0), (0.25, 1.0)
_MOST_ROWS: Final = 6_000


@dataclass(frozen=True, eq=False)
class FrontierResult:
    """Points between the goals.

    Attributes
    ----------
    table
        One row per point: ``point`` (``today``, ``chosen``, ``frontier``), ``edge`` (``revenue`` or ``conversion``:
        what is traded for profit; empty for the others), ``profit, revenue`` (money over ``occasions``) and
        ``conversion_rate``.
    occasions
        Offers that the totals stand for.
    rows, all_rows
        Rows that were priced, and rows that there are (an even sample stands for very many).
    cross_fitted
        Whether other draws judged than chose.
    """

    table: pd.DataFrame
    occasions: float
    rows: int
    all_rows: int
    cross_fitted: bool

    def to_frame(self) -> pd.DataFrame:
        """Return a copy of the table."""
        return self.table.copy()


def frontier(
    rows: PricingRows,
    strategy: str,
    guardrails: Guardrails,
    *,
    objective: Objective = DEFAULT_OBJECTIVE,
    settings: StrategySettings | None = None,
    occasions: float | None = None,
) -> FrontierResult:
    """Trace the frontier of profit, revenue and conversion for a strategy.

    Parameters
    ----------
    rows, strategy, guardrails, settings
        As for :func:`~pricing_core.optimize.strategies.price_strategy`. Beyond 6,000 rows an even sample is priced.
    objective
        The chosen one; its point is marked.
    occasions
        Offers that totals stand for. Default: the rows' weight.
    """
    step = max(1, -(-rows.n // _MOST_ROWS))
    part = rows if step == 1 else rows.take(np.arange(0, rows.n, step))
    horizon = guardrails.horizon_offers or float(rows.weight.sum())
    rules = guardrails if step == 1 else guardrails.with_changes(horizon_offers=horizon)
    tracer = _Tracer(part, strategy, rules, settings, occasions or float(rows.weight.sum()))
    shares, worths = (_REVENUE_SHARES, _UNIT_VALUES) if not coupled_rules(guardrails) else _FEW
    records = [tracer.point(TODAY, "", None), tracer.point(CHOSEN, "", objective)]
    for share in shares:
        aim = Objective("mix", profit_weight=1.0 - share, revenue_weight=share)
        records.append(tracer.point("frontier", "revenue", aim))
    records.append({**records[2], "edge": "conversion"})
    usual = float(np.average(part.current_price, weights=part.weight))
    for worth in worths:
        records.append(tracer.point("frontier", "conversion", Objective("mix", unit_value=worth * usual)))
    records.append(tracer.point("frontier", "conversion", Objective("conversion")))
    return FrontierResult(pd.DataFrame(records), tracer.occasions, part.n, rows.n, len(tracer.halves) > 1)


class _Tracer:
    def __init__(
        self,
        rows: PricingRows,
        strategy: str,
        guardrails: Guardrails,
        settings: StrategySettings | None,
        occasions: float,
    ) -> None:
        self.rows, self.strategy, self.guardrails, self.settings = rows, strategy, guardrails, settings
        self.occasions = occasions
        fold = rows.response.draw_fold
        two = np.unique(fold).size > 1
        self.halves: Sequence[tuple[NDArray[np.bool_], NDArray[np.bool_]]] = (
            [(fold != judge, fold == judge) for judge in (0, 1)] if two else [(np.ones(fold.size, dtype=bool),) * 2]
        )

    def point(self, kind: str, edge: str, objective: Objective | None) -> dict[str, object]:
        """Profit, revenue and conversion of the prices for an objective (None: today's)."""
        found = [self._judged(objective, choose, judge) for choose, judge in self.halves]
        profit, revenue, units = np.mean(found, axis=0) * self.occasions / self.rows.weight.sum()
        return {
            "point": kind, "edge": edge, "profit": float(profit), "revenue": float(revenue),
            "conversion_rate": float(units / self.occasions),
        }  # fmt: skip

    def _judged(
        self, objective: Objective | None, choose: NDArray[np.bool_], judge: NDArray[np.bool_]
    ) -> tuple[float, float, float]:
        rows = self.rows
        price = rows.current_price
        if objective is not None and self.strategy != STATUS_QUO:
            price = price_strategy(
                self.strategy, rows, self.guardrails, draws=choose, settings=self.settings, objective=objective,
                with_reasons=False,
            ).price  # fmt: skip
        chance = rows.response.with_draws(judge).probability(price)
        sold = rows.sales_weight * chance
        return float(sold @ (price - rows.unit_cost)), float(sold @ price), float(rows.weight @ chance)
