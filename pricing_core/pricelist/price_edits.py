"""New prices into the cells of one row of a shop's file, each in the way that the file writes its prices."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

from pricing_core.pricelist.layouts import Layout
from pricing_core.pricelist.price_text import PriceText, read_number, split_price, write_number
from pricing_core.pricelist.shop_csv import Cell, Edit, ShopCsv

STAYS: Final = "It stays as it is."
_WAS_FIX: Final = "Let the list announce reductions, or empty it in your shop."

Note = Callable[[int, str, str, str, str], None]
"""Says what is odd: row number, product, column, problem, way out."""


@dataclass(frozen=True)
class SourcePrice:
    """New price of a product, and what may stand beside it.

    Attributes
    ----------
    was
        Price that may be announced as the earlier one; None where there is none.
    prior
        Lowest price of the last thirty days; None where unknown.
    """

    product_id: str
    new: Decimal
    was: Decimal | None
    prior: Decimal | None


@dataclass
class PriceEdits:
    """Edits of a file, gathered row by row.

    Parameters
    ----------
    comma
        Whether the file writes decimal commas.
    announce
        Whether reductions are announced by a "was" price.
    note
        Takes what is odd about a row.
    """

    file: ShopCsv
    layout: Layout
    comma: bool
    announce: bool
    note: Note
    edits: list[Edit] = field(default_factory=list)
    changes: list[tuple[int, str, str, str, str]] = field(default_factory=list)

    def change(self, number: int, found: SourcePrice, price: Cell | None, second: Cell | None) -> None:
        """Set the price of a row, and what stands beside it."""
        old = self._parse(number, found, self.layout.price, price)
        if old is None or price is None:
            return
        if self.layout.kind != "sale" or self.layout.second is None:
            self._set(number, found, self.layout.price, price, old, found.new)
            if self.layout.kind == "compare_at" and second is not None:
                self._compare_at(number, found, second, old)
            return
        sale = self._parse(number, found, self.layout.second, second, blank=True) if second is not None else None
        if sale is None and self.file.value(second).strip():
            return
        if self.announce and found.was is not None and second is not None:
            regular, reduced = found.was, found.new
        elif sale is not None and not self.announce and found.new < self._value(old):
            regular, reduced = self._value(old), found.new
            self._doubt(number, found, self.layout.price, regular)
        else:
            regular, reduced = found.new, None
        self._set(number, found, self.layout.price, price, old, regular)
        if second is not None:
            self._set(number, found, self.layout.second, second, sale, reduced, like=old)

    def _compare_at(self, number: int, found: SourcePrice, cell: Cell, like: PriceText) -> None:
        column = str(self.layout.second)
        old = self._parse(number, found, column, cell, blank=True)
        if old is None and self.file.value(cell).strip():
            return
        if self.announce:
            self._set(number, found, column, cell, old, found.was, like=like)
        elif old is not None:
            if self._value(old) <= found.new:
                self.note(number, found.product_id, column, f"{old.number} is not above the new price.", _WAS_FIX)
            else:
                self._doubt(number, found, column, self._value(old))

    def _doubt(self, number: int, found: SourcePrice, column: str, was: Decimal) -> None:
        if found.prior is not None and was > found.prior:
            self.note(
                number,
                found.product_id,
                column,
                f"{was} stands as the earlier price, and the lowest of the last thirty days was {found.prior}.",
                _WAS_FIX,
            )

    def _parse(
        self, number: int, found: SourcePrice, column: str, cell: Cell | None, *, blank: bool = False
    ) -> PriceText | None:
        text = self.file.value(cell)
        inner = self.file.inner(cell) if cell is not None else None
        plain_cell = inner is not None and self.file.text[inner.start : inner.end] == text
        parts = split_price(text) if plain_cell else None
        if parts is None and not (blank and not text.strip()):
            problem = f"{text.strip()[:40]!r} cannot be read as a price." if text.strip() else "The row has no price."
            self.note(number, found.product_id, column, problem, STAYS)
        return parts

    def _value(self, price: PriceText) -> Decimal:
        return read_number(price.number, comma=self.comma)

    def _set(
        self, number: int, found: SourcePrice, column: str, cell: Cell, old: PriceText | None, new: Decimal | None, *,
        like: PriceText | None = None,
    ) -> None:  # fmt: skip
        inner, quoted = self.file.inner(cell), self.file.quoted(cell)
        if old is not None and new is not None:
            if self._value(old) == new:
                return
            start = inner.start + len(old.prefix)
            place, text = Cell(start, start + len(old.number)), write_number(new, comma=self.comma)
        elif new is not None:
            shape = like or PriceText("", "", "")
            place, text = inner, f"{shape.prefix}{write_number(new, comma=self.comma)}{shape.suffix}"
        elif old is not None:
            place, text = inner, ""
        else:
            return
        if not quoted and self.file.delimiter in text:
            before, after = self.file.text[cell.start : place.start], self.file.text[place.end : cell.end]
            text, place = f'"{before}{text}{after}"', cell
        self.edits.append(Edit(place.start, place.end, text))
        old_text = self.file.value(cell).strip()
        new_text = write_number(new, comma=self.comma) if new is not None else ""
        self.changes.append((number, found.product_id, column, old_text, new_text))
