"""The verbs that pages, command line and background jobs share.

Each takes a workspace first and composes the rooms below; there is no arithmetic here. ``JOB_HANDLERS`` names those
that run in the background. A verb's module is imported when the verb is first asked for, so that each page, command or
job waits for what it uses and for nothing else.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from pricing_core.models.training import TrainingConfig
    from pricing_core.workflows.compressing import compress, compression_report, has_network, use_form
    from pricing_core.workflows.demo_run import DemoOutcome, demo
    from pricing_core.workflows.explaining import RowExplanation, explain, explain_row
    from pricing_core.workflows.handlers import JOB_HANDLERS
    from pricing_core.workflows.importing import (
        StoredImport,
        import_files,
        import_sample,
        keep_uploads,
        own_customer_ids,
        set_aside_for_excel,
        set_exclusions,
        set_margin_assumption,
    )
    from pricing_core.workflows.list_explaining import explain_list, list_explanations
    from pricing_core.workflows.lists import make_list_from_scenario, make_price_list
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
    from pricing_core.workflows.repairing import compare_versions, repair_dataset, use_version, version_origins
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
    from pricing_core.workflows.training import config_from, train
    from pricing_core.workflows.training_times import training_time
    from pricing_core.workflows.tuned import config_with, tuned_config
    from pricing_core.workflows.tuning import TuningRequest, new_tuning, tune
    from pricing_core.workflows.warning import cautions

_HOMES: Final = {
    "pricing_core.models.training": "TrainingConfig",
    "pricing_core.workflows.warning": "cautions",
    "pricing_core.workflows.compressing": "compress compression_report has_network use_form",
    "pricing_core.workflows.demo_run": "DemoOutcome demo",
    "pricing_core.workflows.explaining": "RowExplanation explain explain_row",
    "pricing_core.workflows.handlers": "JOB_HANDLERS",
    "pricing_core.workflows.importing":
        "StoredImport import_files import_sample keep_uploads own_customer_ids set_aside_for_excel set_exclusions "
        "set_margin_assumption",
    "pricing_core.workflows.list_explaining": "explain_list list_explanations",
    "pricing_core.workflows.lists": "make_list_from_scenario make_price_list",
    "pricing_core.workflows.objectives": "choose_objective chosen_objective",
    "pricing_core.workflows.pricing": "PricedTable predict price rows_for simulate",
    "pricing_core.workflows.release":
        "activate approve comment decide new_version reject rollback schedule set_terms submit",
    "pricing_core.workflows.repairing": "compare_versions repair_dataset use_version version_origins",
    "pricing_core.workflows.runs": "TrainedRun load_run",
    "pricing_core.workflows.strategies":
        "choose_settings chosen_settings judge_segments own_strategies settings_for value_ladder",
    "pricing_core.workflows.targets": "prepare_targets read_targets",
    "pricing_core.workflows.training": "config_from train",
    "pricing_core.workflows.training_times": "training_time",
    "pricing_core.workflows.tuned": "config_with tuned_config",
    "pricing_core.workflows.tuning": "TuningRequest new_tuning tune",
}  # fmt: skip
_HOME_OF: Final = {name: home for home, names in _HOMES.items() for name in names.split()}

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
    "cautions",
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


def __getattr__(name: str) -> Any:
    if name not in _HOME_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = globals()[name] = getattr(import_module(_HOME_OF[name]), name)
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
