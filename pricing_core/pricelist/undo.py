"""The way back: the prices of before the price list, in the same format."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np
import pandas as pd

from pricing_core.pricelist.formats import ExportFile, ExportOptions, write

SWAPPED_BACK: Final = "Restores the price of before for every product of the list."


def before(frame: pd.DataFrame) -> pd.DataFrame:
    """Price list that sets back what ``frame`` changes; its new price is the current one, without a "was" price."""
    return frame.assign(
        new_price=frame["current_price"],
        current_price=frame["new_price"],
        change_rate=frame["current_price"] / frame["new_price"] - 1,
        margin_rate=1 - frame["unit_cost"] / frame["current_price"],
        prior_price_30d=np.nan,  # no "was" price either
        reason="Price of before",
        **{name: np.nan for name in ("expected_conversion_rate", "expected_profit", "profit_low", "profit_high")},
    )


def undo_file(
    format: str,
    frame: pd.DataFrame,
    *,
    currency: str,
    source: bytes | None = None,
    options: ExportOptions | None = None,
    name: str = "price_list",
) -> ExportFile:
    """File that restores the current prices, in the same format as the export.

    With ``source`` it is the shop's own export, byte for byte.

    Raises
    ------
    DataError
        If no current price is known.
    """
    if source is not None:
        file = write(format, frame, currency=currency, source=source, options=options, name=f"{name}_undo")
        return replace(file, data=source, notes=("This is your own export, as you gave it.",))
    file = write(format, before(frame), currency=currency, options=options, name=f"{name}_undo")
    notes = [SWAPPED_BACK, *file.notes]
    if options is not None and options.announce_reductions:
        notes.append("“Was” prices that the price list announced are taken away.")
    return replace(file, notes=tuple(notes))
