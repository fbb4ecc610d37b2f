"""What a behavior model answers, as a smooth function of its inputs: outcomes with their exact derivatives."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from pricing_core.errors import ConfigError
from pricing_core.features.batch import EncodedBatch
from pricing_core.models.behavior import BehaviorModel
from pricing_core.models.gradients import network_inputs, pull_back, trace
from pricing_core.models.thin_data import unsettled
from pricing_core.response.price_response import PriceResponse

Floats = NDArray[np.float64]
Inputs = dict[str, NDArray[Any]]
BestPrice = Callable[[Floats, Floats, Floats], Floats]

OUTCOMES: Final = ("probability", "sensitivity", "taste", "price")
COST: Final = "unit cost"
_LEVEL, _BEND = "level deviation", "bend deviation"
_PER_NETWORK: Final = ("identity", "history")


@dataclass(frozen=True)
class CostedBatch:
    """Encoded offers with what a unit costs, relative to the reference price (n,), as one more feature.

    A feature of the batch whose name is or starts with ``unit cost`` is exchanged together with the cost.
    """

    batch: EncodedBatch
    cost: Floats

    @property
    def n(self) -> int:
        """Number of rows."""
        return self.batch.n

    @property
    def feature_names(self) -> tuple[str, ...]:
        """Readable names of the groups, with the cost among them."""
        names = self.batch.feature_names
        return names if self._with_cost is not None else (*names, COST)

    @property
    def _with_cost(self) -> int | None:
        return next((g for g, name in enumerate(self.batch.feature_names) if name.startswith(COST)), None)

    def take(self, rows: NDArray[np.int64] | NDArray[np.bool_]) -> CostedBatch:
        """Rows by index or mask."""
        return CostedBatch(self.batch.take(rows), self.cost[rows])

    def mix(self, other: CostedBatch, mask: NDArray[np.bool_]) -> CostedBatch:
        """Take the groups whose ``mask`` (n, G) is False from ``other`` (same number of rows)."""
        place, width = self._with_cost, len(self.batch.feature_names)
        own = mask[:, width if place is None else place]
        return CostedBatch(self.batch.mix(other.batch, mask[:, :width]), np.where(own, self.cost, other.cost))

    def parts(self) -> list[list[tuple[str, Sequence[int]]]]:
        """Inputs of :class:`DemandSurface` and their columns that belong to each feature."""
        found: list[list[tuple[str, Sequence[int]]]] = []
        for name, block, columns in self.batch.groups:
            if block == "product_code":
                found.append([("identity_0", ()), ("identity_1", ())])
            elif block == "sequence":
                found.append([(each, ()) for each in ("history_0", "history_1", "sequence", "mask")])
            elif block == "expected_price":
                found.append([("expected", ())])
            else:
                found.append([(block, columns)] if columns else [])
            if name.startswith(COST):
                found[-1].append(("cost", ()))
        return found if self._with_cost is not None else [*found, [("cost", ())]]


def outcome_table(
    response: PriceResponse, cost: Floats, outcomes: Sequence[str], relative_price: float, best_price: BestPrice
) -> Floats:
    """Outcomes (n, K) of curves against relative prices, each averaged over the draws."""
    intercept, sensitivity = response.intercept, response.sensitivity
    found = {
        "probability": lambda: expit(intercept - sensitivity * relative_price).mean(axis=1),
        "sensitivity": lambda: sensitivity.mean(axis=1),
        "taste": lambda: (intercept - sensitivity).mean(axis=1),
        "price": lambda: best_price(intercept, sensitivity, cost),
    }
    return np.column_stack([found[name]() for name in outcomes])


class DemandSurface:
    r"""Outcomes of a behavior model at :class:`CostedBatch` rows, each averaged over the posterior draws.

    * ``probability``: chance of a purchase at ``relative_price`` (price over reference price);
    * ``sensitivity``: β;
    * ``taste``: α − β, the log-odds of a purchase at the going price;
    * ``price``: the price that earns most before any limit, relative to the reference price. With
      :math:`F(x) = \sum_d \sigma_d - (x - c) \beta_d \sigma_d (1 - \sigma_d)` it solves :math:`F(x) = 0`, so its
      derivative by any parameter is :math:`-F_\theta / F_x`.

    Parameters
    ----------
    best_price
        Function of intercept (n, D), sensitivity (n, D) and cost (n,) that finds the best relative price (n,).
    outcomes
        Those wanted, of :data:`OUTCOMES`.
    """

    def __init__(
        self,
        behavior: BehaviorModel,
        best_price: BestPrice | None = None,
        *,
        relative_price: float = 1.0,
        outcomes: tuple[str, ...] = OUTCOMES,
    ) -> None:
        unknown = [name for name in outcomes if name not in OUTCOMES]
        if unknown or not outcomes:
            raise ConfigError(f"There is no outcome {unknown or 'at all'}.", fix=f"Choose of {', '.join(OUTCOMES)}.")
        if "price" in outcomes and best_price is None:
            raise ConfigError("The best price needs a function that finds it.", fix="Give best_price.")
        self.behavior, self.best_price, self.relative_price = behavior, best_price, relative_price
        self.outcomes = outcomes

    def inputs(self, batch: CostedBatch) -> Inputs:
        """Inputs by name; what depends on a network's own embedding table carries its number."""
        found: Inputs = {"cost": batch.cost[:, None].astype(np.float32)}
        for k, network in enumerate(self.behavior.networks_):
            for name, value in network_inputs(network, batch.batch).items():
                found[f"{name}_{k}" if name in _PER_NETWORK else name] = value
        found[_LEVEL], found[_BEND] = self.behavior.deviations(batch.batch.product_code)
        return found

    def parts(self, batch: CostedBatch) -> list[list[tuple[str, Sequence[int]]]]:
        """Inputs and columns of each feature."""
        by_identity = [(_LEVEL, ()), (_BEND, ())]  # how far a thin product's curves lie apart goes with its identity
        return [[*each, *by_identity] if ("identity_0", ()) in each else each for each in batch.parts()]

    def answers(self, batch: CostedBatch) -> Floats:
        """Outcomes of the rows (n, K)."""
        response = self.behavior.respond(batch.batch, np.ones(batch.n))
        return outcome_table(response, batch.cost, self.outcomes, self.relative_price, self._best)

    def slopes(self, inputs: Inputs) -> list[Inputs]:
        """Derivative of each outcome by each input."""
        networks, calibrations = self.behavior.networks_, self.behavior.calibrations_
        expected = inputs["expected"]
        traces = [trace(net, _of_network(inputs, k)) for k, net in enumerate(networks)]
        level = expected[:, 0].astype(float)
        curves = [
            self.behavior.spread(
                each, *each.apply(found.intercept.astype(float), found.sensitivity.astype(float), level)
            )
            for each, found in zip(calibrations, traces, strict=True)
        ]
        alpha, beta = np.hstack([c[0] for c in curves]), np.hstack([c[1] for c in curves])
        width = 2 * networks[0].members
        copies = curves[0][0].shape[1] // width  # of each draw, one for each value of the first stage's residual
        moved_by = Unsettling(inputs[_LEVEL], inputs[_BEND], alpha, beta, level)
        results = []
        for name in self.outcomes:
            *by_moved, by_cost = self._by_curve(name, *moved_by.curves, inputs["cost"][:, 0].astype(float))
            by_curve, by_usual, by_deviation = moved_by.pull_back(*by_moved)
            by_alpha, by_beta = (each.reshape(len(each), -1, copies).sum(axis=2) for each in by_curve)
            total: Inputs = {"cost": by_cost[:, None].astype(np.float32), "expected": by_usual[:, None], **by_deviation}
            for k, (net, each, found) in enumerate(zip(networks, calibrations, traces, strict=True)):
                mine = slice(k * width, (k + 1) * width)
                a, b, twist = by_alpha[:, mine], by_beta[:, mine], each.slope - each.stretch
                by_level, by_slope = a * each.stretch, b * each.slope + a * twist * expected
                back = pull_back(net, found, by_level.astype(np.float32), by_slope.astype(np.float32))
                turn = twist * found.sensitivity + (0.0 if each.common is None else each.common)
                back["expected"] = back["expected"] + (a * turn).sum(axis=1, keepdims=True)
                for key, value in back.items():
                    key = f"{key}_{k}" if key in _PER_NETWORK else key
                    total[key] = total[key] + value if key in total else value
            results.append(total)
        return results

    def _by_curve(self, name: str, alpha: Floats, beta: Floats, cost: Floats) -> tuple[Floats, Floats, Floats]:
        """Derivative of an outcome by intercept and sensitivity of each draw (n, D), and by the cost (n,)."""
        n, draws = alpha.shape
        even, none = np.full(alpha.shape, 1.0 / draws), np.zeros(n)
        if name == "sensitivity":
            return np.zeros(alpha.shape), even, none
        if name == "taste":
            return even, -even, none
        if name == "probability":
            chance = expit(alpha - beta * self.relative_price)
            steep = chance * (1 - chance) / draws
            return steep, -self.relative_price * steep, none
        x = self._best(alpha, beta, cost)[:, None]
        chance = expit(alpha - beta * x)
        steep, tilt, gain = chance * (1 - chance), 1 - 2 * chance, x - cost[:, None]
        by_alpha = steep * (1 - gain * beta * tilt)
        by_beta = -x * by_alpha - gain * steep
        by_price = (-2 * beta * steep + gain * beta**2 * steep * tilt).sum(axis=1)
        scale = -1.0 / np.minimum(by_price, -1e-12)
        return by_alpha * scale[:, None], by_beta * scale[:, None], (beta * steep).sum(axis=1) * scale

    def _best(self, alpha: Floats, beta: Floats, cost: Floats) -> Floats:
        assert self.best_price is not None  # checked when the surface was made
        return self.best_price(alpha, beta, cost)


def _of_network(inputs: Inputs, k: int) -> Inputs:
    shared = {name: value for name, value in inputs.items() if not name.rpartition("_")[2].isdigit() and name != "cost"}
    return {**shared, **{name: inputs[f"{name}_{k}"] for name in _PER_NETWORK}}


class Unsettling:
    """Curves of thin products, moved apart by member, and the way back of derivatives by them.

    Parameters
    ----------
    level, bend
        (n, M) as :meth:`BehaviorModel.deviations`.
    alpha, beta
        (n, D) curves before they are moved.
    usual
        Expected relative price (n,).
    """

    def __init__(self, level: Floats, bend: Floats, alpha: Floats, beta: Floats, usual: Floats) -> None:
        self._members = level.shape[1]
        each = alpha.shape[1] // max(self._members, 1)
        self._beta, self._usual, self._bend = beta, usual[:, None], np.repeat(bend, each, axis=1)
        apart = unsettled(alpha, beta, usual, np.repeat(level, each, axis=1), self._bend) if self._members else None
        self.curves = (alpha, beta) if apart is None else apart

    def pull_back(self, by_alpha: Floats, by_beta: Floats) -> tuple[tuple[Floats, Floats], Floats, Inputs]:
        """Derivatives by the curves before, by the expected price (n,), and by level and bend of each member (n, M)."""
        n = len(by_alpha)
        if not self._members:
            return (by_alpha, by_beta), np.zeros(n), {_LEVEL: np.empty((n, 0)), _BEND: np.empty((n, 0))}
        stretch = np.exp(self._bend)
        moved = self._beta * stretch
        by_bend = moved * (by_alpha * self._usual + by_beta)
        by_draw = {_LEVEL: by_alpha, _BEND: by_bend}
        by_member = {name: value.reshape(n, self._members, -1).sum(axis=2) for name, value in by_draw.items()}
        by_usual = (by_alpha * (moved - self._beta)).sum(axis=1)
        return (by_alpha, by_alpha * (stretch - 1) * self._usual + by_beta * stretch), by_usual, by_member
