"""Answers to "what if" within the time of a slider: a sample of the rows, scaled to all of them.

The base case is simulated once on all rows. A scenario is then simulated on a stratified sample of a few thousand
rows, before and after, and each product's totals of all rows are moved by the ratio of the two, draw by draw. The
sample's own luck is in both and cancels, so that two thousand rows answer nearly as twenty thousand do; where there
are no more rows than that, the answer *is* the full simulation. Competitor moves come from curves that the models gave
beforehand (:class:`~pricing_core.simulate.competitor.CompetitorMoves`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pricing_core.errors import DataError
from pricing_core.guardrails import NO_GUARDRAILS, Guardrails
from pricing_core.optimize.objectives import Objective
from pricing_core.optimize.settings import STATUS_QUO, UNIFORM, StrategySettings
from pricing_core.response import PricingRows
from pricing_core.simulate.competitor import CompetitorMoves, with_reaction
from pricing_core.simulate.cross_fitting import Choice, Judgment, cross_fitted_judgments
from pricing_core.simulate.monte_carlo import MonteCarloConfig
from pricing_core.simulate.product_totals import AMOUNTS, ProductTotals, product_codes, product_totals
from pricing_core.simulate.records import Market, Played, record
from pricing_core.simulate.scenario import Scenario
from pricing_core.simulate.stock import product_stock
from pricing_core.simulate.strategies import (
    SimulationResult,
    market_of,
    ordered,
    share_below,
    simulate_strategies,
    with_markup,
)

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

SAMPLE: Final = 2_000


@dataclass(frozen=True, eq=False)
class Answer:
    """What a scenario does, estimated in the time of a slider.

    Attributes
    ----------
    table
        As :attr:`SimulationResult.table`.
    played
        Strategy → demand and sales by product.
    scenario, occasions, fold
        As asked for; purchase occasions; (D,) fold of the draws.
    exact
        Whether the sample held all rows.
    """

    table: pd.DataFrame
    played: dict[str, Played]
    scenario: Scenario
    occasions: float
    fold: Ints
    exact: bool

    def products(self, strategy: str) -> pd.DataFrame:
        """Expected sales of one strategy by product: ``product_id, visits, units, revenue, cost, profit``."""
        if strategy not in self.played:
            raise DataError(
                f"The strategy {strategy!r} was not simulated.", fix=f"Simulated: {', '.join(self.played)}."
            )
        return self.played[strategy].sold.to_frame(self.fold)


@dataclass(frozen=True, eq=False)
class ResponseSurface:
    """Base case of some strategies on all rows, and the sample that answers for other scenarios; see :func:`prepare`.

    Attributes
    ----------
    base
        The base case in full.
    moves
        The sample's rows under moved competitor prices; with one move only, the zero one, competitors cannot move.
    names, choice
        Strategies, and how they choose.
    exact
        Whether the sample holds all rows.
    sample, market, before
        Rows of the sample; what all scenarios share; strategy → the sample in the base case.
    """

    base: SimulationResult
    moves: CompetitorMoves
    names: tuple[str, ...]
    choice: Choice
    exact: bool
    sample: Ints
    market: Market
    before: dict[str, _Sampled]

    def answer(self, scenario: Scenario) -> Answer:
        """Estimate all strategies under a scenario.

        Raises
        ------
        ConfigError
            If competitors move further than the models were asked about.
        """
        pace = scenario.occasions_per_week or self.base.scenario.occasions_per_week
        scenario = replace(scenario, occasions_per_week=pace)
        rows = scenario.apply(self._moved(scenario))
        market = replace(self.market, stock=self._stock(scenario), occasions=scenario.occasions(self.base.rows))
        after = {name: _sampled(name, rows, self.choice, scenario) for name in self.names}
        base = Played.of(self._scaled(STATUS_QUO, after), market)
        played, records = {STATUS_QUO: base}, []
        half = 0.5 * 10.0**-self.choice.guardrails.decimals
        for name in self.names:
            if name != STATUS_QUO:
                demand = self._scaled(name, after).mixed(base.demand, scenario.reach_rate)
                played[name] = Played.of(demand, market)
            raw = played[name].sold.sums()["profit"] * self._optimism(name, after)
            found = record(name, played[name], base, raw, market)
            less = self._share_paying_less(name, rows, after, half)
            records.append(found | {"share_paying_less": scenario.reach_rate * less})
        table = pd.DataFrame(records)
        known = self.base.table.set_index("strategy")
        for name in ("held_rows", "rows", "cross_fitted"):
            table[name] = table["strategy"].map(known[name]).to_numpy()
        return Answer(ordered(table), played, scenario, market.occasions, market.fold, self.exact)

    def _moved(self, scenario: Scenario) -> PricingRows:
        rows = self.moves.at(scenario.competitor_change_rate)
        if not scenario.competitor_reaction_rate:
            return rows
        return with_reaction(rows, self.moves.pull(scenario.competitor_change_rate), scenario.competitor_reaction_rate)

    def _stock(self, scenario: Scenario) -> Floats:
        full = self.base
        code, ids = product_codes(full.rows)
        if not scenario.limits_stock:
            return np.full(len(ids), np.inf)
        weekly = full.played[STATUS_QUO].demand.units.mean(axis=1) / full.scenario.horizon_weeks
        return product_stock(full.rows, code, weekly, scenario)

    def _scaled(self, name: str, after: dict[str, _Sampled]) -> ProductTotals:
        """Totals over all rows: those of the base case, moved as the sample moves."""
        full = self.base.played[name].demand
        ids = full.product_id
        if self.exact:
            return after[name].judged
        return full.moved(_aligned(self.before[name].judged, ids), _aligned(after[name].judged, ids))

    def _optimism(self, name: str, after: dict[str, _Sampled]) -> float:
        """Ratio of a strategy's claim by the draws that chose to that by the others, moved as in the sample."""
        if self.exact:
            return after[name].optimism
        full = self.base.row(name)
        known = full["profit_uncorrected"] / full["profit"] if full["profit"] > 0 else 1.0
        return float(known) * after[name].optimism / self.before[name].optimism

    def _share_paying_less(self, name: str, rows: PricingRows, after: dict[str, _Sampled], half: float) -> float:
        """Share below the uniform price, where prices move from those of all rows as they do in the sample."""
        if self.exact:
            return share_below(rows, after[name].price, after[UNIFORM].price, half)
        was = {each: self.base.prices[each].price[self.sample] for each in (name, UNIFORM)}
        moved = {each: was[each] * after[each].price / self.before[each].price for each in was}
        now, then = (share_below(rows, price[name], price[UNIFORM], half) for price in (moved, was))
        return float(np.clip(self.base.row(name)["share_paying_less"] + now - then, 0.0, 1.0))


@dataclass(frozen=True, eq=False)
class _Sampled:
    """Prices of a strategy for the sample's rows, its totals by fair judges, and by the draws that chose."""

    price: Floats
    judged: ProductTotals
    own: ProductTotals

    @property
    def optimism(self) -> float:
        """Profit as claimed by the draws that chose, over that by fair judges."""
        fair, own = (float(totals.profit.sum()) for totals in (self.judged, self.own))
        return own / fair if fair > 0 and own > 0 else 1.0


def prepare(
    rows: PricingRows,
    strategies: Sequence[str],
    *,
    sample: Ints | None = None,
    moves: CompetitorMoves | None = None,
    guardrails: Guardrails = NO_GUARDRAILS,
    scenario: Scenario | None = None,
    settings: StrategySettings | None = None,
    objective: Objective | None = None,
    monte_carlo: MonteCarloConfig | None = None,
) -> ResponseSurface:
    """Simulate the base case in full, and make a sample ready to answer for other scenarios.

    Parameters
    ----------
    rows
        Offers as they are today.
    strategies
        Names; the status quo and the uniform price are added where they are missing.
    sample
        Rows of the sample, from :func:`sample_rows`.
    moves
        The sample's rows (weighted by :func:`weighted`) under moved competitor prices; None: competitors do not move.
    scenario
        The base case: occasions per week and horizon.
    """
    names = tuple(dict.fromkeys([*strategies, STATUS_QUO, UNIFORM]))
    config = monte_carlo or MonteCarloConfig()
    base = simulate_strategies(
        rows, names, guardrails=guardrails, scenario=scenario, settings=settings, objective=objective,
        monte_carlo=config,
    )  # fmt: skip
    sample = sample_rows(rows) if sample is None else sample
    part = weighted(rows, sample)
    moves = moves or CompetitorMoves((0.0,), (part,))
    exact = len(sample) == rows.n
    chosen = _for_sample(with_markup(settings or StrategySettings(), rows), len(sample) / rows.n)
    choice = Choice(guardrails, chosen, objective)
    before = {} if exact else {name: _sampled(name, moves.base, choice, base.scenario) for name in names}
    market = market_of(rows, base.scenario, config)
    return ResponseSurface(base, moves, names, choice, exact, sample, market, before)


def sample_rows(rows: PricingRows, size: int = SAMPLE) -> Ints:
    """Rows (at most ``size``, ascending) spread evenly over products, halves of the customers, and time."""
    if rows.n <= size:
        return np.arange(rows.n)
    code, _ = product_codes(rows)
    order = np.lexsort((np.arange(rows.n), rows.customer_fold, code))
    places = (np.arange(size) + 0.5) * rows.n / size
    return np.sort(order[places.astype(np.int64)])


def weighted(rows: PricingRows, sample: Ints) -> PricingRows:
    """The sample's rows, each product weighted as in all rows; the total weight is that of the products in it."""
    part = rows.take(sample)
    code, _ = product_codes(rows)
    whole = np.bincount(code, rows.weight)
    mine = np.bincount(code[sample], part.weight, len(whole))
    return replace(part, weight=part.weight * whole[code[sample]] / mine[code[sample]])


def _for_sample(settings: StrategySettings, share: float) -> StrategySettings:
    """Settings under which a sample forms segments as all rows would: a leaf needs as large a share of them."""
    leaf = max(1, round(settings.segments.min_leaf_rows * share))
    return replace(settings, segments=replace(settings.segments, min_leaf_rows=leaf))


def _sampled(name: str, rows: PricingRows, choice: Choice, scenario: Scenario) -> _Sampled:
    every = np.ones(rows.response.draws, dtype=bool)
    if name == STATUS_QUO:
        today = product_totals(rows, [Judgment(rows.current_price, every)], scenario)
        return _Sampled(rows.current_price, today, today)
    price = choice.prices(name, rows, with_reasons=False).price
    judged = product_totals(rows, cross_fitted_judgments(name, rows, choice), scenario)
    return _Sampled(price, judged, product_totals(rows, [Judgment(price, every)], scenario))


def _aligned(totals: ProductTotals, ids: NDArray[np.object_]) -> ProductTotals:
    """Totals in the order of ``ids``, zero for a product without rows in the sample."""
    if np.array_equal(totals.product_id, ids):
        return totals
    place = np.searchsorted(ids.astype(str), totals.product_id.astype(str))
    out = {}
    for name in AMOUNTS:
        out[name] = np.zeros((len(ids), totals.units.shape[1]))
        out[name][place] = getattr(totals, name)
    doubt = {name: np.bincount(place, value, len(ids)).astype(float) for name, value in totals.doubt.items()}
    return ProductTotals(ids, doubt=doubt, **out)
