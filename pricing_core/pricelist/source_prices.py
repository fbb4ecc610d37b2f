"""Prices of a list under the names that a shop's own export has for its products."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal

import pandas as pd

from pricing_core.pricelist.cells import exact_money, plain_texts
from pricing_core.pricelist.formats import ExportOptions, ShopFormat, checks
from pricing_core.pricelist.formats.magento import customer_group
from pricing_core.pricelist.formats.shopify import sku_of
from pricing_core.pricelist.price_edits import SourcePrice
from pricing_core.pricelist.was_price import was_price


def as_source(chosen: ShopFormat) -> ShopFormat:
    """The format's checks without those of columns that the shop's own file has already."""

    def check(frame: pd.DataFrame, currency: str, options: ExportOptions) -> list[pd.DataFrame]:
        group = customer_group(frame, options) if chosen.name == "magento" else frame["segment_id"]
        fix = "Make a list of prices per product, or hand the prices over in another format."
        one = checks.one_price(frame, f"{chosen.label}'s file has one price for everybody.", fix)
        unmapped = checks.in_segment(frame) & (plain_texts(group) == "").to_numpy()
        if chosen.name == "magento":
            one[1] = checks.problem_rows(
                frame, unmapped, "tier_price_customer_group", "The segment has no customer group.",
                "Choose a customer group for the segment.",
            )  # fmt: skip
        among = ~checks.personal(frame) & ((chosen.name == "magento") | ~checks.in_segment(frame))
        key = pd.DataFrame({"product": frame["product_id"], "group": group})
        return [*one, *checks.amounts(frame, currency), *checks.unique(frame, key, "product_id", "product", among)]

    return replace(chosen, check=check)


@dataclass(frozen=True)
class SourcePrices:
    """Prices of the list by what the shop calls the product (and the customer group)."""

    by_key: Mapping[str, Mapping[tuple[str, str], SourcePrice]]

    @classmethod
    def of(cls, format: str, frame: pd.DataFrame, currency: str, options: ExportOptions) -> SourcePrices:
        """Prices of a native price list, under the names that the catalog knows."""
        group = customer_group(frame, options) if format == "magento" else pd.Series("", index=frame.index)
        was = was_price(frame)
        found = [
            SourcePrice(str(product), _exact(new, currency), exact_money(w, currency), exact_money(prior, currency))
            for product, new, w, prior in zip(
                *(
                    column.tolist()
                    for column in (frame["product_id"], frame["new_price"], was, frame["prior_price_30d"])
                ),
                strict=True,
            )
        ]
        names = {
            "sku": sku_of(frame, options),
            "handle": options.named(frame["product_id"], "handle"),
            "id": options.named(frame["product_id"], "id"),
        }
        own = plain_texts(frame["product_id"])
        keys = {key: name.where(name != "", own) for key, name in names.items()}
        keys["handle"] = keys["handle"].str.casefold()
        groups = group.tolist()
        return cls(
            {key: dict(zip(zip(name.tolist(), groups, strict=True), found, strict=True)) for key, name in keys.items()}
        )

    def find(self, key: str, text: str, group: str) -> SourcePrice | None:
        """Price of the product that a cell names; WooCommerce's apostrophe before formulas is passed over."""
        known = self.by_key[key]
        text = text.casefold() if key == "handle" else text
        names = [text, text[1:]] if text[:1] == "'" else [text]
        return next((known[name, group] for name in names if name and (name, group) in known), None)


def _exact(value: float, currency: str) -> Decimal:
    amount = exact_money(value, currency)
    assert amount is not None
    return amount
