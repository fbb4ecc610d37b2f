"""Strategies side by side: profit, revenue, units and conversion under a scenario, with 90% ranges."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pricing_core.errors import DataError
from pricing_core.guardrails import NO_GUARDRAILS, Guardrails
from pricing_core.optimize.settings import (
    STATUS_QUO,
    UNIFORM,
    StrategySettings,
    check_strategies,
    usual_markup,
)
from pricing_core.optimize.strategies import StrategyPrices, price_strategy
from pricing_core.progress import Progress, SilentProgress
from pricing_core.response import PricingRows
from pricing_core.response.willingness import consumer_surplus
from pricing_core.simulate.cross_fitting import Judgment, cross_fitted_judgments, is_cross_fitted
from pricing_core.simulate.intervals import draw_interval, fold_mean
from pricing_core.simulate.scenario import Scenario

Floats = NDArray[np.float64]

_TOTALS: Final = ("profit", "revenue", "units")


@dataclass(frozen=True, eq=False)
class SimulationResult:
    """Outcome of a simulation.

    Attributes
    ----------
    table
        One row per strategy, in the order asked for (the uniform price is always among them). Totals ``profit``,
        ``revenue``, ``units`` and ``conversion_rate`` with ``_low`` and ``_high`` (90%); ``average_price`` per unit
        sold, ``margin_rate`` (profit over revenue), ``consumer_surplus``, ``share_paying_less`` (share of occasions
        whose price is below the uniform one), ``profit_uplift_rate`` against the status quo with range,
        ``probability_loss``, ``profit_uncorrected`` (as judged by the draws that chose), ``held_rows``, ``rows``,
        ``cross_fitted``.
    prices
        Strategy → prices chosen with all draws: those to put into force.
    rows
        The rows under the scenario.
    scenario, guardrails
        As asked for.
    occasions
        Purchase occasions that totals stand for.
    """

    table: pd.DataFrame
    prices: dict[str, StrategyPrices]
    rows: PricingRows
    scenario: Scenario
    guardrails: Guardrails
    occasions: float

    def to_frame(self) -> pd.DataFrame:
        """Return a copy of the table."""
        return self.table.copy()

    def row(self, strategy: str) -> pd.Series:
        """Figures of one strategy.

        Raises
        ------
        DataError
            If it was not simulated.
        """
        found = self.table[self.table["strategy"] == strategy]
        if found.empty:
            raise DataError(
                f"The strategy {strategy!r} was not simulated.",
                fix=f"Simulated: {', '.join(self.table['strategy'])}.",
            )
        return found.iloc[0]


def simulate_strategies(
    rows: PricingRows,
    strategies: Sequence[str],
    *,
    guardrails: Guardrails = NO_GUARDRAILS,
    scenario: Scenario | None = None,
    settings: StrategySettings | None = None,
    progress: Progress | None = None,
) -> SimulationResult:
    """Simulate any set of strategies on the same rows.

    Every strategy chooses its prices knowing the scenario. What it earns is judged by draws that had no part in the
    choice (see :mod:`pricing_core.simulate.cross_fitting`); with draws of one fold only, all draws do both and
    ``cross_fitted`` is False. Ranges are those of the expected outcome over the posterior draws; sales noise is not
    added.

    Parameters
    ----------
    rows
        Offers to price, computed for the scenario's competitor prices.
    strategies
        Names; the optimized uniform price is added where it is missing.
    guardrails
        Rules for all strategies but the status quo.
    scenario
        Default: the base case.
    settings
        Of the rules of thumb. The markup of cost-plus is by default the usual one before the scenario.

    Raises
    ------
    ConfigError
        If a strategy does not exist.
    DataError
        If there are no rows.
    """
    names = check_strategies([*strategies, *([] if UNIFORM in strategies else [UNIFORM])])
    if rows.n == 0:
        raise DataError("There are no rows to simulate.", fix="Give at least one row to price.")
    scenario, settings, progress = (
        scenario or Scenario(),
        settings or StrategySettings(),
        progress or SilentProgress(),
    )
    if settings.markup is None:
        settings = StrategySettings(usual_markup(rows), settings.competitor_index)
    changed = scenario.apply(rows)
    prices: dict[str, StrategyPrices] = {}
    judged: dict[str, dict[str, Floats]] = {}
    for k, name in enumerate(names):
        progress.stage("Simulation", k / len(names), f"Strategy {name}")
        prices[name] = price_strategy(name, changed, guardrails, settings=settings)
        judged[name] = _totals(changed, cross_fitted_judgments(name, changed, guardrails, settings))
    baseline = _totals(changed, cross_fitted_judgments(STATUS_QUO, changed, guardrails, settings))
    records = []
    for name in names:
        less = _share_paying_less(changed, prices[name].price, prices[UNIFORM].price, guardrails)
        records.append(_record(changed, scenario, prices[name], judged[name], baseline) | {"share_paying_less": less})
    table = pd.DataFrame(records)
    return SimulationResult(table[_columns(table)], prices, changed, scenario, guardrails, scenario.occasions(changed))


def _totals(rows: PricingRows, judgments: list[Judgment]) -> dict[str, Floats]:
    """Profit, revenue, units and consumer surplus over all rows by draw, (D,) each."""
    out = {name: np.empty(rows.response.draws) for name in (*_TOTALS, "consumer_surplus")}
    for judgment in judgments:
        demand = rows.response.with_draws(judgment.judges)
        chance = demand.probability_draws(judgment.price)
        out["units"][judgment.judges] = rows.weight @ chance
        out["revenue"][judgment.judges] = (rows.weight * judgment.price) @ chance
        out["profit"][judgment.judges] = (rows.weight * (judgment.price - rows.unit_cost)) @ chance
        out["consumer_surplus"][judgment.judges] = rows.weight @ consumer_surplus(demand, judgment.price)
    return out


def _record(
    rows: PricingRows,
    scenario: Scenario,
    prices: StrategyPrices,
    totals: dict[str, Floats],
    baseline: dict[str, Floats],
) -> dict[str, Any]:
    member, fold = rows.response.draw_member, rows.response.draw_fold
    weight = float(rows.weight.sum())
    scale = scenario.occasions(rows) / weight
    record: dict[str, Any] = {"strategy": prices.strategy}
    for name in _TOTALS:
        record |= _with_range(name, totals[name] * scale, member, fold)
    record |= _with_range("conversion_rate", totals["units"] / weight, member, fold)
    record["average_price"] = _ratio(record["revenue"], record["units"])
    record["margin_rate"] = _ratio(record["profit"], record["revenue"])
    record["consumer_surplus"] = float(fold_mean(totals["consumer_surplus"], fold)) * scale
    record |= _uplift(totals["profit"], baseline["profit"], member, fold)
    mine = rows.weight * (prices.price - rows.unit_cost) @ rows.response.probability_draws(prices.price)
    record["profit_uncorrected"] = float(fold_mean(mine, fold)) * scale
    return record | {
        "held_rows": int(prices.held.sum()),
        "rows": rows.n,
        "cross_fitted": is_cross_fitted(rows),
    }


def _with_range(name: str, values: Floats, member: NDArray[np.int64], fold: NDArray[np.int64]) -> dict[str, float]:
    found = draw_interval(values, member, fold)
    return {name: float(found.estimate), f"{name}_low": float(found.low), f"{name}_high": float(found.high)}


def _uplift(profit: Floats, baseline: Floats, member: NDArray[np.int64], fold: NDArray[np.int64]) -> dict[str, float]:
    """Change of profit against the status quo, draw by draw, as a share of the status quo's estimate."""
    base = float(fold_mean(baseline, fold))
    if base <= 0:
        names = ("profit_uplift_rate", "profit_uplift_rate_low", "profit_uplift_rate_high")
        change = draw_interval(profit - baseline, member, fold)
        return dict.fromkeys(names, float("nan")) | {"probability_loss": change.probability_below(0.0)}
    found = draw_interval((profit - baseline) / base, member, fold)
    return {
        "profit_uplift_rate": float(found.estimate),
        "profit_uplift_rate_low": float(found.low),
        "profit_uplift_rate_high": float(found.high),
        "probability_loss": found.probability_below(0.0),
    }


def _ratio(top: float, bottom: float) -> float:
    return top / bottom if bottom > 0 else float("nan")


def _share_paying_less(rows: PricingRows, price: Floats, uniform: Floats, guardrails: Guardrails) -> float:
    half = 0.5 * 10.0**-guardrails.decimals
    return float(rows.weight @ (price < uniform - half) / rows.weight.sum())


def _columns(table: pd.DataFrame) -> list[str]:
    last = ["held_rows", "rows", "cross_fitted"]
    middle = [c for c in table.columns if c not in last]
    return [*middle, *last]
