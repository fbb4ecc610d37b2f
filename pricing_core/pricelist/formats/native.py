"""The workbench's own columns as CSV: one file for Excel, one for import, every row and the disclosure in both."""

from __future__ import annotations

from typing import Final

import pandas as pd

from pricing_core.pricelist.disclosure import with_disclosure
from pricing_core.pricelist.export import to_excel_csv, to_import_csv
from pricing_core.pricelist.formats import checks
from pricing_core.pricelist.formats.contract import ExportOptions, ShopFormat


def _check_import(frame: pd.DataFrame, currency: str, options: ExportOptions) -> list[pd.DataFrame]:
    return checks.readable(frame, formulas_run=True)


def _check_excel(frame: pd.DataFrame, currency: str, options: ExportOptions) -> list[pd.DataFrame]:
    return checks.readable(frame)


def _import(frame: pd.DataFrame, currency: str, options: ExportOptions) -> bytes:
    return to_import_csv(with_disclosure(frame, options.markets))


def _excel(frame: pd.DataFrame, currency: str, options: ExportOptions) -> bytes:
    return to_excel_csv(with_disclosure(frame, options.markets))


def no_notes(frame: pd.DataFrame, currency: str, options: ExportOptions) -> list[str]:
    """Nothing to know."""
    return []


CSV: Final = ShopFormat(
    "csv", "CSV for import", "csv", "text/csv",
    "All columns; UTF-8, dot decimals, nothing altered: for another system.", _check_import, _import, no_notes,
    shop=False,
)  # fmt: skip
EXCEL_CSV: Final = ShopFormat(
    "excel_csv", "CSV for Excel", "csv", "text/csv",
    "All columns; UTF-8 with byte order mark; text that a spreadsheet would run as a formula is made harmless.",
    _check_excel, _excel, no_notes, shop=False,
)  # fmt: skip
