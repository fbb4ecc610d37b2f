"""Effects of others' prices on sales: of other products in the category, and of competitors."""

from __future__ import annotations

import numpy as np

from pricing_core.errors import DataError
from pricing_core.explain.cross_price import CrossPrice, cross_prices, with_competitor
from pricing_core.workflows.explained_offers import asked_again, recent_offers
from pricing_core.workflows.runs import TrainedRun
from pricing_core.workflows.training import recent_order

_GAP = "competitor gap"
_STEP = 0.05
_MOST = 6_000


def cross_effects(run: TrainedRun) -> list[CrossPrice]:
    """Measure both by category; an offer's visit is its customer's day."""
    log = run.dataset.offers.iloc[recent_order(run.dataset)].reset_index(drop=True)
    rows = run.rows
    if len(log) != rows.n or not (log["customer_id"].astype(str).to_numpy() == rows.customer_id.astype(str)).all():
        raise DataError("The log has changed since this model was trained.", fix="Train again.")
    visit = (log["customer_id"].astype(str) + "|" + log["offered_at"].dt.strftime("%Y-%m-%d")).to_numpy(dtype=object)
    found = cross_prices(rows, log["purchased"].to_numpy(dtype=float), visit, log["price"].to_numpy(dtype=float))
    ready = recent_offers(run)
    if _GAP not in ready.encoded.table.frame:
        return found
    at = np.sort(np.random.default_rng(0).permutation(rows.n)[:_MOST])
    gap = ready.encoded.table.frame[_GAP].to_numpy(dtype=float)[at]
    lower, higher = (asked_again(ready, at, rows.take(at), {_GAP: gap + step}) for step in (-_STEP, _STEP))
    return with_competitor(found, lower, higher, log_ratio=2 * _STEP)
