"""What a format of a price list is, and what comes out of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

import pandas as pd

from pricing_core.errors import ConfigError
from pricing_core.pricelist.cells import plain_texts
from pricing_core.pricelist.disclosure import disclosure_text

CATALOG_COLUMNS: Final = ("product_id", "title", "handle", "sku", "id", "option1_name", "option1_value")
ALL_GROUPS: Final = "ALL GROUPS"


@dataclass(frozen=True)
class ExportOptions:
    """Choices that a shop's system needs beyond the price list.

    Parameters
    ----------
    customer_groups
        Segment of the price list to customer group of the shop (Magento).
    website
        Website that tier prices hold for (Magento); blank means all of them.
    markets
        Markets whose disclosure text personalized rows carry.
    announce_reductions
        Whether a lowered price is shown beside a "was" price: never one above the lowest price of the last thirty
        days, and none where that is unknown (:func:`~pricing_core.pricelist.was_price.was_price`).
    catalog
        How the shop names its products: ``product_id`` and any other of :data:`CATALOG_COLUMNS`.
    id_as_title
        Whether the product's id may stand in where a title is required and not known.
    """

    customer_groups: Mapping[str, str] = field(default_factory=dict)
    website: str = ""
    markets: tuple[str, ...] = ()
    announce_reductions: bool = False
    catalog: pd.DataFrame | None = None
    id_as_title: bool = False

    def __post_init__(self) -> None:
        disclosure_text(self.markets)
        if self.catalog is not None and "product_id" not in self.catalog.columns:
            columns = ", ".join(map(str, self.catalog.columns))
            raise ConfigError(f"The catalog needs the column product_id; received {columns or 'no columns'}.")

    def named(self, product_id: pd.Series, column: str) -> pd.Series:
        """What the catalog says about products, as text; blank where it says nothing."""
        if self.catalog is None or column not in self.catalog.columns:
            return pd.Series("", index=product_id.index, dtype=object)
        known = self.catalog.drop_duplicates("product_id").set_index("product_id")[column]
        names = dict(zip(plain_texts(known.index.to_series()), plain_texts(known), strict=True))
        return pd.Series([names.get(text, "") for text in plain_texts(product_id)], product_id.index, dtype=object)


@dataclass(frozen=True)
class ShopFormat:
    """One format that price lists are written in.

    Attributes
    ----------
    name
        Key, as the command line takes it.
    label
        Name on screen.
    extension, mime
        Ending and media type of the file.
    about
        What the file is for and how it is taken in, in a sentence or two.
    check
        Rows that the target would reject or misread: see :func:`~pricing_core.pricelist.formats.checks.problem_rows`.
    encode
        The file's bytes, from rows without blocking problems.
    notes
        What the user has to know about this file.
    shop
        Whether a shop's system takes it in; its rows must then be acceptable there.
    """

    name: str
    label: str
    extension: str
    mime: str
    about: str
    check: Callable[[pd.DataFrame, str, ExportOptions], list[pd.DataFrame]]
    encode: Callable[[pd.DataFrame, str, ExportOptions], bytes]
    notes: Callable[[pd.DataFrame, str, ExportOptions], list[str]]
    shop: bool = True


@dataclass(frozen=True)
class ExportFile:
    """A file to take away.

    Attributes
    ----------
    name, data, mime
        File name, content and media type.
    notes
        What the user has to know about it, a sentence each.
    rows
        Prices in the file.
    left_out
        Prices of the list that are not in the file, because the target would reject them.
    """

    name: str
    data: bytes
    mime: str
    notes: tuple[str, ...]
    rows: int
    left_out: int = 0
