"""From the best price to one that can be charged: whole minor units and the shop's price endings."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pricing_core.guardrails.money import neighbors
from pricing_core.guardrails.rules import Guardrails

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

_SLACK = 1e-9


@dataclass(frozen=True)
class Snapped:
    """Chargeable prices (n,), and where one was found within the range."""

    price: Floats
    fits: Mask


def snap(
    price: Floats,
    low: Floats,
    high: Floats,
    guardrails: Guardrails,
    profit: Callable[[Floats], Floats] | None = None,
) -> Snapped:
    """Move each price to an allowed neighbor within ``[low, high]``.

    Parameters
    ----------
    price, low, high
        (n,) money.
    guardrails
        Endings, rounding and decimals.
    profit
        Profit (n,) at prices (n,): of two allowed neighbors the more profitable is taken. None: the nearer one.

    Returns
    -------
    The prices; where no allowed amount lies within the range, ``fits`` is False and the price is unchanged.
    """
    below, above = neighbors(price, guardrails.endings, guardrails.decimals)
    good_below = (below >= low - _SLACK) & (below <= high + _SLACK) & (below > 0)
    good_above = (above >= low - _SLACK) & (above <= high + _SLACK)
    if guardrails.rounding == "down":
        use_above = np.zeros(len(price), dtype=bool)
        fits = good_below
    else:
        fits = good_below | good_above
        if profit is None:
            prefer = above - price < price - below
        else:
            both = good_below & good_above & (below < above)
            low_try, high_try = np.where(both, below, price), np.where(both, above, price)
            prefer = profit(high_try) > profit(low_try)
        use_above = good_above & (prefer | ~good_below)
    return Snapped(np.where(fits, np.where(use_above, above, below), price), fits)
