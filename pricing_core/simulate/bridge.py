r"""Why one profit or revenue is not another: the difference split into volume, mix, price and unit cost, exactly.

With total units *Q*, the share :math:`s_j` of product *j* in them, its average price :math:`p_j` and unit cost
:math:`c_j`,

.. math:: \Pi = Q \sum_j s_j (p_j - c_j)

Each part's effect is its Shapley value: the change that it makes when the parts switch from the one side to the
other, averaged over all orders in which they may switch. For two factors this is the midpoint form,
:math:`\Delta p\,(q_0 + q_1)/2`. The effects sum to the difference exactly, and exchanging the sides flips their signs.

A product that sells on one side only has no price on the other; it takes the one it has, so that its coming or going
counts as volume and mix.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import combinations
from math import factorial
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pricing_core.errors import ConfigError, DataError

Floats = NDArray[np.float64]

PARTS: Final = ("volume", "mix", "price", "cost")
MEASURES: Final = ("profit", "revenue")


@dataclass(frozen=True)
class Bridge:
    """From ``start`` to ``end``: ``effects`` by part, money; they sum to ``end − start``.

    ``measure`` is ``profit`` or ``revenue``; revenue has no cost part.
    """

    measure: str
    start: float
    end: float
    effects: dict[str, float]

    def to_frame(self) -> pd.DataFrame:
        """Return ``part, amount``: start, each effect, end."""
        parts = [("start", self.start), *self.effects.items(), ("end", self.end)]
        return pd.DataFrame(parts, columns=["part", "amount"])


def bridge(start: pd.DataFrame, end: pd.DataFrame, *, measure: str = "profit") -> Bridge:
    """Split the difference of two outcomes by product.

    Parameters
    ----------
    start, end
        ``product_id, units, revenue, cost``, totals of each product. A product may be missing on one side.
    measure
        ``profit`` or ``revenue``.

    Raises
    ------
    ConfigError
        If the measure is unknown.
    DataError
        If a column is missing, a product occurs twice, or units are negative.
    """
    if measure not in MEASURES:
        raise ConfigError(f"measure is {measure!r}.", fix=f"It must be one of {', '.join(MEASURES)}.")
    sides = [_by_product(table) for table in (start, end)]
    ids = sides[0].index.union(sides[1].index)
    units, revenue, cost = (
        [side[name].reindex(ids, fill_value=0.0).to_numpy(dtype=float) for side in sides]
        for name in ("units", "revenue", "cost")
    )
    price, each = _per_unit(revenue, units), _per_unit(cost, units)
    volume = [float(u.sum()) for u in units]
    share = [u / v if v > 0 else np.zeros_like(u) for u, v in zip(units, volume, strict=True)]
    if min(volume) <= 0:  # nothing sold on one side: there is no mix to change
        share = [s if v > 0 else share[1 - k] for k, (s, v) in enumerate(zip(share, volume, strict=True))]

    def value(side: Mapping[str, int]) -> float:
        margin = price[side["price"]] - (each[side["cost"]] if measure == "profit" else 0.0)
        return volume[side["volume"]] * float(share[side["mix"]] @ margin)

    names = PARTS if measure == "profit" else PARTS[:3]
    effects = shapley_effects(names, lambda side: value({"cost": 0, **side}))
    ends = [float(r.sum() - (c.sum() if measure == "profit" else 0.0)) for r, c in zip(revenue, cost, strict=True)]
    return Bridge(measure, ends[0], ends[1], effects)


def shapley_effects(names: tuple[str, ...], value: Callable[[Mapping[str, int]], float]) -> dict[str, float]:
    """Shapley value of each factor when all switch from 0 to 1; ``value`` takes factor → side.

    The values sum to ``value(all 1) − value(all 0)``.
    """
    count = len(names)
    known: dict[frozenset[str], float] = {}
    for size in range(count + 1):
        for part in combinations(names, size):
            known[frozenset(part)] = value({name: int(name in part) for name in names})
    effects = {}
    for name in names:
        total = 0.0
        for chosen, base in known.items():
            if name in chosen:
                continue
            weight = factorial(len(chosen)) * factorial(count - len(chosen) - 1) / factorial(count)
            total += weight * (known[chosen | {name}] - base)
        effects[name] = total
    return effects


def _per_unit(amount: list[Floats], units: list[Floats]) -> list[Floats]:
    own = [np.where(u > 0, a / np.where(u > 0, u, 1.0), np.nan) for a, u in zip(amount, units, strict=True)]
    filled = [np.where(np.isfinite(own[k]), own[k], own[1 - k]) for k in (0, 1)]
    return [np.nan_to_num(each) for each in filled]


def _by_product(table: pd.DataFrame) -> pd.DataFrame:
    missing = [name for name in ("product_id", "units", "revenue", "cost") if name not in table.columns]
    if missing:
        raise DataError(f"The bridge needs the columns {', '.join(missing)}.")
    if table["product_id"].duplicated().any():
        raise DataError("A product occurs twice in one side of the bridge.", fix="Add up its rows first.")
    if (table["units"] < 0).any():
        raise DataError("Units are negative in one side of the bridge.")
    return table.set_index("product_id")
