"""What a workspace's prices are chosen for, as its user said last."""

from __future__ import annotations

from pricing_core.optimize.objectives import Objective
from pricing_core.store import settings
from pricing_core.store.workspace import Workspace

_KEY = "objective"


def chosen_objective(ws: Workspace) -> Objective:
    """Return the objective that the user last chose; profit until then."""
    return Objective.from_mapping(settings.get(ws, _KEY) or {})


def choose_objective(ws: Workspace, objective: Objective) -> None:
    """Keep an objective for every page and command of the workspace."""
    settings.set(ws, _KEY, objective.to_mapping())
