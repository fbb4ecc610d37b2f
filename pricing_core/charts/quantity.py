"""How many units a purchase has, where the shop's data say so."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import pandas as pd

from pricing_core.charts.style import number, percent


def units_per_purchase(offers: pd.DataFrame) -> float | None:
    """Average quantity of the offers that were bought.

    Parameters
    ----------
    offers
        Canonical offers; a purchase without a quantity counts as one unit.

    Returns
    -------
    float or None
        Units per purchase; None if the data have no quantity or nothing was bought.
    """
    if "quantity" not in offers.columns:
        return None
    quantity = pd.to_numeric(offers["quantity"], errors="coerce")[offers["purchased"].astype(float) > 0]
    if not quantity.notna().any():
        return None
    return float(quantity.fillna(1.0).mean())


def quantity_sentence(known: Mapping[str, Any]) -> str:
    """Say what forecasts count per purchase, and what they leave out.

    Parameters
    ----------
    known
        A run's figures on quantities: ``mean_units, price_effect, price_matters``.
    """
    text = (
        f"Forecasts count the units of a purchase as expected of customer, product and market, "
        f"{number(float(known['mean_units']))} on average."
    )
    if not known.get("price_matters"):
        return text
    change = math.exp(0.1 * float(known["price_effect"])) - 1
    return text + (
        f" Where prices were 10% higher, a purchase had {percent(change, signed=True)} units;"
        " forecasts and prices do not count on that."
    )
