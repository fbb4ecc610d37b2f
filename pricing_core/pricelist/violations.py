"""What is wrong, or may be, with the prices of a list: found anew after every edit."""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd

from pricing_core.errors import PriceListError
from pricing_core.guardrails.money import minor_unit_digits
from pricing_core.pricelist.history import false_reductions

BELOW_COST, BELOW_ALLOWED, ABOVE_ALLOWED = "below cost", "below the allowed range", "above the allowed range"
FALSE_REDUCTION, NO_PRICE = "false reduction", "no price"
_SHOWN: Final = 5
KINDS: Final = (NO_PRICE, FALSE_REDUCTION, BELOW_COST, BELOW_ALLOWED, ABOVE_ALLOWED)
_BLOCKED: Final = {
    NO_PRICE: ("Some prices are missing or not above zero", "Set or hold them."),
    FALSE_REDUCTION: (
        "The crossed-out price is not the lowest of the last 30 days",
        "Cross out the 30-day price, or none, or change the price.",
    ),
}
BLOCKING: Final = tuple(_BLOCKED)
"""What keeps a list from being submitted; the rest is for the approver to judge."""


def find(frame: pd.DataFrame, was: pd.Series) -> pd.DataFrame:
    """Violations of a price list, one row for each price and kind.

    Parameters
    ----------
    frame
        Price list with its native columns.
    was
        Crossed-out price of each row, as :func:`~pricing_core.pricelist.history.was_price` gives it.

    Returns
    -------
    DataFrame
        ``row`` (position), ``product_id``, ``kind`` (one of :data:`KINDS`), ``price``, ``limit`` (the cost, floor,
        ceiling or thirty-day price that it is measured against) and ``blocking``; the gravest kinds first.
    """
    currency = str(frame["currency"].iloc[0]) if len(frame) else "USD"
    slack = 0.5 * 10.0 ** -minor_unit_digits(currency)
    price, cost = frame["new_price"].to_numpy(dtype=float), frame["unit_cost"].to_numpy(dtype=float)
    low, high = frame["floor_price"].to_numpy(dtype=float), frame["ceiling_price"].to_numpy(dtype=float)
    false = false_reductions(frame, was, currency)
    nothing = np.full(len(frame), np.nan)
    parts = [
        _part(frame, np.flatnonzero(~(np.isfinite(price) & (price > 0))), NO_PRICE, price, nothing),
        pd.DataFrame(
            {
                "row": false["row"], "product_id": false["product_id"], "kind": FALSE_REDUCTION,
                "price": false["was_price"], "limit": false["prior_price_30d"],
            }
        ),
        _part(frame, np.flatnonzero(price < cost - slack), BELOW_COST, price, cost),
        _part(frame, np.flatnonzero(price < low - slack), BELOW_ALLOWED, price, low),
        _part(frame, np.flatnonzero(price > high + slack), ABOVE_ALLOWED, price, high),
    ]  # fmt: skip
    found = pd.concat(parts, ignore_index=True)
    return found.assign(blocking=found["kind"].isin(BLOCKING))


def refuse_blocking(found: pd.DataFrame) -> None:
    """Do nothing unless there are violations that keep a list from going further.

    Raises
    ------
    PriceListError
        Names the products.
    """
    for kind, (said, fix) in _BLOCKED.items():
        rows = found[found["kind"] == kind]
        if len(rows):
            raise PriceListError(f"{said}: {_named(rows, with_prices=kind == FALSE_REDUCTION)}.", fix=fix)


def counts(found: pd.DataFrame) -> dict[str, int]:
    """How many prices show each kind of violation; kinds that do not occur are left out."""
    each = found["kind"].value_counts()
    return {kind: int(each[kind]) for kind in KINDS if kind in each.index}


def _named(rows: pd.DataFrame, *, with_prices: bool) -> str:
    each = rows.drop_duplicates("product_id")
    shown = each["product_id"].astype("str").head(_SHOWN).tolist()
    if with_prices:
        prices = zip(shown, each["price"].astype(float), each["limit"].astype(float), strict=False)
        shown = [f"{name} (was {was:g}, lowest {_known(low)})" for name, was, low in prices]
    more = len(each) - len(shown)
    return ", ".join(shown) + (f" and {more:,} more products" if more else "")


def _known(price: float) -> str:
    return f"{price:g}" if np.isfinite(price) else "unknown"


def _part(frame: pd.DataFrame, rows: np.ndarray, kind: str, price: np.ndarray, limit: np.ndarray) -> pd.DataFrame:
    names = frame["product_id"].iloc[rows].to_numpy(dtype=object)
    return pd.DataFrame({"row": rows, "product_id": names, "kind": kind, "price": price[rows], "limit": limit[rows]})
