"""Checks that several formats share: rows that a shop's system would reject, with the reason and the way out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pricing_core.guardrails.money import minor_unit_digits
from pricing_core.pricelist.cells import (
    CONTROL,
    DIRECTION,
    SURROGATE,
    is_money,
    looks_like_formula,
    plain_texts,
    text_columns,
)

Mask = NDArray[np.bool_]

COLUMNS: Final = ("row_number", "product_id", "column", "problem", "fix", "severity")
LARGEST: Final = 1e10
_HALF_UNIT: Final = 1e-6


def problem_rows(
    frame: pd.DataFrame,
    mask: Mask,
    column: str,
    problem: str | pd.Series,
    fix: str,
    *,
    blocking: bool = True,
) -> pd.DataFrame:
    """Problem of each row where ``mask`` holds: :data:`COLUMNS`; row 1 is the header, so that prices start at row 2.

    A *blocking* problem would have the target reject the row; a *warning* does not.
    """
    rows = mask.nonzero()[0]
    texts = problem if isinstance(problem, str) else problem.to_numpy()[rows]
    table = pd.DataFrame(
        {
            "row_number": rows + 2,
            "product_id": plain_texts(frame["product_id"].iloc[rows]).to_numpy(),
            "column": column,
            "problem": texts,
            "fix": fix,
            "severity": "blocking" if blocking else "warning",
        },
        columns=list(COLUMNS),
        dtype=object,
    )
    return table.astype({"row_number": "int64"})


def personal(frame: pd.DataFrame) -> Mask:
    """Rows whose price is for one customer."""
    return _present(frame["customer_id"])


def in_segment(frame: pd.DataFrame) -> Mask:
    """Rows whose price is for one segment."""
    return _present(frame["segment_id"])


def one_price(frame: pd.DataFrame, why: str, fix: str) -> list[pd.DataFrame]:
    """Rows for a customer or a segment, where the target knows one price for everybody."""
    return [
        problem_rows(frame, personal(frame), "customer_id", f"The price is for one customer. {why}", fix),
        problem_rows(
            frame, in_segment(frame) & ~personal(frame), "segment_id", f"The price is for one segment. {why}", fix
        ),
    ]


def amounts(frame: pd.DataFrame, currency: str, column: str = "new_price") -> list[pd.DataFrame]:
    """Prices that cannot be charged: unknown, not above zero, too large, finer than the currency, in another one."""
    value = frame[column].to_numpy(dtype=float, na_value=np.nan)
    known = np.isfinite(value)
    digits = minor_unit_digits(currency)
    unit = 10.0**digits
    with np.errstate(over="ignore", invalid="ignore"):
        nothing = np.rint(value * unit) <= 0
        fine = np.abs(value * unit - np.rint(value * unit)) > np.maximum(_HALF_UNIT, 1e-9 * np.abs(value * unit))
    other = (plain_texts(frame["currency"]) != currency).to_numpy()
    override = "Hold the price or override it on the price list."
    return [
        problem_rows(frame, ~known, column, "The price is unknown.", override),
        problem_rows(frame, known & nothing, column, "The price is not above zero.", override),
        problem_rows(frame, known & (value > LARGEST), column, "The price is larger than a shop can hold.", override),
        problem_rows(
            frame, known & ~nothing & (value <= LARGEST) & fine, column,
            f"The price has more than the {digits} decimals that {currency} has.", "Override it with a rounded price.",
        ),
        problem_rows(
            frame, other, "currency", f"The row is not in {currency}.", "Make a price list for each currency."
        ),
    ]  # fmt: skip


def keys(frame: pd.DataFrame, key: pd.Series, column: str, label: str, longest: int) -> list[pd.DataFrame]:
    """Keys that the target cannot find a product by: missing, too long, or with characters that break a line."""
    text = plain_texts(key)
    levels = pd.Series(pd.unique(text), dtype=object)

    def marked(test: Callable[[str], object]) -> Mask:
        return text.isin([level for level in levels if test(level)]).to_numpy()

    blank = marked(lambda level: not level.strip())
    broken = marked(lambda level: CONTROL.search(level) or DIRECTION.search(level) or SURROGATE.search(level))
    return [
        problem_rows(frame, blank, column, f"The {label} is missing.", f"Give the product a {label} in your shop."),
        problem_rows(
            frame, marked(lambda level: len(level) > longest), column,
            f"The {label} is longer than {longest} characters.", f"Shorten the {label} in your shop.",
        ),
        problem_rows(
            frame, broken, column,
            f"The {label} has invisible characters (control, direction) or cannot be written in UTF-8.",
            f"Clean the {label} in your shop's data and import them again.",
        ),
        problem_rows(
            frame, marked(lambda level: level != level.strip()) & ~blank & ~broken, column,
            f"The {label} starts or ends with a space; some shops remove it.", "Check that the product is found.",
            blocking=False,
        ),
    ]  # fmt: skip


def public(frame: pd.DataFrame) -> Mask:
    """Rows whose price is for everybody."""
    return ~personal(frame) & ~in_segment(frame)


def unique(
    frame: pd.DataFrame, key: pd.Series | pd.DataFrame, column: str, label: str, among: Mask
) -> list[pd.DataFrame]:
    """Rows with the same key among some: the target would take the last, or refuse the file."""
    twice = np.zeros(len(frame), dtype=bool)
    twice[among] = key[among].duplicated(keep=False).to_numpy()
    return [
        problem_rows(
            frame, twice, column, f"Several rows have the same {label}; only one price can hold.",
            "Keep one of the rows.",
        )
    ]  # fmt: skip


def formulas(frame: pd.DataFrame, key: pd.Series, column: str) -> list[pd.DataFrame]:
    """Keys that a spreadsheet would run; an import takes them as they are."""
    texts = plain_texts(key)
    risky = [level for level in pd.unique(texts) if looks_like_formula(level)]
    return [
        problem_rows(
            frame, texts.isin(risky).to_numpy(), column,
            "The text starts like a formula. The file keeps it as it is, for the import to find the product.",
            "Do not open this file in a spreadsheet; use the Excel download for that.", blocking=False,
        )
    ]  # fmt: skip


def readable(frame: pd.DataFrame, *, formulas_run: bool = False) -> list[pd.DataFrame]:
    """Warnings for files that keep every row: amounts left blank, characters replaced, text like formulas.

    Parameters
    ----------
    formulas_run
        Whether text that looks like a formula stays as it is in this file.
    """
    found = []
    for column in frame.columns:
        if is_money(str(column)) and pd.api.types.is_numeric_dtype(frame[column]):
            value = frame[column].to_numpy(dtype=float, na_value=np.nan)
            found.append(
                problem_rows(
                    frame, np.isinf(value), str(column), "The amount is not a number; its cell is blank.",
                    "Override the price.", blocking=False,
                )
            )  # fmt: skip
    for column in text_columns(frame):
        texts = frame[column].astype(object)
        levels = [level for level in pd.unique(texts.dropna()) if isinstance(level, str)]
        if formulas_run:
            found += formulas(frame, texts, column)
        lost = [level for level in levels if SURROGATE.search(level)]
        found.append(
            problem_rows(
                frame, texts.isin(lost).to_numpy(), column,
                "A character cannot be written in UTF-8; the replacement character stands for it.",
                "Correct the text in your data.", blocking=False,
            )
        )  # fmt: skip
        hidden = [level for level in levels if DIRECTION.search(level) or CONTROL.search(level)]
        found.append(
            problem_rows(
                frame, texts.isin(hidden).to_numpy(), column,
                "The text has invisible characters (control, direction): it may read otherwise than it is.",
                "Correct the text in your data.", blocking=False,
            )
        )  # fmt: skip
    return found


def _present(column: pd.Series) -> Mask:
    return (column.notna() & (column.astype(object) != "")).to_numpy(dtype=bool)
