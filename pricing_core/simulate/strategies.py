"""Strategies side by side: profit, revenue, units and conversion under a scenario, with 90% ranges."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pricing_core.errors import DataError
from pricing_core.guardrails import NO_GUARDRAILS, Guardrails
from pricing_core.optimize.objectives import Objective
from pricing_core.optimize.settings import STATUS_QUO, UNIFORM, StrategySettings, check_strategies, usual_markup
from pricing_core.optimize.strategies import StrategyPrices
from pricing_core.progress import Progress, SilentProgress
from pricing_core.response import PricingRows
from pricing_core.simulate.cross_fitting import Choice, Judgment, cross_fitted_judgments, is_cross_fitted
from pricing_core.simulate.monte_carlo import MonteCarloConfig, Worlds
from pricing_core.simulate.product_totals import ProductTotals, product_codes, product_totals
from pricing_core.simulate.records import LAST, Market, Played, record
from pricing_core.simulate.scenario import Scenario
from pricing_core.simulate.stock import product_stock, served_share

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class SimulationResult:
    """Outcome of a simulation.

    Attributes
    ----------
    table
        One row per strategy, in the order asked for (the uniform price is always among them). Expected totals
        ``profit``, ``revenue``, ``units`` and ``conversion_rate`` with ``_low`` and ``_high`` (90%), totals also with
        ``_outcome_low`` and ``_outcome_high``: the 90% range of what may happen, the luck of sales included.
        ``average_price`` per unit sold, ``margin_rate`` (profit over revenue), ``consumer_surplus``,
        ``share_paying_less`` (share of occasions whose price is below the uniform one), ``share_lost`` (of occasions,
        by churn), ``stock_outs`` (products that turn customers away) and ``units_missed``; ``profit_uplift`` against
        the status quo with range and outcome range, ``profit_uplift_rate`` with range, ``probability_loss`` of the
        expected value and ``probability_loss_outcome`` of the outcome; ``profit_uncorrected`` and
        ``profit_uplift_rate_uncorrected``, as judged by the draws that chose; ``held_rows``, ``rows``,
        ``cross_fitted``.
    prices
        Strategy → prices chosen with all draws: those to put into force.
    rows
        The rows under the scenario.
    scenario, guardrails
        As asked for.
    occasions
        Purchase occasions that totals stand for.
    played
        Strategy → its demand and sales by product; the status quo is always there.
    stock
        (J,) units that each product may sell; infinite where unlimited.
    """

    table: pd.DataFrame
    prices: dict[str, StrategyPrices]
    rows: PricingRows
    scenario: Scenario
    guardrails: Guardrails
    occasions: float
    played: dict[str, Played] = field(default_factory=dict)
    stock: Floats = field(default_factory=lambda: np.empty(0))

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
            raise self._unknown(strategy)
        return found.iloc[0]

    def products(self, strategy: str) -> pd.DataFrame:
        """Expected sales of one strategy by product: ``product_id, visits, units, revenue, cost, profit``.

        Raises
        ------
        DataError
            If it was not simulated.
        """
        if strategy not in self.played:
            raise self._unknown(strategy)
        return self.played[strategy].sold.to_frame(self.rows.response.draw_fold)

    def _unknown(self, strategy: str) -> DataError:
        return DataError(
            f"The strategy {strategy!r} was not simulated.", fix=f"Simulated: {', '.join(self.table['strategy'])}."
        )


def simulate_strategies(
    rows: PricingRows,
    strategies: Sequence[str],
    *,
    guardrails: Guardrails = NO_GUARDRAILS,
    scenario: Scenario | None = None,
    settings: StrategySettings | None = None,
    objective: Objective | None = None,
    progress: Progress | None = None,
    monte_carlo: MonteCarloConfig | None = None,
) -> SimulationResult:
    """Simulate any set of strategies on the same rows.

    Every strategy chooses its prices knowing the scenario's costs and demand, not its stock and churn. What it earns
    is judged by draws that had no part in the choice (see :mod:`pricing_core.simulate.cross_fitting`); with draws of
    one fold only, all draws do both and ``cross_fitted`` is False. Ranges are those of the expected outcome over the
    posterior draws; outcome ranges add the luck of sales (see :mod:`pricing_core.simulate.monte_carlo`).

    Parameters
    ----------
    rows
        Offers to price, computed for the scenario's competitor prices and season.
    strategies
        Names; the optimized uniform price is added where it is missing.
    guardrails
        Rules for all strategies but the status quo.
    scenario
        Default: the base case.
    settings
        Of the rules of thumb. The markup of cost-plus is by default the usual one before the scenario.
    objective
        What the strategies maximize; default: profit.
    monte_carlo
        Worlds of the outcome ranges.

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
    scenario, progress = scenario or Scenario(), progress or SilentProgress()
    choice = Choice(guardrails, with_markup(settings or StrategySettings(), rows), objective)
    changed = scenario.apply(rows)
    market = market_of(rows, scenario, monte_carlo)
    base = Played.of(status_quo_totals(changed, scenario), market)
    prices: dict[str, StrategyPrices] = {}
    played = {STATUS_QUO: base}
    records = []
    for k, name in enumerate(names):
        progress.stage("Simulation", k / len(names), f"Strategy {name}")
        prices[name] = choice.prices(name, changed)
        if name != STATUS_QUO:
            judged = product_totals(changed, cross_fitted_judgments(name, changed, choice), scenario)
            played[name] = Played.of(judged.mixed(base.demand, scenario.reach_rate), market)
        raw = raw_profit(changed, prices[name].price, base.demand, scenario, market.stock)
        records.append(record(name, played[name], base, raw, market))
    table = pd.DataFrame(records)
    half = 0.5 * 10.0**-guardrails.decimals
    table["share_paying_less"] = [
        scenario.reach_rate * share_below(changed, prices[name].price, prices[UNIFORM].price, half) for name in names
    ]
    table["held_rows"] = [int(prices[name].held.sum()) for name in names]
    table["rows"], table["cross_fitted"] = rows.n, is_cross_fitted(rows)
    return SimulationResult(
        ordered(table), prices, changed, scenario, guardrails, market.occasions, played, market.stock
    )


def ordered(table: pd.DataFrame) -> pd.DataFrame:
    """Columns with the counts of rows last."""
    return table[[*(c for c in table.columns if c not in LAST), *LAST]]


def status_quo_totals(changed: PricingRows, scenario: Scenario) -> ProductTotals:
    """Demand at today's prices under the scenario, by all draws: nothing was chosen."""
    every = np.ones(changed.response.draws, dtype=bool)
    return product_totals(changed, [Judgment(changed.current_price, every)], scenario)


def market_of(rows: PricingRows, scenario: Scenario, monte_carlo: MonteCarloConfig | None = None) -> Market:
    """Stock, worlds and occasions of the scenario; ``rows`` are those before it."""
    code, ids = product_codes(rows)
    stock = np.full(len(ids), np.inf)
    if scenario.limits_stock:
        usual = status_quo_totals(rows, replace(scenario, churn_rate=0.0)).units.mean(axis=1)
        stock = product_stock(rows, code, usual / scenario.horizon_weeks, scenario)
    response = rows.response
    worlds = Worlds.of(len(ids), response.draws, monte_carlo)
    return Market(response.draw_member, response.draw_fold, stock, worlds, scenario.occasions(rows))


def raw_profit(rows: PricingRows, price: Floats, base: ProductTotals, scenario: Scenario, stock: Floats) -> Floats:
    """Profit (D,) of prices by the very draws that chose them; ``base`` is the demand at today's prices."""
    own = product_totals(rows, [Judgment(price, np.ones(rows.response.draws, dtype=bool))], scenario)
    demand = own.mixed(base, scenario.reach_rate)
    return demand.served(served_share(demand.purchases, demand.buyers(stock))).sums()["profit"]


def with_markup(settings: StrategySettings, rows: PricingRows) -> StrategySettings:
    """Settings whose markup, where none is set, is the usual one of the rows."""
    return settings if settings.markup is not None else replace(settings, markup=usual_markup(rows))


def share_below(rows: PricingRows, price: Floats, other: Floats, half: float) -> float:
    """Share of occasions whose price is below another by more than ``half`` a minor unit."""
    return float(rows.weight @ (price < other - half) / rows.weight.sum())
