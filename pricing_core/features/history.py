"""Customer history as of an offer: recency, frequency, monetary value, and traces of price sensitivity and taste."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pricing_core.data.dataset import Dataset
from pricing_core.features.asof import PastSums, codes_of, to_seconds
from pricing_core.features.joins import DAY

Floats = NDArray[np.float64]
EVENT_TYPES = ("view", "cart", "purchase", "review")
_NEVER_DAYS = 730.0  # what "never" counts as in a recency


def event_log(dataset: Dataset) -> pd.DataFrame:
    """Browsing events; where the shop has no purchase events, the purchases of the offers serve as such."""
    columns = ["customer_id", "product_id", "occurred_at", "event_type", "rating"]
    parts = []
    if dataset.events is not None:
        parts.append(dataset.events.reindex(columns=columns))
    if dataset.events is None or not (dataset.events["event_type"] == "purchase").any():
        bought = dataset.offers.loc[dataset.offers["purchased"] == 1, ["customer_id", "product_id", "offered_at"]]
        bought = bought.rename(columns={"offered_at": "occurred_at"}).assign(event_type="purchase")
        parts.append(bought.reindex(columns=columns))
    log = pd.concat([p for p in parts if len(p)], ignore_index=True) if any(len(p) for p in parts) else parts[0]
    return log.assign(rating=pd.to_numeric(log["rating"], errors="coerce"))


def recency_days(last_second: Floats, second: NDArray[np.int64]) -> Floats:
    """Days since ``last_second``; 730 where it never happened."""
    return np.where(np.isnan(last_second), _NEVER_DAYS, np.minimum((second - last_second) / DAY, _NEVER_DAYS))


def offer_history(log: pd.DataFrame, log_x: Floats, log_category: pd.Series, offers: pd.DataFrame, category: pd.Series) -> pd.DataFrame:
    """What earlier offers say: purchase rate, price paid, price sensitivity and the rate in this category.

    ``log_x`` is each logged price relative to its base price (n,). Rates are shrunk to the past average of the shop with
    the weight of ten offers; the sensitivity trace is the shrunk difference between prices offered and prices bought at.
    """
    second, log_second = to_seconds(offers["offered_at"]), to_seconds(log["offered_at"])
    y = log["purchased"].to_numpy(dtype=float)
    spend = y * log["price"].to_numpy(dtype=float)
    values = np.column_stack([np.ones(len(y)), y, log_x, y * log_x, spend])
    customers = pd.Index(log["customer_id"].unique())
    log_code, code = codes_of(log["customer_id"], customers), codes_of(offers["customer_id"], customers)
    shop = PastSums(np.zeros(len(y), dtype=np.int64), log_second, values)
    total = shop.before(np.zeros(len(offers), dtype=np.int64), second)
    rate = (total[:, 1] + 1) / (total[:, 0] + 10)
    mine = PastSums(log_code, log_second, values)
    sums = mine.before(code, second)
    n, bought = sums[:, 0], sums[:, 1]
    offered_x = (sums[:, 2] + 10) / (n + 10)
    paid_x = (sums[:, 3] + 3 * offered_x) / (bought + 3)
    last = PastSums(log_code[y == 1], log_second[y == 1], values[y == 1]).last_second(code, second)
    categories = pd.Index(log_category.astype(str).unique())
    pair = log_code * len(categories) + codes_of(log_category.astype(str), categories)
    there = codes_of(category.astype(str), categories)
    asked = np.where((code >= 0) & (there >= 0), code * len(categories) + there, -1)
    local = PastSums(pair, log_second, values[:, :2]).before(asked, second)
    own_rate = (bought + 10 * rate) / (n + 10)
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


def event_history(events: pd.DataFrame, offers: pd.DataFrame) -> pd.DataFrame:
    """What earlier events say: how much the customer browsed, and what they did with this very product."""
    second = to_seconds(offers["offered_at"])
    customers, products = pd.Index(events["customer_id"].unique()), pd.Index(events["product_id"].astype(str).unique())
    code, item = codes_of(offers["customer_id"], customers), codes_of(offers["product_id"].astype(str), products)
    log_code = codes_of(events["customer_id"], customers)
    log_item = codes_of(events["product_id"].astype(str), products)
    log_second = to_seconds(events["occurred_at"])
    kinds = np.column_stack([(events["event_type"] == k).to_numpy(dtype=float) for k in EVENT_TYPES])
    rating = events["rating"].fillna(0).to_numpy(dtype=float)
    rated = events["rating"].notna().to_numpy(dtype=float)
    values = np.column_stack([kinds, rating, rated])
    mine = PastSums(log_code, log_second, values)
    month, ever = mine.before(code, second, within=30 * DAY), mine.before(code, second)
    asked = np.where((code >= 0) & (item >= 0), code * len(products) + item, -1)
    same = PastSums(log_code * len(products) + log_item, log_second, values)
    today, same_ever = same.before(asked, second, within=DAY), same.before(asked, second)
    frame = {
        "views in 30 days": np.log1p(month[:, 0]),
        "carts in 30 days": np.log1p(month[:, 1]),
        "purchases in 30 days": np.log1p(month[:, 2]),
        "mean rating given": (ever[:, 4] + 3 * 3.7) / (ever[:, 5] + 3),
        "viewed this product today": np.minimum(today[:, 0], 1),
        "put this product into cart today": np.minimum(today[:, 1], 1),
        "views of this product": np.log1p(same_ever[:, 0]),
        "carts of this product": np.log1p(same_ever[:, 1]),
        "purchases of this product": np.log1p(same_ever[:, 2]),
        "days since this product": np.log1p(recency_days(same.last_second(asked, second), second)),
    }
    return pd.DataFrame(frame, index=offers.index)


def product_history(
    log: pd.DataFrame, events: pd.DataFrame, offers: pd.DataFrame, base: pd.Series, unit_cost: pd.Series, stock: pd.Series
) -> pd.DataFrame:
    """What earlier offers and events say about the product: recent conversion, sales, rating, and supply–demand pressure.

    The pressure is (demand − unit cost) / supply in money: sales value a week over the last four weeks, less the cost of one
    unit, over the value of the stock at base price; missing where stock or cost is unknown.
    """
    second, log_second = to_seconds(offers["offered_at"]), to_seconds(log["offered_at"])
    products = pd.Index(log["product_id"].astype(str).unique())
    code = codes_of(offers["product_id"].astype(str), products)
    y = log["purchased"].to_numpy(dtype=float)
    values = np.column_stack([np.ones(len(y)), y, y * log["price"].to_numpy(dtype=float)])
    recent = PastSums(codes_of(log["product_id"].astype(str), products), log_second, values).before(code, second, within=28 * DAY)
    nobody = np.zeros(len(offers), dtype=np.int64)
    shop = PastSums(np.zeros(len(y), dtype=np.int64), log_second, values).before(nobody, second, within=28 * DAY)
    rate = (shop[:, 1] + 1) / (shop[:, 0] + 10)
    rated = events[events["rating"].notna()]
    rating = np.full(len(offers), np.nan)
    if len(rated):
        items = pd.Index(rated["product_id"].astype(str).unique())
        stars = np.column_stack([np.ones(len(rated)), rated["rating"].to_numpy(dtype=float)])
        past = PastSums(codes_of(rated["product_id"].astype(str), items), to_seconds(rated["occurred_at"]), stars)
        sums = past.before(codes_of(offers["product_id"].astype(str), items), second)
        rating = (sums[:, 1] + 5 * 3.7) / (sums[:, 0] + 5)
    demand_value = recent[:, 2] / 4
    supply_value = stock.to_numpy(dtype=float) * base.to_numpy(dtype=float)
    gap = demand_value - unit_cost.to_numpy(dtype=float)
    pressure = np.divide(gap, supply_value, out=np.full(len(offers), np.nan), where=supply_value > 0)
    return pd.DataFrame(
        {
            "product conversion, 4 weeks": np.log((recent[:, 1] + 20 * rate) / ((recent[:, 0] + 20) * rate)),
            "product sales, 4 weeks": np.log1p(recent[:, 1]),
            "shop conversion, 4 weeks": np.log(rate / (1 - np.minimum(rate, 0.99))),
            "mean rating": rating,
            "supply–demand pressure": pressure,
        },
        index=offers.index,
    )
