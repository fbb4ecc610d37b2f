"""Google Merchant Center: a supplemental data source with prices, as tab-separated text.

The price in the feed must be the one that everybody sees on the product's page, so that personalized prices are
refused.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd

from pricing_core.guardrails.money import minor_unit_digits
from pricing_core.pricelist.cells import csv_bytes, money_texts
from pricing_core.pricelist.formats import checks
from pricing_core.pricelist.formats.contract import ExportOptions, ShopFormat
from pricing_core.pricelist.formats.shopify import sku_of
from pricing_core.pricelist.was_price import was_price

LONGEST_ID: Final = 50
DECIMALS: Final = 2
_WHY: Final = "Google shows one price to everybody, and it must be the one on the product's page."
_FIX: Final = "Submit the public price, and leave personal prices to the shop itself."


def _check(frame: pd.DataFrame, currency: str, options: ExportOptions) -> list[pd.DataFrame]:
    ids = sku_of(frame, options)
    with np.errstate(over="ignore", invalid="ignore"):
        minor = frame["new_price"].to_numpy(dtype=float, na_value=np.nan) * 10**DECIMALS
        finer = np.isfinite(minor) & (np.abs(minor - np.rint(minor)) > 1e-6)
    return [
        *checks.one_price(frame, _WHY, _FIX),
        *checks.amounts(frame, currency),
        checks.problem_rows(
            frame, finer & (minor_unit_digits(currency) > DECIMALS), "price",
            f"Google rounds prices to {DECIMALS} decimals, and yours has more.", "Override it with a rounded price.",
        ),
        *checks.keys(frame, ids, "id", "id", LONGEST_ID),
        *checks.unique(frame, ids, "id", "id", checks.public(frame)),
        *checks.formulas(frame, ids, "id"),
    ]  # fmt: skip


def _encode(frame: pd.DataFrame, currency: str, options: ExportOptions) -> bytes:
    price = frame["new_price"].astype(float)
    columns: list[tuple[str, list[str]]] = [("id", sku_of(frame, options).tolist())]
    if options.announce_reductions:
        was = was_price(frame)
        columns.append(("price", _amounts(was.where(was.notna(), price), currency)))
        columns.append(("sale_price", _amounts(price.where(was.notna()), currency)))
    else:
        columns.append(("price", _amounts(price, currency)))
    return csv_bytes([name for name, _ in columns], [cells for _, cells in columns], delimiter="\t")


def _amounts(column: pd.Series, currency: str) -> list[str]:
    return [f"{text} {currency}" if text else "" for text in money_texts(column, currency)]


def _notes(frame: pd.DataFrame, currency: str, options: ExportOptions) -> list[str]:
    notes = ["Add it as a supplemental data source; the ids are those of your primary one."]
    if options.announce_reductions:
        notes.append(
            "Where the list announces a reduction, the earlier price is the price and the new price is the sale price."
        )
    else:
        notes.append("Sale prices are not in the file: a sale price of your primary data source stays in force.")
    return notes


GOOGLE_MERCHANT: Final = ShopFormat(
    "google_merchant", "Google Merchant", "tsv", "text/tab-separated-values",
    "Tab-separated id and price, one price for everybody; personalized rows are refused.", _check, _encode, _notes,
)  # fmt: skip
