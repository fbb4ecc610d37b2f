"""Texts of a category that differ only in capital letters or spaces, and so split it without anybody meaning to."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Final

import pandas as pd

from pricing_core.data.quality import Finding
from pricing_core.schema import TABLES

UNIFY: Final = "unify "
"""Start of the repairs that write a category in one way; ``unify customers.region``."""

NO_CATEGORIES: Final = ("customer_id", "product_id", "currency")
"""Texts that name things, or are read without regard to capital letters."""

MOST_TEXTS: Final = 200
"""Different texts up to which a column is looked at; one with more names single things, not categories."""

_PROBED: Final = 10_000
_SHOWN: Final = 3
_SPACE: Final = "␣"
_UNEXPECTED: Final = re.compile(r"^\s+|\s+$|\s{2,}|[^\S ]")


def check_spellings(tables: Mapping[str, pd.DataFrame]) -> list[Finding]:
    """Report the text columns of cleaned tables in which one category is spelled in several ways."""
    findings = []
    for table in TABLES:
        frame = tables.get(table)
        if frame is None:
            continue
        for name in frame.columns:
            values = frame[name]
            if name in NO_CATEGORIES or not pd.api.types.is_string_dtype(values):
                continue
            if values.head(_PROBED).nunique() > MOST_TEXTS:
                continue
            counts = values.value_counts()
            if len(counts) <= MOST_TEXTS:
                findings += spelling_findings(table, str(name), {str(text): int(n) for text, n in counts.items()})
    return findings


def spelled_alike(texts: Iterable[str]) -> list[list[str]]:
    """Groups of two or more different texts that are equal but for capital letters and spaces."""
    groups: dict[str, list[str]] = {}
    for text in sorted(set(texts)):
        groups.setdefault(plain(text), []).append(text)
    return [group for _, group in sorted(groups.items()) if len(group) > 1]


def plain(text: str) -> str:
    """What texts that are spelled alike have in common."""
    return " ".join(text.casefold().split())


def with_visible_spaces(text: str) -> str:
    """A text in which spaces that nobody sees (at its ends, beside another, or of another kind) are marked."""
    return _UNEXPECTED.sub(lambda found: _SPACE * len(found[0]), text)


def spelling_findings(table: str, column: str, counts: Mapping[str, int]) -> list[Finding]:
    """Name the spellings of a column.

    Parameters
    ----------
    table, column
        Where the texts stand.
    counts
        Text → number of rows; those that are spelled in one way may be left out.
    """
    groups = spelled_alike(counts)
    if not groups:
        return []
    shown = "; ".join(
        " and ".join(f"{with_visible_spaces(text)!r} ({counts[text]:,} rows)" for text in group)
        for group in groups[:_SHOWN]
    )
    more = f"; and {len(groups) - _SHOWN:,} more" if len(groups) > _SHOWN else ""
    words = "One category is" if len(groups) == 1 else f"{len(groups):,} categories are"
    message = f"{words} spelled in several ways in {table}.{column}: {shown}{more}."
    if _SPACE in shown:
        message += f" ({_SPACE} marks a space at an end, or beside another, or of another kind.)"
    effect = (
        "Each spelling counts as a category of its own, with fewer rows to learn from. The repair writes each category "
        "as it is spelled most often."
    )
    rows = sum(counts[text] for group in groups for text in group)
    return [Finding("warning", table, column, rows, (), message.replace("(1 rows)", "(1 row)"), effect,
                    f"{UNIFY}{table}.{column}")]  # fmt: skip


def one_spelling(counts: Mapping[str, int]) -> dict[str, str]:
    """Texts to be written in another way, and how: as their category is spelled most often, else first in order.

    Parameters
    ----------
    counts
        Text → number of rows.
    """
    changes: dict[str, str] = {}
    for group in spelled_alike(counts):
        best = max(group, key=lambda text: counts[text])  # the first of those that are as frequent
        changes |= {text: best for text in group if text != best}
    return changes


def counted_spellings(frames: Iterable[pd.DataFrame], column: str) -> dict[str, int]:
    """Number of rows of each text of a column, over all tables that have it, so that they stay spelled alike."""
    total: dict[str, int] = {}
    for frame in frames:
        if column in frame.columns and pd.api.types.is_string_dtype(frame[column]):
            for text, n in frame[column].value_counts().items():
                total[str(text)] = total.get(str(text), 0) + int(n)
    return total


def respelled(values: pd.Series, changes: Mapping[str, str]) -> pd.Series:
    """Texts with some of them written in another way."""
    return values.where(~values.isin(list(changes)), values.map(changes)) if changes else values


def respelled_words(table: str, column: str, rows: int) -> str:
    """What was done with a column."""
    return f"{rows:,} row{'' if rows == 1 else 's'} of {table}.{column} spelled as the others of their category"
