"""What if: rows in another market, and a surface that answers a slider at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pricing_core.data.dataset import Dataset
from pricing_core.data.seasons import LEAST_SEASON_DAYS
from pricing_core.errors import DataError
from pricing_core.features import EncodedBatch, FeatureTable
from pricing_core.features.variants import (
    COMPETITOR_GAP,
    SEASON_TERM,
    knows_competitor,
    knows_season,
    week_labels,
    with_competitor,
    with_season,
)
from pricing_core.guardrails.rules import Guardrails
from pricing_core.models.shop_model import EncodedOffers
from pricing_core.optimize.objectives import Objective
from pricing_core.response.pricing_rows import PricingRows
from pricing_core.simulate.competitor import MOVES, CompetitorMoves, competitor_pull, with_reaction
from pricing_core.simulate.response_surface import ResponseSurface, prepare, sample_rows, weighted
from pricing_core.simulate.scenario import Scenario
from pricing_core.store import shelf
from pricing_core.store.workspace import Workspace
from pricing_core.workflows.objectives import chosen_objective
from pricing_core.workflows.runs import TrainedRun, load_run
from pricing_core.workflows.strategies import settings_for

_STEP = 0.1


class MarketRows:
    """Pricing rows of the same offers in other markets; features are computed once.

    Parameters
    ----------
    run
        Trained models.
    offers
        Offers to price; default: the recent ones.
    """

    def __init__(self, run: TrainedRun, offers: pd.DataFrame | None = None) -> None:
        self.run = run
        self._dataset = run.dataset if offers is None else run.dataset_for(offers["customer_id"])
        self._encoded = run.model.encode(self._dataset, run.targets if offers is None else offers)

    @property
    def table(self) -> FeatureTable:
        """Features of the offers as they are."""
        return self._encoded.table

    def at(self, competitor_change_rate: float = 0.0, season_week: int | None = None) -> PricingRows:
        """Rows with moved competitor prices, in another week of the year.

        Raises
        ------
        DataError
            If the data know nothing of what is to be moved.
        """
        table = self.table
        if competitor_change_rate and not knows_competitor(table):
            raise DataError(
                "The data hold no competitor prices, so that a competitor move cannot be simulated.",
                fix="Import competitor prices, or move demand instead.",
            )
        if season_week is not None:
            if not knows_season(self.run.model.encoder, table):
                raise DataError(
                    f"The log was shorter than {LEAST_SEASON_DAYS} days, so that the model knows no season.",
                    fix="Give the season's effect as season_demand_rate.",
                )
            table = with_season(table, season_week, week_labels(self.run.dataset.market, season_week))
        table = with_competitor(table, competitor_change_rate)
        model = self.run.model
        batch = replace(self._encoded.batch, market=self._market(table))
        going = model.pricing.predict(batch, table.base_price)
        filled = batch.with_expected_price(going.expected.astype(np.float32))
        return self.run.with_margin(model.rows(self._dataset, EncodedOffers(table, filled, going)))

    def _market(self, table: FeatureTable) -> NDArray[np.float32]:
        """Market columns of the encoding; customers' events, the slow part, do not move."""
        without: EncodedBatch = self.run.model.encoder.transform(replace(table, events=table.events.iloc[:0]))
        return without.market


def rows_in_market(run: TrainedRun, scenario: Scenario, offers: pd.DataFrame | None = None) -> PricingRows:
    """Rows computed for a scenario's competitor move and reaction and for its season (costs and demand as they are)."""
    market = MarketRows(run, offers)
    move, week = scenario.competitor_change_rate, scenario.season_week
    rows = market.at(move, week)
    if not scenario.competitor_reaction_rate:
        return rows
    low, high = (1 + move) * (1 - _STEP) - 1, (1 + move) * (1 + _STEP) - 1
    pull = competitor_pull(market.at(low, week), market.at(high, week), float(np.log1p(high) - np.log1p(low)))
    return with_reaction(rows, pull, scenario.competitor_reaction_rate)


def competitor_moves(run: TrainedRun, *, season_week: int | None = None, every: bool = True) -> CompetitorMoves:
    """The sample's rows under competitor moves from half to one and a half times today's prices.

    Parameters
    ----------
    season_week
        Week of the year in which the offers are imagined.
    every
        False asks for no move but none; a shop without competitor prices is never asked for more.
    """
    sample = sample_rows(run.rows)
    market = MarketRows(run, run.targets.iloc[sample].reset_index(drop=True))
    rates = MOVES if every and knows_competitor(market.table) else (0.0,)
    weights = weighted(run.rows, sample).weight
    return CompetitorMoves(rates, tuple(replace(market.at(rate, season_week), weight=weights) for rate in rates))


def what_if(
    ws: Workspace,
    strategies: Sequence[str],
    *,
    base: Scenario,
    moves: CompetitorMoves | None = None,
    guardrails: Guardrails | None = None,
    objective: Objective | None = None,
    run_id: str | None = None,
) -> ResponseSurface:
    """Simulate the base case, ready to answer for other scenarios at once.

    Parameters
    ----------
    base
        Pace and horizon of the base case.
    moves
        From :func:`competitor_moves`; without them competitors and season cannot move.
    """
    from pricing_core.workflows.pricing import rules_for

    run = load_run(ws, run_id)
    names = [*strategies]
    return prepare(
        run.rows,
        names,
        moves=moves,
        guardrails=rules_for(run, guardrails),
        scenario=base,
        settings=settings_for(run, names),
        objective=objective or chosen_objective(ws),
    )


def market_knowledge(run: TrainedRun) -> tuple[bool, bool, bool]:
    """Whether the model knows competitor prices and the season, and the data stock; the model itself is not opened."""
    features = shelf.read_json(run.folder / "features.json")
    names = [spec["name"] for spec in features["encoder"]["columns"]["market"]]
    return COMPETITOR_GAP in names, SEASON_TERM in names, bool(np.isfinite(run.rows.stock).any())


def measured_satisfaction(dataset: Dataset) -> pd.DataFrame:
    """Stars and returns by product, from reviews and return events: ``product_id, rating, reviews, return_rate``.

    A column is NaN where nothing is measured; ``return_rate`` is returns over purchases in the events.
    """
    products = sorted(dataset.offers["product_id"].astype(str).unique())
    found = pd.DataFrame({"product_id": products, "rating": np.nan, "reviews": 0, "return_rate": np.nan})
    events = dataset.events
    if events is None or "product_id" not in events.columns:
        return found
    known = events[events["product_id"].notna()]
    key = known["product_id"].astype(str)
    if "rating" in known.columns and known["rating"].notna().any():
        stars = pd.to_numeric(known["rating"], errors="coerce").groupby(key).agg(["mean", "count"])
        found["rating"] = found["product_id"].map(stars["mean"])
        found["reviews"] = found["product_id"].map(stars["count"]).fillna(0).astype(int)
    kind = known["event_type"].astype(str).str.lower()
    returned = kind.isin(("return", "returned", "refund"))
    if returned.any():
        bought = key[kind == "purchase"].value_counts()
        found["return_rate"] = found["product_id"].map(key[returned].value_counts() / bought)
    return found
