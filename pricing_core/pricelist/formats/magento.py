"""Magento (Adobe Commerce) advanced pricing: a tier price for each product and customer group."""

from __future__ import annotations

from typing import Final

import pandas as pd

from pricing_core.pricelist.cells import csv_bytes, money_texts, plain_texts
from pricing_core.pricelist.formats import checks
from pricing_core.pricelist.formats.contract import ALL_GROUPS, ExportOptions, ShopFormat
from pricing_core.pricelist.formats.shopify import sku_of

COLUMNS: Final = (
    "sku", "tier_price_website", "tier_price_customer_group", "tier_price_qty", "tier_price", "tier_price_value_type",
)  # fmt: skip
LONGEST_SKU: Final = 64
LONGEST_GROUP: Final = 32
_FIX: Final = "Make a list with segment prices: each segment becomes a customer group."


def customer_group(frame: pd.DataFrame, options: ExportOptions) -> pd.Series:
    """Customer group of each row: the one of its segment, or everybody; blank where the segment has none."""
    groups = [options.customer_groups.get(segment, "") for segment in plain_texts(frame["segment_id"])]
    return pd.Series(groups, index=frame.index, dtype=object).where(checks.in_segment(frame), ALL_GROUPS)


def _check(frame: pd.DataFrame, currency: str, options: ExportOptions) -> list[pd.DataFrame]:
    sku, group = sku_of(frame, options), customer_group(frame, options)
    segment = checks.in_segment(frame)
    raised = (frame["new_price"].astype(float) > frame["current_price"].astype(float)).to_numpy()
    return [
        checks.problem_rows(
            frame, checks.personal(frame), "customer_id",
            "The price is for one customer, and Magento has prices for groups of customers.", _FIX,
        ),
        *checks.amounts(frame, currency),
        *checks.keys(frame, sku, "sku", "SKU", LONGEST_SKU),
        checks.problem_rows(
            frame, segment & (group.str.strip() == "").to_numpy(), "tier_price_customer_group",
            "The segment has no customer group.", "Choose a customer group for the segment.",
        ),
        checks.problem_rows(
            frame, (group.str.len() > LONGEST_GROUP).to_numpy(), "tier_price_customer_group",
            f"The customer group is longer than {LONGEST_GROUP} characters.", "Use the group's name as in your shop.",
        ),
        *checks.unique(
            frame, pd.DataFrame({"sku": sku, "group": group}), "tier_price_customer_group", "SKU and customer group",
            ~checks.personal(frame) & (group.str.strip() != "").to_numpy(),
        ),
        checks.problem_rows(
            frame, raised & ~checks.personal(frame), "tier_price",
            "The price is raised, and Magento charges the lower of the product's own price and the tier price.",
            "Raise the product's own price in your shop first.", blocking=False,
        ),
        *checks.formulas(frame, sku, "sku"),
    ]  # fmt: skip


def _encode(frame: pd.DataFrame, currency: str, options: ExportOptions) -> bytes:
    n = len(frame)
    website = options.website or f"All Websites [{currency}]"
    cells = [
        sku_of(frame, options).tolist(),
        [website] * n,
        customer_group(frame, options).tolist(),
        ["1"] * n,
        money_texts(frame["new_price"], currency),
        ["Fixed"] * n,
    ]
    return csv_bytes(COLUMNS, cells)


def _notes(frame: pd.DataFrame, currency: str, options: ExportOptions) -> list[str]:
    notes = ["Import it under System › Import as Advanced Pricing, with Add/Update."]
    if not options.website:
        notes.append(f"It holds for all websites; {currency} must be the base currency of your shop.")
    if frame["disclosure_required"].fillna(False).astype(bool).any():
        notes.append(
            "The file has no place for the disclosure text: show it beside these prices in your shop. The native CSV, "
            "Excel and Parquet files carry it."
        )
    return notes


MAGENTO: Final = ShopFormat(
    "magento", "Magento tier prices", "csv", "text/csv",
    "Advanced pricing CSV; each segment's prices go to a customer group of your shop.", _check, _encode, _notes,
)  # fmt: skip
