r"""Ranges of conversion by price band: what the posterior draws, the luck of sales and shared shocks leave open.

The forecast of a band is the mean conversion of its offers by draw. Its 90% range takes the spread over ensemble
members (:mod:`pricing_core.simulate.intervals`) and the binomial variance of what is then observed; and, where earlier
offers tell it, that offers of a customer go together and that whole weeks sell more or less than forecast
(:mod:`pricing_core.evaluate.shared_shocks`):

.. math:: \hat p \pm t \sqrt{s^2 (1 + 1/K) + \hat p (1 - \hat p) / n + \omega^2 q + (\tau_c^2 + \tau_o^2)\, d^2}

with *n* the number of offers that stand behind the band (where refusals are a sample that stands for all, every sale
counts once, so that these are the offers before sampling), *K* members and *s* their standard deviation,
:math:`d = \sum a / \sum w` how far a change of the log odds moves the band's rate (:math:`a = w\,p(1-p)`),
:math:`q = \sum_c [(\sum a)^2 - \sum a^2] / (\sum w)^2` over the customers *c* of the band, and
:math:`\tau_c^2, \tau_o^2` the variances of the mean shock, common and of the band itself, over the weeks of the window.
*t* has the degrees of freedom of a sum whose parts are estimated (Welch 1947; Satterthwaite 1946).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy import special

from pricing_core.errors import DataError
from pricing_core.evaluate.calibration import equal_groups
from pricing_core.evaluate.shared_shocks import pairs_of_customers, shared_shocks
from pricing_core.models.past_offers import PastOffers
from pricing_core.response.price_response import PriceResponse

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_BLOCK = 20_000


@dataclass(frozen=True)
class Shared:
    """What later offers share, and the earlier offers that tell how much that matters.

    Attributes
    ----------
    customer
        Any name of each later offer's customer (n,).
    offered_at
        When each was made (n,).
    past
        Earlier offers, judged by draws that did not learn from their customers.
    """

    customer: ArrayLike
    offered_at: pd.Series
    past: PastOffers


def band_forecasts(
    response: PriceResponse,
    price: Floats,
    purchased: ArrayLike,
    weight: ArrayLike | None = None,
    *,
    bands: int = 6,
    shared: Shared | None = None,
) -> pd.DataFrame:
    """Forecast conversion of later offers by price band, with a 90% range for what is observed.

    Parameters
    ----------
    response
        Curves of models that did not learn from these offers.
    price
        Logged price (n,), money.
    purchased, weight
        Outcome 0 or 1, and optional weight (n,): offers that each stands for. Outcomes take no part in the ranges,
        except that the weight of those sold tells whether sales were sampled.
    bands
        Bands of equal size of price over reference price.
    shared
        What the offers share; None: the range takes them to be independent.

    Returns
    -------
    DataFrame
        By band: ``band, n, forecast_rate, low, high, observed_rate, covered``, and the standard deviations
        that the range is made of, ``from_model, from_luck, from_customers, from_weeks``.
    """
    y = np.asarray(purchased, dtype=float)
    mass = np.ones(len(y)) if weight is None else np.asarray(weight, dtype=float)
    if not (len(y) == len(price) == response.n == len(mass)):
        raise DataError(f"There are {len(price)} prices and {len(y)} outcomes for {response.n} curves.")
    relative = price / response.reference_price
    group = equal_groups(relative, bands)
    count, total = int(group.max()) + 1, np.bincount(group, mass).astype(float)
    rates, chance = _by_draw(response, price, mass, group)
    forecast, (learned, degrees) = rates.mean(axis=1), _learned(response, rates)
    luck = forecast * (1 - forecast) * _weight_of_sales(y, mass) / total
    customers, weeks, known = np.zeros(count), np.zeros((2, count)), np.ones((2, count))
    if shared is not None:
        customers, weeks, known = _shared(shared, relative, group, mass * chance * (1 - chance), total)
    half = _half(luck + customers, np.vstack([learned, weeks]), np.vstack([degrees, known]))
    observed = np.bincount(group, mass * y, count) / total
    return pd.DataFrame(
        {
            "band": np.arange(1, count + 1),
            "n": np.bincount(group, minlength=count),
            "forecast_rate": forecast,
            "low": np.maximum(forecast - half, 0.0),
            "high": np.minimum(forecast + half, 1.0),
            "observed_rate": observed,
            "covered": np.abs(observed - forecast) <= half,
            "from_model": np.sqrt(learned),
            "from_luck": np.sqrt(luck),
            "from_customers": np.sqrt(customers),
            "from_weeks": np.sqrt(weeks.sum(axis=0)),
        }
    )


def _weight_of_sales(y: Floats, mass: Floats) -> float:
    """Offers that one sale stands for: 1 where all sales are kept, whatever refusals stand for; else as sampled."""
    sold = float(mass @ y)
    return float(mass**2 @ y) / sold if sold > 0 else float(mass @ mass / mass.sum())


def _learned(response: PriceResponse, rates: Floats) -> tuple[Floats, Floats]:
    """Variance of each band's rate (B,) between members, whose own rates are ``rates`` (B, D), and its dof."""
    members = np.unique(response.draw_member)
    by_member = np.stack([rates[:, response.draw_member == m].mean(axis=1) for m in members], axis=1)
    spread = by_member.std(axis=1, ddof=1) if len(members) > 1 else np.zeros(len(rates))
    return spread**2 * (1 + 1 / len(members)), np.full(len(rates), float(max(len(members) - 1, 1)))


def _half(known: Floats, parts: Floats, degrees: Floats) -> Floats:
    """Half of the 90% range (B,), given what of the variance is known and the parts that are estimated (k, B)."""
    variance = known + parts.sum(axis=0)
    dof = variance**2 / np.maximum((parts**2 / degrees).sum(axis=0), 1e-30)
    return np.asarray(special.stdtrit(np.minimum(dof, 1e6), 0.95) * np.sqrt(variance))


def _by_draw(response: PriceResponse, price: Floats, mass: Floats, group: Ints) -> tuple[Floats, Floats]:
    """Conversion of each band by draw (B, D), and the mean chance of each offer (n,)."""
    sums, chance = np.zeros((int(group.max()) + 1, response.draws)), np.empty(response.n)
    for start in range(0, response.n, _BLOCK):
        rows = np.arange(start, min(start + _BLOCK, response.n))
        draws = response.take(rows).probability_draws(price[rows])
        chance[rows] = draws.mean(axis=1)
        np.add.at(sums, group[rows], draws * mass[rows, None])
    return sums / np.bincount(group, mass)[:, None], chance


def _shared(
    shared: Shared, relative: Floats, group: Ints, moved: Floats, total: Floats
) -> tuple[Floats, Floats, Floats]:
    """Variance of each band's rate by customers (B,) and by common and own shocks (2, B), and the latters' dof."""
    customer = pd.factorize(np.asarray(shared.customer))[0].astype(np.int64)
    week = ((shared.offered_at - shared.offered_at.min()) // pd.Timedelta(days=7)).to_numpy(dtype=np.int64)
    if not len(customer) == len(week) == len(group):
        raise DataError(f"There are {len(customer)} customers and {len(week)} times for {len(group)} offers.")
    starts = pd.Series(relative).groupby(group).min().to_numpy(dtype=float)
    before = np.searchsorted(starts[1:], shared.past.relative_price, side="right").astype(np.int64)
    found = shared_shocks(shared.past, before, int(week.max()) + 1)
    customers = found.customer * np.maximum(pairs_of_customers(customer, group, moved), 0.0) / total**2
    weeks, known = np.zeros((2, len(total))), np.ones((2, len(total)))
    for b in range(len(total)):
        by_week = np.bincount(week[group == b], moved[group == b])
        when = np.flatnonzero(by_week)
        share = by_week[when] / by_week.sum()
        for k, shocks in enumerate((found.common, found.own)):
            variance, known[k, b] = shocks.of_mean(when, share)
            weeks[k, b] = variance * (by_week.sum() / total[b]) ** 2
    return customers, weeks, known
