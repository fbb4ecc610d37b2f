"""Put a trained run in use, or go back to an earlier one: only a run whose files can all be read answers for prices."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from pricing_core.errors import MissingDependencyError, ModelError
from pricing_core.models import forms
from pricing_core.response.price_response import PriceResponse
from pricing_core.response.pricing_rows import RESPONSE_FILE, PricingRows
from pricing_core.store import datasets, run_registry, runs, shelf
from pricing_core.store.parquet import read_parquet
from pricing_core.store.workspace import Workspace
from pricing_core.trust import access
from pricing_core.trust.access import Actor
from pricing_core.workflows.figures import read_figures

_TABLES = ("targets.parquet", "column_uses.parquet", "history.parquet", "importance.parquet")


@dataclass(frozen=True)
class WayBack:
    """Where going back leads: the run (None: nowhere), and the runs passed over on the way, each with the reason."""

    run_id: str | None
    skipped: tuple[str, ...]


def why_unusable(ws: Workspace, run_id: str) -> str | None:
    """Say which file keeps a run from being used, by reading what pages and commands read; None if it can be used.

    Raises
    ------
    WorkspaceError
        If there is no such run.
    """
    for name, read in _parts(ws, run_id):
        try:
            read()
        except MissingDependencyError as error:
            return f"{name} cannot be read: {error.message.rstrip('.')}"
        except Exception:  # each library that reads one of the files has errors of its own
            return f"{name} is missing or damaged"
    return None


def use_run(ws: Workspace, run_id: str, *, actor: Actor) -> None:
    """Have pages and commands use this run.

    Raises
    ------
    AccessError
        If the person may not.
    WorkspaceError
        If there is no such run.
    ModelError
        If it cannot be opened; the one in use then stays.
    """
    access.require(actor, run_registry.MAY)
    reason = why_unusable(ws, run_id)
    if reason is not None:
        raise ModelError(
            f"{run_id} cannot be put in use: {reason}.",
            fix="Restore its files from a copy, or choose another model; the one in use stays.",
        )
    run_registry.put_in_use(ws, run_id, actor=actor)


def way_back(ws: Workspace) -> WayBack:
    """Return the run to which :func:`go_back` leads: the nearest that is still there and can be read."""
    there, skipped = set(runs.list_runs(ws)["run_id"]), list[str]()
    for run_id in run_registry.earlier_run_ids(ws):
        reason = "it is deleted" if run_id not in there else why_unusable(ws, run_id)
        if reason is None:
            return WayBack(run_id, tuple(skipped))
        skipped.append(f"{run_id} is passed over: {reason}")
    return WayBack(None, tuple(skipped))


def go_back(ws: Workspace, *, actor: Actor) -> WayBack:
    """Put the run back into use that was in use before the present one; again, and it goes further back.

    Raises
    ------
    AccessError
        If the person may not.
    ModelError
        If no earlier run is there any more, or none that can be opened.
    """
    access.require(actor, run_registry.MAY)
    found = way_back(ws)
    if found.run_id is None:
        passed = f" ({'; '.join(found.skipped)})" if found.skipped else ""
        raise ModelError(
            f"No other model has been in use before{passed}.", fix="Choose a model from the list instead."
        )  # fmt: skip
    run_registry.roll_back(ws, actor=actor, to=found.run_id)
    return found


def _parts(ws: Workspace, run_id: str) -> Iterator[tuple[str, Callable[[], Any]]]:
    """What a run is read from, each with its name."""
    folder = runs.run_dir(ws, run_id)
    yield "its file manifest.json", lambda: shelf.read_json(folder / "manifest.json")["log_to"]
    yield "its file metrics.json", lambda: read_figures(folder / "metrics.json")["log_loss"]
    for name in _TABLES:
        yield f"its file {name}", partial(read_parquet, folder / name)
    dataset_id = shelf.read_json(folder / "manifest.json")["dataset_id"]
    yield f"the data {dataset_id} that it learned from", lambda: datasets.load_manifest(ws, dataset_id)
    yield "its answer for recent offers", lambda: PricingRows.load(folder)
    serves = forms.serving_form(folder)
    if serves != forms.ORIGINAL:
        answer = forms.network_folder(folder) / forms.FOLDER / serves / RESPONSE_FILE
        yield "the answer of its compressed form", lambda: PriceResponse.load(answer)
    yield "one of the files of its models", lambda: _model(folder)


def _model(folder: Path) -> Any:
    from pricing_core.models.shop_model import ShopModel  # LightGBM takes long to import

    return ShopModel.load(folder)
