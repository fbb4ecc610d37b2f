"""Which trials of a tuning can be told from its best one, and whether the best beats the settings of today."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import pandas as pd

from pricing_core.evaluate.paired import paired_difference
from pricing_core.store import studies
from pricing_core.store.workspace import Workspace

_RANGES: Final = {"policy_value": ("figure.policy_low", "figure.policy_high")}
_SLOPE: Final = ("figure.price_slope_low", "figure.price_slope_high")


def told_from_best(ws: Workspace, name: str) -> dict[int, bool | None]:
    """Return number of a judged trial → whether it differs from the best one by more than luck.

    Errors are compared on the same offers (:func:`~pricing_core.evaluate.paired.paired_difference`); profits by whether
    their 90% ranges touch, and a criterion that also counts the reaction to price by its range besides. None where that
    was not kept.
    """
    best = studies.get(ws, name).best_number
    return {} if best is None else told_from(ws, name, best)


def told_from(ws: Workspace, name: str, reference: int) -> dict[int, bool | None]:
    """Return number of each other judged trial → whether it differs from the reference by more than luck."""
    criterion = str(studies.get(ws, name).record["criterion"])
    table = studies.trials(ws, name)
    judged = {int(row["number"]): row for row in table[table["state"] == "done"].to_dict("records")}
    parts = studies.parts(ws, name)
    if reference not in judged:
        return {}
    return {
        number: _told(row, judged[reference], parts.get(number), parts.get(reference), criterion)
        for number, row in judged.items()
        if number != reference
    }


def start_number(trials: pd.DataFrame) -> int | None:
    """Number of the judged trial that has the settings of today; None where there is none."""
    found = trials.loc[trials["today"] & (trials["state"] == "done"), "number"]
    return int(found.iloc[0]) if len(found) else None


def _told(
    row: Mapping[Any, Any],
    best: Mapping[Any, Any],
    parts: Mapping[str, list[float]] | None,
    best_parts: Mapping[str, list[float]] | None,
    criterion: str,
) -> bool | None:
    if criterion in _RANGES:
        return _apart(row, best, _RANGES[criterion])
    if parts is None or best_parts is None:
        return None
    if sum(weight > 0 for weight in best_parts["weight"]) < 2:  # too few customers to tell anything
        return None
    told = paired_difference(parts["loss"], best_parts["loss"], best_parts["weight"]).told_apart
    return told or (criterion == "price_reaction" and bool(_apart(row, best, _SLOPE)))


def _apart(row: Mapping[Any, Any], other: Mapping[Any, Any], columns: tuple[str, str]) -> bool | None:
    """Whether two ranges do not touch; None where one is not known."""
    low, high = (float(row.get(name, np.nan)) for name in columns)
    other_low, other_high = (float(other.get(name, np.nan)) for name in columns)
    if not np.isfinite([low, high, other_low, other_high]).all():
        return None
    return low > other_high or high < other_low
