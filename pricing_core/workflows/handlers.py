"""The verbs that run in the background, by the name that a job gives them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pricing_core.progress import Progress
from pricing_core.store.workspace import Workspace
from pricing_core.workflows.compressing import compress_job
from pricing_core.workflows.customer_features import customer_features_job
from pricing_core.workflows.demo_run import demo_job
from pricing_core.workflows.explaining import explain_job
from pricing_core.workflows.exporting import export_job
from pricing_core.workflows.following_up import backtest_job
from pricing_core.workflows.importing import import_job, import_sample
from pricing_core.workflows.list_explaining import explain_list_job
from pricing_core.workflows.lists import price_list_job
from pricing_core.workflows.repairing import repair_job, use_version_job
from pricing_core.workflows.training import training_job
from pricing_core.workflows.tuning import tuning_job

Handler = Callable[[Workspace, dict[str, Any], Progress], dict[str, Any]]


def _import_sample_job(ws: Workspace, params: dict[str, Any], progress: Progress) -> dict[str, Any]:
    return {"dataset_id": import_sample(ws, params["name"], progress)}


JOB_HANDLERS: dict[str, Handler] = {
    "import_sample": _import_sample_job,
    "import": import_job,
    "repair": repair_job,
    "use_version": use_version_job,
    "train": training_job,
    "tune": tuning_job,
    "price_list": price_list_job,
    "explain": explain_job,
    "explain_list": explain_list_job,
    "demo": demo_job,
    "export": export_job,
    "backtest": backtest_job,
    "customer_features": customer_features_job,
    "compress": compress_job,
}
