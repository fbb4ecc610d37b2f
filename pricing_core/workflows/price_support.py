"""What the pricing model says of the recent offers: range of the going price, and of the prices that data support."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pricing_core.charts.style import money, percent
from pricing_core.workflows.runs import TrainedRun


@dataclass(frozen=True)
class PriceSupport:
    """In words: the middle 90% of going prices, and the median ends of the support relative to the going price.

    ``outside`` of ``offers`` recent offers are priced outside the support today.
    """

    reference_low: str
    reference_high: str
    low: str
    high: str
    outside: int
    offers: int


def price_support(run: TrainedRun) -> PriceSupport:
    """Summarize the recent offers of a run."""
    rows, currency = run.rows, str(run.manifest["currency"])
    reference = rows.response.reference_price
    low, high = np.quantile(reference, [0.05, 0.95])
    outside = (rows.current_price < rows.support_low) | (rows.current_price > rows.support_high)
    ends = [float(np.median(end / reference - 1)) for end in (rows.support_low, rows.support_high)]
    return PriceSupport(
        reference_low=money(float(low), currency),
        reference_high=money(float(high), currency),
        low=percent(ends[0], signed=True, digits=0),
        high=percent(ends[1], signed=True, digits=0),
        outside=int(outside.sum()),
        offers=rows.n,
    )
