"""WooCommerce product CSV: found by SKU, with regular and sale price.

WooCommerce puts an apostrophe before text that starts like a formula when it exports, and takes it away when it
imports; this file keeps to that, so that it neither runs in a spreadsheet nor misses its product.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd

from pricing_core.pricelist.cells import csv_bytes, money_texts
from pricing_core.pricelist.formats import checks
from pricing_core.pricelist.formats.contract import ExportOptions, ShopFormat
from pricing_core.pricelist.formats.shopify import sku_of
from pricing_core.pricelist.was_price import was_price

ESCAPED: Final = ("=", "+", "-", "@")
LONGEST_SKU: Final = 100
_WHY: Final = "WooCommerce's product file has one price for everybody."
_FIX: Final = "Make a list of prices per product, or hand the prices over in another format."


def _check(frame: pd.DataFrame, currency: str, options: ExportOptions) -> list[pd.DataFrame]:
    sku = sku_of(frame, options)
    return [
        *checks.one_price(frame, _WHY, _FIX),
        *checks.amounts(frame, currency),
        *checks.keys(frame, sku, "SKU", "SKU", LONGEST_SKU),
        *checks.unique(frame, sku, "SKU", "SKU", checks.public(frame)),
        *checks.formulas(frame, sku.where(~sku.str.startswith(ESCAPED), ""), "SKU"),
        # An apostrophe of the SKU's own would be taken for the escape.
        checks.problem_rows(
            frame, sku.str.match(r"'[=+\-@]").to_numpy(dtype=bool), "SKU",
            "WooCommerce takes away the apostrophe before this SKU.", "Rename the SKU in your shop.",
        ),
    ]  # fmt: skip


def _encode(frame: pd.DataFrame, currency: str, options: ExportOptions) -> bytes:
    sku = [f"'{text}" if text.startswith(ESCAPED) else text for text in sku_of(frame, options)]
    regular, sale = frame["new_price"].astype(float), pd.Series(np.nan, index=frame.index)
    if options.announce_reductions:
        was = was_price(frame)
        sale = regular.where(was.notna())
        regular = was.where(was.notna(), regular)
    prices = [("Sale price", money_texts(sale, currency)), ("Regular price", money_texts(regular, currency))]
    columns = [("SKU", sku), *prices]
    ids = options.named(frame["product_id"], "id")
    if (ids != "").all() and len(ids):
        columns.insert(0, ("ID", ids.tolist()))
    return csv_bytes([name for name, _ in columns], [cells for _, cells in columns])


def _notes(frame: pd.DataFrame, currency: str, options: ExportOptions) -> list[str]:
    notes = [
        "Import it under Products with “Update existing products”. Columns that are not in the file stay as they are "
        "in your shop."
    ]
    if options.announce_reductions:
        notes.append(
            "Where the list announces a reduction, the earlier price is the regular price and the new one the sale "
            "price; elsewhere the sale price is taken away."
        )
    else:
        notes.append("The new price is the regular price; sale prices are taken away: no old one stays in force.")
    return notes


WOOCOMMERCE: Final = ShopFormat(
    "woocommerce", "WooCommerce", "csv", "text/csv",
    "Product CSV with SKU, sale price and regular price; one price for everybody.", _check, _encode, _notes,
)  # fmt: skip
