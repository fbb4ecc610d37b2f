"""Predict, price and simulate any targets with a trained run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pricing_core.errors import DataError, MappingError
from pricing_core.guardrails.money import minor_unit_digits
from pricing_core.guardrails.rules import Guardrails
from pricing_core.models.price_server import PriceServer
from pricing_core.models.shop_model import EncodedOffers
from pricing_core.optimize.objectives import Objective
from pricing_core.optimize.strategies import StrategyPrices, StrategySettings, price_strategy
from pricing_core.response.pricing_rows import PricingRows
from pricing_core.simulate.effects import row_effects
from pricing_core.simulate.scenario import Scenario
from pricing_core.simulate.strategies import SimulationResult, simulate_strategies
from pricing_core.store.workspace import Workspace
from pricing_core.workflows.objectives import chosen_objective
from pricing_core.workflows.runs import TrainedRun, load_run
from pricing_core.workflows.strategies import settings_for, settings_for_targets
from pricing_core.workflows.targets import prepare_targets
from pricing_core.workflows.what_if import rows_in_market

_MANY_ROWS = 50_000
_ROWS_PER_CUSTOMER = 20


@dataclass(frozen=True)
class PricedTable:
    """Priced targets: the frame to hand out, and what it was computed from."""

    frame: pd.DataFrame
    rows: PricingRows
    prices: StrategyPrices


def rows_for(
    run: TrainedRun,
    targets: pd.DataFrame | None = None,
    *,
    scenario: Scenario | None = None,
    encoded_too: bool = True,
) -> tuple[PricingRows, EncodedOffers | None]:
    """Pricing rows of targets (default: the recent offers, whose response is stored with the run).

    A scenario that moves competitors or the season asks the models again, since these are among their features; the
    second value is then None. With ``encoded_too`` off it may be: very many pairs are answered without encoding them.
    """
    if scenario is not None and scenario.asks_models:
        return rows_in_market(run, scenario, targets), None
    if targets is None:
        return run.rows, None
    dataset = run.dataset_for(targets["customer_id"])
    if not encoded_too and _side_by_side(run, targets):
        people, goods = (targets[name].unique().tolist() for name in ("customer_id", "product_id"))
        server = PriceServer(run.model, dataset, people, goods, targets["offered_at"].iloc[0])
        rows = server.rows(*server.places(targets["customer_id"], targets["product_id"]))
        return run.with_evidence(run.with_margin(rows)), None
    encoded = run.model.encode(dataset, targets)
    rows = run.model.rows(dataset, encoded)
    return run.with_evidence(run.with_margin(rows)), encoded


def _side_by_side(run: TrainedRun, targets: pd.DataFrame) -> bool:
    """Whether it pays to compute what belongs to customer and product once: many rows, few of either, one time."""
    if len(targets) < _MANY_ROWS or len(targets) < _ROWS_PER_CUSTOMER * targets["customer_id"].nunique():
        return False
    return PriceServer.suits(run.model, targets)


def price(
    ws: Workspace,
    strategy: str,
    *,
    targets: pd.DataFrame | None = None,
    guardrails: Guardrails | None = None,
    settings: StrategySettings | None = None,
    objective: Objective | None = None,
    run_id: str | None = None,
) -> PricedTable:
    """Price targets under a strategy.

    Parameters
    ----------
    targets
        ``customer_id, product_id, offered_at`` and context columns; default: the recent offers.
    guardrails
        Default: the product's own (margin not below zero).
    objective
        Default: the one that the user last chose, else profit.

    The usual markup of cost-plus, and segments, come from the run's recent offers, however few the targets are.

    Returns
    -------
    PricedTable
        ``frame`` holds the targets' columns, rows in their order, plus ``new_price, expected_conversion_rate,
        expected_profit, profit_low, profit_high, reason``.
    """
    run = load_run(ws, run_id)
    prepared = None if targets is None else prepare_targets(ws, run.dataset, targets)
    rows, _ = rows_for(run, prepared, encoded_too=False)
    aim, allowed = objective or chosen_objective(ws), rules_for(run, guardrails)
    if targets is None:
        chosen = settings_for(run, [strategy], settings)
    else:
        chosen = settings_for_targets(run, strategy, settings, guardrails=allowed, objective=aim)
    prices = price_strategy(strategy, rows, allowed, settings=chosen, objective=aim)
    shown = run.targets if targets is None else targets
    frame = shown.drop(columns=[c for c in PRICED_COLUMNS if c in shown.columns]).reset_index(drop=True)
    return PricedTable(frame.assign(**priced_columns(rows, prices)), rows, prices)


def rules_for(run: TrainedRun, guardrails: Guardrails | None = None) -> Guardrails:
    """The given rules, or the product's own (never below cost), in whole minor units of the run's currency."""
    return replace(guardrails or Guardrails(), decimals=minor_unit_digits(run.manifest["currency"]))


PRICED_COLUMNS = (
    "new_price", "expected_conversion_rate", "expected_profit", "profit_low", "profit_high", "segment_id", "reason"
)  # fmt: skip


def priced_columns(rows: PricingRows, prices: StrategyPrices) -> dict[str, NDArray[Any]]:
    """Expected effect of each row's price, with a 90% interval over the posterior draws, and the segment if any."""
    effects = row_effects(rows, prices.price)
    segment = {"segment_id": prices.segment} if prices.by_segment else {}
    return {
        "new_price": prices.price,
        "expected_conversion_rate": effects.conversion_rate,
        "expected_profit": effects.profit,
        "profit_low": effects.profit_low,
        "profit_high": effects.profit_high,
        **segment,
        "reason": prices.reason,
    }


def predict(ws: Workspace, offers: pd.DataFrame, *, run_id: str | None = None) -> pd.DataFrame:
    """The offers' rows, in order, plus ``conversion_rate``: the chance of a purchase at their ``price``."""
    run = load_run(ws, run_id)
    prepared = prepare_targets(ws, run.dataset, offers)
    if "price" not in prepared.columns:
        raise MappingError("The offers have no price column.", fix="Name it price, or use the price command instead.")
    asked = pd.to_numeric(prepared["price"], errors="coerce").to_numpy(dtype=float)
    wrong = np.flatnonzero(~(asked > 0))
    if len(wrong):
        raise DataError(
            f"{len(wrong)} offers have no price above zero; the first is row {wrong[0] + 2} of the file.",
            fix="Fill in the price or remove the rows.",
        )
    rows, _ = rows_for(run, prepared, encoded_too=False)
    return offers.reset_index(drop=True).assign(conversion_rate=rows.response.probability(asked))


def simulate(
    ws: Workspace,
    strategies: Sequence[str],
    *,
    targets: pd.DataFrame | None = None,
    scenario: Scenario | None = None,
    guardrails: Guardrails | None = None,
    settings: StrategySettings | None = None,
    objective: Objective | None = None,
    run_id: str | None = None,
) -> SimulationResult:
    """Compare strategies under a scenario; the best uniform price is always among them.

    Budgets, stock and least units without a horizon of their own count over all of the scenario's time.
    """
    run = load_run(ws, run_id)
    prepared = None if targets is None else prepare_targets(ws, run.dataset, targets)
    rows, _ = rows_for(run, prepared, scenario=scenario, encoded_too=False)
    allowed, scene = rules_for(run, guardrails), scenario or Scenario()
    if allowed.horizon_offers is None and scene.occasions_per_week is not None:
        allowed = replace(allowed, horizon_offers=scene.occasions(rows))
    return simulate_strategies(
        rows,
        strategies,
        guardrails=allowed,
        scenario=scene,
        settings=settings_for(run, strategies, settings),
        objective=objective or chosen_objective(ws),
    )
