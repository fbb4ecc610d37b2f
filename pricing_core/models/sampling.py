"""Which logged offers a training learns from, which it is judged on, and whether they are enough."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pricing_core.errors import DataError

if TYPE_CHECKING:
    from pricing_core.models.training import TrainingConfig

Floats = NDArray[np.float64]

MINIMUM_OFFERS = 200
MINIMUM_PURCHASES = 20


def offered_prices(offers: pd.DataFrame) -> dict[str, list[float]]:
    """Lowest and highest price of each product in the log, leaving out the outermost half percent on either side."""
    ends = offers.groupby(offers["product_id"].astype(str))["price"].quantile(np.array([0.005, 0.995])).unstack()
    return {str(product): [float(low), float(high)] for product, (low, high) in ends.iterrows()}


def check_enough(offers: pd.DataFrame) -> None:
    """Raise a DataError where no model could learn."""
    purchases = int((offers["purchased"] == 1).sum())
    if len(offers) < MINIMUM_OFFERS or purchases < MINIMUM_PURCHASES or purchases == len(offers):
        raise DataError(
            f"The data set has {len(offers):,} offers and {purchases:,} purchases; training needs at least"
            f" {MINIMUM_OFFERS} offers, {MINIMUM_PURCHASES} purchases and some refusals.",
            fix="Import a longer period or more customers.",
        )


def sample_offers(offers: pd.DataFrame, config: TrainingConfig) -> tuple[pd.DataFrame, Floats, dict[str, int]]:
    """All offers, or all purchases and a sample of refusals weighted up to stand for all of them, in time order."""
    limit = config.row_limit
    bought = offers["purchased"].to_numpy() == 1
    # Offers of one moment are ordered by product and price, so that neither the order of the file nor a pseudonym
    # matters.
    keys = offers.reset_index(drop=True).sort_values(["offered_at", "product_id", "price", "purchased"], kind="stable")
    order = keys.index.to_numpy()
    counts = {"offers": len(offers), "purchases": int(bought.sum()), "rows_used": len(offers)}
    if len(offers) <= limit:
        return offers.iloc[order].reset_index(drop=True), np.ones(len(offers)), counts
    rng = np.random.default_rng(config.seed)
    refused = np.flatnonzero(~bought)
    share = max(limit - int(bought.sum()), limit // 2) / len(refused)
    keep = bought.copy()
    keep[refused[rng.random(len(refused)) < share]] = True
    order = order[keep[order]]
    weight = np.where(bought, 1.0, len(refused) / max(int((keep & ~bought).sum()), 1))[order]
    counts["rows_used"] = len(order)
    return offers.iloc[order].reset_index(drop=True), weight, counts


def held_out_rows(times: pd.Series, share: float) -> NDArray[np.bool_]:
    """Mark the latest ``share`` of offers; offers of one moment stay together."""
    cut = times.sort_values().iloc[int(len(times) * (1 - share))]
    late = (times >= cut).to_numpy()
    if late.all() or not late.any():
        raise DataError(
            "All offers carry the same time, so there is no later period to judge the models on.",
            fix="Map a time column that says when each offer was made.",
        )
    return np.asarray(late)


def week_numbers(times: pd.Series) -> NDArray[np.int64]:
    """Number of the week, counted from the first offer, (n,)."""
    return np.asarray((times - times.min()) // pd.Timedelta(days=7), dtype=np.int64)
