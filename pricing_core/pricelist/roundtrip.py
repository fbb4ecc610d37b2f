"""The shop's own export in, the same file out with only its prices changed.

A row is found by SKU, else by handle or id. What is not a price stays byte for byte: delimiter, byte order mark,
quotes, line endings, order of columns, columns that nobody knows. Rows without a match, and prices of the list without
a row, are named.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final

import pandas as pd

from pricing_core.errors import ConfigError
from pricing_core.pricelist.formats import ExportFile, ExportOptions, acceptable, checks, find
from pricing_core.pricelist.layouts import LAYOUTS, Layout, Positions, locate
from pricing_core.pricelist.price_edits import STAYS, PriceEdits, SourcePrice
from pricing_core.pricelist.price_text import decimal_comma, split_price
from pricing_core.pricelist.shop_csv import ShopCsv, read_shop_csv
from pricing_core.pricelist.source_prices import SourcePrices, as_source

CHANGES: Final = ("row_number", "product_id", "column", "old", "new")


@dataclass(frozen=True)
class RoundTrip:
    """The shop's file with new prices.

    Attributes
    ----------
    changes
        Cells that differ: ``row_number, product_id, column, old, new``.
    problems
        Rows of the file without a price, prices without a row, and what is odd about changed ones
        (:data:`~pricing_core.pricelist.formats.checks.COLUMNS`).
    matched
        Rows of the file that a price was found for.
    rows
        Rows of the file.
    """

    data: bytes
    changes: pd.DataFrame
    problems: pd.DataFrame
    matched: int
    rows: int


def rewrite(
    format: str, frame: pd.DataFrame, source: bytes, *, currency: str, options: ExportOptions | None = None
) -> RoundTrip:
    """Change the prices in a shop's own export.

    Raises
    ------
    ConfigError
        If the format is none that a shop's export comes in.
    FileReadError, DataError
        If the file is none of that format, or its prices are for single customers.
    """
    if format not in LAYOUTS:
        raise ConfigError(f"A shop's own export is in one of {', '.join(LAYOUTS)}; received {format!r}.")
    options = options or ExportOptions()
    kept, refused = acceptable(as_source(find(format)), frame, currency, options)
    file = read_shop_csv(source)
    places = locate(format, file.header)
    work = _Work(file, LAYOUTS[format], places, SourcePrices.of(format, kept, currency, options), options)
    edits = work.run()
    problems = pd.concat([refused, work.problems(kept)], ignore_index=True)
    changes = pd.DataFrame(edits.changes, columns=list(CHANGES))
    return RoundTrip(file.edited(edits.edits), changes, problems, work.matched, work.rows)


def as_file(
    format: str, frame: pd.DataFrame, source: bytes, *, currency: str, options: ExportOptions, name: str
) -> ExportFile:
    """:func:`rewrite` as a file to take away, with what the user has to know."""
    chosen = find(format)
    done = rewrite(format, frame, source, currency=currency, options=options)
    cells = len(done.changes)
    notes = [
        f"Your own export with {cells:,} changed {'cell' if cells == 1 else 'cells'}; every other byte is the same.",
        f"{done.matched:,} of {done.rows:,} rows have a price in the list.",
    ]
    if LAYOUTS[format].second and not options.announce_reductions:
        notes.append("“Was” prices stay as they are: none is announced from this list.")
    left_out = int((done.problems["severity"] == "blocking").sum())
    file_name = f"{name}_{chosen.name}.{chosen.extension}"
    return ExportFile(file_name, done.data, chosen.mime, tuple(notes), done.matched, left_out)


def problems(format: str, frame: pd.DataFrame, source: bytes, *, currency: str, options: ExportOptions) -> pd.DataFrame:
    """What :func:`rewrite` would report."""
    return rewrite(format, frame, source, currency=currency, options=options).problems


@dataclass
class _Work:
    """One pass over the file: which row is which product, and what is odd."""

    file: ShopCsv
    layout: Layout
    places: Positions
    prices: SourcePrices
    options: ExportOptions
    notes: list[tuple[Any, ...]] = field(default_factory=list)
    seen: set[str] = field(default_factory=set)
    matched: int = 0
    rows: int = 0

    def run(self) -> PriceEdits:
        read = list(self.file.rows(self.places.wanted))
        self.rows, count = len(read), len(self.places.keys)
        values = [[self.file.value(cell) for cell in row] for _, row in read]
        parts = (split_price(text) for row in values for text in row[count : count + 2] if text)
        comma = decimal_comma(part.number for part in parts if part)
        edits = PriceEdits(self.file, self.layout, comma, self.options.announce_reductions, self._note)
        priced = [row for row in values if row[count].strip()]
        shared = [Counter(row[k].strip() for row in priced) for k in range(count)]
        for (number, row), value in zip(read, values, strict=True):
            texts, others = [text.strip() for text in value[:count]], [text.strip() for text in value[count + 2 :]]
            if self._skipped(number, texts, value[count], others):
                continue
            found = self._find(number, texts, others, shared)
            if found is not None:
                self.matched += 1
                self.seen.add(found.product_id)
                edits.change(number, found, row[count], row[count + 1])
        return edits

    def _skipped(self, number: int, texts: list[str], price: str, others: list[str]) -> bool:
        """Whether a row has nothing to change; further pictures of a product have neither SKU nor price."""
        if self.layout.kind == "tier":
            _, quantity, way = others
            if way and way.casefold() != "fixed":
                self._note(number, "", self.layout.others[2], "The tier price is a discount in percent.")
                return True
            if quantity and not _is_one(quantity):
                self._note(number, "", self.layout.others[1], f"The tier price holds from {quantity} units on.")
                return True
        return not texts[0] and not price.strip()

    def _find(self, number: int, texts: list[str], others: list[str], shared: list[Counter[str]]) -> SourcePrice | None:
        group = others[0] if self.layout.kind == "tier" else ""
        for position, ((key, _), text) in enumerate(zip(self.places.keys, texts, strict=True)):
            column = next(name for each, name in self.layout.keys if each == key)
            found = self.prices.find("sku" if self.layout.keys == (("id", "id"),) else key, text, group)
            if found is not None and key == "handle" and shared[position][text] > 1:
                self._note(
                    number, found.product_id, column, f"Several variants have the {column} {text!r}.",
                    "Give the variants SKUs in your shop.",
                )  # fmt: skip
                return None
            if found is not None:
                return found
        name = next(filter(None, texts), "a row without key")
        self._note(number, "", self.layout.keys[0][1], f"The list has no price for {name[:60]!r}.")
        return None

    def _note(self, number: int | None, product: str, column: str, problem: str, fix: str = STAYS) -> None:
        self.notes.append((number, product, column, problem, fix, "warning"))

    def problems(self, frame: pd.DataFrame) -> pd.DataFrame:
        missing = frame.loc[~frame["product_id"].astype(str).isin(self.seen), "product_id"].astype(str)
        fix = "Check its SKU in your shop, or export all products."
        rows = [
            (None, product, self.layout.keys[0][1], "The product is not in your file.", fix, "blocking")
            for product in missing
        ]
        table = pd.DataFrame([*self.notes, *rows], columns=list(checks.COLUMNS))
        return table.assign(row_number=table["row_number"].astype("Int64"))


def _is_one(text: str) -> bool:
    try:
        return Decimal(text) == 1
    except ArithmeticError:
        return False
