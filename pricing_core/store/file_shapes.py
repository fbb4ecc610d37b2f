"""What a file of certain columns was taken for the last time, so that the same export need not be mapped again."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from pricing_core.data.names import name_key
from pricing_core.store import settings
from pricing_core.store.workspace import Workspace

_KEY: Final = "file_shapes"
_KEPT: Final = 200


@dataclass(frozen=True)
class FileShape:
    """Table that files of these columns hold, and field → column."""

    table: str
    mapping: dict[str, str]


def remember(ws: Workspace, columns: Iterable[str], shape: FileShape) -> None:
    """Keep how a file of these columns was imported; of the shapes only the latest 200 are kept."""
    known: dict[str, Any] = settings.get(ws, _KEY, {})
    mark = _mark(columns)
    known.pop(mark, None)
    known[mark] = {"table": shape.table, "mapping": shape.mapping}
    settings.set(ws, _KEY, dict(list(known.items())[-_KEPT:]))


def recall(ws: Workspace, columns: Iterable[str]) -> FileShape | None:
    """How a file of these columns, in any order, was imported last; None if none was."""
    columns = list(columns)
    found: Mapping[str, Any] | None = settings.get(ws, _KEY, {}).get(_mark(columns))
    if found is None:
        return None
    mapping = {field: column for field, column in found["mapping"].items() if column in columns}
    return FileShape(str(found["table"]), mapping)


def _mark(columns: Iterable[str]) -> str:
    text = "\n".join(sorted(name_key(column) or column for column in columns))
    return hashlib.sha256(text.encode()).hexdigest()[:24]
