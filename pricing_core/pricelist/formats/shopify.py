"""Shopify product CSV, with the present column names and with the ones used before.

A file made from a price list has the columns that find a product and its prices, and no others: Shopify leaves alone
what is not in the file, and overwrites with nothing what is in it and blank. The import needs the title, and the
option name and value that tell variants apart; products without options have one variant, "Default Title".
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

import pandas as pd

from pricing_core.pricelist.cells import csv_bytes, money_texts, plain_texts
from pricing_core.pricelist.formats import checks
from pricing_core.pricelist.formats.contract import ExportOptions, ShopFormat
from pricing_core.pricelist.was_price import was_price

LONGEST_HANDLE: Final = 255
LONGEST_TITLE: Final = 255
NO_OPTION: Final = ("Title", "Default Title")
_HANDLE: Final = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*\Z")
_WHY: Final = "Shopify's product file has one price for everybody."
_FIX: Final = "Make a list of prices per product, or hand the prices over in another format."


@dataclass(frozen=True)
class Headers:
    """Column names of a version of the file."""

    title: str
    handle: str
    sku: str
    option_name: str
    option_value: str
    price: str
    compare_at: str
    handle_first: bool


CURRENT: Final = Headers(
    "Title", "URL handle", "SKU", "Option1 name", "Option1 value", "Price", "Compare-at price", False
)
LEGACY: Final = Headers(
    "Title", "Handle", "Variant SKU", "Option1 Name", "Option1 Value", "Variant Price", "Variant Compare At Price",
    True,
)  # fmt: skip


def handle_of(frame: pd.DataFrame, options: ExportOptions) -> pd.Series:
    """URL handle of each row: from the catalog, else the product's id in lower case."""
    known = options.named(frame["product_id"], "handle")
    return known.where(known != "", plain_texts(frame["product_id"]).str.lower())


def title_of(frame: pd.DataFrame, options: ExportOptions) -> pd.Series:
    """Title of each row: from the catalog; the product's id where the options allow it."""
    known = options.named(frame["product_id"], "title")
    return known.where((known != "") | (not options.id_as_title), plain_texts(frame["product_id"]))


def sku_of(frame: pd.DataFrame, options: ExportOptions) -> pd.Series:
    """SKU of each row: from the catalog, else the product's id."""
    known = options.named(frame["product_id"], "sku")
    return known.where(known != "", plain_texts(frame["product_id"]))


def _check(frame: pd.DataFrame, currency: str, options: ExportOptions) -> list[pd.DataFrame]:
    handle, title, sku = handle_of(frame, options), title_of(frame, options), sku_of(frame, options)
    wrong = {level for level in pd.unique(handle) if level and not _HANDLE.match(level)}
    variant = pd.DataFrame({"handle": handle, "option": options.named(frame["product_id"], "option1_value")})
    return [
        *checks.one_price(frame, _WHY, _FIX),
        *checks.amounts(frame, currency),
        *checks.keys(frame, handle, "URL handle", "URL handle", LONGEST_HANDLE),
        *checks.keys(frame, sku, "SKU", "SKU", 255),
        checks.problem_rows(
            frame, handle.isin(wrong).to_numpy(), "URL handle",
            "The URL handle may have letters, digits and hyphens only.",
            "Name the shop's handles in the products table (column handle), or use your own export.",
        ),
        checks.problem_rows(
            frame, (title.str.strip() == "").to_numpy(), "Title", "The title is not known, and Shopify requires it.",
            "Use your own export, import products with the column title, or let the id stand for the title.",
        ),
        checks.problem_rows(
            frame, (title.str.len() > LONGEST_TITLE).to_numpy(), "Title",
            f"The title is longer than {LONGEST_TITLE} characters.", "Shorten the title in your shop.",
        ),
        *checks.unique(frame, variant, "URL handle", "product and option", checks.public(frame)),
        *checks.formulas(frame, sku, "SKU"),
        *checks.formulas(frame, title, "Title"),
    ]  # fmt: skip


def _encode(headers: Headers, frame: pd.DataFrame, currency: str, options: ExportOptions) -> bytes:
    title = (headers.title, title_of(frame, options).tolist())
    handle = (headers.handle, handle_of(frame, options).tolist())
    names, values = (options.named(frame["product_id"], f"option1_{part}") for part in ("name", "value"))
    both = (names != "") & (values != "")
    option = [
        (headers.option_name, names.where(both, NO_OPTION[0]).tolist()),
        (headers.option_value, values.where(both, NO_OPTION[1]).tolist()),
    ]
    sku = (headers.sku, sku_of(frame, options).tolist())
    prices = [(headers.price, money_texts(frame["new_price"], currency))]
    if options.announce_reductions:
        prices.append((headers.compare_at, money_texts(was_price(frame), currency)))
    current, legacy = [title, handle, sku, *option, *prices], [handle, title, *option, sku, *prices]
    columns = legacy if headers.handle_first else current
    return csv_bytes([name for name, _ in columns], [cells for _, cells in columns])


def _notes(frame: pd.DataFrame, currency: str, options: ExportOptions) -> list[str]:
    notes = [
        "Import it under Products with “Overwrite products with matching handles”. Columns that are not in the file "
        "stay as they are in your shop.",
    ]
    if options.catalog is None or "option1_value" not in options.catalog.columns:
        notes.append("It fits products without variants; for products with variants use your own export.")
    if options.id_as_title:
        unknown = int((options.named(frame["product_id"], "title") == "").sum())
        if unknown:
            notes.append(f"In {unknown} rows the product's id stands for the title: importing them renames products.")
    notes.append(_was(options))
    return notes


def _was(options: ExportOptions) -> str:
    if options.announce_reductions:
        return (
            "Compare-at prices are those that the list announces, none above the lowest price of the last thirty days; "
            "elsewhere they are taken away."
        )
    return "Compare-at prices stay as they are in your shop: check that none of them announces a false reduction."


def _format(name: str, label: str, headers: Headers, when: str) -> ShopFormat:
    def encode(frame: pd.DataFrame, currency: str, options: ExportOptions) -> bytes:
        return _encode(headers, frame, currency, options)

    about = f"Product CSV with the column names that Shopify {when}; one price for everybody."
    return ShopFormat(name, label, "csv", "text/csv", about, _check, encode, _notes)


SHOPIFY: Final = _format("shopify", "Shopify", CURRENT, "uses now")
SHOPIFY_LEGACY: Final = _format("shopify_legacy", "Shopify (older columns)", LEGACY, "used before and still reads")
