"""How two versions of a shop's data differ."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import pandas as pd

from pricing_core.data.dataset import DatasetManifest
from pricing_core.data.repairs import repair_words

MONEY_FIGURES: Final = ("median price",)
"""Figures in the currency of their version."""

OTHER_MONEY: Final = "not comparable: other currency"


def origin_words(manifest: DatasetManifest) -> str:
    """Say where a version came from: an import, rows added to another version, repairs, or one put back into use."""
    if manifest.copied:
        return f"{manifest.copied} put back into use"
    if manifest.repairs:
        done = ", ".join(repair_words(name).lower() for name in manifest.repairs)
        return f"repair of {manifest.base}: {done}"
    if manifest.extends:
        return f"import, added to {manifest.extends}"
    if manifest.evidence:
        return "import of orders"
    return "sample shop" if manifest.source.startswith("sample ") else "import"


def compare_figures(
    first: Mapping[str, object], second: Mapping[str, object], only_in: tuple[int, int]
) -> pd.DataFrame:
    """Key figures of two versions side by side.

    Parameters
    ----------
    first, second
        Figures of each version by name; where ``currency`` differs, money is not compared.
    only_in
        Offers that only the first, and only the second version holds.

    Returns
    -------
    DataFrame
        ``figure, first, second, difference``: text; the difference is that of numbers, else "changed" or empty, and for
        money of two currencies that it cannot be told. The last two rows count the offers that only one of the
        versions holds.
    """
    foreign = MONEY_FIGURES if first.get("currency") != second.get("currency") else ()
    rows = [
        (name, _text(one), _text(second[name]), OTHER_MONEY if name in foreign else _difference(one, second[name]))
        for name, one in first.items()
    ]
    gone, new = only_in
    rows += [("offers only in the first", _text(gone), "", ""), ("offers only in the second", "", _text(new), "")]
    return pd.DataFrame(rows, columns=["figure", "first", "second", "difference"])


def _text(value: object) -> str:
    return f"{value:,}" if isinstance(value, (int, float)) else str(value)


def _difference(one: object, two: object) -> str:
    if isinstance(one, (int, float)) and isinstance(two, (int, float)):
        change = round(two - one, 2)
        return "" if change == 0 else f"{change:+,}"
    return "" if one == two else "changed"
