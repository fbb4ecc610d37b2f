"""Customer history as of an offer: recency, frequency, monetary value, and traces of price sensitivity and taste."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pricing_core.data.dataset import Dataset, WorkingSample
from pricing_core.data.shop_log import ShopLog, shop_log_of
from pricing_core.features.asof import PastSums, codes_of, to_seconds
from pricing_core.features.joins import DAY

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
EVENT_TYPES = ("view", "cart", "purchase", "review")
NEVER_DAYS = 730.0  # what "never" counts as in a recency
_RECENT_DAYS = 28  # over which a product's conversion and sales are counted
USUAL_RATING = 3.7
PRIOR_OFFERS = 10  # weight, in offers, of the shop's average in a customer's own
PRIOR_PURCHASES = 3  # weight, in purchases, of the prices offered in those paid
PRIOR_RATINGS = 3  # weight, in ratings, of the usual one
MONTH_DAYS = 30


def event_log(dataset: Dataset) -> pd.DataFrame:
    """Browsing events; where the shop has no purchase events, the purchases of the offers serve as such."""
    columns = ["customer_id", "product_id", "occurred_at", "event_type", "rating"]
    parts = []
    if dataset.events is not None:
        parts.append(dataset.events.reindex(columns=columns))
    if dataset.events is None or not _knows_purchases(dataset.events, dataset.sample):
        offers = dataset.histories
        bought = offers.loc[offers["purchased"] == 1, ["customer_id", "product_id", "offered_at"]]
        bought = bought.rename(columns={"offered_at": "occurred_at"}).assign(event_type="purchase")
        parts.append(bought.reindex(columns=columns))
    log = pd.concat([p for p in parts if len(p)], ignore_index=True) if any(len(p) for p in parts) else parts[0]
    return log.assign(rating=pd.to_numeric(log["rating"], errors="coerce"))


def shop_log(dataset: Dataset, events: pd.DataFrame) -> ShopLog:
    """Product history of all customers; ``events`` is the output of :func:`event_log`."""
    return shop_log_of(dataset.offers, events) if dataset.sample is None else dataset.sample.shop


def _knows_purchases(events: pd.DataFrame, sample: WorkingSample | None) -> bool:
    """Whether the shop has purchase events; those of other customers than the sample's count, too."""
    return bool((events["event_type"] == "purchase").any()) if sample is None else sample.purchase_events


def recency_days(last_second: Floats, second: NDArray[np.int64]) -> Floats:
    """Days since ``last_second``; 730 where it never happened."""
    return np.where(np.isnan(last_second), NEVER_DAYS, np.minimum((second - last_second) / DAY, NEVER_DAYS))


def offer_history(
    log: pd.DataFrame,
    log_x: Floats,
    log_category: pd.Series,
    offers: pd.DataFrame,
    category: pd.Series,
    shop: ShopLog,
) -> pd.DataFrame:
    """Tell from earlier offers: purchase rate, price paid, price sensitivity and the rate in this category.

    ``log_x`` is each logged price relative to its base price (n,). Rates are shrunk to the past average of the shop
    with the weight of ten offers; the sensitivity trace is the shrunk difference between prices offered and prices
    bought at.
    """
    log_second = to_seconds(log["offered_at"])
    second = known_until(to_seconds(offers["offered_at"]), shop.second)
    y = log["purchased"].to_numpy(dtype=float)
    values = np.column_stack([np.ones(len(y)), y, log_x, y * log_x, y * log["price"].to_numpy(dtype=float)])
    customers, categories = pd.Index(log["customer_id"].unique()), pd.Index(log_category.astype(str).unique())
    log_code, code = codes_of(log["customer_id"], customers), codes_of(offers["customer_id"], customers)
    rate = _shop_rate(shop, second)
    sums = PastSums(log_code, log_second, values).before(code, second)
    n, bought = sums[:, 0], sums[:, 1]
    offered_x = (sums[:, 2] + PRIOR_OFFERS) / (n + PRIOR_OFFERS)
    paid_x = (sums[:, 3] + PRIOR_PURCHASES * offered_x) / (bought + PRIOR_PURCHASES)
    last = PastSums(log_code[y == 1], log_second[y == 1], values[y == 1]).last_second(code, second)
    pair = pair_codes(log_code, codes_of(log_category.astype(str), categories), len(categories))
    asked = pair_codes(code, codes_of(category.astype(str), categories), len(categories))
    local = PastSums(pair, log_second, values[:, :2]).before(asked, second)
    own_rate = (bought + PRIOR_OFFERS * rate) / (n + PRIOR_OFFERS)
    return pd.DataFrame(
        {
            "offers seen": np.log1p(n),
            "purchases so far": np.log1p(bought),
            "purchase rate": np.log(own_rate / rate),
            "days since last purchase": np.log1p(recency_days(last, second)),
            "mean spend": np.log1p(sums[:, 4] / np.maximum(bought, 1)),
            "price level offered": offered_x,
            "price sensitivity trace": paid_x - offered_x,
            "purchase rate in category": np.log((local[:, 1] + 5 * own_rate) / ((local[:, 0] + 5) * own_rate)),
        },
        index=offers.index,
    )


def category_rate(told: pd.DataFrame, offers: pd.DataFrame, shop: ShopLog) -> Floats:
    """Rate at which each offer's customer buys in its category (n,), from what :func:`offer_history` ``told``."""
    rate = _shop_rate(shop, known_until(to_seconds(offers["offered_at"]), shop.second))
    own = (told["purchase rate"] + told["purchase rate in category"]).to_numpy(dtype=float)
    return np.asarray(rate * np.exp(own))


def event_history(events: pd.DataFrame, offers: pd.DataFrame, ends: Mapping[str, int] | None = None) -> pd.DataFrame:
    """Tell from earlier events: how much the customer browsed, and what they did with this very product.

    ``ends`` says up to which second the shop knows each type of event; default: as ``events`` do.
    """
    second, log_second = to_seconds(offers["offered_at"]), to_seconds(events["occurred_at"])
    customers, products = pd.Index(events["customer_id"].unique()), pd.Index(events["product_id"].astype(str).unique())
    code, item = codes_of(offers["customer_id"], customers), codes_of(offers["product_id"].astype(str), products)
    log_code = codes_of(events["customer_id"], customers)
    log_item = codes_of(events["product_id"].astype(str), products)
    kinds: Floats = np.column_stack([(events["event_type"] == k).to_numpy(dtype=float) for k in EVENT_TYPES])
    rating = events["rating"].fillna(0).to_numpy(dtype=float)
    rated = events["rating"].notna().to_numpy(dtype=float)
    mine = PastSums(log_code, log_second, np.column_stack([kinds, rating, rated]))
    ever = mine.before(code, second)
    month = _last_month(mine, code, second, _event_ends(kinds, log_second) if ends is None else ends)
    same = PastSums(pair_codes(log_code, log_item, len(products)), log_second, kinds)
    asked = pair_codes(code, item, len(products))
    today, same_ever = same.before(asked, second, within=DAY), same.before(asked, second)
    frame = {
        "views in 30 days": np.log1p(month[:, 0]),
        "carts in 30 days": np.log1p(month[:, 1]),
        "purchases in 30 days": np.log1p(month[:, 2]),
        "mean rating given": (ever[:, 4] + PRIOR_RATINGS * USUAL_RATING) / (ever[:, 5] + PRIOR_RATINGS),
        "viewed this product today": np.minimum(today[:, 0], 1),
        "put this product into cart today": np.minimum(today[:, 1], 1),
        "views of this product": np.log1p(same_ever[:, 0]),
        "carts of this product": np.log1p(same_ever[:, 1]),
        "purchases of this product": np.log1p(same_ever[:, 2]),
        "days since this product": np.log1p(recency_days(same.last_second(asked, second), second)),
    }
    return pd.DataFrame(frame, index=offers.index)


def product_history(shop: ShopLog, offers: pd.DataFrame) -> pd.DataFrame:
    """Tell how the product did lately: conversion and sales of four weeks, its rating, and the shop's conversion."""
    second = known_until(to_seconds(offers["offered_at"]), shop.second)
    products = pd.Index(shop.offers["product_id"].unique())
    code = codes_of(offers["product_id"].astype(str), products)
    values = shop.offers[["offers", "purchased"]].to_numpy(dtype=float)
    past = PastSums(codes_of(shop.offers["product_id"], products), shop.second, values)
    recent = past.before(code, second, within=_RECENT_DAYS * DAY)
    rate = _shop_rate(shop, second, within=_RECENT_DAYS * DAY)
    return pd.DataFrame(
        {
            "product conversion, 4 weeks": np.log((recent[:, 1] + 20 * rate) / ((recent[:, 0] + 20) * rate)),
            "product sales, 4 weeks": np.log1p(recent[:, 1]),
            "shop conversion, 4 weeks": np.log(rate / (1 - np.minimum(rate, 0.99))),
            "mean rating": _mean_rating(shop, offers["product_id"].astype(str), second),
        },
        index=offers.index,
    )


def supply_demand_pressure(
    shop: ShopLog, offers: pd.DataFrame, unit_value: pd.Series, unit_cost: pd.Series, stock: pd.Series
) -> Floats:
    """Supply–demand pressure (demand − unit cost) / supply of each offer's product, shape (n,).

    All three in money: demand is the product's sales value a week over the last four weeks, supply the value of its
    stock at ``unit_value``. Missing where stock or unit cost is unknown, or where nothing is in stock.
    """
    products = pd.Index(shop.offers["product_id"].unique())
    past = PastSums(
        codes_of(shop.offers["product_id"], products), shop.second, shop.offers[["sales"]].to_numpy(dtype=float)
    )
    code = codes_of(offers["product_id"].astype(str), products)
    second = known_until(to_seconds(offers["offered_at"]), shop.second)
    demand = past.before(code, second, within=_RECENT_DAYS * DAY)[:, 0] * 7 / _RECENT_DAYS
    supply = stock.to_numpy(dtype=float) * unit_value.to_numpy(dtype=float)
    gap = demand - unit_cost.to_numpy(dtype=float)
    return np.divide(gap, supply, out=np.full(len(offers), np.nan), where=supply > 0)


def known_until(second: Ints, log_second: Ints) -> Ints:
    """Time up to which the log can tell of the days before each offer, (n,).

    An offer that is priced after the end of the log is described as of that end: days of which nothing is known are no
    days without sales.
    """
    if not len(log_second):
        return second
    return np.asarray(np.minimum(second, log_second.max() + 1))


def _event_ends(kinds: Floats, log_second: Ints) -> dict[str, int]:
    """Second of the last event of each type that there is."""
    found = {name: log_second[kinds[:, k] > 0] for k, name in enumerate(EVENT_TYPES)}
    return {name: int(seconds.max()) for name, seconds in found.items() if len(seconds)}


def _last_month(mine: PastSums, code: Ints, second: Ints, ends: Mapping[str, int]) -> Floats:
    """Events of each type over 30 days (n, types), up to the last time at which the log has any of that type."""
    counts = []
    for k, name in enumerate(EVENT_TYPES):
        until = np.minimum(second, ends[name] + 1) if name in ends else second
        counts.append(mine.before(code, until, within=MONTH_DAYS * DAY)[:, k])
    return np.column_stack(counts)


def pair_codes(first: Ints, second: Ints, n_second: int) -> Ints:
    """One code for each pair of codes, −1 where one of them is unknown, shape (n,)."""
    return np.where((first >= 0) & (second >= 0), first * n_second + second, -1)


def _shop_rate(shop: ShopLog, second: Ints, *, within: int | None = None) -> Floats:
    """Purchase rate of the whole shop before each time, shrunk to 10% with the weight of ten offers."""
    everyone = np.zeros(len(second), dtype=np.int64)
    values = shop.offers[["offers", "purchased"]].to_numpy(dtype=float)
    past = PastSums(np.zeros(len(values), dtype=np.int64), shop.second, values)
    total = past.before(everyone, second, within=within)
    return np.asarray((total[:, 1] + 1) / (total[:, 0] + 10))


def _mean_rating(shop: ShopLog, product_id: pd.Series, second: Ints) -> Floats:
    """Mean rating of each product so far, shrunk to the usual one with the weight of five; missing if nobody rated."""
    rated = shop.ratings
    if not len(rated):
        return np.full(len(product_id), np.nan)
    items = pd.Index(rated["product_id"].unique())
    past = PastSums(
        codes_of(rated["product_id"], items),
        rated["second"].to_numpy(dtype=np.int64),
        rated[["ratings", "stars"]].to_numpy(dtype=float),
    )
    sums = past.before(codes_of(product_id, items), second)
    return np.asarray((sums[:, 1] + 5 * USUAL_RATING) / (sums[:, 0] + 5))
