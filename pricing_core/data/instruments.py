"""How strongly a column called ``instrument`` moves the prices of an import."""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd

from pricing_core.data.quality import Finding

WEAK_F: Final = 10.0
_LEAST = 50


def instrument_strength(offers: pd.DataFrame) -> tuple[float, float]:
    """F statistic and R² of the log price on the instrument, both within products.

    The F is robust to unequal variances. Training asks again beside all features.

    Returns
    -------
    f_statistic, r2
        Both 0 where the instrument never varies within a product.
    """
    number = pd.to_numeric(offers["instrument"], errors="coerce").astype(float)
    known = number.notna() & (offers["price"] > 0)
    product = offers.loc[known, "product_id"].astype(str)
    moved = number[known] - number[known].groupby(product).transform("mean")
    log_price = pd.Series(np.log(offers.loc[known, "price"].to_numpy(dtype=float)), index=product.index)
    price = log_price - log_price.groupby(product).transform("mean")
    mass = float((moved**2).sum())
    total = float((price**2).sum())
    if not can_tell(len(product), mass, total):
        return 0.0, 0.0
    slope = float((moved * price).sum()) / mass
    error = price - slope * moved
    variance = float(((moved * error) ** 2).sum()) / mass**2
    return slope**2 / max(variance, 1e-12), max(1 - float((error**2).sum()) / total, 0.0)


def can_tell(rows: int, mass: float, total: float) -> bool:
    """Whether enough rows, moves of the instrument and moves of the price (sums of squares) are there to compare."""
    return rows >= _LEAST and mass > 1e-12 and total > 1e-12


def check_instrument(offers: pd.DataFrame) -> list[Finding]:
    """Say how strong the instrument is, if the offers carry one, and in how many rows it is unknown."""
    if "instrument" not in offers.columns or offers.empty:
        return []
    number = pd.to_numeric(offers["instrument"], errors="coerce")
    return instrument_findings(len(offers), int(number.isna().sum()), *instrument_strength(offers))


def instrument_findings(rows: int, missing: int, f_statistic: float, r2: float) -> list[Finding]:
    """Findings of :func:`check_instrument` where the instrument is unknown in ``missing`` of ``rows`` offers."""
    gaps = f" It is unknown in {missing:,} offers." if missing else ""
    message = f"The instrument explains {r2:.1%} of the price changes within products (F = {f_statistic:,.0f}).{gaps}"
    if f_statistic < WEAK_F:
        effect = "Too weak to be used: an F of at least 10 is needed. Prices rest on the price changes themselves."
        return [Finding("warning", "offers", "instrument", rows, (), message, effect)]
    effect = "The effect of the price is told from what else moved demand; the instrument itself never sets a price."
    return [Finding("info", "offers", "instrument", rows, (), message, effect)]
