"""Which tables were given, and which column of each file is which field: settled before a row is read."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Mapping

from pricing_core import schema
from pricing_core.data.mapping import check_mapping, complete_mapping
from pricing_core.errors import MappingError

Recall = Callable[[str, list[str]], Mapping[str, str]]
"""Table and columns of a file → field → column, as remembered from an earlier import."""


def settle_mapping(
    table: str, columns: list[str], mapping: Mapping[str, Mapping[str, str]], recall: Recall | None, name: str
) -> dict[str, str]:
    """Field → column of one file: what was asked for, else what is remembered, else guessed; checked."""
    known = recall(table, columns) if recall is not None else {}
    settled = complete_mapping({**known, **mapping.get(table, {})}, columns, table)
    check_mapping(settled, columns, table, name=name)
    return settled


def check_tables(named: Iterable[str], sources: Container[str]) -> None:
    """Check that the tables exist, and that there are offers or orders, but not both.

    Raises
    ------
    ConfigError
        If there is no table of a name.
    MappingError
        If offers are missing or given twice.
    """
    for table in named:
        schema.fields(table)
    if "offers" not in sources and "orders" not in sources:
        raise MappingError(
            "There is no offers table.",
            fix="Give the file with the prices that customers were offered, or the shop's orders.",
        )
    if "offers" in sources and "orders" in sources:
        raise MappingError(
            "Both offers and orders were given.", fix="Leave the orders out: offers say more, what was declined."
        )
