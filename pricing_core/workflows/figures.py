"""Figures of a run as JSON: a number that is not known is ``null`` in the file and NaN in memory."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np

from pricing_core.store import shelf

_NUMBERS: Final = ("baselines", "policy_value", "held_out_weeks", "price_band_slope", "calibration", "price_bands")
"""Parts of the figures that hold numbers only, so that nothing there is a number that is not known. Elsewhere it can
mean that there is no such thing, as with an instrument."""


def write_json(path: Path, value: Any) -> None:
    """Write JSON that any program reads: RFC 8259 knows neither NaN nor infinity."""
    path.write_text(json.dumps(_plain(value), indent=1, default=float, allow_nan=False), encoding="utf-8")


def read_figures(path: Path) -> dict[str, Any]:
    """Read the figures of a run, also of an earlier version that wrote ``NaN``."""
    found: dict[str, Any] = shelf.read_json(path)
    return {
        name: _restored(value) if name in _NUMBERS or not isinstance(value, Mapping | list) else value
        for name, value in found.items()
    }


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    plain = value.item() if isinstance(value, np.generic) else value
    return None if isinstance(plain, float) and not math.isfinite(plain) else plain


def _restored(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _restored(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_restored(each) for each in value]
    return math.nan if value is None else value
