"""What a strategy's prices could buy if the goal were another one."""

from __future__ import annotations

from pricing_core.guardrails.rules import Guardrails
from pricing_core.optimize.frontier import FrontierResult, frontier
from pricing_core.optimize.objectives import Objective
from pricing_core.simulate.scenario import Scenario
from pricing_core.store.workspace import Workspace
from pricing_core.workflows.objectives import chosen_objective
from pricing_core.workflows.pricing import rules_for
from pricing_core.workflows.runs import load_run
from pricing_core.workflows.strategies import settings_for


def trace_frontier(
    ws: Workspace,
    strategy: str,
    *,
    guardrails: Guardrails | None = None,
    objective: Objective | None = None,
    scenario: Scenario | None = None,
    run_id: str | None = None,
) -> FrontierResult:
    """Trace profit, revenue and conversion of the recent offers; totals stand for the scenario's occasions."""
    run = load_run(ws, run_id)
    rows = run.rows if scenario is None else scenario.apply(run.rows)
    return frontier(
        rows,
        strategy,
        rules_for(run, guardrails),
        objective=objective or chosen_objective(ws),
        settings=settings_for(run, [strategy]),
        occasions=None if scenario is None else scenario.occasions(rows),
    )
