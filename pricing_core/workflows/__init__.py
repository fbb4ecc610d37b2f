"""The verbs that pages, command line and background jobs share.

Each takes a workspace first and composes the rooms below; there is no arithmetic here. ``JOB_HANDLERS`` names those
that run in the background.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pricing_core.models.training import TrainingConfig
from pricing_core.progress import Progress
from pricing_core.store.workspace import Workspace
from pricing_core.workflows.compressing import compress, compress_job, compression_report, has_network, use_form
from pricing_core.workflows.customer_features import customer_features_job
from pricing_core.workflows.demo import DemoOutcome, demo, demo_job
from pricing_core.workflows.explaining import RowExplanation, explain, explain_job, explain_row
from pricing_core.workflows.exporting import export_job
from pricing_core.workflows.following_up import backtest_job
from pricing_core.workflows.importing import (
    StoredImport,
    import_files,
    import_job,
    import_sample,
    keep_uploads,
    own_customer_ids,
    set_aside_for_excel,
    set_exclusions,
    set_margin_assumption,
)
from pricing_core.workflows.list_explaining import explain_list, explain_list_job, list_explanations
from pricing_core.workflows.lists import make_list_from_scenario, make_price_list, price_list_job
from pricing_core.workflows.objectives import choose_objective, chosen_objective
from pricing_core.workflows.pricing import PricedTable, predict, price, rows_for, simulate
from pricing_core.workflows.release import (
    activate,
    approve,
    comment,
    decide,
    new_version,
    reject,
    rollback,
    schedule,
    set_terms,
    submit,
)
from pricing_core.workflows.repairing import (
    compare_versions,
    repair_dataset,
    repair_job,
    use_version,
    use_version_job,
    version_origins,
)
from pricing_core.workflows.runs import TrainedRun, load_run
from pricing_core.workflows.strategies import (
    choose_settings,
    chosen_settings,
    judge_segments,
    own_strategies,
    settings_for,
    value_ladder,
)
from pricing_core.workflows.targets import prepare_targets, read_targets
from pricing_core.workflows.training import config_from, train, training_job
from pricing_core.workflows.training_time import training_time
from pricing_core.workflows.tuned import config_with, tuned_config
from pricing_core.workflows.tuning import TuningRequest, new_tuning, tune, tuning_job

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

__all__ = [
    "JOB_HANDLERS",
    "DemoOutcome",
    "PricedTable",
    "RowExplanation",
    "StoredImport",
    "TrainedRun",
    "TrainingConfig",
    "TuningRequest",
    "activate",
    "approve",
    "choose_objective",
    "choose_settings",
    "chosen_objective",
    "chosen_settings",
    "comment",
    "compare_versions",
    "compress",
    "compression_report",
    "config_from",
    "config_with",
    "decide",
    "demo",
    "explain",
    "explain_list",
    "explain_row",
    "has_network",
    "import_files",
    "import_sample",
    "judge_segments",
    "keep_uploads",
    "list_explanations",
    "load_run",
    "make_list_from_scenario",
    "make_price_list",
    "new_tuning",
    "new_version",
    "own_customer_ids",
    "own_strategies",
    "predict",
    "prepare_targets",
    "price",
    "read_targets",
    "reject",
    "repair_dataset",
    "rollback",
    "rows_for",
    "schedule",
    "set_aside_for_excel",
    "set_exclusions",
    "set_margin_assumption",
    "set_terms",
    "settings_for",
    "simulate",
    "submit",
    "train",
    "training_time",
    "tune",
    "tuned_config",
    "use_form",
    "use_version",
    "value_ladder",
    "version_origins",
]
