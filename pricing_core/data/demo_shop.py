r"""A simulated shop whose true demand is known: the *demo shop*.

Every quantity below is drawn from one seeded generator, so that one seed is one shop.

**Customers** :math:`i` have a region, a loyalty tier, a household size, a device and a sign-up date. Latent:
a price attitude :math:`a_i \sim N(0.3\,\mathrm{mobile} - 0.4\,\mathrm{gold} + 0.1(\mathrm{household}-2.5),\,0.6^2)`
and a taste :math:`t_i \sim N(0, I_2)`. A gender column is recorded that has no part in demand.

**Products** :math:`j` of category :math:`c` have a brand, a pack size, an organic flag, a unit cost, a list price
:math:`\ell_j = \mathrm{cost}_j / (1 - m_j)` with :math:`m_j \sim U(0.38, 0.55)`, a stock, a quality
:math:`q_j \sim N(0, 1)` and a position :math:`v_j \sim N(0, I_2)`.

**Market**: a season :math:`s_c(w) = A_c \cos 2\pi(w/52 - \phi_c)` with the week :math:`w` counted from New Year,
promotion weeks of a category (14% of weeks), and a competitor price :math:`k_{jw} = \ell_j e^{r_{jw}}` with :math:`r`
first-order autoregressive (0.85 a week, standard deviation 0.12).

**Visits**: each visit shows six products, drawn by taste and popularity; some are viewed, some of these put into the
cart, and four are then offered at a price.

**Demand** at price :math:`p = x \ell_j`:

.. math::
    \operatorname{logit} P(\mathrm{buy}) = u - \beta (x - 1), \qquad
    \beta = \exp(1.44 + 0.35 a_i + b_c - 0.12 q_j)

    u = -3.0 + 0.55\, t_i^\top v_j + d_{jw} + 0.25\,\mathrm{tier}, \quad
    d = 0.35 q_j + s_c(w) + 0.3\,\mathrm{promotion} + 1.2 r_{jw} + 0.7\,\mathrm{viewed} + 0.8\,\mathrm{carted}

**Past prices** followed demand, as they do where managers raise the price of what sells:

.. math::
    x = \operatorname{clip}(\mu + 0.09\,\varepsilon,\; 0.6,\; 1.3), \quad \varepsilon \sim N(0, 1)

    \mu = 0.96 + 0.10 \tanh d - 0.06\,\mathrm{promotion} - 0.04\,\mathrm{member} + 0.1 r

A model that ignores :math:`d` therefore sees buyers who mind the price less than they do. Everything in :math:`d`
leaves a trace in the tables, so the response can be learned; the taste :math:`t_i` can only be learned from behavior.

The truth is returned beside the tables and is never written into them.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pricing_core.data.demo_drawing import (
    PRICE_NOISE,
    RELATIVE_PRICES,
    DrawnOffers,
    draw_browsing,
    draw_customers,
    draw_events,
    draw_market,
    draw_offers,
    draw_products,
)
from pricing_core.errors import ConfigError

Floats = NDArray[np.float64]

_START = pd.Timestamp("2024-07-01", tz="UTC")
_TARGET_WEEKS = 2


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
        """Return the expected profit of all offers at ``price`` (n,), in money."""
        return float(np.sum((price - self.unit_cost) * self.probability(price)))

    def supported_range(self, coverage: float = 0.98) -> tuple[Floats, Floats]:
        """Central range of prices that the shop's past habit would have set."""
        from scipy.stats import norm

        half = norm.ppf(0.5 + coverage / 2) * self.logged_sd
        low = np.clip(self.logged_mean - half, *RELATIVE_PRICES)
        high = np.clip(self.logged_mean + half, *RELATIVE_PRICES)
        return low * self.list_price, high * self.list_price

    def take(self, rows: NDArray[np.bool_] | NDArray[np.int64]) -> DemandTruth:
        """Truth of some of the offers, by index or mask."""
        return DemandTruth(
            self.list_price[rows],
            self.unit_cost[rows],
            self.intercept[rows],
            self.sensitivity[rows],
            self.logged_mean[rows],
            self.logged_sd,
        )

    def oracle_price(self, low: Floats, high: Floats, points: int = 401) -> Floats:
        """Return the best price (n,) for who knows the truth, within ``[low, high]``, by a dense grid."""
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
        ``tables`` has ``offers``, ``customers``, ``products``, ``market``, ``events``; row *k* of ``truth`` belongs to
        row *k* of ``offers``, and row *k* of ``target_truth`` to row *k* of ``targets``.
    """
    config = config or DemoShopConfig()
    rng = np.random.default_rng(config.random_state)
    people = draw_customers(config.n_customers, rng, _START)
    goods = draw_products(config.n_products, rng)
    end = config.n_weeks + _TARGET_WEEKS
    market = draw_market(end, goods, rng, _START)
    spans = ((config.n_visits, 0, config.n_weeks), (config.n_target_visits, config.n_weeks, end))
    browsing = draw_browsing(spans, people, goods, rng)
    offers = draw_offers(browsing, people, goods, market, rng, _START)
    events = draw_events(browsing, people, goods, offers, rng, _START)
    truth, frame, target = _truth(offers), offers.frame, offers.is_target
    return DemoShop(
        tables={
            "offers": frame[~target].reset_index(drop=True),
            "customers": people.frame,
            "products": goods.frame,
            "market": market.frame,
            "events": events,
        },
        targets=frame[target].drop(columns=["price", "purchased"]).reset_index(drop=True),
        truth=truth.take(~target),
        target_truth=truth.take(target),
    )


def write_demo_shop(folder: Path, config: DemoShopConfig | None = None) -> DemoShop:
    """Simulate a shop and write its tables (never its truth) as Parquet, and the offers still to be priced as CSV."""
    shop = simulate_demo_shop(config)
    folder.mkdir(parents=True, exist_ok=True)
    for name, table in shop.tables.items():
        table.to_parquet(folder / f"{name}.parquet", index=False, compression="zstd")
    shop.targets.head(2_000).to_csv(folder / "targets.csv", index=False)
    return shop


def _truth(offers: DrawnOffers) -> DemandTruth:
    return DemandTruth(
        offers.list_price, offers.unit_cost, offers.intercept, offers.sensitivity, offers.logged_mean, PRICE_NOISE
    )
