"""Fit one behavior network: weighted likelihood bootstrap members, early stopping on held-out time."""

from __future__ import annotations

import gc
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pricing_core.features.batch import EncodedBatch
from pricing_core.models.folds import N_FOLDS
from pricing_core.models.network import NetworkShape, build_network
from pricing_core.models.serving import ServingNetwork
from pricing_core.models.thin_data import BORROW_OFFERS, own_share
from pricing_core.models.warm_start import set_weights
from pricing_core.progress import Progress

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Report = Callable[[float], None]
_STEPS_PER_EPOCH = 50  # of a small shop, whose steps are made smaller to come to this number
_SMALLEST_STEP = 128  # rows
_REPORTED_STEPS = 10
INPUTS = (
    "customer",
    "product",
    "market",
    "product_code",
    "sequence",
    "sequence_item",
    "sequence_mask",
    "expected_price",
)


@dataclass(frozen=True)
class FitSettings:
    """How a network is fitted: most rows per step, step size, weight decay, share of hidden identities, offers at
    which a product's own response counts half, what a guide counts in the loss, seed.
    """

    batch_size: int = 1024
    learning_rate: float = 2e-3
    weight_decay: float = 1e-4
    hide_identity: float = 0.1
    borrow_offers: float = BORROW_OFFERS
    guidance: float = 0.0
    random_state: int = 0


def network_inputs(batch: EncodedBatch) -> dict[str, NDArray[Any]]:
    """Arrays of a batch under the network's input names."""
    arrays = {name: getattr(batch, name) for name in INPUTS}
    arrays["expected_price"] = batch.expected_price[:, None]
    return arrays


def pooled_start(
    x: Floats, y: Floats, expected: Floats, weight: Floats, residual: Floats | None = None
) -> tuple[float, float, float]:
    """Pooled logit on ``x − ê``, ``ê`` and, with an instrument, the first stage's residual (Newton, 12 steps).

    Returns
    -------
    level, slope, control
        Logit at the average price, price sensitivity, and coefficient of the residual (0 without one).
    """
    centered = x - expected
    columns = [np.ones_like(x), -centered, expected - expected.mean()]
    design = np.column_stack(columns if residual is None else [*columns, residual])
    theta = np.zeros(design.shape[1])
    rate = np.clip(np.average(y, weights=weight), 1e-6, 1 - 1e-6)
    theta[0] = np.log(rate / (1 - rate))
    for _ in range(12):
        p = 1 / (1 + np.exp(-np.clip(design @ theta, -30, 30)))
        gradient = design.T @ (weight * (y - p))
        curvature = (design * (weight * p * (1 - p))[:, None]).T @ design
        theta = theta + np.linalg.solve(curvature + 1e-6 * weight.sum() * np.eye(len(theta)), gradient)
    return float(theta[0]), float(np.clip(theta[1], 0.5, 12.0)), 0.0 if residual is None else float(theta[3])


class NetworkFitter:
    """Run passes over the data of one network.

    The data stay where they are and are handed to the graph step by step: a copy of them as tensors would take another
    gigabyte for a million rows, and no less time.

    Parameters
    ----------
    batch, x, y
        Training rows: encoded features, relative price (n,), outcome (n,).
    weight
        Weight of each row in each member (n, members): bootstrap weight of its customer times its sampling weight.
    residual, control
        With an instrument: the first stage's residual (n,), and where its coefficient starts.
    start
        Network of the same shape from whose weights to start; None starts near the pooled logit.
    guide
        Chance of a purchase at the expected price (n,) that takes part in the loss; None: only outcomes do. See
        :mod:`pricing_core.models.level_guide`.
    rows
        Rows of ``batch`` that all else belongs to (n,); default: all. They are not copied.
    compiled
        Whether the graph is compiled (XLA). A step then takes a quarter less, but the compiler takes some seconds, and
        rounds otherwise: only with many rows is it worth that.
    """

    def __init__(
        self,
        shape: NetworkShape,
        settings: FitSettings,
        batch: EncodedBatch,
        x: Floats,
        y: Floats,
        weight: Floats,
        *,
        residual: Floats | None = None,
        control: float = 0.0,
        guide: NDArray[np.float32] | None = None,
        rows: Ints | None = None,
        start: ServingNetwork | None = None,
        compiled: bool = False,
    ) -> None:
        import keras
        import tensorflow as tf

        # The same seed gives bitwise the same weights, whatever else the machine is doing.
        tf.config.experimental.enable_op_determinism()
        keras.utils.set_random_seed(settings.random_state)
        self.settings = settings
        self.model = build_network(shape)
        # A network sees half of the customers, hence half of each product's offers.
        code = batch.product_code if rows is None else batch.product_code[rows]
        share = own_share(code, shape.n_products, settings.borrow_offers / N_FOLDS)
        self.model.get_layer("product_embedding").set_share(share.astype(np.float32))
        if start is not None:
            set_weights(self.model, start, share)
        self.n = len(x)
        self._rng = np.random.default_rng(settings.random_state)
        self._rows = rows
        self._data = network_inputs(batch)
        own_rows = {"x": x, "y": y, "weight": weight / weight.mean()}
        # The residual's coefficient, one per member, is learned with the network and is no part of the demand curve.
        if residual is not None:
            own_rows["residual"] = residual
        if guide is not None:
            own_rows["guide"] = guide
        self._own_rows = {name: value.astype(np.float32) for name, value in own_rows.items()}
        self._informed, self.guided = residual is not None, guide is not None
        self._control = tf.Variable(np.full(shape.members, control, dtype=np.float32), trainable=residual is not None)
        own = [] if residual is None else [self._control]
        self._variables = [*self.model.trainable_variables, *own]
        # Steps of one size, so that the graph is traced once; the few rows left over wait for the next pass.
        self._step_rows = min(settings.batch_size, max(self.n // _STEPS_PER_EPOCH, _SMALLEST_STEP), self.n)
        self.steps_per_epoch = self.n // self._step_rows
        # Averaged weights stand in for a decaying step size, so that every epoch can be judged as if it were the last.
        momentum = float(np.clip(np.exp(-1.0 / self.steps_per_epoch), 0.8, 0.995))
        self._optimizer = keras.optimizers.AdamW(
            settings.learning_rate, weight_decay=settings.weight_decay, use_ema=True, ema_momentum=momentum
        )
        self._optimizer.build(self._variables)
        self._step: Any = tf.function(self._training_step, autograph=False, jit_compile=compiled)
        # Traced here and not by the first step, since fitters may run side by side and Keras traces one at a time.
        self._step.get_concrete_function(*self._step_data(np.arange(self._step_rows)), tf.constant([0, 0]))

    def run_epoch(self, report: Report) -> float:
        """One pass in random order; returns the mean training loss (log loss per row)."""
        import tensorflow as tf

        order = self._rng.permutation(self.n).astype(np.int32)
        losses = []
        for step in range(self.steps_per_epoch):
            rows = order[step * self._step_rows : (step + 1) * self._step_rows]
            seed = tf.constant([self.settings.random_state, int(self._rng.integers(2**31))], dtype=tf.int32)
            losses.append(self._step(*self._step_data(rows), seed))
            if step % _REPORTED_STEPS == 0:
                report(step / self.steps_per_epoch)
        return float(np.mean([float(loss) for loss in losses]))

    def averaged(self) -> ServingNetwork:
        """Copy the network with its averaged weights, ready to serve; training can go on."""
        current = [variable.numpy() for variable in self._variables]
        self._optimizer.finalize_variable_values(self._variables)
        network = ServingNetwork.from_keras(self.model)
        self._add_control(network)
        for variable, value in zip(self._variables, current, strict=True):
            variable.assign(value)
        return network

    def finish(self) -> tuple[Any, ServingNetwork]:
        """Put the averaged weights into the Keras model; return it and its copy for serving."""
        self._optimizer.finalize_variable_values(self._variables)
        network = ServingNetwork.from_keras(self.model)
        self._add_control(network)
        return self.model, network

    def forget(self) -> None:
        """Let go of the data and of the graph that holds on to them; no further pass is possible."""
        self._data, self._own_rows, self._rows, self._step = {}, {}, None, None

    def _step_data(self, rows: NDArray[Any]) -> tuple[dict[str, Any], dict[str, Any]]:
        """Tensors of some rows: inputs of the network, and what its loss needs beside them."""
        import tensorflow as tf

        place = rows if self._rows is None else self._rows[rows]
        inputs = {name: tf.constant(value[place]) for name, value in self._data.items()}
        return inputs, {name: tf.constant(value[rows]) for name, value in self._own_rows.items()}

    def _add_control(self, network: ServingNetwork) -> None:
        if self._informed:
            network.weights["control"] = np.asarray(self._control.numpy(), dtype=np.float32)

    def _training_step(self, inputs: dict[str, Any], own: dict[str, Any], seed: Any) -> Any:
        import tensorflow as tf

        x, y, weight = own["x"], own["y"], own["weight"]
        hidden = tf.random.stateless_uniform(tf.shape(x), seed) < self.settings.hide_identity
        inputs = {**inputs, "product_code": tf.where(hidden, 0, inputs["product_code"])}
        with tf.GradientTape() as tape:
            curve = self.model(inputs, training=True)
            logit = curve[..., 0] - curve[..., 1] * x[None, :, None]
            if self._informed:
                shared = self._control[:, None] * own["residual"][None, :]
                logit = logit + shared[:, :, None]
            target = tf.broadcast_to(y[None, :, None], tf.shape(logit))
            each = tf.nn.sigmoid_cross_entropy_with_logits(target, logit)
            weighted = each * tf.transpose(weight)[:, :, None]
            if self.guided:
                usual = curve[..., 0] - curve[..., 1] * inputs["expected_price"][None, :, :]
                seen = tf.broadcast_to(own["guide"][None, :, None], tf.shape(usual))
                apart = tf.nn.sigmoid_cross_entropy_with_logits(seen, usual) * tf.transpose(weight)[:, :, None]
                share = self.settings.guidance
            # Summed over members and heads so that each of them takes the step it would take alone.
            each = weighted if not self.guided else (1 - share) * weighted + share * apart
            loss = tf.reduce_sum(tf.reduce_mean(each, axis=1))
        gradients = tape.gradient(loss, self._variables)
        self._optimizer.apply_gradients(zip(gradients, self._variables, strict=True))
        return tf.reduce_mean(weighted)


def run_side_by_side(fitters: Sequence[NetworkFitter], progress: Progress, message: str) -> float:
    """One pass of each fitter, all at the same time; returns their mean training loss.

    The operations of one network are too small for two cores; two networks keep both busy. Neither's result depends on
    the other. Only the first one reports, since a progress may belong to the thread that asks for it; where that ends
    the training, the others end as well.
    """
    ended = threading.Event()

    def report(share: float) -> None:
        progress.stage("Behavior model", share, message)

    def listen(_: float) -> None:
        if ended.is_set():
            raise _EndedError

    with ThreadPoolExecutor(max(len(fitters) - 1, 1)) as pool:
        others = [pool.submit(fitter.run_epoch, listen) for fitter in fitters[1:]]
        try:
            losses = [fitters[0].run_epoch(report)]
        except BaseException:
            ended.set()
            raise
        return float(np.mean([*losses, *(other.result() for other in others)]))


class _EndedError(Exception):
    """The training has ended elsewhere; nobody sees this."""


def release(fitters: list[NetworkFitter]) -> None:
    """Give back the memory of fitters that have done their work.

    A fitter and its graph refer to each other, so that their data would otherwise stay until Python next looks for
    circles.
    """
    for fitter in fitters:
        fitter.forget()
    fitters.clear()
    gc.collect()
