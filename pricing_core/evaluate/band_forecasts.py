r"""Ranges of conversion by price band: what the posterior draws and the luck of sales leave open.

The forecast of a band is the mean conversion of its offers by draw. Its 90% range takes the spread over ensemble
members (:mod:`pricing_core.simulate.intervals`) and the binomial variance of what is then observed:

.. math:: \hat p \pm t \sqrt{s^2 (1 + 1/K) + \hat p (1 - \hat p) / n}

with *n* the effective number of offers, *K* members and *s* their standard deviation.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy import special

from pricing_core.errors import DataError
from pricing_core.evaluate.calibration import equal_groups
from pricing_core.response.price_response import PriceResponse

Floats = NDArray[np.float64]

_BLOCK = 20_000


def band_forecasts(
    response: PriceResponse, price: Floats, purchased: ArrayLike, weight: ArrayLike | None = None, *, bands: int = 6
) -> pd.DataFrame:
    """Forecast conversion of later offers by price band, with a 90% range for what is observed.

    Parameters
    ----------
    response
        Curves of models that did not learn from these offers.
    price
        Logged price (n,), money.
    purchased, weight
        Outcome 0 or 1, and optional weight (n,).
    bands
        Bands of equal size of price over reference price.

    Returns
    -------
    DataFrame
        One row per band: ``band, n, forecast_rate, low, high, observed_rate, covered``.
    """
    y = np.asarray(purchased, dtype=float)
    mass = np.ones(len(y)) if weight is None else np.asarray(weight, dtype=float)
    if not (len(y) == len(price) == response.n == len(mass)):
        raise DataError(f"There are {len(price)} prices and {len(y)} outcomes for {response.n} curves.")
    group = equal_groups(price / response.reference_price, bands)
    count = int(group.max()) + 1
    total = np.bincount(group, mass, count)
    sums = np.zeros((count, response.draws))
    for start in range(0, response.n, _BLOCK):
        rows = np.arange(start, min(start + _BLOCK, response.n))
        chance = response.take(rows).probability_draws(price[rows]) * mass[rows, None]
        np.add.at(sums, group[rows], chance)
    rates = sums / total[:, None]
    members = np.unique(response.draw_member)
    by_member = np.stack([rates[:, response.draw_member == m].mean(axis=1) for m in members], axis=1)
    forecast = rates.mean(axis=1)
    spread = by_member.std(axis=1, ddof=1) if len(members) > 1 else np.zeros(count)
    size = total**2 / np.bincount(group, mass**2, count)
    learned = spread**2 * (1 + 1 / len(members))
    scale = np.sqrt(learned + forecast * (1 - forecast) / size)
    # Degrees of freedom of a sum of which one part only is estimated from few members (Welch and Satterthwaite).
    dof = max(len(members) - 1, 1) * (scale**2 / np.maximum(learned, 1e-15)) ** 2
    half = special.stdtrit(np.minimum(dof, 1e6), 0.95) * scale
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
        }
    )
