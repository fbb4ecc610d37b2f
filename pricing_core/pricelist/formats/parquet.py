"""The workbench's own columns as Parquet: amounts as decimals, times in UTC, blank is null."""

from __future__ import annotations

import io
from decimal import Decimal
from typing import Any, Final

import numpy as np
import pandas as pd

from pricing_core.guardrails.money import minor_unit_digits
from pricing_core.pricelist.cells import any_text, exact_money, is_money, written
from pricing_core.pricelist.disclosure import with_disclosure
from pricing_core.pricelist.formats import checks
from pricing_core.pricelist.formats.contract import ExportOptions, ShopFormat
from pricing_core.pricelist.formats.native import no_notes

PRECISION: Final = 38
_LARGEST: Final = 1e30


def _check(frame: pd.DataFrame, currency: str, options: ExportOptions) -> list[pd.DataFrame]:
    found = checks.readable(frame)
    for column in _money(frame):
        value = frame[column].to_numpy(dtype=float, na_value=np.nan)
        found.append(
            checks.problem_rows(
                frame, np.isfinite(value) & (np.abs(value) > _LARGEST), column,
                f"The amount does not fit {PRECISION} digits; its cell is blank.", "Override the price.",
                blocking=False,
            )
        )  # fmt: skip
    return found


def _encode(frame: pd.DataFrame, currency: str, options: ExportOptions) -> bytes:
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = with_disclosure(frame, options.markets)
    columns = {str(name): _column(table, str(name)) for name in table.columns}
    target = io.BytesIO()
    pq.write_table(pa.table(columns), target, compression="zstd")
    return target.getvalue()


def _column(frame: pd.DataFrame, name: str) -> Any:
    import pyarrow as pa

    column, kinds = frame[name], pd.api.types
    if name in _money(frame):
        digits = max([minor_unit_digits(str(code)) for code in pd.unique(frame["currency"])], default=2)
        return pa.array(_decimals(column, frame["currency"]), pa.decimal128(PRECISION, digits))
    if kinds.is_datetime64_any_dtype(column):
        return pa.array(column, pa.timestamp("us", "UTC"))
    if kinds.is_bool_dtype(column):
        return pa.array(column.to_numpy(dtype=bool))
    if kinds.is_integer_dtype(column):
        return pa.array(column.astype("Int64"))
    if kinds.is_float_dtype(column):
        values = column.to_numpy(dtype=float, na_value=np.nan)
        return pa.array(values, mask=np.isnan(values))
    texts = np.array(written(column, any_text), dtype=object)
    return pa.array(texts, pa.string(), mask=column.isna().to_numpy(dtype=bool))


def _decimals(column: pd.Series, currency: pd.Series) -> list[Decimal | None]:
    values = column.to_numpy(dtype=float, na_value=np.nan)
    values = np.where(np.abs(values) > _LARGEST, np.nan, values)
    pairs = pd.MultiIndex.from_arrays([values, currency.astype(str)])
    codes, levels = pd.factorize(pairs)
    exact = [exact_money(value, code) for value, code in levels]
    return [exact[code] if code >= 0 else None for code in codes]


def _money(frame: pd.DataFrame) -> list[str]:
    return [str(c) for c in frame.columns if is_money(str(c)) and pd.api.types.is_numeric_dtype(frame[c])]


PARQUET: Final = ShopFormat(
    "parquet", "Parquet", "parquet", "application/vnd.apache.parquet",
    "All columns with their types; amounts are decimals: for a data platform.", _check, _encode, no_notes, shop=False,
)  # fmt: skip
