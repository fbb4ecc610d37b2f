"""The newest import that was refused: what was found, and the rows set aside, kept until an import succeeds."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pandas as pd

from pricing_core.store import shelf
from pricing_core.store.datasets import read_parquet, write_parquet
from pricing_core.store.workspace import Workspace

_FOLDER: Final = "refused_import"
_QUALITY: Final = "quality.parquet"
_COUNTS: Final = "counts.parquet"
_SET_ASIDE: Final = "set_aside.csv"


@dataclass(frozen=True)
class BlockedImport:
    """A refused import: findings, rows per table, and the CSV file of the rows set aside."""

    findings: pd.DataFrame
    counts: pd.DataFrame
    set_aside: Path


def keep_blocked(ws: Workspace, findings: pd.DataFrame, counts: pd.DataFrame, set_aside: pd.DataFrame) -> None:
    """Keep what a refused import found, in place of the one before."""
    with shelf.drafting(ws, "refused") as draft:
        write_parquet(findings, draft / _QUALITY, "quality report")
        write_parquet(counts, draft / _COUNTS, "row counts")
        set_aside.to_csv(draft / _SET_ASIDE, index=False, encoding="utf-8")
        forget_blocked(ws)
        draft.rename(ws.root / _FOLDER)


def load_blocked(ws: Workspace) -> BlockedImport | None:
    """Return the newest refused import; None if the newest import succeeded."""
    folder = ws.root / _FOLDER
    if not (folder / _QUALITY).exists():
        return None
    return BlockedImport(read_parquet(folder / _QUALITY), read_parquet(folder / _COUNTS), folder / _SET_ASIDE)


def forget_blocked(ws: Workspace) -> None:
    """Drop what was kept, after an import succeeded."""
    shutil.rmtree(ws.root / _FOLDER, ignore_errors=True)
