"""What to keep in mind beside the prices and the profit that a run promises."""

from __future__ import annotations

from pricing_core.charts import cautions as words
from pricing_core.response.pricing_rows import PricingRows
from pricing_core.store import datasets
from pricing_core.store.workspace import Workspace
from pricing_core.workflows.runs import load_run


def cautions(ws: Workspace, rows: PricingRows | None = None, *, run_id: str | None = None) -> tuple[str, ...]:
    """Say what makes the promised profit of priced rows doubtful, as the pages do.

    Parameters
    ----------
    rows
        What was priced; default: the recent offers.
    run_id
        With which run; default: the one in use.

    Returns
    -------
    tuple of str
        Sentences: for how many rows the unit cost is assumed; that later offers do not confirm the reaction to price;
        that most prices are the highest that the data support. Each only where it holds.
    """
    run = load_run(ws, run_id)
    margin = datasets.load_manifest(ws, run.dataset_id).margin_assumption
    costs = words.assumed_costs(run.rows if rows is None else rows, margin)
    return (*([] if costs is None else [f"{costs}."]), *words.doubts(run.metrics))
