"""Which rows of a price list to look at, in what order, and one screenful at a time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pricing_core.errors import ConfigError
from pricing_core.pricelist.decisions import DECISIONS

Ints = NDArray[np.int64]

DIRECTIONS: Final = ("all", "raise", "cut", "keep")
SORTS: Final = ("list order", "largest change", "highest raise", "deepest cut", "most expected profit", "lowest margin")
_SAME: Final = 5e-7
_SEARCHED: Final = ("product_id", "customer_id", "segment_id", "reason")


@dataclass(frozen=True)
class ListFilter:
    """What to look for; every condition has to hold, and an empty one always does.

    Parameters
    ----------
    text
        Part of a product, customer or segment id or of the reason; case does not count.
    direction
        One of :data:`DIRECTIONS`.
    smallest_change
        Least size of the price change, as a share: 0.05 leaves out changes of less than 5%.
    categories, decisions, evidence
        Values that are wanted.
    only_violations
        Only prices that show a violation.
    sort
        One of :data:`SORTS`.
    """

    text: str = ""
    direction: str = "all"
    smallest_change: float = 0.0
    categories: tuple[str, ...] = ()
    decisions: tuple[str, ...] = ()
    evidence: tuple[str, ...] = ()
    only_violations: bool = False
    sort: str = "list order"

    def __post_init__(self) -> None:
        for name, allowed in (("direction", DIRECTIONS), ("sort", SORTS)):
            if getattr(self, name) not in allowed:
                raise ConfigError(f"{name} is {getattr(self, name)!r}; it is one of {', '.join(allowed)}.")
        unknown = sorted(set(self.decisions) - set(DECISIONS))
        if unknown:
            raise ConfigError(f"A decision is one of {', '.join(DECISIONS)}; received {unknown[0]!r}.")
        if not 0 <= self.smallest_change < float("inf"):
            raise ConfigError(f"smallest_change is {self.smallest_change!r}; it is a share of at least 0.")


@dataclass(frozen=True)
class Page:
    """One screenful: positions in the list, and where it stands among all that match."""

    rows: Ints
    number: int
    pages: int
    matching: int


def matching(
    frame: pd.DataFrame, wanted: ListFilter, *, category: pd.Series | None = None, violating: Ints | None = None
) -> Ints:
    """Positions of the rows that match, in the order asked for.

    Parameters
    ----------
    frame
        Price list as :attr:`StoredPriceList.review` gives it.
    category
        Category of each row; None if unknown.
    violating
        Positions of the rows that show a violation.
    """
    keep = np.ones(len(frame), dtype=bool)
    change = frame["new_price"].to_numpy(dtype=float) - frame["current_price"].to_numpy(dtype=float)
    if wanted.direction != "all":
        keep &= {"raise": change > _SAME, "cut": change < -_SAME, "keep": np.abs(change) <= _SAME}[wanted.direction]
    if wanted.smallest_change > 0:
        rate = np.abs(frame["change_rate"].to_numpy(dtype=float))
        keep &= rate >= wanted.smallest_change - 1e-9
    for column, values in (("decision", wanted.decisions), ("evidence", wanted.evidence)):
        if values:
            keep &= frame[column].isin(list(values)).to_numpy()
    if wanted.categories:
        keep &= np.zeros(len(frame), bool) if category is None else category.isin(list(wanted.categories)).to_numpy()
    if wanted.only_violations:
        hit = np.zeros(len(frame), dtype=bool)
        hit[violating if violating is not None else []] = True
        keep &= hit
    if wanted.text.strip():
        keep &= _holds(frame, wanted.text.strip())
    return _sorted(frame, np.flatnonzero(keep), change, wanted.sort)


def screen(rows: Ints, number: int, size: int) -> Page:
    """One screenful of positions; a number beyond the last page gives the last page."""
    pages = max(1, -(-len(rows) // size))
    shown = min(max(number, 1), pages)
    return Page(rows[(shown - 1) * size : shown * size], shown, pages, len(rows))


def _holds(frame: pd.DataFrame, text: str) -> NDArray[np.bool_]:
    found = np.zeros(len(frame), dtype=bool)
    for name in _SEARCHED:
        if name in frame.columns and frame[name].notna().any():
            values = frame[name].astype("str")
            found |= values.str.contains(text, case=False, regex=False).fillna(False).to_numpy(dtype=bool)
    return found


def _sorted(frame: pd.DataFrame, rows: Ints, change: NDArray[np.float64], sort: str) -> Ints:
    if sort == "list order":
        return rows
    rate = frame["change_rate"].to_numpy(dtype=float)
    keys = {
        "largest change": -np.abs(rate),
        "highest raise": -rate,
        "deepest cut": rate,
        "most expected profit": -frame["expected_profit"].to_numpy(dtype=float),
        "lowest margin": frame["margin_rate"].to_numpy(dtype=float),
    }
    return np.asarray(rows[np.argsort(keys[sort][rows], kind="stable")])
