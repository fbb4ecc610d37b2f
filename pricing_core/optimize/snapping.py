"""From the best price to one that can be charged: whole minor units, ladders and price endings."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from pricing_core.guardrails import Guardrails
from pricing_core.guardrails.price_points import PricePoints
from pricing_core.guardrails.selection import shop_rules

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
    points: PricePoints | Guardrails,
    profit: Callable[[Floats], Floats] | None = None,
) -> Snapped:
    """Move each price to an allowed neighbor within ``[low, high]``.

    Parameters
    ----------
    price, low, high
        (n,) money.
    points
        Amounts that ladders and endings allow each of the *n* rows, and the rounding direction by price range
        (:func:`~pricing_core.guardrails.price_points.price_points`). Guardrails stand for their shop-wide endings.
    profit
        Profit (n,) at prices (n,): of two allowed neighbors the more profitable is taken, unless the price's range
        says down or up. None: the nearer one.

    Returns
    -------
    The prices; where no allowed amount lies within the range, ``fits`` is False and the price is unchanged.
    """
    points = shop_points(points, len(price)) if isinstance(points, Guardrails) else points
    below, above = points.neighbors(price)
    direction = points.direction(price)
    good_below = (below >= low - _SLACK) & (below <= high + _SLACK)
    good_above = (above >= low - _SLACK) & (above <= high + _SLACK)
    stuck = ~((good_below & (direction <= 0)) | (good_above & (direction >= 0)))
    if stuck.any() and not all(rule.hard for rule in points.rules):
        direction = np.where(stuck, points.hard().direction(price), direction)  # the direction of a soft rule gives way
    good_below &= direction <= 0
    good_above &= direction >= 0
    both = good_below & good_above & (below < above)
    if profit is None:
        prefer = np.where(both, above - price < price - below, False)
    else:
        prefer = profit(np.where(both, above, price)) > profit(np.where(both, below, price))
    fits = good_below | good_above
    use_above = good_above & (prefer | ~good_below)
    return Snapped(np.where(fits, np.where(use_above, above, below), price), fits)


def shop_points(guardrails: Guardrails, n: int) -> PricePoints:
    """Amounts that the shop-wide endings allow each of *n* rows; rules for parts of the shop are not looked at."""
    rules = tuple(rule for rule in shop_rules(guardrails) if rule.kind == "endings")
    return PricePoints(
        rules, np.ones((len(rules), n), dtype=bool), guardrails.decimals, np.full(n, "", dtype=object),
        guardrails.rounding,
    )  # fmt: skip


def widened(points: PricePoints, times: int) -> PricePoints:
    """Return the points of *n* rows repeated ``times`` times, for tables of ``times`` × *n* prices."""
    return replace(points, applies=np.tile(points.applies, times), relaxed=np.tile(points.relaxed, times))
