"""Draws of the demo shop, one function per table; the equations stand in :mod:`pricing_core.data.demo_shop`.

Each function takes the generator of the shop, and the order of the draws is part of what a seed means.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]
VisitSpan = tuple[int, int, int]  # number of visits, first week, week after the last

CATEGORIES: Final = ("coffee", "tea", "snacks", "pantry", "cleaning", "care")
BRANDS: Final = ("Alder", "Birch", "Cedar", "Dune", "Ember", "Fjord", "Grove", "Harbor")
TIERS: Final = ("none", "silver", "gold")
PRICE_NOISE: Final = 0.09  # standard deviation of the shop's past relative prices around its habit
RELATIVE_PRICES: Final = (0.6, 1.3)  # bounds of past prices over the list price
N_SHOWN, N_OFFERED = 6, 4  # products shown and offered at a visit

_CATEGORY_SLOPE = np.array([-0.2, -0.1, 0.2, 0.1, 0.0, -0.15])
_CATEGORY_COST = np.array([4.2, 3.1, 1.4, 2.0, 3.4, 5.6])
_SEASON_SIZE = np.array([0.35, 0.45, 0.2, 0.15, 0.1, 0.3])
_SEASON_PHASE = np.array([0.0, 0.05, 0.5, 0.9, 0.25, 0.95])
_HOUR, _DAY, _WEEK = 3_600, 86_400, 604_800


@dataclass(frozen=True)
class DrawnCustomers:
    """Customers table, and what it does not show: price attitude (n,), taste (n, 2), activity (n,)."""

    frame: pd.DataFrame
    attitude: Floats
    taste: Floats
    activity: Floats


@dataclass(frozen=True)
class DrawnProducts:
    """Products table, and what it does not show: quality (m,), position (m, 2); category number (m,)."""

    frame: pd.DataFrame
    quality: Floats
    position: Floats
    category: Ints


@dataclass(frozen=True)
class DrawnMarket:
    """Market table; log gap of the competitor price to the list price, and promotion, both (weeks, m)."""

    frame: pd.DataFrame
    gap: Floats
    promotion: Flags


@dataclass(frozen=True)
class DrawnBrowsing:
    """Visits in time order: customer, week, second since the start, target or not (v,).

    Per visit the products shown, the customer's affinity to each, and which were viewed and put into the cart (v, 6).
    """

    customer: Ints
    week: Ints
    second: Ints
    is_target: Flags
    shown: Ints
    affinity: Floats
    viewed: Flags
    carted: Flags

    def offered(self, values: NDArray[Any]) -> NDArray[Any]:
        """Return the entries of a (v, 6) array that belong to offers, one after the other, (4v,)."""
        return values[:, :N_OFFERED].ravel()


@dataclass(frozen=True)
class DrawnOffers:
    """Offers table with the outcome, and the truth of each row (n,); targets are offers after the end of the log."""

    frame: pd.DataFrame
    list_price: Floats
    unit_cost: Floats
    intercept: Floats
    sensitivity: Floats
    logged_mean: Floats
    is_target: Flags


def draw_customers(n: int, rng: np.random.Generator, start: pd.Timestamp) -> DrawnCustomers:
    """Draw ``n`` customers."""
    tier = rng.choice(3, n, p=[0.55, 0.3, 0.15])
    mobile = rng.random(n) < 0.6
    household = rng.integers(1, 6, n)
    attitude = 0.3 * mobile - 0.4 * (tier == 2) + 0.1 * (household - 2.5) + 0.6 * rng.standard_normal(n)
    frame = pd.DataFrame(
        {
            "customer_id": [f"{i:05d}" for i in range(1, n + 1)],
            "region": np.array(["north", "south", "east", "west"])[rng.integers(0, 4, n)],
            "loyalty_tier": np.array(TIERS)[tier],
            "household_size": household,
            "device": np.where(mobile, "mobile", "desktop"),
            "signed_up_at": start - pd.to_timedelta(rng.integers(1, 1_100, n), unit="D"),
            "gender": np.array(["f", "m", "x"])[rng.choice(3, n, p=[0.49, 0.49, 0.02])],
        }
    )
    return DrawnCustomers(frame, attitude, rng.standard_normal((n, 2)), rng.gamma(1.5, 1.0, n) + 0.1)


def draw_products(n: int, rng: np.random.Generator) -> DrawnProducts:
    """Draw ``n`` products, the categories in turn."""
    category = np.arange(n) % len(CATEGORIES)
    quality = rng.standard_normal(n)
    cost = np.round(_CATEGORY_COST[category] * np.exp(0.15 * quality + rng.normal(0, 0.25, n)), 2)
    list_price = np.ceil(cost / (1 - rng.uniform(0.38, 0.55, n)) * 10) / 10 - 0.01
    frame = pd.DataFrame(
        {
            "product_id": [f"{CATEGORIES[c][:3].upper()}-{j:03d}" for j, c in enumerate(category, start=1)],
            "category": np.array(CATEGORIES)[category],
            "brand": np.array(BRANDS)[rng.integers(0, len(BRANDS), n)],
            "pack_grams": rng.choice([100, 250, 500, 750, 1000], n),
            "organic": (rng.random(n) < 0.3).astype(int),
            "unit_cost": cost,
            "list_price": np.round(list_price, 2),
            "stock": rng.integers(40, 600, n),
        }
    )
    return DrawnProducts(frame, quality, rng.standard_normal((n, 2)), category)


def draw_market(weeks: int, products: DrawnProducts, rng: np.random.Generator, start: pd.Timestamp) -> DrawnMarket:
    """Draw a competitor price per product and week, and the promotion weeks of each category."""
    list_price = products.frame["list_price"].to_numpy()
    n = len(list_price)
    gap = np.empty((weeks, n))
    gap[0] = rng.normal(0, 0.12, n)
    for w in range(1, weeks):
        gap[w] = 0.85 * gap[w - 1] + rng.normal(0, 0.12 * np.sqrt(1 - 0.85**2), n)
    promotion = rng.random((weeks, len(CATEGORIES))) < 0.14
    dates = start + pd.to_timedelta(7 * np.arange(weeks), unit="D")
    competitor = np.round(list_price[None, :] * np.exp(gap), 2)
    seasons = np.array(["winter", "spring", "summer", "autumn"])[(dates.month.to_numpy() % 12) // 3]
    frame = pd.DataFrame(
        {
            "date": np.repeat(dates, n),
            "product_id": np.tile(products.frame["product_id"].to_numpy(), weeks),
            "competitor_price": competitor.ravel(),
            "season": np.repeat(seasons, n),
        }
    )
    return DrawnMarket(frame, np.log(competitor / list_price[None, :]), promotion[:, products.category])


def draw_browsing(
    spans: tuple[VisitSpan, VisitSpan], customers: DrawnCustomers, products: DrawnProducts, rng: np.random.Generator
) -> DrawnBrowsing:
    """Draw the visits of the log and of the targets, the products shown, and which are viewed and put into the cart."""
    (n_log, first, end), (n_target, target_first, target_end) = spans
    share = customers.activity / customers.activity.sum()
    customer = rng.choice(share.size, n_log + n_target, p=share)
    week = np.concatenate([rng.integers(first, end, n_log), rng.integers(target_first, target_end, n_target)])
    second = week * _WEEK + rng.integers(0, 7, week.size) * _DAY + rng.integers(7 * _HOUR, 22 * _HOUR, week.size)
    order = np.argsort(second, kind="stable")
    customer, week, second = customer[order], week[order], second[order]
    score = 0.6 * customers.taste[customer] @ products.position.T + 0.3 * products.quality[None, :]
    score = score + rng.gumbel(size=score.shape)
    shown = rng.permuted(np.argpartition(-score, N_SHOWN, axis=1)[:, :N_SHOWN], axis=1)
    affinity = np.einsum("vd,vkd->vk", customers.taste[customer], products.position[shown])
    viewed = rng.random(shown.shape) < 1 / (1 + np.exp(-(0.2 + 0.7 * affinity)))
    carted = viewed & (rng.random(shown.shape) < 0.25 / (1 + np.exp(-affinity)))
    return DrawnBrowsing(customer, week, second, week >= target_first, shown, affinity, viewed, carted)


def draw_offers(
    browsing: DrawnBrowsing,
    customers: DrawnCustomers,
    products: DrawnProducts,
    market: DrawnMarket,
    rng: np.random.Generator,
    start: pd.Timestamp,
) -> DrawnOffers:
    """Draw the price that the shop's habit set for each offer, and whether the customer bought."""
    i, w = np.repeat(browsing.customer, N_OFFERED), np.repeat(browsing.week, N_OFFERED)
    j = browsing.offered(browsing.shown)
    c, quality, gap, on_promotion = products.category[j], products.quality[j], market.gap[w, j], market.promotion[w, j]
    tier = pd.Categorical(customers.frame["loyalty_tier"], categories=TIERS).codes.astype(float)[i]
    season = _SEASON_SIZE[c] * np.cos(2 * np.pi * ((w + 26) / 52 - _SEASON_PHASE[c]))
    demand = 0.35 * quality + season + 0.3 * on_promotion + 1.2 * gap
    demand = demand + 0.7 * browsing.offered(browsing.viewed) + 0.8 * browsing.offered(browsing.carted)
    beta = np.exp(1.44 + 0.35 * customers.attitude[i] + _CATEGORY_SLOPE[c] - 0.12 * quality)
    utility = -3.0 + 0.55 * browsing.offered(browsing.affinity) + demand + 0.25 * tier
    mean = 0.96 + 0.10 * np.tanh(demand) - 0.06 * on_promotion - 0.04 * (tier > 0) + 0.1 * gap
    list_price = products.frame["list_price"].to_numpy()[j]
    relative = np.clip(mean + rng.normal(0, PRICE_NOISE, i.size), *RELATIVE_PRICES)
    price = np.round(list_price * relative, 2)
    intercept = utility + beta
    bought = rng.random(i.size) < 1.0 / (1.0 + np.exp(-(intercept - beta * price / list_price)))
    visits = browsing.customer.size
    second = np.repeat(browsing.second, N_OFFERED) + 900 + np.tile(60 * np.arange(N_OFFERED), visits)
    frame = pd.DataFrame(
        {
            "customer_id": customers.frame["customer_id"].to_numpy()[i],
            "product_id": products.frame["product_id"].to_numpy()[j],
            "offered_at": start + pd.to_timedelta(second, unit="s"),
            "price": price,
            "purchased": bought.astype(np.int8),
            "promotion": on_promotion.astype(np.int8),
        }
    )
    unit_cost = products.frame["unit_cost"].to_numpy()[j]
    return DrawnOffers(frame, list_price, unit_cost, intercept, beta, mean, np.repeat(browsing.is_target, N_OFFERED))


def draw_events(
    browsing: DrawnBrowsing,
    customers: DrawnCustomers,
    products: DrawnProducts,
    offers: DrawnOffers,
    rng: np.random.Generator,
    start: pd.Timestamp,
) -> pd.DataFrame:
    """Draw the events in time order: views and carts of all visits, purchases and reviews of the logged offers."""
    bought = (offers.frame["purchased"].to_numpy() == 1) & ~offers.is_target
    purchases = offers.frame.loc[bought, ["customer_id", "product_id", "price"]].assign(
        occurred_at=offers.frame.loc[bought, "offered_at"] + pd.Timedelta(seconds=45), event_type="purchase"
    )
    quality = products.quality[browsing.offered(browsing.shown)]
    fit = (browsing.offered(browsing.affinity) * 0.4 + 0.5 * quality)[bought]
    reviewed = rng.random(len(purchases)) < 0.3
    rating = np.clip(np.round(3.7 + fit + rng.normal(0, 0.8, len(purchases))), 1, 5)
    reviews = purchases.loc[reviewed].drop(columns="price").assign(event_type="review", rating=rating[reviewed])
    delay = pd.to_timedelta(rng.integers(3 * _DAY, 15 * _DAY, len(reviews)), unit="s")
    reviews["occurred_at"] = reviews["occurred_at"] + delay
    ids = customers.frame["customer_id"].to_numpy(), products.frame["product_id"].to_numpy()
    views = _browsing_events(browsing, browsing.viewed, "view", 60, ids, start)
    carts = _browsing_events(browsing, browsing.carted, "cart", 105, ids, start)
    events = pd.concat([views, carts, purchases, reviews])
    events = events[events["occurred_at"] <= offers.frame["offered_at"].max()]
    events = events.assign(occurred_at=events["occurred_at"].astype("datetime64[us, UTC]"))
    events = events.sort_values(["occurred_at", "customer_id", "product_id", "event_type"], kind="stable")
    return events.reset_index(drop=True)


def _browsing_events(
    browsing: DrawnBrowsing,
    happened: Flags,
    kind: str,
    delay: int,
    ids: tuple[NDArray[np.object_], NDArray[np.object_]],
    start: pd.Timestamp,
) -> pd.DataFrame:
    """One event per entry of ``happened`` (v, 6), ``delay`` seconds into the visit and 90 more per earlier product."""
    visit, place = np.nonzero(happened)
    second = browsing.second[visit] + delay + 90 * place
    return pd.DataFrame(
        {
            "customer_id": ids[0][browsing.customer[visit]],
            "product_id": ids[1][browsing.shown[visit, place]],
            "occurred_at": start + pd.to_timedelta(second, unit="s"),
            "event_type": kind,
        }
    )
