r"""Sales that vary: many possible courses of the horizon, the same ones for every strategy and scenario.

A *world* draws the posterior (how demand really is) and the luck of each product's sales. Its random numbers depend
on the product and on the seed alone, never on the strategy, so that two strategies meet the same luck and their
difference is sharp; identical strategies differ by exactly nothing.

Demand *D* of a product is the Poisson quantile at the world's uniform number, sales are :math:`\min(D, S)` with stock
*S*, and money follows at the product's average price and cost per unit sold. (The mix of prices among the buyers of
one product is taken at its expectation; it would add about the squared relative spread of prices to the variance,
one part in a hundred where prices spread by 10%.) The posterior's part is a Student-t deviate times the scale of the
expected value's range, since a handful of ensemble members understate the tails that they stand for.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special

from pricing_core.errors import ConfigError
from pricing_core.simulate.intervals import Interval
from pricing_core.simulate.stock import expected_sales

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_LARGE = 10.0  # mean from which the Cornish-Fisher expansion errs by one unit in a hundred worlds, without bias


@dataclass(frozen=True)
class MonteCarloConfig:
    """Number of worlds and seed."""

    worlds: int = 400
    random_state: int = 0

    def __post_init__(self) -> None:
        if self.worlds < 20:
            raise ConfigError(f"worlds is {self.worlds}.", fix="It must be at least 20.")


@dataclass(frozen=True, eq=False)
class Worlds:
    """Random numbers of *M* worlds: ``luck`` (J, M) uniform, ``deviate`` (M,) uniform, and the draw (M,) of each."""

    luck: Floats
    deviate: Floats
    draw: Ints

    @classmethod
    def of(cls, products: int, draws: int, config: MonteCarloConfig | None = None) -> Worlds:
        """Worlds for this many products and posterior draws; each product's uniform numbers are evenly spread."""
        config = config or MonteCarloConfig()
        rng = np.random.default_rng([config.random_state, 41])
        count = config.worlds
        deviate = _even(rng, count)
        luck = np.stack([_even(rng, count) for _ in range(products)]) if products else np.empty((0, count))
        return cls(luck, deviate, np.arange(count) % draws)


@dataclass(frozen=True, eq=False)
class SimulatedSales:
    """Units sold (J, M) by product and world, and by how much money strays from its expectation, (M,) each."""

    units: Floats
    stray: dict[str, Floats]


def poisson_quantile(chance: Floats, mean: Floats) -> Floats:
    """Smallest count whose Poisson distribution function reaches ``chance``; shapes as broadcast."""
    chance, mean = np.broadcast_arrays(chance, mean)
    z = special.ndtri(chance)
    root = np.sqrt(mean)
    third = (z - z**3) / (72 * np.maximum(root, 1e-6))
    guess = np.ceil(mean + z * root + (z * z - 1) / 6 + third - 0.5)
    small = mean < _LARGE
    if small.any():
        u, m = chance[small], mean[small]
        found = np.maximum(np.ceil(special.pdtrik(u, np.maximum(m, 1e-12))), 0.0)
        lower = np.maximum(found - 1, 0.0)
        found = np.where(special.pdtr(lower, m) >= u, lower, found)
        guess = guess.copy()
        guess[small] = np.where(m > 0, found, 0.0)
    return np.maximum(guess, 0.0)


def simulate_sales(mean: Floats, per_unit: dict[str, Floats], stock: Floats, worlds: Worlds) -> SimulatedSales:
    """Sales of every world.

    Parameters
    ----------
    mean
        (J, D) expected demand by product and draw, before stock.
    per_unit
        Name → (J, D): what one unit sold brings of each quantity.
    stock
        (J,) units; infinite where unlimited.
    """
    expected = mean[:, worlds.draw]
    sold = np.minimum(poisson_quantile(worlds.luck, expected), stock[:, None])
    away = sold - expected_sales(mean, stock)[:, worlds.draw]
    stray = {name: np.einsum("jm,jm->m", away, value[:, worlds.draw]) for name, value in per_unit.items()}
    return SimulatedSales(sold, stray)


def outcomes(expected: Interval, stray: Floats, worlds: Worlds) -> Floats:
    """Possible outcomes (M,) of a quantity: its expectation, as unsure as the posterior is, plus the luck of sales."""
    if not np.isfinite(expected.scale):
        return np.full(len(stray), np.nan)
    away: Any = 0.0 if expected.scale == 0 else special.stdtrit(expected.dof, worlds.deviate) * expected.scale
    return np.asarray(expected.estimate + away + stray - stray.mean())


def _even(rng: np.random.Generator, count: int) -> Floats:
    """One uniform number in each of ``count`` equal steps, in random order."""
    return np.asarray((rng.permutation(count) + rng.random(count)) / count)
