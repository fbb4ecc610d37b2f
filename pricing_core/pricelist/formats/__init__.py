"""Formats that a price list is written in, one module each.

>>> file = formats.write("shopify", price_list, currency="USD")

Rows that the shop's system would reject are left out, counted and named
(:func:`~pricing_core.pricelist.preflight.preflight`); if it would reject all of them there is no file. With ``source``,
the shop's own export, the same file comes back with only its prices changed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import pandas as pd

from pricing_core.errors import ConfigError, DataError
from pricing_core.pricelist.formats import google_merchant, magento, native, parquet, shopify, woocommerce, xlsx
from pricing_core.pricelist.formats.contract import ExportFile, ExportOptions, ShopFormat

FORMATS: Final[Mapping[str, ShopFormat]] = {
    each.name: each
    for each in (
        native.CSV,
        native.EXCEL_CSV,
        xlsx.XLSX,
        parquet.PARQUET,
        shopify.SHOPIFY,
        shopify.SHOPIFY_LEGACY,
        woocommerce.WOOCOMMERCE,
        magento.MAGENTO,
        google_merchant.GOOGLE_MERCHANT,
    )
}

__all__ = ["FORMATS", "ExportFile", "ExportOptions", "ShopFormat", "find", "write"]


def find(name: str) -> ShopFormat:
    """Format by name.

    Raises
    ------
    ConfigError
        If there is none of that name; the message lists those there are.
    """
    if name not in FORMATS:
        raise ConfigError(f"There is no format {name!r}; the formats are {', '.join(FORMATS)}.")
    return FORMATS[name]


def write(
    format: str,
    frame: pd.DataFrame,
    *,
    currency: str,
    source: bytes | None = None,
    options: ExportOptions | None = None,
    name: str = "price_list",
) -> ExportFile:
    """File of a price list.

    Parameters
    ----------
    format
        One of :data:`FORMATS`.
    frame
        Native price list.
    currency
        ISO 4217 code of the shop.
    source
        The shop's own export in this format; the same file comes back with only its prices changed.
    name
        File name without ending.

    Raises
    ------
    DataError
        If no row can be written, with the reason that most rows share.
    """
    from pricing_core.pricelist import roundtrip

    chosen, options = find(format), options or ExportOptions()
    if source is not None:
        return roundtrip.as_file(format, frame, source, currency=currency, options=options, name=name)
    kept, problems = acceptable(chosen, frame, currency, options)
    notes = [*_left_out(problems), *chosen.notes(kept, currency, options)]
    data = chosen.encode(kept, currency, options)
    return ExportFile(
        f"{name}_{chosen.name}.{chosen.extension}", data, chosen.mime, tuple(notes), len(kept), len(frame) - len(kept)
    )


def acceptable(
    chosen: ShopFormat, frame: pd.DataFrame, currency: str, options: ExportOptions
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Rows that the target takes, and the blocking problems of the others.

    Raises
    ------
    DataError
        If there are rows, and the target would take none of them.
    """
    frame = frame.reset_index(drop=True)
    problems = blocking(chosen.check(frame, currency, options))
    refused = frame.index.isin(problems["row_number"].to_numpy(dtype=int) - 2)
    kept = frame[~refused]
    if len(frame) and kept.empty:
        raise refusal(chosen, frame, problems)
    return kept.reset_index(drop=True), problems


def refusal(chosen: ShopFormat, frame: pd.DataFrame, problems: pd.DataFrame) -> DataError:
    """Why a target takes no price at all: the reason that most rows share."""
    top = problems.loc[problems["severity"] == "blocking", ["problem", "fix"]].value_counts().index[0]
    problem, fix = str(top[0]), str(top[1])  # type: ignore[index]
    return DataError(f"{chosen.label} would take none of the {len(frame):,} prices. {problem}", fix=fix)


def blocking(found: list[pd.DataFrame]) -> pd.DataFrame:
    """Problems that make a target reject rows."""
    table = pd.concat(found, ignore_index=True)
    return table[table["severity"] == "blocking"]


def _left_out(problems: pd.DataFrame) -> list[str]:
    rows = problems["row_number"].nunique()
    if not rows:
        return []
    what = "1 price is" if rows == 1 else f"{rows:,} prices are"
    return [f"{what} left out, because the shop's system would reject them."]
