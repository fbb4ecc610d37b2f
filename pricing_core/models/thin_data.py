r"""Borrowing where a product's own data are thin.

*The response itself*: in the network a product's identity is worth :math:`w_j = n_j / (n_j + k)` of what its own
embedding says, the rest is that of a product never seen, whose response follows from category and attributes alone. A
new product borrows everything (:math:`w = 0`); one with *k* offers goes half its own way.

*How unsure it is*: members that all borrow alike would agree on a thin product more than on a known one. But products
do differ from what their attributes tell. By how much is estimated from the customers that a network did not learn
from: with the score :math:`u_j = \sum (y - p) v` and the information :math:`I_j = \sum p (1 - p) v^2` of each product
(:math:`v = 1` for the level, :math:`v = -\beta (x - \hat e)` for the log of the sensitivity) the variance between
products is the moment estimate of DerSimonian & Laird,

.. math:: \hat\tau^2 = \max\Big(0, \frac{\sum (u_j^2 / I_j - 1)}{\sum I_j}\Big)

drawn toward a prior worth a few products, as far as its standard error leaves it open: where prices hardly move, or
conversion hardly follows them, the data say next to nothing about differences in slope. Each member then moves a
product's curve by :math:`\sqrt{1 - w_j}\,\tau` times its own standard normal number, with mean zero over the members.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from pricing_core.models.calibration import CurveCalibration
    from pricing_core.models.learning_rows import LearningRows
    from pricing_core.models.serving import ServingNetwork

Floats = NDArray[np.float64]

BORROW_OFFERS: Final = 50.0
"""Logged offers at which a product's own response and that of its kind count alike."""

_PRIOR_SD: Final = (0.3, 0.25)  # of the level (log odds) and of the log sensitivity, between products of one kind
_PRIOR_PRODUCTS: Final = 5.0
_ROWS: Final = 20_000
_KNOWN: Final = 0.98  # trust from which a product's curve is left as it is


def own_share(product_code: NDArray[Any], n_products: int, k: float = BORROW_OFFERS) -> Floats:
    """Share of its own response that each product code keeps, (n_products + 1,); 0 for a product never seen."""
    count = np.bincount(product_code, minlength=n_products + 1).astype(float)
    count[0] = 0.0
    return count / (count + k)


@dataclass(frozen=True)
class ThinData:
    """What is needed to be unsure of thin products.

    Attributes
    ----------
    share
        Own share of each product code.
    level_sd, slope_sd
        Standard deviation between products, beyond what their attributes tell: of the log odds at the usual price, and
        of the log of the sensitivity.
    """

    share: Floats
    level_sd: float
    slope_sd: float

    def deviations(self, product_code: NDArray[Any], members: int, random_state: int) -> tuple[Floats, Floats]:
        """How far each member moves a row's curve: its level, and the log of its sensitivity, both (n, members)."""
        share = self.share[np.minimum(product_code, len(self.share) - 1)]
        thin = np.flatnonzero(share < _KNOWN)
        level, bend = np.zeros((len(share), members)), np.zeros((len(share), members))
        if len(thin):
            noise = _deviations(np.unique(product_code[thin]), product_code[thin], members, random_state)
            noise = noise * np.sqrt(1 - share[thin])[:, None, None]
            level[thin], bend[thin] = self.level_sd * noise[..., 0], self.slope_sd * noise[..., 1]
        return level, bend

    def to_dict(self) -> dict[str, Any]:
        """JSON-able state."""
        return {"share": self.share.tolist(), "level_sd": self.level_sd, "slope_sd": self.slope_sd}

    @classmethod
    def from_dict(cls, state: dict[str, Any]) -> ThinData:
        """Inverse of :meth:`to_dict`."""
        return cls(np.array(state["share"], dtype=float), float(state["level_sd"]), float(state["slope_sd"]))


def unsettled(
    intercept: Floats, sensitivity: Floats, usual: Floats, level: Floats, bend: Floats
) -> tuple[Floats, Floats]:
    """Curves (n, D) whose value at the ``usual`` price (n,) moves by ``level``, and whose sensitivity by e^``bend``."""
    moved = sensitivity * np.exp(bend)
    return intercept + (moved - sensitivity) * usual[:, None] + level, moved


def spread_between_products(
    intercept: Floats,
    sensitivity: Floats,
    x: Floats,
    usual: Floats,
    y: Floats,
    weight: Floats,
    product_code: NDArray[Any],
) -> tuple[float, float]:
    """Standard deviation between products of level and log sensitivity, beyond the mean curves given.

    Parameters
    ----------
    intercept, sensitivity
        Mean curve of each row with its product's identity hidden (n,), by models that did not learn from its customer.
    """
    p = 1 / (1 + np.exp(-(intercept - sensitivity * x)))
    found = []
    for direction, prior in zip((np.ones_like(x), -sensitivity * (x - usual)), _PRIOR_SD, strict=True):
        width = int(product_code.max()) + 1
        score = np.bincount(product_code, weight * (y - p) * direction, width)
        information = np.bincount(product_code, weight * p * (1 - p) * direction**2, width)
        known = information > 1e-6
        score, information = score[known], information[known]
        # What all products share is a fault of the level, not a difference between them.
        score = score - information * score.sum() / information.sum()
        excess = float(np.sum(score**2 / information - 1) / information.sum())
        certainty = information.sum() ** 2 / (2 * np.sum((1 + information * prior**2) ** 2))
        before = _PRIOR_PRODUCTS / (2 * prior**4)
        variance = (certainty * max(excess, 0.0) + before * prior**2) / (certainty + before)
        found.append(float(np.sqrt(variance)))
    return found[0], found[1]


def between_products(network: ServingNetwork, found: CurveCalibration, rows: LearningRows) -> tuple[float, float]:
    """:func:`spread_between_products` of a calibrated network, on rows whose customers it never saw."""
    some = rows.take(np.arange(0, rows.batch.n, max(1, rows.batch.n // _ROWS)))
    hidden = replace(some.batch, product_code=np.zeros_like(some.batch.product_code))
    usual = hidden.expected_price.astype(float)
    intercept, sensitivity = (v.astype(float) for v in network.curves(hidden))
    level, slope = (each.mean(axis=1) for each in found.apply(intercept, sensitivity, usual))
    return spread_between_products(level, slope, some.x, usual, some.y, some.weight, some.batch.product_code)


def _deviations(codes: NDArray[Any], asked: NDArray[Any], members: int, random_state: int) -> Floats:
    """Standard normal deviations (n, members, 2) of each row's product, standardized over members."""
    own = np.empty((len(codes), members, 2))
    for k, code in enumerate(codes):
        draw = np.random.default_rng([random_state, 53, int(code)]).standard_normal((members, 2))
        own[k] = (draw - draw.mean(axis=0)) / draw.std(axis=0, ddof=1)
    return own[np.searchsorted(codes, asked)]
