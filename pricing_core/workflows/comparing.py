"""One offer among others: how its chance would change under other circumstances, and customers who are like it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from pricing_core.errors import DataError
from pricing_core.explain.curves import ResponseCurves, response_curves, support_grid
from pricing_core.explain.readable import readable
from pricing_core.explain.similar import SimilarCustomers, similar_customers
from pricing_core.models.surface import CostedBatch
from pricing_core.optimize.strategies import StrategyPrices
from pricing_core.workflows.explained_offers import ReadyOffers, background_of, surface

PRICE = "price"
_OTHERS = 40
_SIMILAR_IN_PRODUCT = 250
_SIMILAR_IN_CATEGORY = 50


def price_curves(ready: ReadyOffers, index: int, price: float) -> ResponseCurves:
    """Chance of a purchase over the price, for this offer and others of the product; ``price`` is where it stands."""
    product = str(ready.rows.product_id[index])
    mine = np.flatnonzero(ready.rows.product_id.astype(str) == product)
    others = np.random.default_rng(0).permutation(mine[mine != index])[:_OTHERS]
    response = ready.rows.response.take(np.concatenate([[index], others]))
    past = ready.run.observed(product)["price"].to_numpy(dtype=float)
    return response_curves(
        lambda value: response.probability(np.full(response.n, value)),
        support_grid(past),
        own=0,
        own_value=price,
        past=past,
    )


def feature_curves(ready: ReadyOffers, index: int, label: str, prices: StrategyPrices, outcome: str) -> ResponseCurves:
    """One outcome over the values of a numeric feature, for this offer and others, at this offer's recommended price.

    Raises
    ------
    DataError
        If the feature is no number, or never varied.
    """
    name = dict(zip(ready.labels, ready.names, strict=True))[label]
    if name not in varied_features(ready).values():
        raise DataError(f"{label} is not a single number that could be varied.", fix="Choose a numeric feature.")
    raw = ready.encoded.table.frame[name].to_numpy(dtype=float)
    turn = readable(name).turn
    at = np.concatenate([[index], background_of(ready, without=index, size=_OTHERS)])
    reference = float(ready.rows.response.reference_price[index])
    asked = surface(ready.run, relative_price=float(prices.price[index]) / reference, outcomes=(outcome,))
    batch = ready.batch.take(at)
    grid = support_grid(raw)
    by_shown = dict(zip(turn(grid).tolist(), grid.tolist(), strict=True))

    def answer(shown: float) -> Any:
        moved = ready.run.model.encoder.replaced(batch.batch, name, np.full(batch.n, by_shown[shown]))
        return asked.answers(CostedBatch(replace(moved, groups=batch.batch.groups), batch.cost))[:, 0]

    return response_curves(
        answer, turn(grid), own=0, own_value=float(turn(raw[[index]])[0]), past=np.asarray(turn(raw))
    )  # fmt: skip


def varied_features(ready: ReadyOffers) -> dict[str, str]:
    """Readable label → models' name of the features that are single numbers and vary among the recent offers."""
    known = {
        spec["name"]
        for specs in ready.run.model.encoder.columns_.values()
        for spec in specs
        if spec["kind"] == "number"
    }
    frame = ready.encoded.table.frame
    return {
        label: name
        for label, name in zip(ready.labels, ready.names, strict=True)
        if name in known and frame[name].nunique() > 1
    }


def similar_to(ready: ReadyOffers, index: int, prices: StrategyPrices) -> tuple[SimilarCustomers, str]:
    """Averages over similar customers, and of what: ``product`` where enough of them saw it, else ``category``."""
    offers = ready.run.dataset.offers
    rows = ready.rows
    same_product = offers["product_id"].astype(str) == str(rows.product_id[index])
    try:
        found = similar_customers(
            rows, index, offers[same_product], k=_SIMILAR_IN_PRODUCT, change_rate=prices.change_rate
        )
        return found, "product"
    except DataError:
        members = set(rows.product_id[rows.category == rows.category[index]].astype(str))
        log: pd.DataFrame = offers[offers["product_id"].astype(str).isin(members)]
        found = similar_customers(rows, index, log, k=_SIMILAR_IN_CATEGORY, change_rate=prices.change_rate)
        return found, "category"
