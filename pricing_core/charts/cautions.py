"""What to keep in mind beside a promised profit, in sentences that pages and commands share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pricing_core.charts.calibration import response_doubt
from pricing_core.charts.style import percent
from pricing_core.charts.verdict import edge_doubt
from pricing_core.data.quality import COST_UNKNOWN
from pricing_core.response.pricing_rows import PricingRows


def doubts(metrics: Mapping[str, Any]) -> tuple[str, ...]:
    """Say why a run's promised profit deserves caution.

    Parameters
    ----------
    metrics
        Its figures on held-out time.

    Returns
    -------
    tuple of str
        That later offers do not confirm the forecast reaction to price; that nearly all recommended prices are the
        highest that the data support. Empty where neither holds.
    """
    return tuple(each for each in (response_doubt(metrics), edge_doubt(metrics)) if each is not None)


def assumed_costs(rows: PricingRows, margin: float | None) -> str | None:
    """Say for how many priced offers the unit cost is assumed, and from which margin; None where all are known.

    Parameters
    ----------
    margin
        Share of the usual price that a product without a known cost is taken to earn.
    """
    assumed = int(rows.cost_assumed.sum())
    if not assumed or margin is None:
        return None
    return assumed_margin(f"{COST_UNKNOWN} {assumed:,} of {rows.n:,} offers", margin)


def assumed_margin(unknown: str, margin: float) -> str:
    """Say which margin stands for unknown costs, after ``unknown``, which says of how many offers they are."""
    return f"{unknown}: a margin of {percent(margin, digits=0)} of the usual price is assumed"
