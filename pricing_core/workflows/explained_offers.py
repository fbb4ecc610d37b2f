"""Offers made ready to be explained: with readable features, their values in units, and what a unit costs."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pricing_core.explain.readable import in_chinese, readable_groups, readable_numbers, written
from pricing_core.models.behavior import BehaviorModel
from pricing_core.models.demand_outcomes import DemandOutcomes
from pricing_core.models.shop_model import EncodedOffers
from pricing_core.models.surface import COST, OUTCOMES, CostedBatch, DemandSurface
from pricing_core.optimize.posterior import maximize_posterior_profit
from pricing_core.response.price_response import PriceResponse
from pricing_core.response.pricing_rows import PricingRows
from pricing_core.workflows.runs import TrainedRun

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

BACKGROUND_ROWS = 16
_NO_LIMIT = 4.0  # the best price before any limit is looked for up to this many reference prices above the cost


@dataclass(frozen=True, eq=False)
class ReadyOffers:
    """Offers of a run, ready to be explained.

    Attributes
    ----------
    encoded, rows
        What the models and the optimizer see, row by row.
    batch
        The same with readable feature names, related columns together, and the unit cost as a feature.
    names
        The models' name of each feature of the batch.
    """

    run: TrainedRun
    encoded: EncodedOffers
    rows: PricingRows
    batch: CostedBatch
    names: tuple[str, ...]

    @property
    def labels(self) -> tuple[str, ...]:
        """Readable name of each feature."""
        return self.batch.feature_names

    @property
    def currency(self) -> str:
        """ISO 4217 code of the run's money."""
        return str(self.run.manifest["currency"])

    def values(self, at: Ints) -> pd.DataFrame:
        """Values of the features in their units, numbers or text, a column per feature."""
        table, going = self.encoded.table, self.encoded.going
        offers = table.offers.iloc[at]
        told: dict[str, Any] = {
            "time of year": offers["offered_at"].dt.month_name(),
            "day of the week": offers["offered_at"].dt.day_name(),
            "product identity": offers["product_id"].astype(str),
            "recent events": self.encoded.batch.sequence_mask[at].sum(axis=1),
            "usual price here": going.expected[at],
            "unit cost": self.batch.cost[at],
        }
        columns = {}
        for label, name in zip(self.labels, self.names, strict=True):
            raw = pd.Series(told[name] if name in told else table.frame[name].iloc[at])
            numbers = readable_numbers(name, raw)
            columns[label] = raw.astype(object).to_numpy() if numbers is None else numbers
        return pd.DataFrame(columns)

    def written(self, at: Ints, language: str = "en") -> pd.DataFrame:
        """Values of the features as text with units, a column per feature."""
        values = self.values(at)
        shown = {
            label: [written(name, value, self.currency) for value in values[label]]
            for label, name in zip(self.labels, self.names, strict=True)
        }
        if language == "zh":
            shown = {label: [in_chinese(text) for text in texts] for label, texts in shown.items()}
        return pd.DataFrame(shown)


def ready_offers(run: TrainedRun, encoded: EncodedOffers, rows: PricingRows) -> ReadyOffers:
    """Put encoded offers and their pricing rows together."""
    groups, names = readable_groups(encoded.batch.groups)
    batch = CostedBatch(replace(encoded.batch, groups=groups), rows.unit_cost / rows.response.reference_price)
    names = names if len(names) == len(batch.feature_names) else (*names, COST)
    return ReadyOffers(run, encoded, rows, batch, names)


def recent_offers(run: TrainedRun) -> ReadyOffers:
    """The run's recent offers."""
    return ready_offers(run, run.encoded, run.rows)


def background_of(
    ready: ReadyOffers, *, without: int | None = None, seed: int = 0, size: int = BACKGROUND_ROWS
) -> Ints:
    """Random rows that stand for "a typical offer", without the one to be explained."""
    order = np.random.default_rng(seed).permutation(ready.rows.n)
    return order[order != (-1 if without is None else without)][:size]


def asked_again(ready: ReadyOffers, at: Ints, rows: PricingRows, moved: dict[str, Floats]) -> PricingRows:
    """Rows ``at`` as the models see them with some numbers changed: going price, support and response follow.

    Parameters
    ----------
    rows
        The rows to change.
    moved
        The models' name of a number → its new values; names that the models do not use are passed over.
    """
    model, table = ready.run.model, ready.encoded.table
    batch = ready.encoded.batch.take(at)
    known = {spec["name"] for specs in model.encoder.columns_.values() for spec in specs}
    for name, values in moved.items():
        if name in known:
            batch = model.encoder.replaced(batch, name, values)
    going = model.pricing.predict(batch, table.base_price[at])
    batch = batch.with_expected_price(going.expected.astype(np.float32))
    low, high = model.supported(table.offers["product_id"].iloc[at].reset_index(drop=True), going)
    response = model.behavior.respond(batch, going.reference)
    return replace(rows, response=response, support_low=low, support_high=high)


def surface(
    run: TrainedRun, *, relative_price: float = 1.0, outcomes: tuple[str, ...] = OUTCOMES
) -> DemandSurface | DemandOutcomes:
    """Return the run's behavior model as a function of costed offers, with slopes where it is a network."""
    behavior = run.model.behavior
    if isinstance(behavior, BehaviorModel):
        return DemandSurface(behavior, best_relative_price, relative_price=relative_price, outcomes=outcomes)
    return DemandOutcomes(behavior, best_relative_price, relative_price=relative_price, outcomes=outcomes)


def best_relative_price(intercept: Floats, sensitivity: Floats, cost: Floats) -> Floats:
    """Price that earns most before any limit, relative to the reference price, (n,)."""
    response = PriceResponse(np.ones(len(intercept)), intercept, sensitivity)
    return maximize_posterior_profit(response, cost, cost, cost + _NO_LIMIT)
