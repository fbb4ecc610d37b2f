"""How long a training will take: as the earlier ones of the workspace did, else by a rule."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from pricing_core.errors import WorkspaceError
from pricing_core.models.choice import AUTO
from pricing_core.models.demand_model import NETWORK
from pricing_core.models.training import TrainingConfig
from pricing_core.store import runs, shelf
from pricing_core.store.workspace import Workspace

_LATEST: Final = 3
_CORES: Final = 2
_CONTEST: Final = (100.0, 0.27)
_FULL: Final = (55.0, 0.27)
_QUICK: Final = (15.0, 0.15)
_QUICK_OTHER: Final = (15.0, 0.3)
"""Seconds of any training and per 1,000 offers learned from, measured on two cores."""


@dataclass(frozen=True)
class TrainingTime:
    """Seconds that a training will take, and the number of earlier trainings that say so (0: a rule does)."""

    seconds: float
    trainings: int


def training_time(ws: Workspace, n_offers: int, *, quick: bool, family: str = AUTO) -> TrainingTime:
    """Estimate how long a training on so many offers will take on this machine.

    The median of the latest three trainings of the workspace that were of the same kind (quick or full, of this family
    or with a contest), each scaled to the number of offers: what takes its time whatever the number, see the rule, is
    not scaled. Where there are none: seconds measured on two cores, twice as many on one.
    """
    fixed, rate = _rule(quick, family)
    rows = _rows(n_offers, quick)
    alike = [found for found in _earlier(ws) if found[0] == (quick, _contested(quick, family))]
    if alike:
        expected = fixed + rate * rows / 1_000
        told = [seconds * expected / (fixed + rate * learned / 1_000) for _, learned, seconds in alike[:_LATEST]]
        return TrainingTime(float(np.median(told)), len(told))
    return TrainingTime((fixed + rate * rows / 1_000) * max(1.0, _CORES / (os.cpu_count() or 1)), 0)


def _rule(quick: bool, family: str) -> tuple[float, float]:
    if quick:
        return _QUICK if _contested(quick, family) == NETWORK else _QUICK_OTHER
    return _CONTEST if family == AUTO else _FULL


def _contested(quick: bool, family: str) -> str:
    """Family that learns, or that there is a contest: a quick training has none."""
    return NETWORK if quick and family == AUTO else family


def _rows(n_offers: int, quick: bool) -> int:
    return min(n_offers, TrainingConfig(quick=quick).row_limit)


def _earlier(ws: Workspace) -> list[tuple[tuple[bool, str], int, float]]:
    """Kind, offers learned from, and seconds of the trainings that began from nothing, the newest first."""
    found = []
    for run_id in runs.list_runs(ws)["run_id"]:
        try:
            manifest: dict[str, Any] = shelf.read_json(runs.SHELF.path(ws, str(run_id)) / "manifest.json")
        except WorkspaceError:  # a damaged old run tells no time, and must not stand in the way of a new one
            continue
        config = manifest["config"]
        if not (manifest.get("warm_start") or {}).get("used"):
            quick = bool(config["quick"])
            kind = (quick, _contested(quick, str(config.get("family") or NETWORK)))
            found.append((kind, int(manifest["counts"]["rows_used"]), float(manifest["seconds"]["total"])))
    return found
