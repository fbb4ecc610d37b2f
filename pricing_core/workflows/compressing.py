"""Compress a run's behavior model, measure what that changes, and choose which form serves."""

from __future__ import annotations

import copy
import os
import shutil
import time
from collections.abc import Sequence
from dataclasses import asdict, replace
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pricing_core.drafts import draft_path
from pricing_core.errors import ConfigError, MissingDependencyError, ModelError
from pricing_core.features.batch import EncodedBatch
from pricing_core.models import forms
from pricing_core.models.demand_model import NETWORK, label_of
from pricing_core.models.exported import INSTALL
from pricing_core.models.folds import N_FOLDS
from pricing_core.models.form_changes import FormAnswers, changes
from pricing_core.models.pruning import PruningConfig, prune
from pricing_core.models.quantized import rounded
from pricing_core.models.sampling import held_out_rows
from pricing_core.models.serving import ServingNetwork
from pricing_core.optimize.strategies import price_strategy
from pricing_core.progress import Progress, SilentProgress, SubProgress
from pricing_core.store import shelf
from pricing_core.store.workspace import Workspace
from pricing_core.workflows.figures import write_json
from pricing_core.workflows.pricing import rules_for
from pricing_core.workflows.runs import RESPONSE_FILE, TrainedRun, load_run

if TYPE_CHECKING:
    from pricing_core.models.behavior import BehaviorModel

Floats = NDArray[np.float64]

REPORT: Final = "report.json"
WRITABLE: Final = (forms.INT8, forms.LITERT, forms.ONNX)
_TUNING_ROWS: Final = 60_000
_JUDGED_ROWS: Final = 20_000
_TIMED_ROWS: Final = {1_000: 5, 100_000: 1}  # rows → tries
_SEED: Final = 11


def compress(
    ws: Workspace,
    run_id: str | None = None,
    *,
    config: PruningConfig | None = None,
    wanted: Sequence[str] = WRITABLE,
    progress: Progress | None = None,
) -> pd.DataFrame:
    """Prune and quantize the network of a run (default: the one in use), write it in several forms, and measure them.

    A form that needs an optional package is left out where the package is missing. The original stays, and stays in
    use until :func:`use_form` says otherwise; a compressed form that served is replaced by the new one.

    Returns
    -------
    DataFrame
        As :func:`compression_report` gives it.

    Raises
    ------
    ConfigError
        If the run's model is no network.
    ModelError
        If the files that TensorFlow wrote are no longer there.
    """
    progress, config = progress or SilentProgress(), config or PruningConfig()
    run = load_run(ws, run_id)
    behavior = _network_of(run)
    progress.stage("Features", 0.02, "Computing what was known before past offers")
    tuning, judged = _rows(run)
    draft = ws.new_temp_dir("compressed")
    try:
        losses, left_out = [], dict.fromkeys(form for form in wanted if not _is_writable(form))
        for fold in range(N_FOLDS):
            part = SubProgress(progress, 0.15 + 0.3 * fold, 0.45 + 0.3 * fold)
            losses.append(_write_fold(run, behavior, fold, draft, tuning, config, wanted, part))
        progress.stage("Measuring", 0.76, "Comparing prices, forecasts and speed of each form")
        names = [forms.ORIGINAL, *forms.stored_forms(draft)]
        rows = _measure(run, draft, [n for n in names if _is_readable(n)], judged)
        report = {"pruning": asdict(config), "losses": losses, "left_out": list(left_out), "forms": rows}
        inner = draft / forms.FOLDER
        write_json(inner / REPORT, report)
        _put(inner, forms.network_folder(run.folder) / forms.FOLDER)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    progress.stage("Done", 1.0, "The compressed forms are ready to serve")
    return compression_report(run)


def use_form(ws: Workspace, name: str, run_id: str | None = None) -> None:
    """Let a form of a run answer from now on: on pages, on the command line, everywhere.

    Raises
    ------
    ConfigError
        If there is no such form, or the run does not have it.
    MissingDependencyError
        If the package that reads it is not installed.
    """
    run = load_run(ws, run_id)
    chosen = forms.form(name)
    if name not in forms.stored_forms(forms.network_folder(run.folder)):
        raise ConfigError(f"Run {run.run_id} has no form {name!r}.", fix="Compress the run first.")
    if not _is_readable(name):
        raise MissingDependencyError(f"The form {chosen.label!r} needs an optional package.", fix=INSTALL)
    path = run.folder / forms.MANIFEST
    draft = draft_path(path)
    write_json(draft, {**run.manifest, forms.MANIFEST_KEY: name})
    os.replace(draft, path)


def compression_report(run: TrainedRun) -> pd.DataFrame:
    """Table of the forms of a run, the original first; empty where it was never compressed.

    Columns: ``form, label, serves, size_bytes, size_share, seconds_1000, seconds_100000, log_loss, log_loss_change,
    price_change_mean, price_change_max, same_price_share, profit_change``; rates are shares.
    """
    path = forms.network_folder(run.folder) / forms.FOLDER / REPORT
    if not path.exists():
        return pd.DataFrame()
    table = pd.DataFrame(shelf.read_json(path)["forms"])
    serves = forms.serving_form(run.folder)
    return table.assign(label=[forms.form(n).label for n in table["form"]], serves=table["form"] == serves)


def compress_job(ws: Workspace, params: dict[str, Any], progress: Progress) -> dict[str, Any]:
    """Background form of :func:`compress`."""
    config = PruningConfig(**{key: params[key] for key in ("sparsity", "epochs") if key in params})
    table = compress(ws, params.get("run_id"), config=config, progress=progress)
    return {"forms": table["form"].tolist()}


def family_of(run: TrainedRun) -> str:
    """Family of a run's behavior model, without loading it."""
    path = run.folder / "demand_model.json"
    return str(shelf.read_json(path)["family"]) if path.exists() else NETWORK


def has_network(run: TrainedRun) -> bool:
    """Whether the run's behavior model is a network, or a blend with one among its parts."""
    return family_of(run) == NETWORK or forms.network_folder(run.folder) != run.folder


def _network_of(run: TrainedRun) -> BehaviorModel:
    """Return the run's network in its original form."""
    if not has_network(run):
        raise ConfigError(
            f"The model of run {run.run_id} ({label_of(family_of(run))}) has no network that could be compressed.",
            fix="The deep behavior model has one, alone or in a blend: train it, or put such a run in use.",
        )
    found: Any = run.model.behavior
    network = copy.copy(next(part for part in getattr(found, "parts_", [found]) if part.family == NETWORK))
    network.networks_ = forms.load_networks(forms.network_folder(run.folder), N_FOLDS, forms.ORIGINAL)
    chosen: BehaviorModel = network
    return chosen


def _whole(run: TrainedRun, network: BehaviorModel) -> Any:
    """The run's behavior model with this network in the place of its own."""
    found: Any = run.model.behavior
    if not hasattr(found, "parts_"):
        return network
    whole = copy.copy(found)
    whole.parts_ = [network if part.family == NETWORK else part for part in found.parts_]
    return whole


def _rows(run: TrainedRun) -> tuple[EncodedBatch, tuple[EncodedBatch, Floats, Floats]]:
    """Earlier offers to tune on; latest offers to judge by, with relative price and outcome."""
    offers = run.dataset.offers
    late = held_out_rows(offers["offered_at"], 0.15)
    rng = np.random.default_rng(_SEED)
    early = np.sort(rng.permutation(np.flatnonzero(~late))[:_TUNING_ROWS])
    last = np.sort(rng.permutation(np.flatnonzero(late))[:_JUDGED_ROWS])
    chosen = offers.iloc[np.concatenate([early, last])].reset_index(drop=True)
    encoded = run.model.encode(run.dataset, chosen)
    x = chosen["price"].to_numpy(dtype=float) / encoded.going.reference
    y = chosen["purchased"].to_numpy(dtype=float)
    tail = np.arange(len(early), len(chosen))
    return encoded.batch.take(np.arange(len(early))), (encoded.batch.take(tail), x[tail], y[tail])


def _write_fold(
    run: TrainedRun,
    behavior: BehaviorModel,
    fold: int,
    draft: Path,
    tuning: EncodedBatch,
    config: PruningConfig,
    wanted: Sequence[str],
    progress: Progress,
) -> dict[str, float]:
    """Prune, quantize and write one fold's network; return what pruning reports."""
    import keras

    import pricing_core.models.layers  # noqa: F401  # makes the layers known to Keras

    path = forms.network_folder(run.folder) / f"behavior_{fold}.keras"
    if not path.exists():
        raise ModelError(f"Run {run.run_id} lacks {path.name}, which compression starts from.", fix="Train again.")
    model = keras.models.load_model(path)
    losses = prune(model, tuning, config, progress)
    further = behavior.networks_[fold].weights  # numbers beside the layers, which no pruning touches
    network = ServingNetwork(rounded({**further, **ServingNetwork.from_keras(model).weights}))
    for name in (forms.INT8, *(n for n in wanted if n != forms.INT8 and _is_writable(n))):
        progress.stage("Writing", 0.95, f"Writing one of the forms: {forms.form(name).label}")
        forms.write_form(draft, name, fold, network, tuning.sequence.shape[1])
    return losses


def _measure(
    run: TrainedRun, draft: Path, names: Sequence[str], judged: tuple[EncodedBatch, Floats, Floats]
) -> list[dict[str, Any]]:
    """What each form costs and changes; writes its answer for the recent offers beside it."""
    batch, x, y = judged
    rows, rules, own = run.rows, rules_for(run), forms.network_folder(run.folder)
    asked, reference = run.encoded.batch, run.encoded.going.reference
    first: FormAnswers | None = None
    base = rows
    found: list[dict[str, Any]] = []
    for name in names:
        network = _network_of(run)
        if name != forms.ORIGINAL:
            network.networks_ = forms.load_networks(draft, N_FOLDS, name)
        behavior = _whole(run, network)
        response = behavior.respond(asked, reference)
        if name != forms.ORIGINAL:
            response.save(draft / forms.FOLDER / name / RESPONSE_FILE)
        now = replace(rows, response=response)
        price = price_strategy("personalized", now, rules, with_reasons=False).price
        chance = behavior.respond(batch, np.ones(batch.n)).probability(x)
        answers = FormAnswers(price, chance)
        if first is None:
            first, base = answers, now
        size = forms.form_size(own if name == forms.ORIGINAL else draft, name)
        found.append(
            {
                "form": name,
                "size_bytes": size,
                "size_share": size / found[0]["size_bytes"] if found else 1.0,
                **{f"seconds_{n}": _seconds(network, asked, n, tries) for n, tries in _TIMED_ROWS.items()},
                **changes(first, answers, y, base),
            }
        )
    return found


def _seconds(behavior: BehaviorModel, batch: EncodedBatch, n: int, tries: int) -> float:
    """Least time of a few tries to compute the demand curves of ``n`` encoded rows, in seconds."""
    many = batch.take(np.arange(n) % batch.n)
    reference, spent = np.ones(n), []
    for _ in range(tries):
        start = time.perf_counter()
        behavior.respond(many, reference)
        spent.append(time.perf_counter() - start)
    return min(spent)


def _is_writable(name: str) -> bool:
    return name != forms.ONNX or find_spec("onnx") is not None


def _is_readable(name: str) -> bool:
    package = forms.form(name).package
    return package is None or find_spec(package) is not None


def _put(draft: Path, place: Path) -> None:
    """Put a complete folder in the place of another."""
    old = draft_path(place)
    if place.exists():
        os.replace(place, old)
    os.replace(draft, place)
    shutil.rmtree(old, ignore_errors=True)
