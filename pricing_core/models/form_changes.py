"""What another form of a model changes: forecasts, prices, profit."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pricing_core.response.pricing_rows import PricingRows

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class FormAnswers:
    """Answers of a form: recommended ``price`` of the recent offers (n,), ``chance`` of past purchases (m,)."""

    price: Floats
    chance: Floats


def changes(original: FormAnswers, form: FormAnswers, purchased: Floats, rows: PricingRows) -> dict[str, float]:
    """Compare a form with the original.

    Parameters
    ----------
    purchased
        Outcome of the past offers (m,), 0 or 1.
    rows
        The recent offers with the response of the original, by which the profit of both is judged.

    Returns
    -------
    dict
        ``log_loss`` per offer and its change; mean and largest change of the recommended price as a share of the
        original's (absolute), the share of rows whose price is the same to the smallest coin, and the change of the
        expected profit as a share of the original's.
    """
    loss, base = log_loss(form.chance, purchased), log_loss(original.chance, purchased)
    moved = np.abs(form.price / original.price - 1)
    earned = [np.sum((p - rows.unit_cost) * rows.response.probability(p)) for p in (original.price, form.price)]
    return {
        "log_loss": loss,
        "log_loss_change": loss - base,
        "price_change_mean": float(moved.mean()),
        "price_change_max": float(moved.max()),
        "same_price_share": float((moved < 1e-9).mean()),
        "profit_change": float(earned[1] / earned[0] - 1) if earned[0] else 0.0,
    }


def log_loss(chance: Floats, purchased: Floats) -> float:
    """Mean of −log of the chance that was given to what happened."""
    p = np.clip(chance, 1e-7, 1 - 1e-7)
    return float(-np.mean(purchased * np.log(p) + (1 - purchased) * np.log(1 - p)))
