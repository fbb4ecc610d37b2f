"""Train both models of a shop, judge them on later data, explain them, and keep everything as a run."""

from __future__ import annotations

import platform
import time
from collections.abc import Mapping
from dataclasses import asdict, replace
from importlib.metadata import version
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pricing_core.data.columns import ColumnUse
from pricing_core.data.dataset import Dataset
from pricing_core.models.training import TrainingConfig, TrainingResult, train_models
from pricing_core.progress import Progress, SilentProgress, SubProgress
from pricing_core.store import datasets, runs
from pricing_core.store.workspace import Workspace
from pricing_core.workflows.choosing import judge_candidates
from pricing_core.workflows.figures import write_json
from pricing_core.workflows.held_out import FILE as HELD_OUT
from pricing_core.workflows.held_out import held_out_table
from pricing_core.workflows.identifying import hold_level
from pricing_core.workflows.judging import evaluate_run, global_importance
from pricing_core.workflows.warm import NONE, previous_run

TARGET_LIMIT = 20_000
_PACKAGES = ("tensorflow-cpu", "tensorflow", "keras", "lightgbm", "numpy", "pandas", "scikit-learn", "shap")


def train(
    ws: Workspace,
    dataset_id: str | None = None,
    *,
    config: TrainingConfig | None = None,
    promote: bool = True,
    progress: Progress | None = None,
) -> str:
    """Train on a data set (default: the newest) and return the run's id; the run is in use from then on.

    A run that fails or is cancelled leaves the last good one in use.

    Parameters
    ----------
    promote
        Whether the run is put in use; the first one of a workspace always is.
    """
    progress = progress or SilentProgress()
    config = config or TrainingConfig()
    started = time.monotonic()
    progress.stage("Loading", 0.01, "Reading the data set")
    dataset_id = dataset_id or datasets.latest_dataset_id(ws)
    dataset = datasets.load_dataset(ws, dataset_id)
    dataset_id = dataset_id or str(datasets.latest_dataset_id(ws))
    previous = previous_run(ws, config.warm_start, dataset)
    config = replace(config, warm_start=NONE if previous is None else previous.run_id)
    part = SubProgress(progress, 0.02, 0.86)
    result = train_models(dataset, config, part, judge=judge_candidates, previous=previous)
    progress.stage("Evaluation", 0.87, "Judging the models on later offers")
    result = hold_level(dataset, result, config)
    metrics = evaluate_run(dataset, result, config)
    progress.stage("Current prices", 0.90, "Computing the response of recent customers")
    folder = runs.new_run_dir(ws)
    result.model.save(folder)
    targets = default_targets(dataset, result.model.uses)
    encoded = result.model.encode(dataset, targets)
    result.model.rows(dataset, encoded).save(folder)
    targets.to_parquet(folder / "targets.parquet", index=False)
    progress.stage("Explanation", 0.93, "Finding what drives the predictions")
    importance = global_importance(result.model, encoded, config)
    importance.to_parquet(folder / "importance.parquet", index=False)
    held_out_table(dataset, result).to_parquet(folder / HELD_OUT, index=False)
    result.history.to_parquet(folder / "history.parquet", index=False)
    pd.DataFrame([asdict(use) for use in result.model.uses]).to_parquet(folder / "column_uses.parquet", index=False)
    seconds = {**result.seconds, "total": round(time.monotonic() - started, 1)}
    manifest = _manifest(dataset, dataset_id, config, result, seconds)
    write_json(folder / "metrics.json", metrics)
    write_json(folder / "manifest.json", manifest)
    progress.stage("Storing", 0.99, "Keeping the run")
    used = promote or runs.latest_run_id(ws) is None
    run_id = runs.commit_run(ws, folder, dataset_id=dataset_id, summary=_summary(manifest, metrics), promote=used)
    progress.stage("Done", 1.0, f"Run {run_id} is {'in use' if used else 'kept beside the one in use'}")
    return run_id


def default_targets(dataset: Dataset, uses: list[ColumnUse], limit: int = TARGET_LIMIT) -> pd.DataFrame:
    """The most recent offers: who has been in the market lately, at which prices, in which context.

    At most the latest third of the log, so that every product has a past. Columns that no model uses (outcomes,
    personal data, protected attributes) are left out.
    """
    order = recent_order(dataset, limit)
    unused = [use.column for use in uses if use.table == "offers" and use.role == "unused"]
    return dataset.offers.iloc[order].drop(columns=["purchased", *unused], errors="ignore").reset_index(drop=True)


def recent_order(dataset: Dataset, limit: int = TARGET_LIMIT) -> NDArray[np.int64]:
    """Rows of the log that are its most recent offers, in the order of :func:`default_targets`."""
    size = min(limit, max(len(dataset.offers) // 3, 1))
    return np.asarray(np.argsort(dataset.offers["offered_at"].to_numpy(), kind="stable")[-size:])


def training_job(ws: Workspace, params: dict[str, Any], progress: Progress) -> dict[str, Any]:
    """Background form of :func:`train`; ``params``: ``dataset_id, promote``, and fields of the training's settings."""
    promote = bool(params.get("promote", True))
    run_id = train(ws, params.get("dataset_id"), config=config_from(params), promote=promote, progress=progress)
    return {"run_id": run_id}


def config_from(kept: Mapping[str, Any]) -> TrainingConfig:
    """Return the settings of a training from JSON values, such as ``config`` of a run's manifest; others are ignored.

    Training with the manifest's settings on the manifest's data set gives the same models again.
    """
    return TrainingConfig(**{name: kept[name] for name in TrainingConfig.__dataclass_fields__ if name in kept})


def _summary(manifest: Mapping[str, Any], metrics: Mapping[str, Any]) -> dict[str, Any]:
    """What the list of runs tells about each."""
    config, shown = manifest["config"], ("log_loss", "auc", "accuracy", "calibration_slope")
    told = {"family": manifest["family"], "seed": config["seed"], "quick": config["quick"]}
    return {**told, "seconds": manifest["seconds"]["total"], **{key: metrics[key] for key in shown}}


def _manifest(
    dataset: Dataset, dataset_id: str, config: TrainingConfig, result: TrainingResult, seconds: Mapping[str, float]
) -> dict[str, Any]:
    return {
        "dataset_id": dataset_id,
        "data_hash": dataset.manifest.data_hash,
        "data_name": dataset.manifest.name,
        "currency": dataset.manifest.currency,
        "config": asdict(config),
        "family": result.model.behavior.family,
        "behavior": asdict(getattr(result.model.behavior, "config")),  # noqa: B009 - every family has its own
        "pricing": asdict(config.pricing()),
        "epochs": result.model.behavior.epochs_,
        "warm_start": result.warm_start,
        "counts": result.counts,
        "working_sample": None if dataset.sample is None else dataset.sample.to_dict(),
        "held_back": result.model.encoder.clipped_,
        "constant": result.model.encoder.constant_,
        "untold": result.model.encoder.untold_,
        "seconds": dict(seconds),
        "log_from": dataset.offers["offered_at"].min().isoformat(),
        "log_to": dataset.log_to.isoformat(),
        "python": platform.python_version(),
        "versions": _versions(),
    }


def _versions() -> dict[str, str]:
    from importlib.metadata import PackageNotFoundError

    found = {}
    for package in _PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "not installed"
    return found
