"""The run from whose networks a training starts."""

from __future__ import annotations

from typing import Any, Final

import pandas as pd

from pricing_core.data.dataset import Dataset
from pricing_core.errors import ConfigError, ModelError, NoModelError, WorkspaceError
from pricing_core.models.behavior import BehaviorModel
from pricing_core.models.blend import BlendedModel
from pricing_core.models.demand_model import DemandModel
from pricing_core.models.shop_model import ShopModel
from pricing_core.models.warm_start import Previous
from pricing_core.store import runs, shelf
from pricing_core.store.workspace import Workspace

AUTO: Final = "auto"
NONE: Final = "none"


def previous_run(ws: Workspace, choice: str, dataset: Dataset) -> Previous | None:
    """Find the model to start from.

    Parameters
    ----------
    choice
        ``none``; ``auto``: the run in use, if the data set has all offers that it learned from and later ones; or the
        id of a run.

    Raises
    ------
    ConfigError
        If the run named learned no network.
    """
    if choice == NONE:
        return None
    try:
        folder = runs.run_dir(ws, None if choice == AUTO else choice)
    except NoModelError:
        if choice != AUTO:
            raise
        return None
    try:
        manifest: dict[str, Any] = shelf.read_json(folder / "manifest.json")
        if choice == AUTO and not extends(dataset, manifest):
            return None
        model = ShopModel.load(folder)
    except (ModelError, WorkspaceError):
        if choice != AUTO:
            raise
        return None  # a damaged run is what one trains again for: the training begins from nothing
    network = _network(model.behavior)
    if network is None:
        if choice == AUTO:
            return None
        raise ConfigError(f"The run {folder.name} learned no network to start from.", fix="Choose another run.")
    return Previous(folder.name, network.networks_, model.encoder, pd.Timestamp(manifest["log_to"]))


def extends(dataset: Dataset, manifest: dict[str, Any]) -> bool:
    """Whether the offers up to the end of a run's log are as many as it learned from, and later ones have come."""
    if dataset.sample is not None or manifest.get("working_sample"):
        return False
    times, end = dataset.offers["offered_at"], pd.Timestamp(manifest["log_to"])
    begins = times.min() == pd.Timestamp(manifest["log_from"])
    return bool(begins and (times > end).any() and int((times <= end).sum()) == int(manifest["counts"]["offers"]))


def _network(model: DemandModel) -> BehaviorModel | None:
    parts = model.parts_ if isinstance(model, BlendedModel) else [model]
    return next((part for part in parts if isinstance(part, BehaviorModel)), None)
