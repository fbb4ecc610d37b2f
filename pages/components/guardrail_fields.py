"""The inputs that each kind of rule needs, in percent and money as people write them."""

from __future__ import annotations

import math
import re
from typing import Any

import pandas as pd
import streamlit as st

from pricing_core.errors import ConfigError
from pricing_core.guardrails import KINDS, Kind, PriceRange
from pricing_core.guardrails.kinds import CAPACITY, COMPETITOR_BAND, ENDINGS, PRICE_ORDER
from pricing_core.guardrails.ranges import DIRECTIONS
from pricing_core.response import PricingRows

from .guardrail_words import place_name

STARTS = {
    "margin_floor": 20.0, "max_change_rate": 10.0, "max_list_change_rate": 20.0, "max_dispersion_rate": 20.0,
    "min_conversion_rate": 1.0, "parity": 5.0,
}  # fmt: skip
LABELS = {
    "margin_floor": "Margin at least (% of the price)", "price_floor": "Never below ({})",
    "price_ceiling": "Never above ({})", "max_change_rate": "Change at most (± % of today's price)",
    "max_list_change_rate": "At most away from the list price (± %)",
    "max_dispersion_rate": "Highest price above the lowest, at most (%)",
    "min_changes": "At least", "max_changes": "At most", "discount_budget": "Discounts cost at most ({})",
    "capacity": "At most (units)", "min_conversion_rate": "At least (% of offers)", "min_units": "At least (units)",
    "parity": "At most apart (%)", "price_order": "Gap at least ({})",
}  # fmt: skip
HORIZON = "Counted over the next four weeks at the recent pace of the shop."


def show(kind: str, rows: PricingRows, currency: str) -> tuple[dict[str, Any], str]:
    """Show the inputs of a kind; return the fields of the rule, and what is wrong with them, if anything."""
    about = KINDS[kind]
    if kind == COMPETITOR_BAND:
        return _band(), ""
    if about.needs == ("ranges",):
        return _ranges(kind, currency)
    given: dict[str, Any] = {}
    if "group" in about.needs:
        given["group"] = _group(kind, rows)
    if kind == PRICE_ORDER:
        given |= _pair(rows)
    if kind == CAPACITY and not st.toggle("One number for all of them", key="field_capacity_one"):
        return given, ""
    if about.unit != "none":
        given["value"] = _number(about, currency)
    if "level" in about.takes:
        by_row = st.radio("Count", ["products", "offers"], horizontal=True, key=f"field_level_{kind}") == "offers"
        given["level"] = "row" if by_row else "product"
    return given, ""


def shown(about: Kind, value: float) -> float:
    """Return a stored number as people write it: shares in percent."""
    return round(100 * value, 6) if about.unit == "rate" else value


def stored(about: Kind, value: float) -> float:
    """Return a number as it is stored: percent as a share."""
    return round(value / 100, 8) if about.unit == "rate" else value


def _number(about: Kind, currency: str) -> float:
    counted = about.unit in ("units", "money") and about.coupled and about.key != PRICE_ORDER
    value = st.number_input(
        LABELS[about.key].format(currency), -100.0 if about.key == "margin_floor" else 0.0, None,
        STARTS.get(about.key, 0.0 if about.key == PRICE_ORDER else 10.0), 1.0, key=f"field_{about.key}", width=320,
        help=HORIZON if counted else None,
    )  # fmt: skip
    return stored(about, float(value))


def _band() -> dict[str, Any]:
    left, right = st.columns(2)
    low = left.number_input("From (% of the competitor's price)", 0.0, None, 90.0, 1.0, key="field_band_low")
    high = right.number_input("To (% of the competitor's price)", 0.0, None, 105.0, 1.0, key="field_band_high")
    return {"low_rate": low / 100, "high_rate": high / 100}


def _group(kind: str, rows: PricingRows) -> str:
    labels = [name for name in rows.labels if name != "week"]
    protected = [name for name in labels if name.startswith("protected: ")]
    plain = [name for name in labels if name not in protected and name != "products: category"]
    options = [*protected, *plain] if kind == "parity" else ["product", "category", *plain]
    return str(
        st.selectbox("Groups by", options, format_func=place_name, key=f"field_group_{kind}", width=320,
                     help="Protected attributes never set a price; here they only serve to compare."
                     if kind == "parity" else "By a product's label: one price for all products of a group. "
                     "By any other label: each product has one price per group.")
    )  # fmt: skip


def _pair(rows: PricingRows) -> dict[str, str]:
    products = sorted({str(name) for name in rows.product_id})
    left, right = st.columns(2)
    lower = left.selectbox("This product, such as the small pack", products, key="field_order_lower")
    higher = right.selectbox(
        "never costs more than this one", products, index=min(1, len(products) - 1), key="field_order_higher"
    )
    return {"lower": str(lower), "higher": str(higher)}


def _ranges(kind: str, currency: str) -> tuple[dict[str, Any], str]:
    what = "Endings, such as 49, 99" if kind == ENDINGS else "Every, or these prices"
    amounts = ["49, 99", "0"] if kind == ENDINGS else ["0.25", "1"]
    start = pd.DataFrame(
        {"start": [0.0, 10.0], "end": [10.0, math.nan], "amounts": amounts, "rounding": ["nearest", "nearest"]}
    )
    edited = st.data_editor(
        start, hide_index=True, num_rows="dynamic", placeholder="–", key=f"field_ranges_{kind}",
        column_config={
            "start": st.column_config.NumberColumn(f"Prices from ({currency})", min_value=0.0, required=True),
            "end": st.column_config.NumberColumn(f"to below ({currency})", help="Blank: without end."),
            "amounts": st.column_config.TextColumn(
                what, required=True,
                help="Last two digits." if kind == ENDINGS else "One number: multiples of it. Several: these prices.",
            ),
            "rounding": st.column_config.SelectboxColumn(
                "Rounded", options=list(DIRECTIONS), required=True,
                help="nearest: to the more profitable of both neighbors."
            ),
        },
    )  # fmt: skip
    try:
        return {"ranges": tuple(_range(kind, row) for row in edited.to_dict("records"))}, ""
    except ConfigError as error:
        return {}, str(error)


def _range(kind: str, row: dict[Any, Any]) -> PriceRange:
    text = str(row["amounts"])
    try:
        amounts = [float(part) for part in re.split(r"[;,\s]+", text.strip()) if part]
    except ValueError:
        raise ConfigError(
            f"“{text}” is not a list of numbers.", fix="Write them with commas, such as 49, 99."
        ) from None
    end = None if pd.isna(row["end"]) else float(row["end"])
    place: dict[str, Any] = {"start": float(row["start"]), "end": end, "rounding": row["rounding"]}
    if kind == ENDINGS:
        return PriceRange(**place, endings=tuple(int(each) if each.is_integer() else -1 for each in amounts))
    if len(amounts) == 1:
        return PriceRange(**place, step=amounts[0])
    return PriceRange(**place, points=tuple(amounts))
