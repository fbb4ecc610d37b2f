"""Rows of a price list that a shop's system would reject or misread, before it does."""

from __future__ import annotations

from typing import Final

import pandas as pd

from pricing_core.pricelist.formats import ExportOptions, find
from pricing_core.pricelist.formats.checks import COLUMNS

SHOWN: Final = 5


def preflight(
    format: str,
    frame: pd.DataFrame,
    *,
    currency: str,
    source: bytes | None = None,
    options: ExportOptions | None = None,
) -> pd.DataFrame:
    """Problems of a price list in a format, in the order of its rows.

    Parameters
    ----------
    source
        The shop's own export; what is wrong with its rows is then found too.

    Returns
    -------
    DataFrame
        ``row_number`` (row 1 is the header), ``product_id, column, problem, fix`` and ``severity``: *blocking* rows
        are left out of the file, *warning* rows are in it. With ``source``, row numbers are those of that file where
        the product is in it.
    """
    options = options or ExportOptions()
    frame = frame.reset_index(drop=True)
    if source is not None:
        from pricing_core.pricelist import roundtrip

        return roundtrip.problems(format, frame, source, currency=currency, options=options)
    found = find(format).check(frame, currency, options)
    table = pd.concat(found, ignore_index=True)[list(COLUMNS)]
    return table.sort_values(["row_number", "severity"], kind="stable").reset_index(drop=True)


def counts(problems: pd.DataFrame) -> dict[str, int]:
    """Number of rows that are left out, and of rows that are in the file with a warning."""
    left_out = problems.loc[problems["severity"] == "blocking", "row_number"]
    warned = problems.loc[problems["severity"] == "warning", "row_number"]
    return {"blocking": left_out.nunique(), "warning": int((~warned.drop_duplicates().isin(left_out)).sum())}


def grouped(problems: pd.DataFrame) -> pd.DataFrame:
    """Problems by kind, those that leave most rows out first.

    Returns
    -------
    DataFrame
        ``severity, column, problem, fix``, ``rows`` (how many) and ``first`` (the first row numbers as text).
    """
    keys = ["severity", "column", "problem", "fix"]
    if problems.empty:
        return pd.DataFrame(columns=[*keys, "rows", "first"])
    found = problems.groupby(keys, sort=False)["row_number"].agg(rows="size", first=_first).reset_index()
    return found.sort_values(["severity", "rows"], ascending=[True, False], kind="stable").reset_index(drop=True)


def _first(rows: pd.Series) -> str:
    known = [str(row) for row in rows.head(SHOWN) if not pd.isna(row)]
    return ", ".join(known) + (", …" if len(rows) > SHOWN and known else "")
