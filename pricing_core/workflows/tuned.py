"""Settings that a tuning found, or a file holds, in place of a training's own."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pandas as pd

from pricing_core.errors import ConfigError, reason
from pricing_core.models.search_space import PRICING_MODEL
from pricing_core.models.training import TrainingConfig
from pricing_core.store import database, studies
from pricing_core.store.workspace import Workspace


def tuned_config(ws: Workspace, name: str, number: int | None = None, *, base: TrainingConfig) -> TrainingConfig:
    """Return a training with the settings of a tuning's trial, by default its best.

    Parameters
    ----------
    number
        Number of the trial, from 1.
    base
        Everything else of the training. Settings of the other model that it carries are kept.

    Raises
    ------
    ConfigError
        If there is no such trial, or none has been judged yet.
    """
    found = studies.get(ws, name)
    chosen = found.best_number if number is None else number
    table = {int(each["number"]): each for each in studies.trials(ws, name).to_dict("records")}
    if chosen is None:
        raise ConfigError(f"No trial of {name!r} has been judged yet.", fix="Let it run longer.")
    if chosen not in table:
        count = f"Its trials are 1 to {max(table)}." if table else "It has none yet."
        raise ConfigError(f"The tuning {name!r} has no trial {chosen}.", fix=count)
    settings = settings_of(table[chosen])
    origin = {**base.origin, str(found.record["family"]): {"study": name, "trial": int(chosen)}}
    if found.record["family"] == PRICING_MODEL:
        return replace(base, pricing_settings=settings, origin=origin)
    return replace(base, family=str(found.record["family"]), settings=settings, origin=origin)


def config_with(ws: Workspace, source: str, number: int | None = None, *, base: TrainingConfig) -> TrainingConfig:
    """Return a training with the settings of a tuning or, where none has that name, of a file.

    Raises
    ------
    ConfigError
        If ``source`` is neither, or is a file and a trial is asked for.
    """
    if any(each.name == source for each in studies.list_studies(ws)):
        return tuned_config(ws, source, number, base=base)
    if not Path(source).is_file():
        names = ", ".join(each.name for each in studies.list_studies(ws)[:5]) or "none yet"
        raise ConfigError(f"{source!r} is neither a tuning nor a file.", fix=f"Tunings: {names}.")
    if number is not None:
        raise ConfigError("A file of settings has no trials.", fix="Leave --trial out, or name a tuning.")
    return read_settings(Path(source), base)


def settings_of_trial(ws: Workspace, name: str, number: int) -> dict[str, Any]:
    """Return the settings of a trial of a tuning; empty where there is no such trial."""
    table = studies.trials(ws, name)
    found = table[table["number"] == number].to_dict("records")
    return settings_of(found[0]) if found else {}


def settings_of(trial: Mapping[Any, Any]) -> dict[str, Any]:
    """Settings of one row of the trials' table, as plain numbers and texts."""
    found = {}
    for column, value in trial.items():
        if not str(column).startswith("setting.") or pd.isna(value):
            continue
        plain = value.item() if hasattr(value, "item") else value
        found[str(column).removeprefix("setting.")] = plain
    return found


def read_settings(path: Path, base: TrainingConfig) -> TrainingConfig:
    """Return a training with the settings of a TOML or JSON file.

    The file holds ``family``, a table ``settings`` of that family, and a table ``pricing_settings``; each may be left
    out.

    Raises
    ------
    ConfigError
        If the file cannot be read, or holds something else.
    """
    try:
        text = path.read_text(encoding="utf-8")
        found = json.loads(text) if path.suffix.lower() == ".json" else tomllib.loads(text)
    except (OSError, ValueError) as error:
        raise ConfigError(
            f"The settings in {path.name} cannot be read: {reason(error, of=path.name)}.", fix="Give TOML or JSON."
        ) from error
    unknown = sorted(set(found) - {"family", "settings", "pricing_settings"}) if isinstance(found, dict) else ["a list"]
    if unknown:
        raise ConfigError(
            f"{path.name} holds {', '.join(unknown)}.", fix="It may hold family, settings and pricing_settings."
        )
    given = {name: value for name, value in found.items() if value is not None}
    try:
        return replace(base, **given, origin={**base.origin, "file": path.name})
    except ConfigError as error:
        raise ConfigError(f"{path.name}: {error.message}", fix=error.fix) from error


def job_settings(config: TrainingConfig) -> dict[str, Any]:
    """Return what a background training needs to know of its settings, as JSON values."""
    return {name: value for name, value in asdict(config).items() if value != getattr(TrainingConfig(), name)}


def settings_text(config: TrainingConfig) -> str:
    """Settings of a training as a file that :func:`read_settings` reads (JSON)."""
    names = ("family", "settings", "pricing_settings")
    shown = {name: value for name in names if (value := getattr(config, name))}
    return database.to_json(shown, indent=1) + "\n"
