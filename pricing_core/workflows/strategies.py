"""Strategies as a workspace has them: its own files, and the settings that its user chose last."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace

from pricing_core.guardrails.money import minor_unit_digits
from pricing_core.guardrails.rules import Guardrails
from pricing_core.optimize.objectives import Objective
from pricing_core.optimize.registry import FOLDER, LoadedStrategies, load_strategies
from pricing_core.optimize.settings import (
    COST_PLUS,
    MARKDOWN,
    SEGMENT,
    STATUS_QUO,
    MarkdownSettings,
    SegmentSettings,
    StrategySettings,
    usual_markup,
)
from pricing_core.optimize.strategies import price_strategy
from pricing_core.simulate.segment_shares import SegmentShares, segment_shares
from pricing_core.simulate.strategies import simulate_strategies
from pricing_core.simulate.value_ladder import STEPS, ValueLadder, ladder_of
from pricing_core.store import settings
from pricing_core.store.workspace import Workspace
from pricing_core.workflows.aggregates import weekly_overview
from pricing_core.workflows.objectives import chosen_objective
from pricing_core.workflows.runs import TrainedRun, load_run

_KEY = "strategy_settings"


def own_strategies(ws: Workspace) -> LoadedStrategies:
    """Load the strategies that the operator put into the folder ``strategies`` of the workspace."""
    return load_strategies(ws.root / FOLDER)


def chosen_settings(ws: Workspace) -> StrategySettings:
    """Return the settings of segments and markdowns as the user last chose them, or the product's own."""
    stored = settings.get(ws, _KEY) or {}
    segments = {**stored.get("segments", {})}
    if "exclude" in segments:
        segments["exclude"] = tuple(segments["exclude"])
    return StrategySettings(
        segments=SegmentSettings(**segments), markdown=MarkdownSettings(**stored.get("markdown", {}))
    )


def choose_settings(ws: Workspace, chosen: StrategySettings) -> None:
    """Keep settings of segments and markdowns for every page and command of the workspace."""
    values = {"segments": asdict(chosen.segments), "markdown": asdict(chosen.markdown)}
    settings.set(ws, _KEY, values)


def judge_segments(
    ws: Workspace,
    *,
    guardrails: Guardrails | None = None,
    settings: StrategySettings | None = None,
    run_id: str | None = None,
) -> SegmentShares:
    """Share of personal prices' profit that segments of the recent offers keep, by depth."""
    run = load_run(ws, run_id)
    return segment_shares(
        run.rows,
        guardrails=_rules(run, guardrails),
        settings=settings or chosen_settings(ws),
        objective=chosen_objective(ws),
    )


def value_ladder(ws: Workspace, *, guardrails: Guardrails | None = None, run_id: str | None = None) -> ValueLadder:
    """What each step from one change for all to personal prices adds, over the recent offers."""
    run = load_run(ws, run_id)
    names = [STATUS_QUO, *STEPS]
    result = simulate_strategies(
        run.rows,
        names,
        guardrails=_rules(run, guardrails),
        settings=settings_for(run, names),
        objective=chosen_objective(ws),
    )
    return ladder_of(result)


def _rules(run: TrainedRun, guardrails: Guardrails | None) -> Guardrails:
    return replace(guardrails or Guardrails(), decimals=minor_unit_digits(run.manifest["currency"]))


def settings_for(run: TrainedRun, strategies: Sequence[str], given: StrategySettings | None = None) -> StrategySettings:
    """Return the settings to price with: those given, else the user's, with what the shop itself tells.

    Cost-plus without a markup takes the usual one of the run's recent offers, whatever is priced and whatever costs a
    scenario assumes; a markdown takes the pace of the log.
    """
    found = given or chosen_settings(run.ws)
    if COST_PLUS in strategies and found.markup is None:
        found = replace(found, markup=usual_markup(run.rows))
    if MARKDOWN not in strategies or found.markdown.offers_per_week is not None:
        return found
    pace = float(weekly_overview(run.ws, run.dataset_id, lambda: run.dataset)["offers"].mean())
    return replace(found, markdown=replace(found.markdown, offers_per_week=pace))


def settings_for_targets(
    run: TrainedRun,
    strategy: str,
    given: StrategySettings | None,
    *,
    guardrails: Guardrails,
    objective: Objective,
) -> StrategySettings:
    """Return :func:`settings_for`, for offers that a user brings: with segments formed on the run's recent offers.

    So a file of one offer gets the segment, and the change, that the same offer has among all.
    """
    found = settings_for(run, [strategy], given)
    if strategy != SEGMENT or found.formed is not None:
        return found
    recent = price_strategy(SEGMENT, run.rows, guardrails, settings=found, objective=objective, with_reasons=False)
    return replace(found, formed=recent.details["segments"])
