"""From offers to readable features: one row per offer, everything as of its time."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pricing_core.data.columns import ColumnUse, classify_columns
from pricing_core.data.dataset import Dataset
from pricing_core.data.seasons import LEAST_SEASON_DAYS, NEARLY_A_YEAR, YEAR_DAYS, log_days
from pricing_core.data.shop_log import ShopLog
from pricing_core.features.asof import to_seconds
from pricing_core.features.habits import product_habits
from pricing_core.features.history import (
    category_rate,
    event_history,
    event_log,
    offer_history,
    product_history,
    shop_log,
    supply_demand_pressure,
)
from pricing_core.features.joins import DAY, attributes_of, base_price, column_at, market_at

Floats = NDArray[np.float64]

BLOCKS = ("customer", "product", "market")
# Columns with a meaning of their own; every other column becomes a feature by its type.
NATIVE = frozenset({"unit_cost", "list_price", "stock", "competitor_price", "price"})
YEAR_TERMS = {
    "season (cosine)": (1, np.cos), "season (sine)": (1, np.sin),
    "half-year (cosine)": (2, np.cos), "half-year (sine)": (2, np.sin),
}  # fmt: skip
"""Features of the time of year: times a year, and the function of its angle."""

_SHOP_LEVEL = "shop conversion, 4 weeks"
_MARGIN = 0.3  # over price, where neither a unit cost nor an assumption is given


@dataclass(frozen=True)
class FeatureTable:
    """Readable features of *n* offers and what else is known of them.

    ``frame`` has one column per feature, numbers or text, missing where unknown; ``block_of`` says to which of
    customer, product and market a feature belongs. ``base_price`` is a price level that does not depend on the
    offer's own price. ``untold`` names features that no model is to learn from, since the log is too short to tell
    them from a trend; they are there for models of earlier versions, which did.
    """

    offers: pd.DataFrame
    frame: pd.DataFrame
    block_of: dict[str, str]
    base_price: Floats
    list_price: Floats
    unit_cost: Floats
    cost_assumed: NDArray[np.bool_]
    competitor_price: Floats
    category: pd.Series
    events: pd.DataFrame = field(repr=False)
    category_of: pd.Series = field(repr=False)
    untold: frozenset[str] = frozenset()

    @property
    def n(self) -> int:
        """Number of offers."""
        return len(self.offers)


def build_features(
    dataset: Dataset,
    offers: pd.DataFrame | None = None,
    *,
    uses: list[ColumnUse] | None = None,
    competitor_change_rate: float = 0.0,
    cost_change_rate: float = 0.0,
) -> FeatureTable:
    """Compute the features of ``offers`` (default: the logged ones) from the data set's past.

    Parameters
    ----------
    offers
        ``customer_id, product_id, offered_at`` and any context columns; ``price`` and ``purchased`` are not looked at.
    uses
        Which further columns become features; default: decided from the data.
    competitor_change_rate, cost_change_rate
        A scenario: competitor prices and unit costs multiplied by one plus this.
    """
    offers = (dataset.offers if offers is None else offers).reset_index(drop=True)
    uses = classify_columns(dataset) if uses is None else uses
    events = event_log(dataset)
    shop = shop_log(dataset, events)
    known = _known(dataset, shop, offers, competitor_change_rate)
    frame, block_of = _side_by_side(_blocks(dataset, shop, known, events, uses, competitor_change_rate))
    return FeatureTable(
        offers=offers,
        frame=frame,
        block_of=block_of,
        base_price=known.base.to_numpy(dtype=float),
        list_price=known.list_price.to_numpy(dtype=float),
        unit_cost=known.cost.to_numpy(dtype=float) * (1 + cost_change_rate),
        cost_assumed=known.cost_assumed.to_numpy(dtype=bool),
        competitor_price=known.competitor.to_numpy(dtype=float),
        category=known.category,
        events=events,
        category_of=_category_by_product(dataset),
        untold=frozenset() if _days(dataset) >= LEAST_SEASON_DAYS else frozenset(YEAR_TERMS),
    )


@dataclass(frozen=True)
class _Known:
    """What the tables know of each offer as of its time, row by row."""

    offers: pd.DataFrame
    customer: pd.DataFrame
    product: pd.DataFrame
    market: pd.DataFrame
    category: pd.Series
    list_price: pd.Series
    base: pd.Series
    competitor: pd.Series
    cost: pd.Series
    cost_assumed: pd.Series

    def feature(self, name: str, uses: list[ColumnUse]) -> pd.Series:
        """Take a native number from the tables in which it may be a feature; NaN where unknown."""
        barred = {use.table for use in uses if use.column == name and not use.used}
        tables = {"offers": self.offers, "market": self.market, "products": self.product}
        empty = pd.DataFrame(index=self.offers.index)
        offers, market, products = (empty if key in barred else table for key, table in tables.items())
        return column_at(offers, market, products, name)


def _known(dataset: Dataset, shop: ShopLog, offers: pd.DataFrame, competitor_change_rate: float) -> _Known:
    product = attributes_of(dataset.products, "product_id", offers["product_id"])
    category = _category(product, offers)
    market = market_at(dataset, offers, category)
    list_price = column_at(offers, market, product, "list_price")
    base = base_price(dataset.products, shop, offers, list_price, category)
    cost, assumed = _unit_cost(dataset, column_at(offers, market, product, "unit_cost"), base)
    return _Known(
        offers=offers,
        customer=attributes_of(dataset.customers, "customer_id", offers["customer_id"]),
        product=product,
        market=market,
        category=category,
        list_price=list_price,
        base=base,
        competitor=column_at(offers, market, product, "competitor_price") * (1 + competitor_change_rate),
        cost=cost,
        cost_assumed=assumed,
    )


def _blocks(
    dataset: Dataset, shop: ShopLog, known: _Known, events: pd.DataFrame, uses: list[ColumnUse], change: float
) -> dict[str, list[pd.DataFrame]]:
    """Features of customer, product and market; competitor prices move by the rate ``change``."""
    offers, log = known.offers, dataset.histories
    log_base, log_category = _log_levels(dataset, shop, log)
    log_x = log["price"].to_numpy(dtype=float) / log_base
    past = product_history(shop, offers)
    cost, stock = known.feature("unit_cost", uses), known.feature("stock", uses)
    pressure = supply_demand_pressure(shop, offers, known.base, cost, stock)
    told = offer_history(log, log_x, log_category, offers, known.category, shop)
    rate = category_rate(told, offers, shop)
    return {
        "customer": [
            told,
            product_habits(log, offers, rate, shop.second),
            event_history(events, offers, None if dataset.sample is None else dataset.sample.event_ends),
            _further(known.customer, "customers", uses, offers),
        ],
        "product": [
            _product_numbers(known.base, cost, stock),
            past.drop(columns=_SHOP_LEVEL),
            pd.DataFrame({"supply–demand pressure": pressure}, index=offers.index),
            _further(known.product, "products", uses, offers),
        ],
        "market": [
            _market_numbers(dataset, offers, known.feature("competitor_price", uses) * (1 + change) / known.base),
            past[[_SHOP_LEVEL]],
            _further(known.market, "market", uses, offers),
            _further(offers, "offers", uses, offers),
        ],
    }


def _side_by_side(blocks: dict[str, list[pd.DataFrame]]) -> tuple[pd.DataFrame, dict[str, str]]:
    """One frame of all features, and the block of each; a name that occurs twice is told apart by its block."""
    parts: list[pd.DataFrame] = []
    block_of: dict[str, str] = {}
    for block, frames in blocks.items():
        for frame in frames:
            names = []
            for name in frame.columns:
                while name in block_of:
                    name = f"{block}: {name}"
                block_of[name] = block
                names.append(name)
            parts.append(frame.set_axis(names, axis=1))
    return pd.concat(parts, axis=1), block_of


def _category(product: pd.DataFrame, offers: pd.DataFrame) -> pd.Series:
    for table in (offers, product):
        if "category" in table.columns:
            return table["category"].astype(object).where(table["category"].notna(), "unknown").astype(str)
    return pd.Series("all", index=offers.index)


def _category_by_product(dataset: Dataset) -> pd.Series:
    if dataset.products is not None and "category" in dataset.products.columns:
        table = dataset.products.drop_duplicates("product_id").set_index("product_id")["category"]
        return table.astype(object).where(table.notna(), "unknown").astype(str)
    return pd.Series("all", index=pd.Index(dataset.offers["product_id"].unique()))


def _log_levels(dataset: Dataset, shop: ShopLog, log: pd.DataFrame) -> tuple[Floats, pd.Series]:
    product = attributes_of(dataset.products, "product_id", log["product_id"])
    category = _category(product, log)
    market = market_at(dataset, log, category)
    list_price = column_at(log, market, product, "list_price")
    return base_price(dataset.products, shop, log, list_price, category).to_numpy(dtype=float), category


def _unit_cost(dataset: Dataset, cost: pd.Series, base: pd.Series) -> tuple[pd.Series, pd.Series]:
    """Complete unit costs from the assumed margin over the price level; second, where that was done."""
    margin = dataset.manifest.margin_assumption
    return cost.fillna(base * (1 - (_MARGIN if margin is None else margin))), cost.isna()


def _product_numbers(base: pd.Series, cost: pd.Series, stock: pd.Series) -> pd.DataFrame:
    frame = {"price level (log)": np.log(base)}
    if cost.notna().any():
        frame["unit cost / price level"] = cost / base
    if stock.notna().any():
        frame["stock (log)"] = np.log1p(stock.clip(lower=0))
    return pd.DataFrame(frame)


def _days(dataset: Dataset) -> int:
    times = dataset.offers["offered_at"]
    return log_days(times.min(), times.max())


def _market_numbers(dataset: Dataset, offers: pd.DataFrame, competitor: pd.Series) -> pd.DataFrame:
    """Competitor gap, and cyclic terms of the calendar."""
    second = to_seconds(offers["offered_at"])
    frame: dict[str, object] = {}
    if competitor.notna().any():
        frame["competitor gap"] = np.log(competitor.where(competitor > 0))
    days = _days(dataset)
    if days >= NEARLY_A_YEAR:
        year = 2 * np.pi * (second / (YEAR_DAYS * DAY))
        frame |= {name: turn(times * year) for name, (times, turn) in YEAR_TERMS.items()}
    if days >= 14:
        week = 2 * np.pi * (second / (7 * DAY))
        frame |= {"weekday (cosine)": np.cos(week), "weekday (sine)": np.sin(week)}
    return pd.DataFrame(frame, index=offers.index)


def _further(table: pd.DataFrame, name: str, uses: list[ColumnUse], offers: pd.DataFrame) -> pd.DataFrame:
    """Further columns of a table as features by their type; a time becomes days before the offer."""
    frame: dict[str, pd.Series] = {}
    for use in uses:
        if use.table != name or not use.used or use.column in NATIVE:
            continue
        label = use.column.replace("_", " ")
        if use.column not in table.columns:
            frame[label] = pd.Series(np.nan, index=offers.index)
        elif use.kind == "time":
            gap = offers["offered_at"] - pd.to_datetime(table[use.column], utc=True, errors="coerce")
            days = (gap.dt.total_seconds() / DAY).clip(lower=0)
            frame[f"days since {label}"] = pd.Series(np.log1p(days.to_numpy(dtype=float)), index=offers.index)
        elif use.kind in ("number", "flag", "rating", "money"):
            frame[label] = pd.to_numeric(table[use.column], errors="coerce").astype(float)
        else:
            frame[label] = table[use.column].astype(object).where(table[use.column].notna(), None)
    return pd.DataFrame(frame, index=offers.index)
