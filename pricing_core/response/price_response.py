"""A demand curve per offer, as posterior draws of intercept and price sensitivity."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from pricing_core.array_files import read_array_file
from pricing_core.drafts import draft_path
from pricing_core.errors import DataError

Floats = NDArray[Any]
Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]

_ARRAYS = ("reference_price", "intercept", "sensitivity", "draw_fold", "draw_member")
_NO_LABELS: Ints = np.empty(0, dtype=np.int64)


@dataclass(frozen=True, eq=False)
class PriceResponse:
    r"""Posterior draws of the demand curves of *n* offers.

    .. math:: \operatorname{logit} P_d(\mathrm{buy} \mid p) = a_d - b_d \, p / r, \qquad b_d > 0

    with reference price *r*, intercept *a* and sensitivity *b*.

    Parameters
    ----------
    reference_price
        (n,), money, above zero.
    intercept
        (n, D), log odds at a price of zero.
    sensitivity
        (n, D), above zero: fall of the log odds when the price rises by one reference price.
    draw_fold
        (D,), 0 or 1: the half of the learning customers that a draw learned from. Default: all 0.
    draw_member
        (D,): ensemble member that a draw belongs to; draws of one member are not independent.
        Default: each draw its own.

    Raises
    ------
    DataError
        If shapes disagree, a value is not finite, or a sensitivity or reference price is not above zero.
    """

    reference_price: Floats
    intercept: Floats
    sensitivity: Floats
    draw_fold: Ints = field(default_factory=lambda: _NO_LABELS)
    draw_member: Ints = field(default_factory=lambda: _NO_LABELS)

    def __post_init__(self) -> None:
        intercept = np.atleast_2d(np.asarray(self.intercept))
        sensitivity = np.atleast_2d(np.asarray(self.sensitivity))
        reference = np.asarray(self.reference_price, dtype=float)
        draws = intercept.shape[1]
        fold = np.asarray(self.draw_fold, dtype=np.int64)
        member = np.asarray(self.draw_member, dtype=np.int64)
        values = {
            "reference_price": reference,
            "intercept": intercept,
            "sensitivity": sensitivity,
            "draw_fold": fold if fold.size or not draws else np.zeros(draws, dtype=np.int64),
            "draw_member": member if member.size or not draws else np.arange(draws),
        }
        _check(values)
        for name, value in values.items():
            object.__setattr__(self, name, value)

    @property
    def n(self) -> int:
        """Number of offers."""
        return int(self.intercept.shape[0])

    @property
    def draws(self) -> int:
        """Number of posterior draws."""
        return int(self.intercept.shape[1])

    def probability(self, price: Floats) -> Floats:
        """Posterior mean chance of a purchase.

        Parameters
        ----------
        price
            Money, (n,) for one price per offer or (n, m) for m prices per offer.

        Returns
        -------
        Chances in (0, 1), of the shape of ``price``.
        """
        relative = self._relative(price)
        if relative.ndim == 1:
            return np.asarray(expit(self.intercept - self.sensitivity * relative[:, None]).mean(axis=1))
        total = np.zeros(relative.shape)
        for d in range(self.draws):
            total += expit(self.intercept[:, d, None] - self.sensitivity[:, d, None] * relative)
        return total / self.draws

    def probability_draws(self, price: Floats) -> Floats:
        """Chance of a purchase by draw, (n, D), at one price (n,) per offer."""
        return np.asarray(expit(self.intercept - self.sensitivity * self._relative(price)[:, None]))

    def elasticity(self, price: Floats) -> Floats:
        r"""Own-price elasticity of the posterior mean curve at ``price``, (n,) or (n, m); negative.

        .. math:: \frac{d \ln \bar P}{d \ln p} = -\frac{\sum_d b_d x P_d (1 - P_d)}{\sum_d P_d}, \; x = p / r
        """
        relative = self._relative(price)
        flat = relative[:, None] if relative.ndim == 1 else relative
        chance, slope = np.zeros(flat.shape), np.zeros(flat.shape)
        for d in range(self.draws):
            p = expit(self.intercept[:, d, None] - self.sensitivity[:, d, None] * flat)
            chance += p
            slope += self.sensitivity[:, d, None] * p * (1 - p)
        with np.errstate(invalid="ignore", divide="ignore"):
            vanished = -flat * self.sensitivity.min(axis=1, keepdims=True)
            out = np.where(chance > 0, -flat * slope / chance, vanished)
        return out.reshape(relative.shape)

    def take(self, rows: Ints | Mask) -> PriceResponse:
        """Offers by index or mask."""
        return replace(
            self,
            reference_price=self.reference_price[rows],
            intercept=self.intercept[rows],
            sensitivity=self.sensitivity[rows],
        )

    def with_draws(self, mask: Ints | Mask) -> PriceResponse:
        """Draws by index or mask, with their labels.

        Raises
        ------
        DataError
            If no draw is left.
        """
        fold = self.draw_fold[mask]
        if not fold.size:
            raise DataError("No posterior draw is left of the price response.", fix="Choose at least one draw.")
        return replace(
            self,
            intercept=self.intercept[:, mask],
            sensitivity=self.sensitivity[:, mask],
            draw_fold=fold,
            draw_member=self.draw_member[mask],
        )

    def unseen(self, customer_fold: Ints) -> PriceResponse:
        """Each offer with the draws of the fold that did not learn from its customer, half as many.

        Parameters
        ----------
        customer_fold
            Fold (n,), 0 or 1, to which the offer's customer belongs.

        Raises
        ------
        DataError
            If the two folds have not as many draws as each other.
        """
        places = [np.flatnonzero(self.draw_fold == k) for k in (0, 1)]
        if places[0].size != places[1].size:
            raise DataError(f"The folds have {places[0].size} and {places[1].size} draws; they need as many each.")
        mine = np.stack(places)[1 - np.asarray(customer_fold, dtype=np.int64)]
        return replace(
            self,
            intercept=np.take_along_axis(self.intercept, mine, axis=1),
            sensitivity=np.take_along_axis(self.sensitivity, mine, axis=1),
            draw_fold=np.zeros(places[0].size, dtype=np.int64),
            draw_member=self.draw_member[places[0]],
        )

    def shift_intercept(self, delta: Floats | float) -> PriceResponse:
        """Add ``delta``, one number or (n,), to the log odds of every draw."""
        shift = np.broadcast_to(np.asarray(delta, dtype=self.intercept.dtype), (self.n,))
        return replace(self, intercept=self.intercept + shift[:, None])

    @classmethod
    def concat(cls, parts: Sequence[PriceResponse]) -> PriceResponse:
        """Stack the offers of several responses with the same draws.

        Raises
        ------
        DataError
            If there is nothing to stack, or the draws differ.
        """
        if not parts:
            raise DataError("There is no price response to put together.")
        first = parts[0]
        same = all(
            np.array_equal(p.draw_fold, first.draw_fold) and np.array_equal(p.draw_member, first.draw_member)
            for p in parts
        )
        if not same:
            raise DataError("Price responses with different posterior draws cannot be put together.")
        return cls(
            np.concatenate([p.reference_price for p in parts]),
            np.concatenate([p.intercept for p in parts]),
            np.concatenate([p.sensitivity for p in parts]),
            first.draw_fold,
            first.draw_member,
        )

    def save(self, path: Path) -> None:
        """Write all arrays to one ``.npz`` file, whole or not at all."""
        path = Path(path)
        draft = draft_path(path)
        try:
            with draft.open("wb") as file:
                np.savez(file, allow_pickle=False, **{name: getattr(self, name) for name in _ARRAYS})
            os.replace(draft, path)
        finally:
            draft.unlink(missing_ok=True)

    @classmethod
    def load(cls, path: Path) -> PriceResponse:
        """Read what :meth:`save` wrote.

        Raises
        ------
        ModelError
            If the file is missing or is not a price response.
        """
        stored = read_array_file(Path(path), _ARRAYS, what="price response")
        return cls(**{name: stored[name] for name in _ARRAYS})

    def _relative(self, price: Floats) -> Floats:
        price = np.asarray(price, dtype=float)
        if price.ndim not in (1, 2) or price.shape[0] != self.n:
            raise DataError(
                f"Prices have the shape {price.shape}; this price response holds {self.n} offers.",
                fix=f"Give prices of the shape ({self.n},) or ({self.n}, m).",
            )
        return price / (self.reference_price if price.ndim == 1 else self.reference_price[:, None])


def _check(values: dict[str, Floats]) -> None:
    n, draws = values["intercept"].shape
    wanted = {
        "reference_price": (n,),
        "sensitivity": (n, draws),
        "draw_fold": (draws,),
        "draw_member": (draws,),
    }
    for name, shape in wanted.items():
        if values[name].shape != shape:
            raise DataError(f"{name} has the shape {values[name].shape}; with this intercept it must be {shape}.")
    if draws == 0:
        raise DataError("A price response needs at least one posterior draw.")
    for name in ("reference_price", "intercept", "sensitivity"):
        bad = ~np.isfinite(values[name])
        if name != "intercept":
            bad |= values[name] <= 0
        if bad.any():
            allowed = "finite" if name == "intercept" else "finite and above zero"
            raise DataError(f"{name} must be {allowed}; {int(bad.sum())} of {bad.size} values are not.")
    if not np.isin(values["draw_fold"], (0, 1)).all():
        raise DataError(f"draw_fold must be 0 or 1; received {sorted(set(values['draw_fold'].tolist()))}.")
