"""A run in words: its kind, where its settings came from, and the settings themselves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from pricing_core.charts.tuning import value_words
from pricing_core.errors import WorkspaceError
from pricing_core.models.choice import AUTO
from pricing_core.models.demand_model import label_of
from pricing_core.models.search_space import PRICING_MODEL
from pricing_core.store import shelf
from pricing_core.store.workspace import Workspace

NOTHING: Final = "–"
_FILE: Final = "file"
_PARTS: Final = {"behavior": "Behavior model", "pricing": "Pricing model"}
_LEFT_OUT: Final = ("random_state", "settings", "pricing_settings")  # the last two stand behind the parts' settings
_SETTINGS: Final = {
    "quick": "Training", "family": "Kind asked for", "origin": "Settings from", "seed": "Seed",
    "held_out_share": "Latest offers that judge", "max_rows": "Offers to learn from, at most",
    "coverage": "Past prices that count as supported", "warm_start": "Starts from",
    "random_prices": "Prices varied at random",
}  # fmt: skip
_PART_SETTINGS: Final = {
    "members": "members", "max_epochs": "passes, at most", "patience": "passes without gain until it stops",
    "batch_size": "offers per step", "guidance": "share learned from trees", "n_trees": "trees, at most",
    "n_leaves": "leaves per tree", "n_folds": "groups of customers that are left out in turn",
    "few_rows": "offers up to which trees are averaged", "max_rows": "offers to learn from, at most",
    "n_features": "features that take part", "max_products": "products known by themselves, at most",
    "max_rounds": "rounds, at most", "units": "units of the hidden layer", "depth": "range of penalties, powers of ten",
    "steps": "penalties tried",
}  # fmt: skip


def manifests(ws: Workspace, run_ids: list[str]) -> dict[str, dict[str, Any]]:
    """Manifest of each run; empty where it cannot be read, so that a damaged run can still be listed."""
    found: dict[str, dict[str, Any]] = {}
    for run_id in run_ids:
        try:
            read = shelf.read_json(ws.runs_dir / run_id / "manifest.json")
        except WorkspaceError:
            read = None
        found[run_id] = read if isinstance(read, dict) else {}
    return found


def kind_words(manifest: Mapping[str, Any]) -> str:
    """Say what tells runs apart: ``Deep behavior model, quick, tuned: network 1, trial 3``; a dash where unknown."""
    config = manifest.get("config") or {}
    parts = [label_of(manifest.get("family")), *([_pace(config["quick"])] if "quick" in config else [])]
    origin = origin_words(config.get("origin") or {})
    return ", ".join(part for part in (*parts, origin) if part) or NOTHING


def origin_words(origin: Mapping[str, Any]) -> str:
    """Say where settings came from: a tuning and its trial, or a file; empty where they are the usual ones."""
    parts = []
    for name, source in origin.items():
        if name == _FILE:
            parts.append(f"settings of {source}")
        else:
            what = "going price tuned" if name == PRICING_MODEL else "tuned"
            parts.append(f"{what}: {source['study']}, trial {source['trial']}")
    return ", ".join(parts)


def settings_in_words(manifest: Mapping[str, Any]) -> dict[str, str]:
    """Name → value of everything that decided what a run learned, both in words, numbers rounded."""
    config = dict(manifest.get("config") or {})
    told = {_named(name): _config_value(name, value) for name, value in config.items() if name not in _LEFT_OUT}
    for part, label in _PARTS.items():
        for name, value in (manifest.get(part) or {}).items():
            if name not in _LEFT_OUT:
                words = _PART_SETTINGS.get(name, name.replace("_", " "))
                told[f"{label}: {words}"] = _value(value)
    return told


def _named(name: str) -> str:
    plain = name.replace("_", " ")
    return _SETTINGS.get(name, plain[:1].upper() + plain[1:])


def _config_value(name: str, value: Any) -> str:
    if name == "quick":
        return _pace(value)
    if name == "family":
        return "later offers choose" if value == AUTO else label_of(value) or str(value)
    if name == "origin":
        return origin_words(value or {}) or "the usual"
    if name == "warm_start":
        return {"auto": "the one in use, where its data go on", "none": "the beginning"}.get(str(value), str(value))
    return _value(value)


def _pace(quick: Any) -> str:
    return "quick" if quick else "full"


def _value(value: Any) -> str:
    if value is None or value in ({}, [], ""):
        return NOTHING
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        return value_words(value)
    if isinstance(value, Mapping):
        return ", ".join(f"{name}: {_value(each)}" for name, each in value.items())
    return ", ".join(_value(each) for each in value) if isinstance(value, list | tuple) else str(value)
