r"""A simulated shop whose true demand is known: the *demo shop*.

Every quantity below is drawn from one seeded generator, so that one seed is one shop.

**Customers** :math:`i` have a region, a loyalty tier, a household size, a device and a sign-up date. Latent:
a price attitude :math:`a_i \sim N(0.3\,\mathrm{mobile} - 0.4\,\mathrm{gold} + 0.1(\mathrm{household}-2.5),\,0.6^2)`
and a taste :math:`t_i \sim N(0, I_2)`. A gender column is recorded that has no part in demand.

**Products** :math:`j` of category :math:`c` have a brand, a pack size, an organic flag, a unit cost, a list price
:math:`\ell_j = \mathrm{cost}_j / (1 - m_j)` with :math:`m_j \sim U(0.38, 0.55)`, a stock, a quality
:math:`q_j \sim N(0, 1)` and a position :math:`v_j \sim N(0, I_2)`.

**Market**: a season :math:`s_c(w) = A_c \cos 2\pi(w/52 - \phi_c)`, promotion weeks of a category, and a competitor price
:math:`k_{jw} = \ell_j e^{r_{jw}}` with :math:`r` first-order autoregressive.

**Visits**: each visit shows six products, drawn by taste and popularity; some are viewed, some of these put into the
cart, and four are then offered at a price.

**Demand** at price :math:`p = x \ell_j`:

.. math::
    \operatorname{logit} P(\mathrm{buy}) = u - \beta (x - 1), \qquad
    \beta = \exp(1.44 + 0.35 a_i + b_c - 0.12 q_j)

    u = -3.0 + 0.55\, t_i^\top v_j + d_{jw} + 0.25\,\mathrm{tier}, \quad
    d = 0.35 q_j + s_c(w) + 0.3\,\mathrm{promotion} + 1.2 r_{jw} + 0.7\,\mathrm{viewed} + 0.8\,\mathrm{carted}

**Past prices** followed demand, as they do where managers raise the price of what sells:

.. math:: x \sim \operatorname{clip}(0.96 + 0.10 \tanh d - 0.06\,\mathrm{promotion} - 0.04\,\mathrm{member} + 0.1 r,\; 0.09^2;\; 0.6, 1.3)

A model that ignores :math:`d` therefore sees buyers who mind the price less than they do. Everything in :math:`d` leaves a
trace in the tables, so the response can be learned; the taste :math:`t_i` can only be learned from behavior.

The truth is returned beside the tables and is never written into them.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pricing_core.errors import ConfigError

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

CATEGORIES = ("coffee", "tea", "snacks", "pantry", "cleaning", "care")
BRANDS = ("Alder", "Birch", "Cedar", "Dune", "Ember", "Fjord", "Grove", "Harbor")
TIERS = ("none", "silver", "gold")
_CATEGORY_SLOPE = np.array([-0.2, -0.1, 0.2, 0.1, 0.0, -0.15])
_CATEGORY_COST = np.array([4.2, 3.1, 1.4, 2.0, 3.4, 5.6])
_SEASON_SIZE = np.array([0.35, 0.45, 0.2, 0.15, 0.1, 0.3])
_SEASON_PHASE = np.array([0.0, 0.05, 0.5, 0.9, 0.25, 0.95])


@dataclass(frozen=True)
class DemoShopConfig:
    """Size and seed of a demo shop.

    Parameters
    ----------
    n_customers, n_products, n_weeks
        Size of the shop and length of its log.
    n_visits
        Logged visits; four offers come of each.
    n_target_visits
        Visits of the two weeks after the log, whose offers are still to be priced.
    random_state
        Seed.
    """

    n_customers: int = 4_000
    n_products: int = 60
    n_weeks: int = 78
    n_visits: int = 51_000
    n_target_visits: int = 5_000
    random_state: int = 7

    def __post_init__(self) -> None:
        for name in ("n_customers", "n_products", "n_weeks", "n_visits", "n_target_visits"):
            if getattr(self, name) < 8:
                raise ConfigError(f"{name} is {getattr(self, name)}; at least 8 are needed.")


@dataclass(frozen=True)
class DemandTruth:
    """True demand of *n* offers: ``logit P = intercept − sensitivity · price / list_price``.

    ``logged_mean`` and ``logged_sd`` describe the relative price that the shop's past habit would have set.
    """

    list_price: Floats
    unit_cost: Floats
    intercept: Floats
    sensitivity: Floats
    logged_mean: Floats
    logged_sd: float

    def probability(self, price: Floats) -> Floats:
        """Chance of a purchase at ``price`` (n,)."""
        z = self.intercept - self.sensitivity * np.asarray(price, dtype=float) / self.list_price
        return np.asarray(1.0 / (1.0 + np.exp(-z)))

    def profit(self, price: Floats) -> float:
        """Expected profit of all offers at ``price`` (n,), in money."""
        return float(np.sum((price - self.unit_cost) * self.probability(price)))

    def supported_range(self, coverage: float = 0.98) -> tuple[Floats, Floats]:
        """Central range of prices that the shop's past habit would have set."""
        from scipy.stats import norm

        half = norm.ppf(0.5 + coverage / 2) * self.logged_sd
        low = np.clip(self.logged_mean - half, 0.6, 1.3)
        high = np.clip(self.logged_mean + half, 0.6, 1.3)
        return low * self.list_price, high * self.list_price

    def oracle_price(self, low: Floats, high: Floats, points: int = 401) -> Floats:
        """Best price (n,) for who knows the truth, within ``[low, high]``, by a dense grid."""
        best, best_profit = low.copy(), np.full(low.shape, -np.inf)
        for share in np.linspace(0.0, 1.0, points):
            price = low + share * (high - low)
            profit = (price - self.unit_cost) * self.probability(price)
            better = profit > best_profit
            best, best_profit = np.where(better, price, best), np.where(better, profit, best_profit)
        return best


@dataclass(frozen=True)
class DemoShop:
    """Tables of a demo shop, offers still to be priced, and the truth of both."""

    tables: dict[str, pd.DataFrame]
    targets: pd.DataFrame
    truth: DemandTruth
    target_truth: DemandTruth


def simulate_demo_shop(config: DemoShopConfig | None = None) -> DemoShop:
    """Simulate the shop of this module's equations.

    Returns
    -------
    DemoShop
        ``tables`` has ``offers``, ``customers``, ``products``, ``market``, ``events``; row *k* of ``truth`` belongs to row *k* of
        ``offers``, and row *k* of ``target_truth`` to row *k* of ``targets``.
    """
    config = config or DemoShopConfig()
    rng = np.random.default_rng(config.random_state)
    start = pd.Timestamp("2024-07-01", tz="UTC")
    customers, attitude, taste, activity = _customers(config, rng, start)
    products, quality, position, category = _products(config, rng)
    market, gap, promotion = _market(config, rng, products, category, start)
    visits = _visits(config, rng, activity)
    shown = _shown_products(rng, visits["customer"], taste, position, quality)
    affinity = np.einsum("vd,vkd->vk", taste[visits["customer"]], position[shown])
    viewed = rng.random(shown.shape) < 1 / (1 + np.exp(-(0.2 + 0.7 * affinity)))
    carted = viewed & (rng.random(shown.shape) < 0.25 / (1 + np.exp(-affinity)))
    offers, truth = _offers(
        rng, customers, products, visits, shown, affinity, viewed, carted, attitude, quality, category, gap, promotion, start
    )
    events = _events(rng, customers, products, visits, shown, viewed, carted, affinity, quality, offers, start)
    is_target = offers.pop("_target").to_numpy(dtype=bool)
    events = events.sort_values(["occurred_at", "customer_id", "product_id", "event_type"], kind="stable")
    return DemoShop(
        tables={
            "offers": offers[~is_target].reset_index(drop=True),
            "customers": customers,
            "products": products,
            "market": market,
            "events": events.reset_index(drop=True),
        },
        targets=offers[is_target].drop(columns=["price", "purchased"]).reset_index(drop=True),
        truth=_take(truth, ~is_target),
        target_truth=_take(truth, is_target),
    )


def write_demo_shop(folder: Path, config: DemoShopConfig | None = None) -> DemoShop:
    """Simulate a shop and write its tables (never its truth) as Parquet, and the offers still to be priced as CSV."""
    shop = simulate_demo_shop(config)
    folder.mkdir(parents=True, exist_ok=True)
    for name, table in shop.tables.items():
        table.to_parquet(folder / f"{name}.parquet", index=False, compression="zstd")
    shop.targets.head(2_000).to_csv(folder / "targets.csv", index=False)
    return shop


def _take(truth: DemandTruth, mask: NDArray[np.bool_]) -> DemandTruth:
    arrays = [getattr(truth, n)[mask] for n in ("list_price", "unit_cost", "intercept", "sensitivity", "logged_mean")]
    return DemandTruth(*arrays, logged_sd=truth.logged_sd)


def _customers(
    config: DemoShopConfig, rng: np.random.Generator, start: pd.Timestamp
) -> tuple[pd.DataFrame, Floats, Floats, Floats]:
    n = config.n_customers
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
    return frame, attitude, rng.standard_normal((n, 2)), rng.gamma(1.5, 1.0, n) + 0.1


def _products(config: DemoShopConfig, rng: np.random.Generator) -> tuple[pd.DataFrame, Floats, Floats, Ints]:
    n = config.n_products
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
    return frame, quality, rng.standard_normal((n, 2)), category


def _market(
    config: DemoShopConfig, rng: np.random.Generator, products: pd.DataFrame, category: Ints, start: pd.Timestamp
) -> tuple[pd.DataFrame, Floats, NDArray[np.bool_]]:
    weeks = config.n_weeks + 2
    gap = np.empty((weeks, config.n_products))
    gap[0] = rng.normal(0, 0.12, config.n_products)
    for w in range(1, weeks):
        gap[w] = 0.85 * gap[w - 1] + rng.normal(0, 0.12 * np.sqrt(1 - 0.85**2), config.n_products)
    promotion = rng.random((weeks, len(CATEGORIES))) < 0.14
    list_price = products["list_price"].to_numpy()
    dates = start + pd.to_timedelta(7 * np.arange(weeks), unit="D")
    competitor = np.round(list_price[None, :] * np.exp(gap), 2)
    seasons = np.array(["winter", "spring", "summer", "autumn"])[(dates.month.to_numpy() % 12) // 3]
    market = pd.DataFrame(
        {
            "date": np.repeat(dates, config.n_products),
            "product_id": np.tile(products["product_id"].to_numpy(), weeks),
            "competitor_price": competitor.ravel(),
            "season": np.repeat(seasons, config.n_products),
        }
    )
    return market, np.log(competitor / list_price[None, :]), promotion[:, category]


def _visits(config: DemoShopConfig, rng: np.random.Generator, activity: Floats) -> dict[str, Ints]:
    n_log, n_target = config.n_visits, config.n_target_visits
    share = activity / activity.sum()
    customer = rng.choice(config.n_customers, n_log + n_target, p=share)
    week = np.concatenate(
        [rng.integers(0, config.n_weeks, n_log), rng.integers(config.n_weeks, config.n_weeks + 2, n_target)]
    )
    second = week * 604_800 + rng.integers(0, 7, week.size) * 86_400 + rng.integers(7 * 3_600, 22 * 3_600, week.size)
    order = np.argsort(second, kind="stable")
    return {"customer": customer[order], "week": week[order], "second": second[order], "target": week[order] >= config.n_weeks}


def _shown_products(
    rng: np.random.Generator, customer: Ints, taste: Floats, position: Floats, quality: Floats, n_shown: int = 6
) -> Ints:
    score = 0.6 * taste[customer] @ position.T + 0.3 * quality[None, :] + rng.gumbel(size=(customer.size, quality.size))
    top = np.argpartition(-score, n_shown, axis=1)[:, :n_shown]
    return np.asarray(rng.permuted(top, axis=1))


def _offers(
    rng: np.random.Generator,
    customers: pd.DataFrame,
    products: pd.DataFrame,
    visits: dict[str, Ints],
    shown: Ints,
    affinity: Floats,
    viewed: NDArray[np.bool_],
    carted: NDArray[np.bool_],
    attitude: Floats,
    quality: Floats,
    category: Ints,
    gap: Floats,
    promotion: NDArray[np.bool_],
    start: pd.Timestamp,
) -> tuple[pd.DataFrame, DemandTruth]:
    n_offered = 4
    i = np.repeat(visits["customer"], n_offered)
    w = np.repeat(visits["week"], n_offered)
    j = shown[:, :n_offered].ravel()
    c = category[j]
    tier = pd.Categorical(customers["loyalty_tier"], categories=TIERS).codes.astype(float)[i]
    on_promotion = promotion[w, j]
    season = _SEASON_SIZE[c] * np.cos(2 * np.pi * ((w + 26) / 52 - _SEASON_PHASE[c]))
    demand = 0.35 * quality[j] + season + 0.3 * on_promotion + 1.2 * gap[w, j]
    demand = demand + 0.7 * viewed[:, :n_offered].ravel() + 0.8 * carted[:, :n_offered].ravel()
    beta = np.exp(1.44 + 0.35 * attitude[i] + _CATEGORY_SLOPE[c] - 0.12 * quality[j])
    utility = -3.0 + 0.55 * affinity[:, :n_offered].ravel() + demand + 0.25 * tier
    mean = 0.96 + 0.10 * np.tanh(demand) - 0.06 * on_promotion - 0.04 * (tier > 0) + 0.1 * gap[w, j]
    list_price = products["list_price"].to_numpy()[j]
    price = np.round(list_price * np.clip(mean + rng.normal(0, 0.09, i.size), 0.6, 1.3), 2)
    truth = DemandTruth(
        list_price, products["unit_cost"].to_numpy()[j], utility + beta, beta, mean, 0.09
    )
    purchased = rng.random(i.size) < truth.probability(price)
    second = np.repeat(visits["second"], n_offered) + 900 + np.tile(60 * np.arange(n_offered), visits["second"].size)
    frame = pd.DataFrame(
        {
            "customer_id": customers["customer_id"].to_numpy()[i],
            "product_id": products["product_id"].to_numpy()[j],
            "offered_at": start + pd.to_timedelta(second, unit="s"),
            "price": price,
            "purchased": purchased.astype(np.int8),
            "promotion": on_promotion.astype(np.int8),
            "_target": np.repeat(visits["target"], n_offered),
        }
    )
    return frame, truth


def _events(
    rng: np.random.Generator,
    customers: pd.DataFrame,
    products: pd.DataFrame,
    visits: dict[str, Ints],
    shown: Ints,
    viewed: NDArray[np.bool_],
    carted: NDArray[np.bool_],
    affinity: Floats,
    quality: Floats,
    offers: pd.DataFrame,
    start: pd.Timestamp,
) -> pd.DataFrame:
    customer_id, product_id = customers["customer_id"].to_numpy(), products["product_id"].to_numpy()

    def browsing(mask: NDArray[np.bool_], kind: str, delay: int) -> pd.DataFrame:
        visit, place = np.nonzero(mask)
        second = visits["second"][visit] + delay + 90 * place
        return pd.DataFrame(
            {
                "customer_id": customer_id[visits["customer"][visit]],
                "product_id": product_id[shown[visit, place]],
                "occurred_at": start + pd.to_timedelta(second, unit="s"),
                "event_type": kind,
            }
        )

    bought = (offers["purchased"].to_numpy() == 1) & ~offers["_target"].to_numpy(dtype=bool)
    purchases = offers.loc[bought, ["customer_id", "product_id", "price"]].assign(
        occurred_at=offers.loc[bought, "offered_at"] + pd.Timedelta(seconds=45), event_type="purchase"
    )
    fit = (affinity[:, :4].ravel() * 0.4 + 0.5 * quality[shown[:, :4].ravel()])[bought]
    reviewed = rng.random(len(purchases)) < 0.3
    rating = np.clip(np.round(3.7 + fit + rng.normal(0, 0.8, len(purchases))), 1, 5)
    reviews = purchases.loc[reviewed].drop(columns="price").assign(event_type="review", rating=rating[reviewed])
    delay = pd.to_timedelta(rng.integers(3 * 86_400, 15 * 86_400, len(reviews)), unit="s")
    reviews["occurred_at"] = reviews["occurred_at"] + delay
    end = offers["offered_at"].max()
    events = pd.concat([browsing(viewed, "view", 60), browsing(carted, "cart", 105), purchases, reviews])
    return events[events["occurred_at"] <= end].assign(occurred_at=lambda e: e["occurred_at"].astype("datetime64[us, UTC]"))
