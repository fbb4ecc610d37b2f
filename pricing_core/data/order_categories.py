"""The one category that a product has where its order lines name several, and how many lines that leaves out."""

from __future__ import annotations

from typing import Final

import pandas as pd

from pricing_core.data.quality import Finding
from pricing_core.data.spellings import plain, with_visible_spaces

_SHOWN: Final = 3
_ONE: Final = "A product has one category, as most of its lines have it; of as many, the first in order."


def commonest(pairs: pd.DataFrame) -> pd.Series:
    """Category of each product: that of most of its lines, of as many the first in order.

    Parameters
    ----------
    pairs
        ``product_id, category, count`` over the order lines whose category is known.
    """
    pairs = pairs.sort_values(["product_id", "count", "category"], ascending=[True, False, True], kind="stable")
    found = pairs.drop_duplicates("product_id")
    return pd.Series(found["category"].to_numpy(), index=found["product_id"].astype(str).to_numpy())


def merged_categories(pairs: pd.DataFrame) -> list[Finding]:
    """Count the order lines that name their product's category in another spelling, and those that name another one.

    Parameters
    ----------
    pairs
        As for :func:`commonest`.
    """
    named = pd.DataFrame(
        {
            "product": pairs["product_id"].astype(str).to_numpy(),
            "text": pairs["category"].astype(str).to_numpy(),
            "count": pairs["count"].to_numpy(dtype="int64"),
        }
    )
    named["taken"] = named["product"].map(commonest(pairs)).astype(str)
    other = named[named["text"] != named["taken"]]
    respelled = other["text"].map(plain) == other["taken"].map(plain)
    return _spelled(other[respelled]) + _different(other[~respelled])


def _spelled(lines: pd.DataFrame) -> list[Finding]:
    if lines.empty:
        return []
    sums = pd.DataFrame(lines.groupby(["text", "taken"], as_index=False)["count"].sum())
    sums = sums.sort_values(["count", "text", "taken"], ascending=[False, True, True], kind="stable")
    shown = "; ".join(
        f"{with_visible_spaces(text)!r} as {with_visible_spaces(taken)!r} ({_lines(int(count))})"
        for text, taken, count in sums.head(_SHOWN)[["text", "taken", "count"]].itertuples(index=False)
    )
    more = f"; and {len(sums) - _SHOWN:,} more spellings" if len(sums) > _SHOWN else ""
    total = int(lines["count"].sum())
    message = f"{_lines(total)} spell the category of their product in another way than most: {shown}{more}."
    return [Finding("info", "orders", "category", total, (), _one(message, total), f"They are merged. {_ONE}")]


def _different(lines: pd.DataFrame) -> list[Finding]:
    if lines.empty:
        return []
    first = lines.sort_values(["count", "product", "text"], ascending=[False, True, True], kind="stable").iloc[0]
    total, products = int(lines["count"].sum()), lines["product"].nunique()
    message = (
        f"{_lines(total)} of {products:,} product{'' if products == 1 else 's'} name another category than most lines "
        f"of the product: {_lines(int(first['count']))} of {first['product']} have "
        f"{with_visible_spaces(first['text'])!r} beside {with_visible_spaces(first['taken'])!r}."
    )
    effect = f"{_ONE} A wrong one puts the product among others than those it competes with."
    return [Finding("warning", "orders", "category", total, (), _one(message, total), effect)]


def _lines(count: int) -> str:
    return f"{count:,} order line{'' if count == 1 else 's'}"


def _one(message: str, count: int) -> str:
    """Give a single line its verb."""
    if count != 1:
        return message
    return message.replace(" spell ", " spells ", 1).replace(" their ", " its ", 1).replace(" name ", " names ", 1)
