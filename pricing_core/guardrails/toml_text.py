"""Settings as TOML: reading with errors that name the source, and writing what reads back exactly."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pricing_core.errors import FileReadError, reason


def read_toml(source: Path | str, what: str) -> dict[str, Any]:
    """Parse a TOML file (``Path``) or TOML text (``str``); ``what`` names it in errors.

    Raises
    ------
    FileReadError
        If the file cannot be read or is not TOML.
    """
    name = source.name if isinstance(source, Path) else f"The {what} text"
    try:
        text = source.read_text(encoding="utf-8-sig") if isinstance(source, Path) else source
        return tomllib.loads(text)
    except (OSError, UnicodeDecodeError) as error:
        raise FileReadError(
            f"{name} cannot be read: {reason(error, of=name)}.", fix=f"Give a TOML file of {what}."
        ) from error
    except tomllib.TOMLDecodeError as error:
        raise FileReadError(
            f"{name} is not valid TOML: {reason(error)}.", fix='Write lines such as "name = 0.1".'
        ) from error


def write_value(value: object) -> str:
    """Write a value: None as the text ``"none"``, tables inline."""
    if value is None:
        return '"none"'
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(write_value(each) for each in value) + "]"
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key} = {write_value(each)}" for key, each in value.items()) + "}"
    return repr(value)


def write_table(values: Mapping[str, object]) -> str:
    """Write one line per setting."""
    return "".join(f"{key} = {write_value(value)}\n" for key, value in values.items())
