"""Boosted trees as LightGBM's text files, with a mark of their contents.

LightGBM ends the whole process when it reads a file that was changed or cut off on the disk, and with it the server of
every open page. A file is therefore handed to it only if its last line, the SHA-256 of all before it, is right.
LightGBM itself reads the file as any other of its own.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pricing_core.errors import ModelError

if TYPE_CHECKING:
    import lightgbm as lgb

_MARK: Final = "sha256:"
_ENDS: Final = ("end of trees", "end of parameters", "pandas_categorical:")


def write_booster(booster: lgb.Booster, path: Path) -> None:
    """Write a booster's text and its mark."""
    text = booster.model_to_string().rstrip("\n")
    path.write_text(f"{text}\n{_MARK}{_digest(text)}\n", encoding="utf-8", newline="\n")


def read_booster(path: Path) -> lgb.Booster:
    """Read what :func:`write_booster` wrote; a file of an earlier version, without a mark, is read if it has its end.

    Raises
    ------
    ModelError
        If the file is missing, cut off or changed.
    """
    import lightgbm as lgb

    try:
        text, found, mark = path.read_text(encoding="utf-8").rstrip("\n").rpartition(f"\n{_MARK}")
        if not found:
            text = mark
        whole = _digest(text) == mark if found else all(end in text for end in _ENDS)
        if whole:
            return lgb.Booster(model_str=text)
        problem = "it is damaged or cut off"
    except (OSError, ValueError, lgb.basic.LightGBMError) as error:
        problem = str(error)
    raise ModelError(f"The model file {path.name} cannot be read: {problem}.", fix="Train again.")


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8")).hexdigest()
