"""Check settings that users write, in one place: known names, the type of each, and ranges."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import fields
from functools import cache
from types import NoneType
from typing import Any, Final, get_args, get_type_hints

import numpy as np

from pricing_core.errors import ConfigError

_SEED: Final = "random_state"
_KINDS: Final = {int: "a whole number", float: "a number", bool: "true or false", str: "a text", tuple: "a list"}
_HUGE: Final = 1e300
_NUMBER: Final[tuple[Any, ...]] = (int, float, np.integer, np.floating)
LARGEST_SEED: Final = 2**31 - 1
"""Largest number that every learner takes as a seed."""


def checked_settings(kind: type, settings: object, owner: str) -> dict[str, Any]:
    """Return settings that users wrote for a dataclass of settings, each with the type that its annotation names.

    A whole number serves where any number is asked for, and 512.0 where a whole one is.

    Parameters
    ----------
    kind
        Dataclass of settings; its ``random_state`` is not the user's to set, as the training's seed reaches it.
    settings
        What was written: a table of names and values.
    owner
        Whose settings they are, in words.

    Raises
    ------
    ConfigError
        If it is no table, a name is unknown, or a value has another type; the message says what is allowed.
    """
    if not isinstance(settings, Mapping):
        raise ConfigError(
            f"{owner} cannot take these settings: they are {_shown(settings)} and must be a table of names and values.",
            fix=f"It has {', '.join(_types(kind))}.",
        )
    known = _types(kind)
    for name in settings:
        if name not in known:
            raise _unknown(str(name), list(known), owner)
    return {name: _typed(name, value, known[name]) for name, value in settings.items()}


def check_range(
    settings: object,
    *names: str,
    low: float | None = None,
    above: float | None = None,
    high: float | None = None,
    below: float | None = None,
) -> None:
    """Refuse settings outside a range; one that is None stands for a default that the data decide.

    Parameters
    ----------
    settings
        Object that holds them as attributes.
    low, high
        Smallest and largest value that is allowed.
    above, below
        Values that are just not allowed.

    Raises
    ------
    ConfigError
        Naming the setting, its value and what is allowed.
    """
    for name in names:
        value = getattr(settings, name)
        if value is None:
            continue
        inside = (
            abs(value) < _HUGE
            and (low is None or value >= low)
            and (above is None or value > above)
            and (high is None or value <= high)
            and (below is None or value < below)
        )
        if not inside:
            bounds = ((low, "at least"), (above, "above"), (high, "at most"), (below, "below"))
            words = " and ".join(f"{word} {bound:,.10g}" for bound, word in bounds if bound is not None)
            raise ConfigError(f"{name} is {value}; it must be {words or 'a number'}.")


def checked_seed(seed: object) -> int:
    """Return the seed.

    Raises
    ------
    ConfigError
        If it is no whole number from 0 to the largest that every learner takes.
    """
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or not 0 <= seed <= LARGEST_SEED:
        raise ConfigError(f"The seed is {_shown(seed)}; it must be a whole number from 0 to {LARGEST_SEED:,}.")
    return int(seed)


@cache
def _types(kind: type) -> dict[str, tuple[type, ...]]:
    """Name → allowed types of the settings that users may write."""
    hints = get_type_hints(kind)
    return {
        each.name: tuple(getattr(part, "__origin__", part) for part in _parts(hints[each.name]))
        for each in fields(kind)
        if each.name != _SEED
    }


def _parts(hint: Any) -> tuple[Any, ...]:
    """Types of a union, or the one that it is."""
    parts = get_args(hint)
    return parts if NoneType in parts else (hint,)


def _typed(name: str, value: Any, allowed: tuple[type, ...]) -> Any:
    for kind in allowed:
        if kind is NoneType and value is None:
            return None
        if isinstance(value, bool) or kind is bool:
            if isinstance(value, bool) and kind is bool:
                return value
        elif kind in (int, float) and isinstance(value, _NUMBER) and abs(value) < _HUGE:
            if kind is float:
                return float(value)
            if float(value).is_integer():
                return int(value)
        elif kind is tuple and isinstance(value, list | tuple):
            return tuple(value)
        elif kind is str and isinstance(value, str):
            return value
    words = " or ".join(_KINDS.get(kind, kind.__name__) for kind in allowed if kind is not NoneType)
    raise ConfigError(f"{name} is {_shown(value)}; it must be {words}.")


def _unknown(name: str, known: list[str], owner: str) -> ConfigError:
    if name == _SEED:
        return ConfigError(
            f"{owner} cannot take these settings: {name} follows from the seed.",
            fix="Give the training's seed instead.",
        )
    close = difflib.get_close_matches(name, known, 1)
    meant = f"Did you mean {close[0]}? " if close else ""
    return ConfigError(
        f"{owner} cannot take these settings: it has none named {_shown(name)}.",
        fix=f"{meant}It has {', '.join(known)}.",
    )


def _shown(value: object) -> str:
    """Value as a user would have written it, cut where it is long."""
    if isinstance(value, Mapping | list | tuple):
        return "a table" if isinstance(value, Mapping) else "a list"
    if value is None or isinstance(value, bool):
        return "empty" if value is None else str(value).lower()
    text = repr(value) if not isinstance(value, int) or abs(value) < _HUGE else "a huge number"
    return text if len(text) <= 60 else f"{text[:57]}…"
