"""Behavior model: the chance that a customer buys a product at a price in a market.

Two networks, each with several members, learn from two disjoint halves of the customers ("folds"). Together they are
the posterior draws of every later page; apart they make honest evaluation possible: what one fold's draws decide, the
other's draws, which never saw those customers, judge and calibrate.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pricing_core.errors import ModelError, reason
from pricing_core.features.batch import EncodedBatch
from pricing_core.models.behavior_config import BehaviorConfig
from pricing_core.models.calibration import CurveCalibration, fit_calibration
from pricing_core.models.control import residual_nodes
from pricing_core.models.demand_model import NETWORK, DemandModel
from pricing_core.models.fitting import FitSettings, NetworkFitter, pooled_start, release, run_side_by_side
from pricing_core.models.folds import N_FOLDS, customer_fold
from pricing_core.models.forms import load_networks
from pricing_core.models.learning_rows import MANY_ROWS, LearningRows, bootstrap_weights, drawn_rows
from pricing_core.models.level_guide import level_guides
from pricing_core.models.network import NetworkShape
from pricing_core.models.network_loss import network_log_loss
from pricing_core.models.thin_data import ThinData, between_products, own_share, unsettled
from pricing_core.models.warm_start import WARM_STEP
from pricing_core.progress import Progress, SilentProgress, SubProgress
from pricing_core.response.price_response import PriceResponse

Floats = NDArray[np.float64]

_VALIDATION_ROWS = 15_000
_CALIBRATION_ROWS = 60_000
_LEAST_GAIN = 1e-6  # in log loss, for which a further pass is worth its time
_LEAST_GUIDED_GAIN = 1e-3  # the same as a share where trees guide: further passes gain for long, but next to nothing


class BehaviorModel:
    """Ensemble of structured demand networks over two customer folds.

    Attributes
    ----------
    networks_
        One :class:`ServingNetwork` per fold.
    calibrations_
        Cross-fitted calibration of each fold's draws.
    history_
        Loss by epoch: columns ``phase``, ``epoch``, ``training_loss``, ``validation_loss``.
    epochs_
        Passes that held-out time chose.
    nodes_
        With an instrument: equally likely values of the first stage's residual, over which decisions average.
    thin_
        How unsure the response of products with few offers is; None in a model of an earlier version.
    """

    family = NETWORK
    takes_residual = True

    def __init__(self, config: BehaviorConfig | None = None) -> None:
        self.config = config or BehaviorConfig()
        self._keras: list[Any] = []
        self.nodes_: Floats | None = None
        self.thin_: ThinData | None = None

    def choose_epochs(
        self, learn: LearningRows, held_out: LearningRows, progress: Progress | None = None
    ) -> BehaviorModel:
        """Fit on earlier rows and stop when the loss on later rows no longer falls; keeps the best epoch's networks."""
        progress = progress or SilentProgress()
        rng = np.random.default_rng(self.config.random_state)
        judge = drawn_rows(held_out, np.arange(held_out.batch.n), _VALIDATION_ROWS, rng)
        fitters = self._fitters(learn)
        guided = fitters[0].guided
        # One pass tells enough where a network starts near its end, and where the loss falls evenly.
        patience = 1 if guided or learn.start is not None else self.config.patience
        best, best_networks, history = np.inf, [], []
        for epoch in range(1, self.config.max_epochs + 1):
            part = SubProgress(progress, (epoch - 1) / self.config.max_epochs, epoch / self.config.max_epochs)
            training = run_side_by_side(fitters, part, f"Choosing the length of training, pass {epoch}")
            if not np.isfinite(training):
                break
            networks = [fitter.averaged() for fitter in fitters]
            loss = network_log_loss(networks, judge)
            progress.metric("training loss", epoch, training)
            progress.metric("validation loss", epoch, loss)
            history.append({"phase": "choose", "epoch": epoch, "training_loss": training, "validation_loss": loss})
            if loss < best - (_LEAST_GUIDED_GAIN * loss if guided else _LEAST_GAIN):
                best, best_networks, self.epochs_ = loss, networks, epoch
            elif epoch - self.epochs_ >= patience:
                break
        if not best_networks:
            raise ModelError(
                "The behavior model did not converge: its loss is not a number.",
                fix="Look for absurd prices or feature values in the data, or lower the learning rate.",
            )
        self.history_ = history
        self.networks_ = best_networks
        release(fitters)
        self._calibrate(learn)
        return self

    def fit(self, rows: LearningRows, epochs: int, progress: Progress | None = None) -> BehaviorModel:
        """Fit on all rows for a chosen number of passes, then calibrate each fold on the other fold's customers."""
        progress = progress or SilentProgress()
        fitters = self._fitters(rows)
        self.epochs_, self.history_ = epochs, []
        for epoch in range(1, epochs + 1):
            part = SubProgress(progress, (epoch - 1) / epochs, epoch / epochs)
            loss = run_side_by_side(fitters, part, f"Training on all rows, pass {epoch} of {epochs}")
            progress.metric("final training loss", epoch, loss)
            self.history_.append({"phase": "refit", "epoch": epoch, "training_loss": loss, "validation_loss": np.nan})
        finished = [fitter.finish() for fitter in fitters]
        self._keras, self.networks_ = [model for model, _ in finished], [network for _, network in finished]
        release(fitters)
        self._calibrate(rows)
        return self

    def respond(self, batch: EncodedBatch, reference_price: Floats, residual: Floats | None = None) -> PriceResponse:
        """Price response of any rows: 2 folds × members × 2 heads draws.

        Draws of products with few offers lie further apart. With an
        instrument each draw stands once for each of :attr:`nodes_`, so that averages over draws are averages
        over what moved the price unseen; ``residual`` (n,) instead takes what did so in logged offers.
        """
        curves = [network.curves(batch) for network in self.networks_]
        code, expected = batch.product_code, batch.expected_price.astype(float)
        return self.response_of(curves, code, expected, reference_price, residual)

    def response_of(
        self,
        curves_by_fold: Sequence[tuple[NDArray[Any], NDArray[Any]]],
        product_code: NDArray[np.int32],
        expected: Floats,
        reference_price: Floats,
        residual: Floats | None = None,
    ) -> PriceResponse:
        """Price response of the networks' raw curves (each n, 2 · members) at ``expected`` relative prices (n,)."""
        parts = []
        for (intercept, sensitivity), calibration in zip(curves_by_fold, self.calibrations_, strict=True):
            curves = calibration.apply(intercept.astype(float), sensitivity.astype(float), expected)
            parts.append(self.spread(calibration, *curves, residual))
        per_fold = parts[0][0].shape[1]
        members = self.networks_[0].members
        alpha, beta = np.hstack([p[0] for p in parts]), np.hstack([p[1] for p in parts])
        level, bend = self.deviations(product_code)
        if level.any() or bend.any():
            each = alpha.shape[1] // level.shape[1]
            level, bend = (np.repeat(moved, each, axis=1) for moved in (level, bend))
            alpha, beta = unsettled(alpha, beta, expected, level, bend)
        return PriceResponse(
            reference_price=reference_price,
            intercept=alpha,
            sensitivity=beta,
            draw_fold=np.repeat(np.arange(N_FOLDS), per_fold),
            draw_member=np.repeat(np.arange(N_FOLDS * members), per_fold // members),
        )

    def deviations(self, product_code: NDArray[Any]) -> tuple[Floats, Floats]:
        """How far each member moves a row's curve, as :meth:`ThinData.deviations`; (n, 0) where nothing is borrowed."""
        members = N_FOLDS * self.networks_[0].members
        if self.thin_ is None or members < 2:
            return np.empty((len(product_code), 0)), np.empty((len(product_code), 0))
        return self.thin_.deviations(product_code, members, self.config.random_state)

    def spread(
        self, calibration: CurveCalibration, intercept: Floats, sensitivity: Floats, residual: Floats | None = None
    ) -> tuple[Floats, Floats]:
        """Repeat calibrated curves (n, D) for each node of the residual, side by side; or take them at ``residual``.

        Without an instrument the curves are returned as they are.
        """
        if self.nodes_ is None or calibration.control is None:
            return intercept, sensitivity
        if residual is not None:
            return intercept + residual[:, None] * calibration.control, sensitivity
        shift = (calibration.control[:, None] * self.nodes_).ravel()
        return np.repeat(intercept, len(self.nodes_), axis=1) + shift, np.repeat(sensitivity, len(self.nodes_), axis=1)

    def save(self, folder: Path) -> None:
        """Write ``behavior_<fold>.keras`` (where fitted here), ``behavior_<fold>.npz`` and ``behavior.json``."""
        for fold, network in enumerate(self.networks_):
            network.save(folder / f"behavior_{fold}.npz")
            if self._keras:
                self._keras[fold].save(folder / f"behavior_{fold}.keras")
        state = {
            "config": asdict(self.config),
            "epochs": self.epochs_,
            "calibration": [{k: v.tolist() for k, v in asdict(c).items() if v is not None} for c in self.calibrations_],
            "residual_nodes": None if self.nodes_ is None else self.nodes_.tolist(),
            "thin": None if self.thin_ is None else self.thin_.to_dict(),
        }
        (folder / "behavior.json").write_text(json.dumps(state, indent=1))

    @classmethod
    def load(cls, folder: Path) -> BehaviorModel:
        """Read what :meth:`save` wrote, without TensorFlow."""
        try:
            state = json.loads((folder / "behavior.json").read_text())
            model = cls(BehaviorConfig(**state["config"]))
            model.calibrations_ = [
                CurveCalibration(**{name: np.array(values) for name, values in each.items()})
                for each in state["calibration"]
            ]
            nodes = state.get("residual_nodes")
            model.nodes_ = None if nodes is None else np.array(nodes, dtype=float)
            model.thin_ = None if state.get("thin") is None else ThinData.from_dict(state["thin"])
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ModelError(
                f"The behavior model in {folder.name} cannot be read: {reason(error)}.", fix="Train again."
            ) from error
        model.epochs_ = int(state["epochs"])
        model.networks_ = load_networks(folder, N_FOLDS)
        model.history_ = []
        return model

    def _fitters(self, rows: LearningRows) -> list[NetworkFitter]:
        fold = customer_fold(rows.customer_id)
        guides = level_guides(rows, fold, self.config.guidance, self.config.random_state)
        fitters = []
        for k in range(N_FOLDS):
            index = np.flatnonzero(fold == k)
            x, y, weight = rows.x[index], rows.y[index], rows.weight[index]
            residual = None if rows.residual is None else rows.residual[index]
            period = None if rows.period is None else rows.period[index]
            if y.sum() == 0:
                raise ModelError(
                    "One half of the customers has no purchases, so the behavior model cannot be judged on the other.",
                    fix="Bring more customers or a longer period.",
                )
            expected = rows.batch.expected_price[index].astype(float)
            level, slope, control = pooled_start(x, y, expected, weight, residual)
            start, rate, base = None, self.config.learning_rate, (level, slope, float(x.mean()))
            if rows.start is not None:
                start, rate = rows.start.networks[k], WARM_STEP * rate
                base, control = start.base(), start.control(control)
            shape = NetworkShape.of(rows.batch, self.config.members, base)
            seed = self.config.random_state * N_FOLDS + k
            settings = FitSettings(
                self.config.batch_size, rate, self.config.weight_decay, guidance=self.config.guidance, random_state=seed
            )
            drawn = bootstrap_weights(rows.customer_id[index], self.config.members, seed, period)
            data = (rows.batch, x, y, drawn * weight[:, None])
            further: dict[str, Any] = {"residual": residual, "control": control, "rows": index, "start": start}
            further["guide"] = guides[k]
            fitters.append(NetworkFitter(shape, settings, *data, **further, compiled=rows.batch.n >= MANY_ROWS))
        return fitters

    def _calibrate(self, rows: LearningRows) -> None:
        fold = customer_fold(rows.customer_id)
        rng = np.random.default_rng(self.config.random_state)
        self.calibrations_, spreads = [], []
        self.nodes_ = None if rows.residual is None else residual_nodes(rows.residual, rows.weight)
        for k, network in enumerate(self.networks_):
            judge = drawn_rows(rows, np.flatnonzero(fold != k), _CALIBRATION_ROWS, rng)
            intercept, sensitivity = (v.astype(float) for v in network.curves(judge.batch))
            expected = judge.batch.expected_price.astype(float)
            seed = self.config.random_state * N_FOLDS + k
            control = None if judge.residual is None else np.repeat(network.weights["control"].astype(float), 2)
            data = (intercept, sensitivity, expected, judge.x, judge.y, judge.weight)
            found = fit_calibration(*data, random_state=seed, residual=judge.residual, control=control)
            self.calibrations_.append(found)
            spreads.append(between_products(network, found, judge))
        share = own_share(rows.batch.product_code, rows.batch.n_products)
        self.thin_ = ThinData(share, *(float(np.mean(each)) for each in zip(*spreads, strict=True)))


def logged_response(model: DemandModel, rows: LearningRows, reference_price: Floats) -> PriceResponse:
    """Price response at logged offers: where an instrument says what else moved their prices, as if that were known."""
    if getattr(model, "takes_residual", False):
        informed: Any = model
        response: PriceResponse = informed.respond(rows.batch, reference_price, rows.residual)
        return response
    return model.respond(rows.batch, reference_price)
