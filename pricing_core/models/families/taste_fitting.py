"""Fit the members of a taste network side by side, in NumPy: forward pass, gradient, AdamW with averaged weights."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

Floats = NDArray[Any]
Weights = dict[str, Floats]

NAMES = (
    "kernel",
    "bias",
    "usual_kernel",
    "usual_bias",
    "head_1",
    "head_1_bias",
    "head_2",
    "head_2_bias",
    "wide",
    "wide_bias",
)
_USUAL = 4  # hidden units of the expected price
_ROUND = 40  # steps
_SMALLEST_STEP, _LARGEST_STEP = 32, 512  # rows


def first_weights(members: int, width: int, units: int, rng: np.random.Generator) -> Weights:
    """Random hidden layers, and heads so small that the curves start at the pooled logit."""

    def normal(rows: int, columns: int, gain: float) -> Floats:
        return rng.normal(0, gain / np.sqrt(max(rows, 1)), (members, rows, columns)).astype(np.float32)

    def zeros(columns: int) -> Floats:
        return np.zeros((members, 1, columns), dtype=np.float32)

    return {
        "kernel": normal(width, units, 1.4),
        "bias": zeros(units),
        "usual_kernel": normal(1, _USUAL, 1.4),
        "usual_bias": zeros(_USUAL),
        "head_1": normal(units + _USUAL, 2, 0.1),
        "head_1_bias": zeros(2),
        "head_2": normal(units + _USUAL, 2, 0.1),
        "head_2_bias": zeros(2),
        "wide": normal(width, 4, 0.1),
        "wide_bias": zeros(4),
    }


def forward(weights: Weights, inputs: Floats, usual: Floats) -> tuple[Floats, Floats, Floats]:
    """Raw outputs a₁, b₁, a₂, b₂ (members, n, 4), and both hidden layers; ``inputs`` (n, k), ``usual`` (n, 1)."""
    hidden = np.maximum(np.matmul(inputs, weights["kernel"]) + weights["bias"], 0)
    bent = np.maximum(np.matmul(usual, weights["usual_kernel"]) + weights["usual_bias"], 0)
    both = np.concatenate([hidden, bent], axis=-1)
    first = both @ weights["head_1"] + weights["head_1_bias"]
    second = both @ weights["head_2"] + weights["head_2_bias"]
    wide = np.matmul(inputs, weights["wide"]) + weights["wide_bias"]
    return np.concatenate([first, second], axis=-1) + wide, hidden, bent


def with_usual_in_both(weights: Weights) -> Weights:
    """Weights of files in which the expected price entered the second head only, as the forward pass wants them."""
    missing = weights["head_2"].shape[1] - weights["head_1"].shape[1]
    return weights | {"head_1": np.pad(weights["head_1"], ((0, 0), (0, missing), (0, 0)))}


class TasteFitter:
    """Members of one fold: the same rows, weights of their own.

    Parameters
    ----------
    inputs, usual, price
        Standardized features (n, k), expected price (n, 1) and price (n,) in standard deviations of the price.
    y, weight
        Outcome (n,), weight (n, members).
    start
        Pooled log-odds and slope, in the units of ``price``.
    selection
        c of the penalty ``c/√n Σᵢ ‖kernelᵢ‖`` on the length of each input's weights into the hidden layer (group
        lasso), which keeps inputs that bend nothing out of it.
    """

    def __init__(
        self,
        inputs: Floats,
        usual: Floats,
        price: Floats,
        y: Floats,
        weight: Floats,
        start: tuple[float, float],
        *,
        units: int,
        learning_rate: float,
        weight_decay: float,
        selection: float,
        seed: int,
    ) -> None:
        self._rng = np.random.default_rng([seed, 41])
        kind = np.float32
        self._inputs, self._usual = inputs.astype(kind), usual.astype(kind)
        self._price, self._y, self._weight = price.astype(kind), y.astype(kind), weight.T.astype(kind)
        self.start = start
        self._rate, self._decay = learning_rate, weight_decay
        self._selection = np.float32(selection / np.sqrt(len(y)))
        self.weights = first_weights(weight.shape[1], inputs.shape[1], units, self._rng)
        self._first = {name: np.zeros_like(value) for name, value in self.weights.items()}
        self._second = {name: np.zeros_like(value) for name, value in self.weights.items()}
        self._averaged = {name: value.copy() for name, value in self.weights.items()}
        self._rows = int(min(np.clip(len(y) // _ROUND, _SMALLEST_STEP, _LARGEST_STEP), len(y)))
        self._steps = min(max(len(y) // self._rows, 1), _ROUND)
        self._memory = float(np.clip(np.exp(-1.0 / self._steps), 0.8, 0.995))
        self._done = 0

    def run_round(self) -> Weights:
        """Forty steps, or one pass where that is less; returns the averaged weights."""
        order = self._rng.permutation(len(self._y))
        for step in range(self._steps):
            self._step(order[step * self._rows : (step + 1) * self._rows])
        return {name: value.copy() for name, value in self._averaged.items()}

    def _step(self, rows: NDArray[np.int64]) -> None:
        self._done += 1
        late = (1 - 0.9**self._done), (1 - 0.999**self._done)
        for name, gradient in self._gradients(rows).items():
            value, first, second = self.weights[name], self._first[name], self._second[name]
            first += 0.1 * (gradient - first)
            second += 0.001 * (gradient**2 - second)
            move = (first / late[0]) / (np.sqrt(second / late[1]) + 1e-7) + self._decay * value
            value -= (self._rate * move).astype(np.float32)
            average = self._averaged[name]
            average += np.float32(1 - self._memory) * (value - average)

    def _gradients(self, rows: NDArray[np.int64]) -> Weights:
        """Gradient of the weighted log loss, summed over both heads."""
        w, inputs, usual = self.weights, self._inputs[rows], self._usual[rows]
        price, y, weight = self._price[rows], self._y[rows], self._weight[:, rows] / len(rows)
        raw, hidden, bent = forward(w, inputs, usual)
        level, slope, turn = curve_parts(raw, usual[:, 0], self.start)
        gap = np.stack([price - usual[:, 0], price], axis=-1)
        missed = weight[:, :, None] * (expit(level - slope * gap) - y[:, None])
        back = np.empty_like(raw)
        back[..., [0, 2]] = missed
        back[..., [1, 3]] = -missed * gap * turn
        flat = inputs.T
        both = np.concatenate([hidden, bent], axis=-1)
        both_back = back[..., :2] @ w["head_1"].transpose(0, 2, 1) + back[..., 2:] @ w["head_2"].transpose(0, 2, 1)
        units = hidden.shape[-1]
        hidden_back = both_back[..., :units] * (hidden > 0)
        bent_back = both_back[..., units:] * (bent > 0)
        found = {
            "kernel": np.matmul(flat, hidden_back) + self._selection * directions(w["kernel"]),
            "usual_kernel": np.matmul(usual.T, bent_back),
            "head_1": both.transpose(0, 2, 1) @ back[..., :2],
            "head_2": both.transpose(0, 2, 1) @ back[..., 2:],
            "wide": np.matmul(flat, back),
        }
        sums = {
            "bias": hidden_back,
            "usual_bias": bent_back,
            "head_1_bias": back[..., :2],
            "head_2_bias": back[..., 2:],
        }
        sums["wide_bias"] = back
        return found | {name: value.sum(axis=1, keepdims=True) for name, value in sums.items()}


def directions(kernel: Floats) -> Floats:
    """Gradient of the sum over inputs of the length of an input's weights; ``kernel`` (members, k, units)."""
    length = np.sqrt(np.sum(kernel**2, axis=-1, keepdims=True) + np.float32(1e-8))
    return np.asarray(kernel / length)


def curve_parts(raw: Floats, usual: Floats, start: tuple[float, float]) -> tuple[Floats, Floats, Floats]:
    """Level and slope of both heads (members, n, 2), and the derivative of the slope by its raw output.

    The first head is centered, ``level₁ − slope₁ (price − usual)``, the second is not; both start at the pooled logit.
    """
    shift = np.float32(np.log(np.expm1(start[1])))
    steep = raw[..., [1, 3]] + shift
    level = raw[..., [0, 2]] + np.float32(start[0])
    return level, np.logaddexp(0, steep), expit(steep)
