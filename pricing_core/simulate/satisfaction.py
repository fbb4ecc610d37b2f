"""Satisfaction where the data measure it: stars and returns of the products that a strategy sells.

Price is not assumed to change how a product is liked. What a strategy changes is which products are bought, and with
that the average stars and the share of returns among its sales. Products without a measurement are left out, and
their share of sales is told.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

NOT_MEASURED = "not measured"


@dataclass(frozen=True)
class Satisfaction:
    """Average over a strategy's sales; None where the data measure nothing.

    ``rating`` in stars over ``rating_share`` of units, ``return_rate`` over ``return_share`` of units.
    """

    rating: float | None
    rating_share: float
    return_rate: float | None
    return_share: float


def satisfaction(products: pd.DataFrame, measured: pd.DataFrame) -> Satisfaction:
    """Average stars and returns over the units that a strategy sells.

    Parameters
    ----------
    products
        ``product_id, units``.
    measured
        ``product_id``, and ``rating`` and ``return_rate`` where known (NaN elsewhere), as of
        :func:`~pricing_core.workflows.what_if.measured_satisfaction`.
    """
    known = measured.set_index("product_id")
    units = products["units"].to_numpy(dtype=float)
    found = []
    for name in ("rating", "return_rate"):
        value_of = known[name] if name in known else pd.Series(np.nan, index=known.index)
        values = products["product_id"].map(value_of).to_numpy(dtype=float)
        there = np.isfinite(values)
        weight = float(units[there].sum())
        share = weight / float(units.sum()) if units.sum() > 0 else 0.0
        found.append((float(units[there] @ values[there] / weight) if weight > 0 else None, share))
    return Satisfaction(found[0][0], found[0][1], found[1][0], found[1][1])
