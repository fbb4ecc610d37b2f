"""Which columns a table cannot do without, and which of several it needs at least one of."""

from __future__ import annotations

from collections.abc import Container
from typing import Final

from pricing_core.schema import required_names

ONE_OF: Final = {"orders": ("unit_price", "amount")}
"""Table → columns of which at least one is needed."""


def need_of(table: str, name: str) -> str:
    """Whether a column is needed, in a word or two: yes, no, or one of several."""
    if name in required_names(table):
        return "yes"
    others = [other for other in ONE_OF.get(table, ()) if other != name]
    return f"this or {' or '.join(others)}" if name in ONE_OF.get(table, ()) else "no"


def lacking(table: str, mapped: Container[str]) -> list[str]:
    """What is needed and not mapped, such as ``price`` or ``unit_price or amount``."""
    missing = [name for name in required_names(table) if name not in mapped]
    one_of = ONE_OF.get(table, ())
    if one_of and not any(name in mapped for name in one_of):
        missing.append(" or ".join(one_of))
    return missing
