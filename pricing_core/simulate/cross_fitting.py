"""Prices whose judge had no part in choosing them.

A model that picks the best of many prices picks its own errors as well, and then overstates what they earn.
Therefore every price that is judged by the draws of one fold was chosen with the draws of the other, which learned
from other customers; and a price that rows share was chosen on the rows of other customers than those whom it is
judged on.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pricing_core.guardrails import Guardrails
from pricing_core.optimize.settings import PRODUCT, UNIFORM, StrategySettings
from pricing_core.optimize.strategies import price_strategy
from pricing_core.response import PricingRows

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

_SHARED = (UNIFORM, PRODUCT)


@dataclass(frozen=True, eq=False)
class Judgment:
    """Prices (n,) and the draws (D,) flag that may judge them."""

    price: Floats
    judges: Mask


def cross_fitted_judgments(
    name: str, rows: PricingRows, guardrails: Guardrails, settings: StrategySettings
) -> list[Judgment]:
    """Return one judgment per fold of draws; one for all draws if there is only one fold."""
    fold = rows.response.draw_fold
    if not is_cross_fitted(rows):
        price = price_strategy(name, rows, guardrails, settings=settings, with_reasons=False).price
        return [Judgment(price, np.ones(fold.size, dtype=bool))]
    return [
        Judgment(_chosen_without(name, rows, guardrails, settings, fold != judge), fold == judge) for judge in (0, 1)
    ]


def is_cross_fitted(rows: PricingRows) -> bool:
    """Whether the draws learned from two different halves of the customers."""
    return bool(np.unique(rows.response.draw_fold).size > 1)


def _chosen_without(
    name: str, rows: PricingRows, guardrails: Guardrails, settings: StrategySettings, draws: Mask
) -> Floats:
    def chosen(learn: Mask | None) -> Floats:
        return price_strategy(
            name, rows, guardrails, learn_rows=learn, draws=draws, settings=settings, with_reasons=False
        ).price

    sides = np.unique(rows.customer_fold)
    if name not in _SHARED or sides.size < 2:
        return chosen(None)
    price = np.empty(rows.n)
    for side in sides:
        mine = rows.customer_fold == side
        price[mine] = chosen(~mine)[mine]
    return price
