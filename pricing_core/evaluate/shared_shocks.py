r"""What offers share that no forecast knows: a customer's mood, and a week's.

Offers of one customer go together, and all offers of a week sell more or less than forecast for reasons that no column
shows. Neither averages out as the luck of single offers does. Both are learned from *earlier* offers, each judged by
draws that did not learn from its customer. With :math:`e = w (y - p)` and :math:`a = w\,p (1 - p)`, a common change
:math:`\delta` of the log odds moves a sum of *e* by :math:`\delta \sum a`. Hence

- customers: within windows as long as the one to be forecast, and a price band, offers *i*, *j* of one customer have
  :math:`E\,e_i e_j = \omega^2 a_i a_j`, so that the moment estimator of the shared variance is

  .. math:: \hat\omega^2 = \sum_c \Big[\big(\sum e\big)^2 - \sum e^2\Big] \Big/
     \sum_c \Big[\big(\sum a\big)^2 - \sum a^2\Big]

  after what a window and band shares is taken out (Liang and Zeger 1986; Rao and Scott 1992 call the ratio to the
  binomial variance the design effect);
- weeks: the weekly :math:`z_t = \sum e / \sum a` is a shock plus noise of known variance. Shocks are a stationary
  series, :math:`s_t = \rho s_{t-1} + \text{news}` with variance :math:`\tau^2`, once common to all offers and once
  of each price band by itself. The Kalman filter gives the likelihood of (τ, ρ) on a grid, for the common series with
  the level integrated out (Harville 1977). The prior is even in ρ and half normal in τ, as for a spread known from
  few groups (Gelman 2006; Röver and others 2021); no estimate of the spread is ever stuck at zero.

The variance of the mean shock over a window of weeks with shares :math:`\pi_t` is then
:math:`\tau^2 \sum_{t,u} \pi_t \pi_u \rho^{|t-u|}`: a shock that lasts does not average out either.

What this cannot know is how a forecast errs *because* weeks lie ahead of all that it learned from: earlier offers are
judged by draws that learned from other customers, but from the same weeks. A model that carries a trend on which does
not go on is off by more than these ranges say; the benchmark ``bands.py`` shows that as more or less sold than
forecast in window after window. A time of year that was learned from less than a year did so
(:mod:`pricing_core.data.seasons`).

References
----------
Liang and Zeger (1986), Longitudinal data analysis using generalized linear models. Rao and Scott (1992), A simple
method for the analysis of clustered binary data. Harville (1977), Maximum likelihood approaches to variance component
estimation. Gelman (2006), Prior distributions for variance parameters in hierarchical models. Röver, Bender, Dias and
others (2021), On weakly informative prior distributions for the heterogeneity parameter in Bayesian random-effects
meta-analysis.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pricing_core.errors import DataError
from pricing_core.models.past_offers import PastOffers

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

USUAL_SHOCK: Final = 0.25
"""Scale of the prior of a shock's spread, in log odds: a week that sells a fifth less or a quarter more."""

_SPREADS: Final = np.concatenate([[0.0], np.geomspace(0.004, 1.5, 40)])
_PERSISTENCE: Final = np.array([0.0, 0.15, 0.3, 0.45, 0.6, 0.7, 0.8, 0.88, 0.94])


@dataclass(frozen=True)
class Shocks:
    """Posterior of the spread and persistence of weekly shocks, on a grid.

    Attributes
    ----------
    variance
        τ², variance of one week's shock, log odds squared (G,).
    persistence
        ρ, correlation of two successive weeks' shocks (G,).
    chance
        Posterior chance of each pair (G,).
    """

    variance: Floats
    persistence: Floats
    chance: Floats

    @property
    def spread(self) -> float:
        """Standard deviation of one week's shock, in log odds."""
        return float(np.sqrt(self.chance @ self.variance))

    def of_mean(self, week: Ints, share: Floats) -> tuple[float, float]:
        """Variance of the mean shock over some weeks, and the degrees of freedom with which it is known.

        The degrees are those of the t distribution whose scale is as uncertain: 4 + 2 E² / Var.

        Parameters
        ----------
        week, share
            Distinct week numbers and their shares of the offers' binomial variance, which sum to 1; shape (T,).
        """
        lag = np.abs(week[:, None] - week[None, :])
        factor = {float(rho): float(share @ rho**lag @ share) for rho in _PERSISTENCE}
        each = self.variance * np.array([factor[float(rho)] for rho in self.persistence])
        mean = float(self.chance @ each)
        doubt = float(self.chance @ each**2) - mean**2
        return mean, 4 + 2 * mean**2 / max(doubt, 1e-30)


@dataclass(frozen=True)
class SharedShocks:
    """What earlier offers share.

    Attributes
    ----------
    customer
        ω², variance of what a customer's offers share within a window and a price band, log odds squared; 0 where
        offers rule each other out rather than go together.
    common
        Weekly shocks of all offers.
    own
        Weekly shocks of each price band beside the common one.
    """

    customer: float
    common: Shocks
    own: Shocks


def shared_shocks(past: PastOffers, band: Ints, weeks: int) -> SharedShocks:
    """Learn from earlier offers what offers of a customer and of a week share.

    Parameters
    ----------
    past
        Earlier offers, judged by draws that did not learn from their customers.
    band
        Price band of each (n,), from 0.
    weeks
        Length of the window to be forecast.

    Raises
    ------
    DataError
        If there are no offers, or no weeks to forecast.
    """
    if len(past.week) == 0 or weeks < 1:
        raise DataError(f"There are {len(past.week)} earlier offers to forecast {weeks} weeks from.")
    customer = _customer_variance(past, band, weeks)
    size, gap, noise = _weekly(past, band, customer)
    total = size.sum(axis=0)
    seen = total > 0
    known = (size > 0) & (size < (1 - 1e-6) * total)  # a band that is all there was differs from nothing
    filled = np.where(seen, total, 1.0)
    common = np.where(seen, gap.sum(axis=0) / filled, 0.0)
    common_noise = np.where(seen, noise.sum(axis=0) / filled**2, np.inf)
    solid = np.where(known, size, 1.0)
    own = np.where(known, gap / solid - common, 0.0)
    # A band is part of the whole that it is compared with: what it has of the whole's noise cancels.
    own_noise = np.where(known, noise / solid**2 * (1 - size / filled), np.inf)
    shocks = _posterior(common[None, :], common_noise[None, :], level_known=False)
    return SharedShocks(customer, shocks, _posterior(own, own_noise, level_known=True))


def pairs_of_customers(customer: Ints, band: Ints, size: Floats) -> Floats:
    """(Σ a)² − Σ a² over the offers of a customer, summed by band: what ω² multiplies in the variance of Σ e."""
    count = int(band.max()) + 1
    names, code = np.unique(customer.astype(np.int64) * count + band, return_inverse=True)
    sums = np.bincount(code, size)
    together, alone = np.bincount(names % count, sums**2, count), np.bincount(band, size**2, count)
    return np.asarray(together - alone, dtype=float)


def _customer_variance(past: PastOffers, band: Ints, weeks: int) -> float:
    size, gap = _sizes(past)
    window = (past.week.max() - past.week) // weeks
    cell = np.unique(window * (int(band.max()) + 1) + band, return_inverse=True)[1].astype(np.int64)
    gap = gap - size * (np.bincount(cell, gap) / np.bincount(cell, size))[cell]
    code = np.unique(past.customer * (int(cell.max()) + 1) + cell, return_inverse=True)[1]
    gaps, sizes = np.bincount(code, gap), np.bincount(code, size)
    pairs = float(sizes @ sizes - size @ size)
    if pairs <= 1e-9 * float(size @ size):
        return 0.0  # nobody is seen twice
    return max(float(gaps @ gaps - gap @ gap) / pairs, 0.0)


def _sizes(past: PastOffers) -> tuple[Floats, Floats]:
    """What a change of the log odds moves (a), and what came beyond the forecast (e), of each offer (n,)."""
    size = past.weight * past.probability * (1 - past.probability)
    return np.maximum(size, 1e-12), past.weight * (past.purchased - past.probability)


def _weekly(past: PastOffers, band: Ints, customer: float) -> tuple[Floats, Floats, Floats]:
    """Sums of a and e by band and week, and the variance of the latter without shocks; each (bands, weeks)."""
    size, gap = _sizes(past)
    bands, first = int(band.max()) + 1, past.week.min()
    weeks = int(past.week.max() - first) + 1
    cell = band * weeks + past.week - first
    sums, gaps = (np.bincount(cell, each, bands * weeks).astype(float) for each in (size, gap))
    pairs = np.zeros(bands * weeks)
    found = pairs_of_customers(past.customer, cell, size)
    pairs[: len(found)] = found
    # Refusals that stand for many have other squares than their outcomes' binomial variance: those seen are taken.
    noise = sums * float(gap @ gap / size.sum()) + customer * pairs
    return sums.reshape(bands, weeks), gaps.reshape(bands, weeks), noise.reshape(bands, weeks)


def _posterior(gap: Floats, noise: Floats, *, level_known: bool) -> Shocks:
    """Posterior from series with noise of known variance (S, T), infinite where a week is missing."""
    spread, rho = (grid.ravel() for grid in np.meshgrid(_SPREADS, _PERSISTENCE, indexing="ij"))
    variance = spread**2
    shape = (len(gap), len(rho))
    shock, unit, doubt = np.zeros(shape), np.zeros(shape), np.broadcast_to(variance, shape)
    squares, products, units, logs = (np.zeros(shape) for _ in range(4))
    for t in range(gap.shape[1]):
        if t:
            shock, unit, doubt = rho * shock, rho * unit, rho**2 * doubt + (1 - rho**2) * variance
        seen = np.isfinite(noise[:, t])[:, None]
        total = doubt + np.where(seen, noise[:, [t]], 1.0)
        off, level = gap[:, [t]] - shock, 1.0 - unit
        logs = logs + np.where(seen, np.log(total), 0.0)
        squares = squares + np.where(seen, off**2 / total, 0.0)
        products = products + np.where(seen, off * level / total, 0.0)
        units = units + np.where(seen, level**2 / total, 0.0)
        gain = np.where(seen, doubt / total, 0.0)
        shock, unit, doubt = shock + gain * off, unit + gain * level, doubt * (1 - gain)
    likelihood = -0.5 * (logs + squares)
    if not level_known:
        likelihood = likelihood - 0.5 * np.log(units) + 0.5 * products**2 / units
    log_chance = likelihood.sum(axis=0) - 0.5 * variance / USUAL_SHOCK**2
    cells = np.outer(np.gradient(_SPREADS), np.gradient(_PERSISTENCE)).ravel()
    chance = np.exp(log_chance - log_chance.max()) * cells
    return Shocks(variance, rho, chance / chance.sum())
