"""Behavior model: the chance that a customer buys a product at a price in a market.

Two networks, each with several members, learn from two disjoint halves of the customers ("folds"). Together they are
the posterior draws of every later page; apart they make honest evaluation possible: what one fold's draws decide, the
other's draws, which never saw those customers, judge and calibrate.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pricing_core.errors import ConfigError, ModelError
from pricing_core.features.batch import EncodedBatch
from pricing_core.models.calibration import CurveCalibration, fit_calibration
from pricing_core.models.demand_model import NETWORK
from pricing_core.models.fitting import FitSettings, NetworkFitter, pooled_start
from pricing_core.models.folds import N_FOLDS, customer_fold
from pricing_core.models.network import NetworkShape
from pricing_core.models.serving import ServingNetwork
from pricing_core.progress import Progress, SilentProgress, SubProgress
from pricing_core.response.price_response import PriceResponse

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_VALIDATION_ROWS = 15_000
_CALIBRATION_ROWS = 60_000


@dataclass(frozen=True)
class BehaviorConfig:
    """Size and fitting of the behavior model.

    Parameters
    ----------
    members
        Members per fold; each gives two draws, one per head.
    max_epochs, patience
        Passes over the data; passes without improvement on held-out time after which fitting stops.
    batch_size
        Most rows in a step of the optimizer; a small shop takes smaller steps.
    learning_rate, weight_decay
        Of the optimizer.
    random_state
        Seed.
    """

    members: int = 4
    max_epochs: int = 20
    patience: int = 2
    batch_size: int = 1024
    learning_rate: float = 2e-3
    weight_decay: float = 1e-4
    random_state: int = 0

    def __post_init__(self) -> None:
        for name in ("members", "max_epochs", "patience", "batch_size"):
            if getattr(self, name) < 1:
                raise ConfigError(f"{name} is {getattr(self, name)}; it must be at least 1.")


@dataclass(frozen=True)
class LearningRows:
    """Rows to learn from: encoded features with expected price; relative price, outcome, customer, weight (n,).

    ``customer_id`` is any name that is the same for a customer in all rows; training gives the labels of
    :func:`~pricing_core.models.folds.customer_labels`. ``period`` numbers the weeks of the log (n,); None: one period.
    """

    batch: EncodedBatch
    x: Floats
    y: Floats
    customer_id: NDArray[np.object_]
    weight: Floats = field(repr=False)
    period: Ints | None = field(default=None, repr=False)

    def take(self, rows: Ints | NDArray[np.bool_]) -> LearningRows:
        """Rows by index or mask."""
        period = None if self.period is None else self.period[rows]
        return LearningRows(
            self.batch.take(rows), self.x[rows], self.y[rows], self.customer_id[rows], self.weight[rows], period
        )


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
    """

    family = NETWORK

    def __init__(self, config: BehaviorConfig | None = None) -> None:
        self.config = config or BehaviorConfig()
        self._keras: list[Any] = []

    def choose_epochs(
        self, learn: LearningRows, held_out: LearningRows, progress: Progress | None = None
    ) -> BehaviorModel:
        """Fit on earlier rows and stop when the loss on later rows no longer falls; keeps the best epoch's networks."""
        progress = progress or SilentProgress()
        rng = np.random.default_rng(self.config.random_state)
        keep = np.sort(rng.permutation(held_out.batch.n)[:_VALIDATION_ROWS])
        judge = held_out.take(keep)
        fitters = self._fitters(learn)
        best, best_networks, history = np.inf, [], []
        for epoch in range(1, self.config.max_epochs + 1):
            part = SubProgress(progress, (epoch - 1) / self.config.max_epochs, epoch / self.config.max_epochs)
            training = self._epoch(fitters, part, f"Choosing the length of training, pass {epoch}")
            if not np.isfinite(training):
                break
            networks = [fitter.averaged() for fitter in fitters]
            loss = _log_loss(networks, judge)
            progress.metric("training loss", epoch, training)
            progress.metric("validation loss", epoch, loss)
            history.append({"phase": "choose", "epoch": epoch, "training_loss": training, "validation_loss": loss})
            if loss < best - 1e-6:
                best, best_networks, self.epochs_ = loss, networks, epoch
            elif epoch - self.epochs_ >= self.config.patience:
                break
        if not best_networks:
            raise ModelError(
                "The behavior model did not converge: its loss is not a number.",
                fix="Look for absurd prices or feature values in the data, or lower the learning rate.",
            )
        self.history_ = history
        self.networks_ = best_networks
        self._calibrate(learn)
        return self

    def fit(self, rows: LearningRows, epochs: int, progress: Progress | None = None) -> BehaviorModel:
        """Fit on all rows for a chosen number of passes, then calibrate each fold on the other fold's customers."""
        progress = progress or SilentProgress()
        fitters = self._fitters(rows)
        self.epochs_, self.history_ = epochs, []
        for epoch in range(1, epochs + 1):
            part = SubProgress(progress, (epoch - 1) / epochs, epoch / epochs)
            loss = self._epoch(fitters, part, f"Training on all rows, pass {epoch} of {epochs}")
            progress.metric("final training loss", epoch, loss)
            self.history_.append({"phase": "refit", "epoch": epoch, "training_loss": loss, "validation_loss": np.nan})
        self._keras = [fitter.finish() for fitter in fitters]
        self.networks_ = [ServingNetwork.from_keras(model) for model in self._keras]
        self._calibrate(rows)
        return self

    def respond(self, batch: EncodedBatch, reference_price: Floats) -> PriceResponse:
        """Price response of any rows: 2 folds × members × 2 heads draws."""
        expected = batch.expected_price.astype(float)
        parts = []
        for network, calibration in zip(self.networks_, self.calibrations_, strict=True):
            intercept, sensitivity = network.curves(batch)
            parts.append(calibration.apply(intercept.astype(float), sensitivity.astype(float), expected))
        per_fold = 2 * self.networks_[0].members
        return PriceResponse(
            reference_price=reference_price,
            intercept=np.hstack([p[0] for p in parts]),
            sensitivity=np.hstack([p[1] for p in parts]),
            draw_fold=np.repeat(np.arange(N_FOLDS), per_fold),
            draw_member=np.repeat(np.arange(N_FOLDS * self.networks_[0].members), 2),
        )

    def save(self, folder: Path) -> None:
        """Write ``behavior_<fold>.keras`` (where fitted here), ``behavior_<fold>.npz`` and ``behavior.json``."""
        for fold, network in enumerate(self.networks_):
            network.save(folder / f"behavior_{fold}.npz")
            if self._keras:
                self._keras[fold].save(folder / f"behavior_{fold}.keras")
        state = {
            "config": asdict(self.config),
            "epochs": self.epochs_,
            "calibration": [{k: v.tolist() for k, v in asdict(c).items()} for c in self.calibrations_],
        }
        (folder / "behavior.json").write_text(json.dumps(state, indent=1))

    @classmethod
    def load(cls, folder: Path) -> BehaviorModel:
        """Read what :meth:`save` wrote, without TensorFlow."""
        try:
            state = json.loads((folder / "behavior.json").read_text())
            model = cls(BehaviorConfig(**state["config"]))
            model.calibrations_ = [
                CurveCalibration(*(np.array(c[k]) for k in ("shift", "stretch", "slope"))) for c in state["calibration"]
            ]
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ModelError(
                f"The behavior model in {folder.name} cannot be read: {error}.", fix="Train again."
            ) from error
        model.epochs_ = int(state["epochs"])
        model.networks_ = [ServingNetwork.load(folder / f"behavior_{fold}.npz") for fold in range(N_FOLDS)]
        model.history_ = []
        return model

    def _fitters(self, rows: LearningRows) -> list[NetworkFitter]:
        fold = customer_fold(rows.customer_id)
        fitters = []
        for k in range(N_FOLDS):
            mine = rows.take(np.flatnonzero(fold == k))
            if mine.batch.n == 0 or mine.y.sum() == 0:
                raise ModelError(
                    "One half of the customers has no purchases, so the behavior model cannot be judged on the other.",
                    fix="Bring more customers or a longer period.",
                )
            level, slope = pooled_start(mine.x, mine.y, mine.batch.expected_price.astype(float), mine.weight)
            batch = mine.batch
            shape = NetworkShape(
                customer_width=batch.customer.shape[1],
                product_width=batch.product.shape[1],
                market_width=batch.market.shape[1],
                n_products=batch.n_products,
                sequence_length=batch.sequence.shape[1],
                n_channels=batch.sequence.shape[2],
                members=self.config.members,
                base_logit=level,
                base_sensitivity=slope,
                mean_price=float(mine.x.mean()),
            )
            seed = self.config.random_state * N_FOLDS + k
            settings = FitSettings(
                self.config.batch_size, self.config.learning_rate, self.config.weight_decay, random_state=seed
            )
            weight = bootstrap_weights(mine.customer_id, self.config.members, seed, mine.period) * mine.weight[:, None]
            fitters.append(NetworkFitter(shape, settings, batch, mine.x, mine.y, weight))
        return fitters

    @staticmethod
    def _epoch(fitters: list[NetworkFitter], progress: Progress, message: str) -> float:
        losses = []
        for k, fitter in enumerate(fitters):
            part = SubProgress(progress, k / len(fitters), (k + 1) / len(fitters))

            def report(share: float, part: Progress = part) -> None:
                part.stage("Behavior model", share, message)

            losses.append(fitter.run_epoch(report))
        return float(np.mean(losses))

    def _calibrate(self, rows: LearningRows) -> None:
        fold = customer_fold(rows.customer_id)
        rng = np.random.default_rng(self.config.random_state)
        self.calibrations_ = []
        for k, network in enumerate(self.networks_):
            other = rng.permutation(np.flatnonzero(fold != k))[:_CALIBRATION_ROWS]
            judge = rows.take(np.sort(other))
            intercept, sensitivity = (v.astype(float) for v in network.curves(judge.batch))
            expected = judge.batch.expected_price.astype(float)
            seed = self.config.random_state * N_FOLDS + k
            self.calibrations_.append(
                fit_calibration(intercept, sensitivity, expected, judge.x, judge.y, judge.weight, random_state=seed)
            )


def bootstrap_weights(customer_id: NDArray[np.object_], members: int, seed: int, period: Ints | None = None) -> Floats:
    """Weights of a weighted likelihood bootstrap over customers and over weeks, shape (n, members).

    Each member draws an exponential(1) weight per customer, and a gamma weight of mean one and variance one half per
    week: all offers of a week share what happened in it, so that a week is worth less than the number of its offers,
    and a member that has seen other weeks expects another future.
    """
    code, names = pd.factorize(pd.Series(customer_id), sort=True)
    weight = np.random.default_rng([seed, 17]).exponential(size=(len(names), members))[code]
    if period is None:
        return np.asarray(weight)
    _, week = np.unique(period, return_inverse=True)
    shared = np.random.default_rng([seed, 23]).gamma(2.0, 0.5, size=(int(week.max()) + 1, members))
    return np.asarray(weight * shared[week])


def _log_loss(networks: list[ServingNetwork], rows: LearningRows) -> float:
    """Log loss of the average probability of all draws at the logged price, before calibration."""
    total = np.zeros(rows.batch.n)
    for network in networks:
        intercept, sensitivity = network.curves(rows.batch)
        total += (1 / (1 + np.exp(-(intercept - sensitivity * rows.x[:, None])))).mean(axis=1)
    p = np.clip(total / len(networks), 1e-7, 1 - 1e-7)
    return float(-np.average(rows.y * np.log(p) + (1 - rows.y) * np.log(1 - p), weights=rows.weight))
