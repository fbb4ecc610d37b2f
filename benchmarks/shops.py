"""The shop that several benchmarks work on."""

from __future__ import annotations

from pricing_core import workflows
from pricing_core.errors import NoModelError
from pricing_core.store.workspace import Workspace


def with_demo_model(ws: Workspace) -> Workspace:
    """The workspace, with the demo shop imported and quickly trained where it holds no model yet."""
    try:
        workflows.load_run(ws)
    except NoModelError:
        workflows.import_sample(ws, "demo_shop")
        workflows.train(ws, config=workflows.TrainingConfig(quick=True))
    return ws
