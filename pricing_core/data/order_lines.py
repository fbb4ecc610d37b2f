"""Order lines before they become choice occasions: one price and one quantity each, cancellations netted out."""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pricing_core.data.rules import note_kept_lines
from pricing_core.data.worksheet import Worksheet

CANCELLED_PREFIX: Final = "C"
"""First letter of the number of an order that takes back another one, a convention of many shop systems."""

_QUANTITY_DRIVES: Final = 0.3  # correlation of log price and log quantity within products from which it is worth saying

TAKEN_BACK: Final = "What was taken back counts neither as a purchase nor as declined."
ZERO_QUANTITY: Final = "quantity is zero"
ZERO_PRICE: Final = "the price is zero"
NO_PRICE: Final = "neither unit_price nor amount is given"
COMPUTED: Final = "{count} unit price{s} {were} computed as amount over quantity."
REDUCED: Final = "{count} order line{s} {were} reduced by a later cancellation."
REDUCED_EFFECT: Final = "They count with the units that were kept."
CANCELLED_LATER: Final = "the order was cancelled later"
CANCELS: Final = "cancels an earlier order, which was reduced by it"
CANCELS_NOTHING: Final = "cancels an order that is not in the file"
FEWEST_LINES: Final = 50
"""Lines below which nothing is said about quantities and prices."""


def tidy_order_lines(sheet: Worksheet) -> None:
    """Give every order line of a cleaned sheet ``unit_price`` and ``quantity``, and net out cancellations.

    A missing quantity counts as one; a missing unit price is the amount over the quantity. A line is a cancellation
    when its ``cancelled`` flag says so, its quantity or amount is negative, or its order number starts with ``C`` and a
    digit. A cancellation takes its quantity from the latest earlier lines of the same customer and product; a line that
    is taken back whole is set aside, and so is the cancellation, with or without an order that it belongs to. Rows are
    never removed here: they are set aside with a reason.
    """
    frame = sheet.frame
    quantity = _column(frame, "quantity").fillna(1.0)
    amount = _column(frame, "amount")
    cancelled = _cancelled(frame, quantity, amount)
    quantity = quantity.abs()
    sheet.set_aside("quantity", (quantity == 0).to_numpy(), ZERO_QUANTITY)
    price = _column(frame, "unit_price").abs()
    computed = price.isna() & amount.notna()
    price = price.fillna(amount.abs() / quantity.where(quantity > 0))
    sheet.note("info", "unit_price", computed.to_numpy() & ~sheet.rejected,
               COMPUTED, "None.")  # fmt: skip
    sheet.set_aside("unit_price", price.isna().to_numpy() & ~cancelled, NO_PRICE)
    sheet.set_aside("unit_price", (price == 0).to_numpy() & ~cancelled, ZERO_PRICE)
    sheet.frame = frame.assign(unit_price=price, quantity=quantity)
    _net(sheet, cancelled)
    note_kept_lines(sheet)
    _note_quantity_prices(sheet)


def _column(frame: pd.DataFrame, name: str) -> pd.Series:
    if name not in frame.columns:
        return pd.Series(np.nan, index=frame.index)
    return frame[name].astype("float64")


def _cancelled(frame: pd.DataFrame, quantity: pd.Series, amount: pd.Series) -> np.ndarray:
    found = ((quantity < 0) | (amount < 0)).to_numpy(dtype=bool).copy()
    if "cancelled" in frame.columns:
        found |= frame["cancelled"].fillna(0).astype(bool).to_numpy()
    if "order_id" in frame.columns:
        pattern = rf"^{CANCELLED_PREFIX}\d"
        found |= frame["order_id"].astype("string").str.match(pattern).fillna(False).to_numpy(dtype=bool)
    return found


def _net(sheet: Worksheet, cancelled: np.ndarray) -> None:
    """Take each cancellation's units from the latest earlier lines of its customer and product."""
    usable = ~sheet.rejected
    if not (cancelled & usable).any():
        return
    frame = sheet.frame
    left = frame["quantity"].to_numpy(dtype=float).copy()
    key = frame.groupby(["customer_id", "product_id"], sort=False, observed=True, dropna=False).ngroup().to_numpy()
    time = frame["ordered_at"].astype("int64").to_numpy()
    matched = np.zeros(len(frame), dtype=bool)
    touched = np.isin(key, np.unique(key[cancelled & usable])) & usable
    rows = np.flatnonzero(touched)
    # At one moment an order comes before what takes it back.
    order = rows[np.lexsort((rows, cancelled[rows], time[rows], key[rows]))]
    left[order], matched[order] = net_units(key[order].astype(np.int64), cancelled[order], left[order])
    before = frame["quantity"].to_numpy(dtype=float)
    whole = ~cancelled & usable & (left <= 1e-9) & (before > 0)
    part = ~cancelled & usable & (left < before - 1e-9) & ~whole
    sheet.frame = frame.assign(quantity=np.where(cancelled, before, left))
    sheet.note("info", "quantity", part, REDUCED, REDUCED_EFFECT)
    sheet.set_aside("quantity", whole, CANCELLED_LATER, effect=TAKEN_BACK)
    sheet.set_aside("quantity", cancelled & usable & matched, CANCELS, effect=TAKEN_BACK)
    sheet.set_aside("quantity", cancelled & usable & ~matched, CANCELS_NOTHING)


def net_units(
    key: NDArray[np.int64], cancelled: NDArray[np.bool_], units: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Take each cancellation's units from the latest earlier lines of its key.

    Parameters
    ----------
    key, cancelled, units
        (n,) lines in the order of key, then time; at one moment an order comes before what takes it back.

    Returns
    -------
    left, matched
        (n,) units left of each line (of a cancellation: as given), and whether a cancellation found a line.
    """
    left = units.copy()
    matched = np.zeros(len(units), dtype=bool)
    open_lines: list[int] = []
    last = -1
    for row, (number, back) in enumerate(zip(key.tolist(), cancelled.tolist(), strict=True)):
        if number != last:
            open_lines, last = [], number
        if not back:
            open_lines.append(row)
            continue
        owed = left[row]
        while owed > 0 and open_lines:
            taken = min(owed, left[open_lines[-1]])
            left[open_lines[-1]] -= taken
            owed -= taken
            matched[row] = True
            if left[open_lines[-1]] <= 1e-9:
                open_lines.pop()
    return left, matched


def _note_quantity_prices(sheet: Worksheet) -> None:
    """Say when the price per unit falls with the quantity: then a price list needs quantity steps, not one price."""
    kept = sheet.frame[~sheet.rejected]
    kept = kept[(kept["quantity"] > 0) & (kept["unit_price"] > 0)]
    if len(kept) < FEWEST_LINES:
        return
    logs = pd.DataFrame({"price": np.log(kept["unit_price"]), "quantity": np.log(kept["quantity"])})
    inner = logs - logs.groupby(kept["product_id"], observed=True).transform("mean")
    spread = inner.std(ddof=0)
    words = quantity_words(float(spread["price"]), float(spread["quantity"]),
                           float((inner["price"] * inner["quantity"]).mean()))  # fmt: skip
    if words:
        sheet.note_count("warning", "unit_price", len(kept), words, QUANTITY_EFFECT)


QUANTITY_EFFECT: Final = (
    "Part of what looks like a reaction to price is a quantity discount: prices of single units are unsure."
)


def quantity_words(price_spread: float, quantity_spread: float, covariance: float) -> str:
    """Say that the price per unit goes with the quantity, from logs within products; empty where it does not."""
    if price_spread < 1e-3 or quantity_spread < 1e-3:
        return ""
    correlation = covariance / (price_spread * quantity_spread)
    if abs(correlation) < _QUANTITY_DRIVES:
        return ""
    slope = covariance / quantity_spread**2
    direction = "falls" if correlation < 0 else "rises"
    return (
        f"The price per unit {direction} with the quantity: twice the units, {100 * (2**slope - 1):+.0f}% "
        f"({correlation**2:.0%} of the variation of prices within products goes with the quantity)."
    )
