"""Where each shop's own export keeps its keys and prices."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from pricing_core.errors import DataError

Key = Literal["sku", "handle", "id"]
Prices = Literal["compare_at", "sale", "tier"]


@dataclass(frozen=True)
class Layout:
    """Columns of a shop's export.

    Attributes
    ----------
    keys
        What a product is found by, and in which column, the most reliable first.
    price
        Column of the price; with ``sale`` prices, of the regular one.
    kind
        ``compare_at``: customers pay the price, and a higher one may stand struck through. ``sale``: customers pay
        the sale price where there is one. ``tier``: a price for each customer group.
    second
        Column of the struck-through price, or of the sale price.
    others
        Further columns that decide whether a row is changed.
    """

    keys: tuple[tuple[Key, str], ...]
    price: str
    kind: Prices
    second: str | None = None
    others: tuple[str, ...] = ()


LAYOUTS: Final = {
    "shopify": Layout((("sku", "SKU"), ("handle", "URL handle")), "Price", "compare_at", "Compare-at price"),
    "shopify_legacy": Layout(
        (("sku", "Variant SKU"), ("handle", "Handle")), "Variant Price", "compare_at", "Variant Compare At Price"
    ),
    "woocommerce": Layout((("sku", "SKU"), ("id", "ID")), "Regular price", "sale", "Sale price"),
    "magento": Layout(
        (("sku", "sku"),), "tier_price", "tier",
        others=("tier_price_customer_group", "tier_price_qty", "tier_price_value_type"),
    ),
    "google_merchant": Layout((("id", "id"),), "price", "sale", "sale_price"),
}  # fmt: skip


@dataclass(frozen=True)
class Positions:
    """Column numbers of a layout in one file; None where a column is absent."""

    keys: tuple[tuple[Key, int], ...]
    price: int
    second: int | None
    others: tuple[int | None, ...]

    @property
    def wanted(self) -> list[int]:
        """All columns to read; an absent one is the number of none."""
        absent = 1 << 30
        rest = [absent if k is None else k for k in (self.second, *self.others)]
        return [*(column for _, column in self.keys), self.price, *rest]


def detect(header: Sequence[str]) -> str | None:
    """Format whose price and key columns a header has; None if there is none."""
    found = [name for name in LAYOUTS if _positions(LAYOUTS[name], header) is not None]
    exact = [name for name in found if LAYOUTS[name].price in header]
    return next(iter(exact or found), None)


def locate(name: str, header: Sequence[str]) -> Positions:
    """Columns of a format in a file.

    Raises
    ------
    DataError
        If the price column or every key column is missing.
    """
    layout = LAYOUTS[name]
    found = _positions(layout, header)
    if found is None:
        keys = " or ".join(column for _, column in layout.keys)
        other = detect(header)
        raise DataError(
            f"Your file does not have the columns {layout.price} and {keys}.",
            fix=f"It looks like the format {other}: choose that." if other else "Export the products from your shop.",
        )
    return found


def _positions(layout: Layout, header: Sequence[str]) -> Positions | None:
    place = {name.casefold(): k for k, name in reversed(list(enumerate(header)))}
    keys = tuple((key, place[column.casefold()]) for key, column in layout.keys if column.casefold() in place)
    price = place.get(layout.price.casefold())
    if price is None or not keys:
        return None
    second = place.get(layout.second.casefold()) if layout.second else None
    return Positions(keys, price, second, tuple(place.get(column.casefold()) for column in layout.others))
