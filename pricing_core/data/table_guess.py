"""Which table a file holds, guessed from its name, its headers and its first rows."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import PurePath
from typing import Final

import pandas as pd

from pricing_core import schema
from pricing_core.data.mapping import guess_mapping

_YES_NO: Final = frozenset(
    (
        "0",
        "1",
        "0.0",
        "1.0",
        "yes",
        "no",
        "y",
        "n",
        "true",
        "false",
        "t",
        "f",
        "ja",
        "nein",
        "oui",
        "non",
        "si",
        "是",
        "否",
    )
)


def guess_table(
    columns: Iterable[str], name: str = "", *, sample: pd.DataFrame | None = None, alone: bool = False
) -> str:
    """Guess which canonical table a file is.

    A file with customer, product, time, a price or an amount, and a quantity or an order number, but no yes or no, is
    taken for orders; any other lone file can only be offers. With several files a name that contains a table's name
    decides first. Next, a file with a price, a time and a yes or no is taken for offers. Otherwise the table that the
    headers fit best wins: one point for every field that has a column, two less for every required field that has
    none; offers win a tie.

    Parameters
    ----------
    columns
        Headers of the file.
    name
        Name of the file.
    sample
        Some rows of the file, in which a column of yes and no shows without a telling header.
    alone
        Whether it is the only file.
    """
    headers = list(columns)
    orders = _looks_like_orders(headers, sample)
    if alone:
        return "orders" if orders else "offers"
    stem = PurePath(name).stem.lower()
    named = [table for table in schema.SOURCES if table.rstrip("s") in stem]
    if len(named) == 1:
        return named[0]
    if orders:
        return "orders"
    if _looks_like_offers(headers, sample):
        return "offers"
    return max(schema.TABLES, key=lambda table: _fit(headers, table))


def _looks_like_orders(headers: list[str], sample: pd.DataFrame | None) -> bool:
    """Whether a file says what was bought, and nothing says what was not."""
    found = guess_mapping(headers, "orders")
    wanted = {"customer_id", "product_id", "ordered_at"} <= set(found) and {"unit_price", "amount"} & set(found)
    if not wanted or not {"quantity", "amount", "order_id"} & set(found):
        return False
    if "purchased" in guess_mapping(headers, "offers"):
        return False
    rest = [] if sample is None else [column for column in sample.columns if column not in found.values()]
    return sample is None or not any(_is_yes_no(sample[column]) for column in rest)


def _looks_like_offers(headers: list[str], sample: pd.DataFrame | None) -> bool:
    found = guess_mapping(headers, "offers")
    if "price" not in found or "offered_at" not in found:
        return False
    if "purchased" in found:
        return True
    rest = [] if sample is None else [column for column in sample.columns if column not in found.values()]
    return sample is not None and any(_is_yes_no(sample[column]) for column in rest)


def _is_yes_no(values: pd.Series) -> bool:
    """Whether a column holds two different answers and nothing else."""
    answers = set(values.dropna().astype(str).str.strip().str.lower()) - {""}
    return len(answers) == 2 and answers <= _YES_NO


def _fit(headers: list[str], table: str) -> int:
    found = guess_mapping(headers, table)
    return len(found) - 2 * sum(field not in found for field in schema.required_names(table))
