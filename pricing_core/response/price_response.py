"""Demand curves of *n* offers as *D* posterior draws."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pricing_core.errors import ConfigError

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class PriceResponse:
    """``logit P(buy | price) = intercept − sensitivity · price / reference_price``, draw by draw.

    Attributes
    ----------
    reference_price
        Money, (n,), above zero.
    intercept, sensitivity
        (n, D); sensitivity above zero, so that demand falls with price.
    draw_fold
        (D,) half of the customers (0 or 1) that the draw learned from.
    draw_member
        (D,) ensemble member; draws of one member are not independent.

    Raises
    ------
    ConfigError
        If shapes disagree or a value is out of range.
    """

    reference_price: Floats
    intercept: Floats
    sensitivity: Floats
    draw_fold: Ints = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    draw_member: Ints = field(default_factory=lambda: np.zeros(0, dtype=np.int64))

    def __post_init__(self) -> None:
        if self.intercept.ndim != 2 or self.intercept.shape != self.sensitivity.shape:
            raise ConfigError(
                f"Intercept {self.intercept.shape} and sensitivity {self.sensitivity.shape} must both be (rows, draws)."
            )
        if self.reference_price.shape != (self.n,):
            raise ConfigError(f"The reference price has shape {self.reference_price.shape}; it must be ({self.n},).")
        if not len(self.draw_fold):
            object.__setattr__(self, "draw_fold", np.zeros(self.draws, dtype=np.int64))
        if not len(self.draw_member):
            object.__setattr__(self, "draw_member", np.arange(self.draws, dtype=np.int64))
        if self.draw_fold.shape != (self.draws,) or self.draw_member.shape != (self.draws,):
            raise ConfigError(f"draw_fold and draw_member must have one entry for each of the {self.draws} draws.")
        if self.n and not (self.reference_price > 0).all():
            raise ConfigError("Reference prices must be above zero.")
        if self.intercept.size and not (self.sensitivity > 0).all():
            raise ConfigError("Price sensitivities must be above zero.")

    @property
    def n(self) -> int:
        """Number of offers."""
        return self.intercept.shape[0]

    @property
    def draws(self) -> int:
        """Number of posterior draws."""
        return self.intercept.shape[1]

    def probability(self, price: Floats) -> Floats:
        """Posterior mean chance of a purchase.

        Parameters
        ----------
        price
            Money, (n,) one price each, or (n, m) several.

        Returns
        -------
        ndarray
            Of the same shape as ``price``.
        """
        price = np.asarray(price, dtype=float)
        if price.ndim == 1:
            return np.asarray(self.probability_draws(price).mean(axis=1))
        return np.column_stack([self.probability(price[:, k]) for k in range(price.shape[1])])

    def probability_draws(self, price: Floats) -> Floats:
        """Chance of a purchase per draw at one price each (n,) → (n, D)."""
        x = np.asarray(price, dtype=float) / self.reference_price
        return np.asarray(_sigmoid(self.intercept - self.sensitivity * x[:, None]))

    def elasticity(self, price: Floats) -> Floats:
        """Own-price elasticity of the posterior mean demand (n,), negative: ``−x Σ β P (1 − P) / Σ P``."""
        p = self.probability_draws(price)
        x = np.asarray(price, dtype=float) / self.reference_price
        return np.asarray(-x * (self.sensitivity * p * (1 - p)).sum(axis=1) / np.maximum(p.sum(axis=1), 1e-300))

    def take(self, rows: Ints | NDArray[np.bool_]) -> PriceResponse:
        """Offers by index or mask."""
        return replace(
            self,
            reference_price=self.reference_price[rows],
            intercept=self.intercept[rows],
            sensitivity=self.sensitivity[rows],
        )

    def with_draws(self, draws: Ints | NDArray[np.bool_]) -> PriceResponse:
        """Keep some of the draws, by index or mask."""
        return replace(
            self,
            intercept=self.intercept[:, draws],
            sensitivity=self.sensitivity[:, draws],
            draw_fold=self.draw_fold[draws],
            draw_member=self.draw_member[draws],
        )

    def shift_intercept(self, delta: Floats | float) -> PriceResponse:
        """Add ``delta`` to the log-odds of each offer, a number or (n,)."""
        added = np.broadcast_to(np.asarray(delta, dtype=float), (self.n,))
        return replace(self, intercept=self.intercept + added[:, None])

    @classmethod
    def concat(cls, parts: Sequence[PriceResponse]) -> PriceResponse:
        """Offers of several responses with the same draws, one after another."""
        first = parts[0]
        return replace(
            first,
            reference_price=np.concatenate([p.reference_price for p in parts]),
            intercept=np.vstack([p.intercept for p in parts]),
            sensitivity=np.vstack([p.sensitivity for p in parts]),
        )

    def save(self, path: Path) -> None:
        """Write an ``.npz`` file (float32, no pickle)."""
        np.savez(
            path,
            reference_price=self.reference_price,
            intercept=self.intercept.astype(np.float32),
            sensitivity=self.sensitivity.astype(np.float32),
            draw_fold=self.draw_fold,
            draw_member=self.draw_member,
        )

    @classmethod
    def load(cls, path: Path) -> PriceResponse:
        """Read what :meth:`save` wrote."""
        with np.load(path, allow_pickle=False) as stored:
            return cls(
                stored["reference_price"].astype(float),
                stored["intercept"].astype(float),
                stored["sensitivity"].astype(float),
                stored["draw_fold"].astype(np.int64),
                stored["draw_member"].astype(np.int64),
            )


def _sigmoid(z: Floats) -> Floats:
    out = np.empty_like(z)
    np.negative(z, out=out)
    np.clip(out, -700, 700, out=out)
    np.exp(out, out=out)
    out += 1.0
    return np.asarray(np.reciprocal(out, out=out))
