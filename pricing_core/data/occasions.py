r"""Choice occasions from orders: who was in the market, what was on offer and at which price, what was not bought.

A shop that keeps only orders never wrote down what its customers declined. The rule below puts it back, from nothing
but what had happened by the end of the period that an occasion lies in:

1. Time is cut into periods of ``period_days``. A customer is *in the market* of a category (or of the whole shop) in a
   period with an order, or a view or cart event, there. The first of them is the time of the occasion.
2. A product is *on offer* in a store and period if at least two customers bought it there in that period, or anyone did
   in an earlier period no longer than ``max_age_days`` ago.
3. Its price is the modal (or median, or latest) transaction price of the product, store and period, **leaving out the
   customer's own lines**, so that a buyer's price comes from the same kind of source as a non-buyer's. Without another
   buyer in the period the price of the latest earlier period is carried forward, and its age with it.
4. Considered are the products on offer in the category that the customer had bought in an earlier period, and the
   ``bestsellers`` most ordered ones of the earlier periods. Neither looks at what is bought on the occasion.
5. A product bought in the period is a purchase; every other product considered is a refusal.

The share of purchases among occasions is then a conversion *given a shopping trip to the category*. Prices that a shop
changes for everybody show in it; prices that only the buyer saw do not.

Source: the construction of choice sets from purchase panels in Guadagni & Little, "A Logit Model of Brand Choice
Calibrated on Scanner Data", Marketing Science 2(3), 1983; trips without purchase of a product as its outside option.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pricing_core.data.going_prices import PeriodPrices, period_prices
from pricing_core.data.occasion_rule import OccasionRule
from pricing_core.errors import DataError

Ints = NDArray[np.int64]

EVIDENCE: Final = "occasions built from orders"
BASKET_COLUMNS: Final = ("price_source", "price_age_days")
"""Columns of the occasions that say how a price was found; they must not become features."""

_DAY_US: Final = 86_400_000_000
VISITS: Final = ("view", "cart")
"""Events that put a customer into a market, as an order does."""


@dataclass(frozen=True, eq=False)
class Occasions:
    """Choice occasions and how they came about.

    Attributes
    ----------
    offers
        ``customer_id, product_id, offered_at, price, purchased, quantity``, ``store`` where orders have one, and the
        columns :data:`BASKET_COLUMNS`.
    counts
        ``lines``, ``trips``, ``occasions``, ``purchases``, ``lines_used``, ``lines_price_unknown`` (nobody else's price
        is known), ``lines_not_considered`` (neither bought before nor a bestseller), ``lines_thinned``, ``kept_share``
        (share of trips kept when thinning), ``carried_share`` (share of prices carried from an earlier period).
    """

    offers: pd.DataFrame
    counts: dict[str, float]


def build_occasions(lines: pd.DataFrame, rule: OccasionRule, *, visits: pd.DataFrame | None = None) -> Occasions:
    """Turn order lines into choice occasions by the rule of this module.

    Parameters
    ----------
    lines
        ``customer_id, product_id, ordered_at, unit_price, quantity``; optional ``store, category``.
    rule
        The assumptions.
    visits
        Events ``customer_id, occurred_at, event_type, product_id``; views and carts put customers into the market too.
        They are not used where orders name stores, since a visit does not say to which.

    Raises
    ------
    DataError
        If there are no lines, or no price of any product is known from somebody else.
    """
    if lines.empty:
        raise DataError("There are no order lines to build occasions from.", fix="Import a file with orders.")
    coded = _Coded(lines, rule, visits)
    paid = lines["unit_price"].to_numpy(dtype=float)
    prices = period_prices(coded.item, coded.period, coded.customer, paid, coded.time, rule.price_source)
    trips = coded.trips()
    kept_share = _kept_share(coded, trips, prices, rule)
    kept = _thinned(trips, kept_share, coded.customer_names)
    considered = _considered(coded, kept, prices, rule)
    offers, carried = _offers(coded, considered, prices, rule)
    if offers.empty:
        raise DataError(
            "No choice occasion could be built: no product has a price that is known from another customer.",
            fix="Import a longer period, or choose a longer period or price age.",
        )
    counts = coded.line_counts(prices, kept, considered, rule)
    counts |= {"trips": len(kept), "occasions": len(offers), "purchases": int(offers["purchased"].sum())}
    return Occasions(offers, counts | {"kept_share": kept_share, "carried_share": carried})


class _Coded:
    """Order lines as integers: customer, product, item (product in a store), market (category in a store), period."""

    def __init__(self, lines: pd.DataFrame, rule: OccasionRule, visits: pd.DataFrame | None) -> None:
        self.lines, self.rule = lines, rule
        self.customer, self.customer_names = pd.factorize(lines["customer_id"].astype(str), sort=True)
        self.product, self.product_names = pd.factorize(lines["product_id"].astype(str), sort=True)
        self.stores = "store" in lines.columns
        store_text = lines["store"].fillna("").astype(str) if self.stores else pd.Series("", index=lines.index)
        self.store, self.store_names = pd.factorize(store_text, sort=True)
        self.category_of = self._categories()
        self.time = _microseconds(lines["ordered_at"])
        self.start = int(self.time.min() // _DAY_US * _DAY_US)
        self.period = self._periods(self.time)
        self.n_periods = int(self.period.max()) + 1
        n_stores = len(self.store_names)
        self.item = self.product * n_stores + self.store
        self.item_category = np.repeat(self.category_of, n_stores)
        self.n_categories = int(self.category_of.max()) + 1
        self.market = self.category_of[self.product] * n_stores + self.store
        self.item_market = self.item_category * n_stores + np.tile(np.arange(n_stores), len(self.product_names))
        unused = visits is None or self.stores or "product_id" not in visits.columns
        self.visits = None if unused else self._visits(visits)  # type: ignore[arg-type]

    def _categories(self) -> Ints:
        """(products,) category of each product: the commonest over its lines."""
        if "category" not in self.lines.columns:
            return np.zeros(len(self.product_names), dtype=np.int64)
        code, _ = pd.factorize(self.lines["category"].fillna("unknown").astype(str), sort=True)
        pairs = pd.DataFrame({"product": self.product, "category": code}).value_counts(sort=False).reset_index()
        pairs = pairs.sort_values(["product", "count", "category"], ascending=[True, False, True], kind="stable")
        return pairs.drop_duplicates("product")["category"].to_numpy(dtype=np.int64)

    def _periods(self, time: Ints) -> Ints:
        return (time - self.start) // (self.rule.period_days * _DAY_US)

    def _visits(self, events: pd.DataFrame) -> pd.DataFrame:
        """Views and carts of known customers and products, within the time of the orders."""
        events = events[events["event_type"].isin(VISITS)]
        customer = pd.Index(self.customer_names).get_indexer(events["customer_id"].astype(str))
        product = pd.Index(self.product_names).get_indexer(events["product_id"].astype(str))
        time = _microseconds(events["occurred_at"])
        period = self._periods(time)
        known = (customer >= 0) & (product >= 0) & (period >= 0) & (period < self.n_periods)
        market = self.category_of[np.maximum(product, 0)]
        return pd.DataFrame({"customer": customer, "period": period, "market": market, "time": time})[known]

    def trips(self) -> pd.DataFrame:
        """Customer, period, market and first time of everyone who was in a market."""
        frame = pd.DataFrame(
            {"customer": self.customer, "period": self.period, "market": self.market, "time": self.time}
        )
        if self.visits is not None:
            frame = pd.concat([frame, self.visits], ignore_index=True)
        if self.rule.scope == "shop":
            n_stores = len(self.store_names)
            frame["store"] = frame["market"] % n_stores
            first = frame.groupby(["customer", "period", "store"], as_index=False)["time"].min()
            first = first.merge(pd.DataFrame({"category": np.arange(self.n_categories)}), how="cross")
            first["market"] = first["category"] * n_stores + first["store"]
            frame = first[["customer", "period", "market", "time"]]
        return pd.DataFrame(frame.groupby(["customer", "period", "market"], as_index=False)["time"].min())

    def bought(self) -> pd.DataFrame:
        """Customer, item, period, number of lines and units of every purchase."""
        frame = pd.DataFrame(
            {"customer": self.customer, "item": self.item, "period": self.period, "units": self.lines["quantity"]}
        )
        keys = ["customer", "item", "period"]
        return frame.groupby(keys, as_index=False).agg(units=("units", "sum"), lines=("units", "size"))

    def line_counts(
        self, prices: PeriodPrices, kept: pd.DataFrame, considered: pd.DataFrame, rule: OccasionRule
    ) -> dict[str, float]:
        """Say of every order line whether it became part of a purchase, and if not, why."""
        bought = self.bought()
        bought["market"] = self.item_market[bought["item"]]
        kept_keys = kept[["customer", "period", "market"]].assign(kept=True)
        bought = bought.merge(kept_keys, how="left", on=["customer", "period", "market"])
        used = considered[["customer", "item", "period"]].assign(used=True)
        bought = bought.merge(used, how="left", on=["customer", "item", "period"])
        known = prices.on_offer(bought["item"].to_numpy(), bought["period"].to_numpy(), rule.max_periods)
        thinned = bought["kept"].isna().to_numpy()
        inside = bought["used"].notna().to_numpy()
        count = bought["lines"].to_numpy()
        return {
            "lines": len(self.lines),
            "lines_used": int(count[inside].sum()),
            "lines_thinned": int(count[thinned].sum()),
            "lines_price_unknown": int(count[~thinned & ~known].sum()),
            "lines_not_considered": int(count[~thinned & known & ~inside].sum()),
        }


def _microseconds(times: pd.Series) -> Ints:
    return np.asarray(times.astype("datetime64[us, UTC]").astype("int64"), dtype=np.int64)


def _kept_share(coded: _Coded, trips: pd.DataFrame, prices: PeriodPrices, rule: OccasionRule) -> float:
    """Share of trips that keeps the number of occasions below the limit, by the size of the largest choice sets."""
    market = coded.item_market[prices.item]
    on_offer = pd.Series(prices.item).groupby(market).nunique().clip(upper=rule.bestsellers)
    expected = float(on_offer.reindex(trips["market"]).fillna(0).sum())
    return min(1.0, rule.max_occasions / max(expected, 1.0))


def _thinned(trips: pd.DataFrame, share: float, customers: pd.Index) -> pd.DataFrame:
    """Keep whole customer-periods by a hash of the customer's id and the period."""
    if share >= 1.0:
        return trips
    name = pd.util.hash_array(np.asarray(customers, dtype=object))[trips["customer"].to_numpy()]
    return trips[kept_trips(name, trips["period"].to_numpy(dtype=np.uint64), share)].reset_index(drop=True)


def kept_trips(customer: NDArray[np.uint64], period: NDArray[np.uint64], share: float) -> NDArray[np.bool_]:
    """Which customer-periods are kept when thinning, by the hash of each customer's id and the period, (n,)."""
    mixed = pd.util.hash_array(customer ^ (period * np.uint64(0x9E3779B97F4A7C15)))
    return np.asarray(mixed < share * 2.0**64)


def _considered(coded: _Coded, trips: pd.DataFrame, prices: PeriodPrices, rule: OccasionRule) -> pd.DataFrame:
    """Customer, item, period and time of every product on offer that a customer in its market considered."""
    sets = pd.concat([_familiar(coded, trips), _best_sellers(coded, trips, prices, rule)], ignore_index=True)
    sets = sets.drop_duplicates(["customer", "item", "period"])
    on_offer = prices.on_offer(sets["item"].to_numpy(), sets["period"].to_numpy(), rule.max_periods)
    return sets[on_offer].sort_values(["time", "customer", "item"], kind="stable").reset_index(drop=True)


def _familiar(coded: _Coded, trips: pd.DataFrame) -> pd.DataFrame:
    """Products of the trip's market that the customer bought in an earlier period."""
    first = coded.bought().groupby(["customer", "item"], as_index=False)["period"].min()
    first["market"] = coded.item_market[first["item"]]
    joined = trips.merge(first, on=["customer", "market"], suffixes=("", "_first"))
    joined = joined[joined["period_first"] < joined["period"]]
    return joined[["customer", "item", "period", "time"]]


def _best_sellers(coded: _Coded, trips: pd.DataFrame, prices: PeriodPrices, rule: OccasionRule) -> pd.DataFrame:
    """Most ordered products of the trip's market in earlier periods no longer ago than the price may be old."""
    span = rule.max_periods
    sold = pd.DataFrame({"item": coded.item, "period": coded.period}).value_counts(sort=False).reset_index(name="lines")
    # A sale counts for the ranking of the periods after it, up to the longest age of a price.
    later = sold.loc[sold.index.repeat(span + 1)]
    later = later.assign(period=later["period"] + np.tile(np.arange(span + 1), len(sold)))
    own = np.tile(np.arange(span + 1), len(sold)) == 0
    later["lines"] = later["lines"].where(~own, 0)  # sold in the period itself: on offer, but no reason for a rank
    ranked = pd.DataFrame(later.groupby(["item", "period"], as_index=False)["lines"].sum())
    ranked = ranked[prices.on_offer(ranked["item"].to_numpy(), ranked["period"].to_numpy(), span)]
    ranked["market"] = coded.item_market[ranked["item"]]
    order = ["market", "period", "lines", "item"]
    ranked = ranked.sort_values(order, ascending=[True, True, False, True], kind="stable")
    ranked = ranked[ranked.groupby(["market", "period"]).cumcount() < rule.bestsellers]
    return trips.merge(ranked, on=["market", "period"])[["customer", "item", "period", "time"]]


def _offers(coded: _Coded, sets: pd.DataFrame, prices: PeriodPrices, rule: OccasionRule) -> tuple[pd.DataFrame, float]:
    sets = sets.merge(coded.bought(), how="left", on=["customer", "item", "period"])
    found = prices.without_own(
        sets["item"].to_numpy(), sets["period"].to_numpy(), sets["customer"].to_numpy(), rule.max_periods
    )
    known = np.isfinite(found.price)
    sets, price, age = sets[known], found.price[known], found.age[known]
    n_stores = len(coded.store_names)
    item = sets["item"].to_numpy()
    offers = pd.DataFrame(
        {
            "customer_id": pd.Series(np.asarray(coded.customer_names)[sets["customer"]], dtype="str"),
            "product_id": pd.Series(np.asarray(coded.product_names)[item // n_stores], dtype="str"),
            "offered_at": pd.to_datetime(sets["time"].to_numpy(), unit="us", utc=True).astype("datetime64[us, UTC]"),
            "price": price,
            "purchased": sets["lines"].notna().to_numpy().astype("int8"),
            "quantity": sets["units"].fillna(0.0).to_numpy(dtype=float),
        }
    )
    if coded.stores:
        offers["store"] = pd.Series(np.asarray(coded.store_names)[item % n_stores], dtype="str")
    offers["price_source"] = pd.Series(np.where(age > 0, "carried from an earlier period", "same period"), dtype="str")
    offers["price_age_days"] = age * float(rule.period_days)
    return offers, float((age > 0).mean()) if len(age) else math.nan
