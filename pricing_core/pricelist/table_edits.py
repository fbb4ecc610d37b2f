"""What somebody changed in the table of prices, as changes to make."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from pricing_core.errors import PriceListError
from pricing_core.guardrails.money import minor_unit_digits
from pricing_core.pricelist.decisions import ACCEPTED, HELD, OVERRIDDEN, PROPOSED, changes

COLUMNS = ("decision", "new_price", "decision_reason")


def edits(before: pd.DataFrame, after: pd.DataFrame) -> pd.DataFrame:
    """Changes between a table as it was shown and as it was left.

    Parameters
    ----------
    before, after
        The same rows in the same order, with the index being their positions in the list, and ``decision, new_price,
        decision_reason, product_id``. A price that was changed is an override; so is a reason written beside one.

    Returns
    -------
    DataFrame
        As :func:`pricelist.decisions.changes` makes it; empty if nothing was changed.

    Raises
    ------
    PriceListError
        If a row says two things: another price, and to hold or accept; or a reason without a decision.
    """
    rows: list[tuple[int, str, float, str]] = []
    same = (before["decision"].to_numpy() == after["decision"].to_numpy()) & (
        before["decision_reason"].fillna("").to_numpy() == after["decision_reason"].fillna("").to_numpy()
    )
    old, new = (frame["new_price"].to_numpy(dtype=float) for frame in (before, after))
    same &= np.isclose(old, new, rtol=0, atol=5e-7, equal_nan=True)
    for place in np.flatnonzero(~same):
        was, now = before.iloc[place], after.iloc[place]
        rows.append((int(before.index[int(place)]), *_one(was, now, str(was["product_id"]))))
    if not rows:
        return changes([], PROPOSED)
    numbers, decision, price, reason = zip(*rows, strict=True)
    return changes(list(numbers), list(decision), list(price), list(reason))


def in_bulk(
    review: pd.DataFrame, rows: np.ndarray, decision: str, *, change: float | None = None, reason: str = ""
) -> pd.DataFrame:
    """The same decision for many prices.

    Parameters
    ----------
    rows
        Positions in the list.
    change
        For overrides: change against today's price, as a share; prices are rounded to the currency's smallest unit.
    """
    if decision != OVERRIDDEN or change is None:
        return changes(rows, decision, reason=reason)
    digits = minor_unit_digits(str(review["currency"].iloc[0]))
    today = review["current_price"].to_numpy(dtype=float)[rows]
    return changes(rows, decision, np.round(today * (1 + change), digits), reason)


def _one(was: Any, now: Any, product: str) -> tuple[str, float, str]:
    reason = "" if pd.isna(now["decision_reason"]) else str(now["decision_reason"]).strip()
    moved = not np.isclose(float(was["new_price"]), float(now["new_price"]), rtol=0, atol=5e-7, equal_nan=True)
    chosen, chose = str(now["decision"]), now["decision"] != was["decision"]
    if moved and chose and chosen in (HELD, ACCEPTED):
        raise PriceListError(
            f"{product} has another price and is to be {chosen}.", fix="Choose one: the price, or the decision."
        )
    if moved:
        return OVERRIDDEN, float(now["new_price"]), reason
    if chosen == OVERRIDDEN:
        return OVERRIDDEN, float(now["new_price"]), reason
    if chosen == PROPOSED and reason and not chose:
        raise PriceListError(
            f"{product} has a reason and no decision.", fix="Accept, hold or override its price as well."
        )
    return chosen, float("nan"), "" if chosen == PROPOSED else reason
