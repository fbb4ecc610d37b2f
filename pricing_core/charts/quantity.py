"""How many units a purchase has, where the shop's data say so."""

from __future__ import annotations

import pandas as pd


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
