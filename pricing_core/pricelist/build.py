"""From priced rows to a price list with its native columns."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pricing_core.guardrails.money import minor_unit_digits
from pricing_core.optimize.strategies import StrategyPrices
from pricing_core.pricelist.effects import MEASURES, EffectGrid, grid_prices
from pricing_core.response.pricing_rows import PricingRows
from pricing_core.simulate.effects import group_effects, row_effects

Floats = NDArray[np.float64]

COLUMNS: Final = (
    "price_list_id", "version", "status", "product_id", "segment_id", "customer_id", "currency", "current_price",
    "new_price", "change_rate", "unit_cost", "margin_rate", "floor_price", "ceiling_price", "prior_price_30d",
    "effective_from", "effective_to", "expected_conversion_rate", "expected_profit", "profit_low", "profit_high",
    "evidence", "reason", "disclosure_required", "disclosure_text", "model_version", "approved_by", "approved_at",
)  # fmt: skip
DISCLOSURE: Final = (
    "This price was set for you by automated decision-making that uses data about your past purchases and visits."
)
"""Wording for the European duty to say so (Directive 2011/83/EU, Article 6(1)(ea)); other places ask for others."""


@dataclass(frozen=True)
class ListFacts:
    """What a price list says about itself.

    Parameters
    ----------
    strategy
        Name of the strategy; a personalized one gives a row per customer and product, any other a row per product.
    currency
        ISO 4217 code.
    model_version
        Id of the run.
    lowest_price_30d
        Lowest price of the last thirty days by product id, for announced reductions.
    """

    strategy: str
    currency: str
    model_version: str
    lowest_price_30d: dict[str, float]


def build_price_list(rows: PricingRows, prices: StrategyPrices, facts: ListFacts) -> pd.DataFrame:
    """Native price list of a strategy's prices.

    Several rows of one customer and product (or, where prices are not personal, of one product or of one product and
    segment) become one: the latest for a personal price; otherwise the row in the middle when ordered by price, with
    the effect of its price averaged over the rows.

    Returns
    -------
    DataFrame
        Columns :data:`COLUMNS`; money is rounded to the currency's smallest unit, unknown cells are missing.
    """
    return build_with_effects(rows, prices, facts)[0]


def build_with_effects(rows: PricingRows, prices: StrategyPrices, facts: ListFacts) -> tuple[pd.DataFrame, EffectGrid]:
    """Price list as :func:`build_price_list` makes it, and what other prices would do in each of its rows."""
    by_customer = prices.personal and not prices.by_segment
    places = _latest(rows) if by_customer else _groups(rows, _segments(rows, prices), prices)
    frame = _frame(rows, prices, places)
    digits = minor_unit_digits(facts.currency)
    for name in ("current_price", "new_price", "unit_cost", "floor_price", "ceiling_price"):
        frame[name] = frame[name].round(digits)
    frame = frame.assign(**_effects_at(rows, places, frame["new_price"].to_numpy(dtype=float)))
    if not by_customer:
        segment = pd.Series(_segments(rows, prices)[places.index], dtype="str")
        frame = frame.assign(customer_id=None, segment_id=segment.where(segment != "", None))
    frame = frame.assign(
        price_list_id=None,
        version=1,
        status="Draft",
        currency=facts.currency,
        change_rate=frame["new_price"] / frame["current_price"] - 1,
        margin_rate=1 - frame["unit_cost"] / frame["new_price"],
        prior_price_30d=frame["product_id"].map(facts.lowest_price_30d),
        effective_from=datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0) + pd.Timedelta(days=1),
        effective_to=_no_time(frame),
        disclosure_required=prices.personal,
        disclosure_text=DISCLOSURE if prices.personal else None,
        model_version=facts.model_version,
        approved_by=None,
        approved_at=_no_time(frame),
    )
    frame = frame.reindex(columns=list(COLUMNS)).reset_index(drop=True)
    return frame, _tabulated(rows, places, frame)


@dataclass(frozen=True, eq=False)
class _Places:
    """Which pricing rows stand behind each row of a list.

    ``index`` (m,) the row that a list's row shows; ``code`` (n,) the list's row of each pricing row, or None where
    the shown row stands for itself alone.
    """

    index: NDArray[np.int64]
    code: NDArray[np.int64] | None


def _latest(rows: PricingRows) -> _Places:
    ids = pd.DataFrame({"product_id": rows.product_id, "customer_id": rows.customer_id})
    latest = ids.drop_duplicates(keep="last").sort_values(["product_id", "customer_id"], kind="stable").index.to_numpy()
    return _Places(latest, None)


def _groups(rows: PricingRows, segment: NDArray[np.object_], prices: StrategyPrices) -> _Places:
    keys = pd.MultiIndex.from_arrays([rows.product_id, segment])
    code, names = pd.factorize(keys, sort=True)
    order = np.lexsort((rows.current_price, prices.price, code))
    ends = np.searchsorted(code[order], np.arange(len(names)), side="right")
    starts = np.concatenate([[0], ends[:-1]])
    return _Places(order[(starts + ends - 1) // 2], code)


def _segments(rows: PricingRows, prices: StrategyPrices) -> NDArray[np.object_]:
    """(n,) segment of each row; empty texts where the strategy has none."""
    segment = getattr(prices, "segment", None)
    if segment is None or len(segment) != rows.n:
        return np.full(rows.n, "", dtype=object)
    return np.asarray(segment, dtype=object)


def _effects_at(rows: PricingRows, places: _Places, price: Floats) -> dict[str, Floats]:
    """Effect of a price (m,) in each row of the list, (m,) each."""
    if places.code is None:
        found = row_effects(rows.take(places.index), price)
    else:
        found = group_effects(rows, price[places.code], places.code, len(places.index))
    values = (found.conversion_rate, found.profit, found.profit_low, found.profit_high)
    return dict(zip(MEASURES, values, strict=True))


def _tabulated(rows: PricingRows, places: _Places, frame: pd.DataFrame) -> EffectGrid:
    price = grid_prices(frame)
    found = [_effects_at(rows, places, price[:, k]) for k in range(price.shape[1])]
    return EffectGrid(price, {name: np.stack([each[name] for each in found], axis=1) for name in MEASURES})


def _frame(rows: PricingRows, prices: StrategyPrices, places: _Places) -> pd.DataFrame:
    """What is known of the shown rows."""
    index = places.index
    return pd.DataFrame(
        {
            "product_id": rows.product_id[index],
            "customer_id": rows.customer_id[index],
            "current_price": rows.current_price[index],
            "new_price": prices.price[index],
            "unit_cost": rows.unit_cost[index],
            "floor_price": prices.low[index],
            "ceiling_price": prices.high[index],
            "evidence": rows.evidence[index],
            "reason": prices.reason[index],
        }
    )


def _no_time(frame: pd.DataFrame) -> pd.Series:
    return pd.Series(pd.NaT, index=frame.index, dtype="datetime64[us, UTC]")
