"""Markets of one product whose true demand is known, encoded as the app would encode them.

D1–D6 of Biggs, Sun & Ettl (2021) and the confounded market F, see :mod:`benchmarks.policies` and
:mod:`benchmarks.uplift`. Customers are logged once each; other customers of the same market are priced, and the prices
are judged by the true chances.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.policies import draw_market
from benchmarks.uplift import confounded
from pricing_core.features import EncodedBatch
from pricing_core.models.behavior import LearningRows
from pricing_core.models.pricing_model import GoingPrice, PricingModel

Floats = NDArray[np.float64]

PAPER = ("D1", "D2", "D3", "D4", "D5", "D6")
JUDGED = 20_000
WEEKS = 26
QUANTILES = np.linspace(0.1, 0.9, 9)  # of the logged prices: the prices to choose from
_LATE = 10_000  # added to a seed: customers that nobody learned from


@dataclass(frozen=True)
class KnownMarket:
    """A log to learn from, and other customers with the truth about them.

    Attributes
    ----------
    rows
        Logged offers, encoded; oldest first.
    density
        Density of the logged relative prices by the pricing model, (n,).
    going
        What the pricing model says of the logged offers.
    features, price, bought
        The log as it is: attributes (n, d), price (n,), outcome (n,).
    fresh, fresh_features
        Customers to price, encoded and as they are; m of them.
    prices
        Prices to choose from, (K,).
    revenue
        True expected revenue (m, K).
    """

    name: str
    rows: LearningRows
    density: Floats
    going: GoingPrice
    features: Floats
    price: Floats
    bought: Floats
    fresh: EncodedBatch
    fresh_features: Floats
    prices: Floats
    revenue: Floats

    @property
    def reference(self) -> float:
        """Reference price: one for all, since there is one product and no market."""
        return float(self.going.reference[0])

    def share(self, choice: NDArray[np.int64]) -> float:
        """What the chosen prices (m,) truly earn, in % of who knows the truth."""
        return float(100 * self.revenue[np.arange(len(choice)), choice].sum() / self.revenue.max(axis=1).sum())

    def earned(self, choice: NDArray[np.int64]) -> float:
        """True expected revenue per customer of the chosen prices (m,)."""
        return float(self.revenue[np.arange(len(choice)), choice].mean())


def draw(name: str, n: int, seed: int) -> KnownMarket:
    """Market ``name`` (``D1`` … ``D6`` or ``F``) with ``n`` logged offers."""
    if name == "F":
        logged, others = confounded(n, seed), confounded(JUDGED, seed + _LATE)
        prices = np.quantile(logged.price, QUANTILES)
        chance = np.stack([others.chance(others.features, np.full(JUDGED, p)) for p in prices], axis=1)
        return _encoded(
            name, logged.features, logged.price, logged.bought.astype(float), others.features, prices, prices * chance
        )
    rng = np.random.default_rng([seed, PAPER.index(name)])
    slope = rng.normal(0, 1, 5)
    market, fresh = draw_market(name, n, rng, slope), draw_market(name, JUDGED, rng, slope)
    prices = np.quantile(market.p, QUANTILES)
    return _encoded(name, market.x, market.p, market.buys(rng), fresh.x, prices, fresh.revenue(prices))


def _encoded(
    name: str, features: Floats, price: Floats, bought: Floats, others: Floats, prices: Floats, revenue: Floats
) -> KnownMarket:
    mean, sd = features.mean(axis=0), features.std(axis=0)
    n = len(price)
    batch, fresh = _batch((features - mean) / sd), _batch((others - mean) / sd)
    # The pricing model takes the logarithm of prices. The paper's can be below zero: they are moved up for it, and what
    # it expects is moved down again, which changes nothing else, since the reference price is the same for all rows.
    shift = max(0.0, 0.1 * price.std() - price.min())
    pricing = PricingModel().fit(batch, np.ones(n), price + shift, np.arange(n))
    reference = float(np.abs(price).mean())
    going = _moved(pricing.train_going_, shift, reference)
    unit = reference / pricing.train_going_.reference
    density = pricing.density(pricing.train_going_, (price + shift) / pricing.train_going_.reference) * unit
    asked = _moved(pricing.predict(fresh, np.ones(len(others))), shift, reference)
    rows = LearningRows(
        batch.with_expected_price(going.expected.astype(np.float32)),
        price / reference,
        bought,
        np.arange(n).astype(str).astype(object),
        np.ones(n),
        (np.arange(n) * WEEKS) // n,
    )
    fresh = fresh.with_expected_price(asked.expected.astype(np.float32))
    return KnownMarket(name, rows, density, going, features, price, bought, fresh, others, prices, revenue)


def _moved(going: GoingPrice, shift: float, reference: float) -> GoingPrice:
    """Measure what the pricing model says in units of ``reference``, with prices moved back by ``shift``."""
    scale = going.reference / reference
    return GoingPrice(
        np.full(len(scale), reference), going.expected * scale - shift / reference, going.spread * scale
    )


def _batch(x: Floats) -> EncodedBatch:
    n = len(x)
    empty = np.zeros((n, 1), dtype=np.float32)
    return EncodedBatch(
        customer=x.astype(np.float32),
        product=empty,
        market=empty,
        product_code=np.ones(n, dtype=np.int32),
        sequence=np.zeros((n, 1, 8), dtype=np.float32),
        sequence_item=np.zeros((n, 1), dtype=np.int32),
        sequence_mask=empty,
        expected_price=np.ones(n, dtype=np.float32),
        groups=tuple((f"x{k}", "customer", (k,)) for k in range(x.shape[1])),
        n_products=1,
    )
