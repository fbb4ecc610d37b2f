"""From a learner of demand curves to a demand model: two customer folds, bootstrap members, calibrated draws.

Every family is judged alike: the draws of a fold learned from its half of the customers only, and are calibrated on
the other half, as those of the deep behavior model are.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pricing_core.errors import ModelError, reason
from pricing_core.features.batch import EncodedBatch
from pricing_core.models.behavior import LearningRows, bootstrap_weights
from pricing_core.models.calibration import CurveCalibration, fit_calibration
from pricing_core.models.families.learner import FamilyConfig, FoldLearner, FoldRows
from pricing_core.models.folds import N_FOLDS, customer_fold
from pricing_core.models.learning_rows import of_few_customers
from pricing_core.models.threads import one_blas_thread
from pricing_core.progress import Progress, SilentProgress, SubProgress
from pricing_core.response.price_response import PriceResponse

Floats = NDArray[np.float64]

_VALIDATION_ROWS = 15_000
_CALIBRATION_ROWS = 60_000
_FLOOR = 0.02  # smallest sensitivity: fall of the log-odds when the price rises by one standard deviation
_FILE = "challenger.json"


class FoldedModel:
    """A demand model of two learners, one per half of the customers; a family names its learner and settings.

    Attributes
    ----------
    learners_
        One fitted learner per fold.
    calibrations_
        Cross-fitted calibration of each fold's draws.
    epochs_
        How long it learned, as held-out time chose.
    history_
        Log loss on held-out time by length of learning.
    floors_
        Smallest sensitivity by fold; a curve that falls less, or rises, is held there.
    counts_
        Rows used of how many, how many curves are held at the smallest sensitivity, and what the learners report.
    """

    family: ClassVar[str]
    learner: ClassVar[type[FoldLearner]]
    config_class: ClassVar[type[FamilyConfig]]

    def __init__(self, config: FamilyConfig | None = None) -> None:
        self.config: Any = config or self.config_class()
        self.learners_: list[Any] = []
        self.calibrations_: list[CurveCalibration] = []
        self.floors_: list[float] = []
        self.history_: list[dict[str, Any]] = []
        self.counts_: dict[str, float] = {}
        self.epochs_ = 1

    @one_blas_thread()  # products of small matrices: waiting threads would take longer than they help
    def choose_epochs(self, learn: LearningRows, held_out: LearningRows, progress: Progress | None = None) -> Self:
        """Fit on earlier rows and keep the length of learning with the lowest loss on later rows."""
        progress = progress or SilentProgress()
        rows, folds = self._folds(learn)
        judge = _thinned(_ordered(held_out), _VALIDATION_ROWS)
        self.learners_ = [self.learner(self.config, self._seed(k)) for k in range(N_FOLDS)]
        for k, (learner, mine) in enumerate(zip(self.learners_, folds, strict=True)):
            learner.explore(mine, _reporter(progress, 0.9 * k / N_FOLDS, 0.9 / N_FOLDS, "Choosing how long to learn"))
        every = zip(*(learner.explored(judge.batch, judge.x) for learner in self.learners_), strict=True)
        losses = []
        for step, chances in enumerate(every):
            length, loss = self.learners_[0].lengths[step], _log_loss(np.mean(chances, axis=0), judge)
            progress.metric("validation loss", length, loss)
            losses.append((loss, length))
            self.history_.append({"phase": "choose", "epoch": length, "training_loss": np.nan, "validation_loss": loss})
        if not np.isfinite([loss for loss, _ in losses]).all():
            raise ModelError(
                "The demand model did not converge: its loss is not a number.",
                fix="Look for absurd prices or feature values in the data.",
            )
        self.epochs_ = min(losses)[1]
        for k, (learner, mine) in enumerate(zip(self.learners_, folds, strict=True)):
            report = _reporter(progress, 0.9 + 0.05 * k, 0.05, "Learning for as long as was chosen")
            learner.settle(mine, self.epochs_, report)
        self._calibrate(rows)
        return self

    @one_blas_thread()
    def fit(self, rows: LearningRows, epochs: int, progress: Progress | None = None) -> Self:
        """Fit on all rows for the chosen length, then calibrate each fold on the other fold's customers."""
        progress = progress or SilentProgress()
        kept, folds = self._folds(rows)
        self.epochs_, self.history_, self.learners_ = epochs, [], []
        for k, mine in enumerate(folds):
            learner = self.learner(self.config, self._seed(k))
            learner.fit(mine, epochs, _reporter(progress, k / N_FOLDS, 1 / N_FOLDS, "Training on all rows"))
            self.learners_.append(learner)
        self._calibrate(kept)
        return self

    def respond(self, batch: EncodedBatch, reference_price: Floats) -> PriceResponse:
        """Price response of any rows: 2 folds × members × heads draws."""
        parts = [self._served(k, learner.curves(batch), batch)[:2] for k, learner in enumerate(self.learners_)]
        per_fold, heads = parts[0][0].shape[1], self.learner.heads
        return PriceResponse(
            reference_price=reference_price,
            intercept=np.hstack([p[0] for p in parts]),
            sensitivity=np.hstack([p[1] for p in parts]),
            draw_fold=np.repeat(np.arange(N_FOLDS), per_fold),
            draw_member=np.repeat(np.arange(N_FOLDS * per_fold // heads), heads),
        )

    def save(self, folder: Path) -> None:
        """Write the learners' files and ``challenger.json``."""
        for k, learner in enumerate(self.learners_):
            learner.save(folder, f"{self.family}_{k}")
        state = {
            "config": asdict(self.config),
            "epochs": self.epochs_,
            "counts": self.counts_,
            "floors": self.floors_,
            "calibration": [
                {name: value.tolist() for name, value in asdict(each).items() if value is not None}
                for each in self.calibrations_
            ],
        }
        (folder / _FILE).write_text(json.dumps(state, indent=1), encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what :meth:`save` wrote."""
        try:
            state = json.loads((folder / _FILE).read_text(encoding="utf-8"))
            model = cls(cls.config_class(**state["config"]))
            model.calibrations_ = [
                CurveCalibration(**{name: np.array(value) for name, value in each.items()})
                for each in state["calibration"]
            ]
            model.epochs_, model.counts_ = int(state["epochs"]), dict(state["counts"])
            model.floors_ = [float(floor) for floor in state["floors"]]
            model.learners_ = [
                cls.learner.load(folder, f"{cls.family}_{k}", model.config, model._seed(k)) for k in range(N_FOLDS)
            ]
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ModelError(
                f"The model in {folder.name} cannot be read: {reason(error)}.", fix="Train again."
            ) from error
        return model

    def _seed(self, fold: int) -> int:
        return int(self.config.random_state) * N_FOLDS + fold

    def _folds(self, rows: LearningRows) -> tuple[LearningRows, list[FoldRows]]:
        """Rows in an order of their own, at most as many as the family takes, and the two folds of them."""
        kept = _ordered(_share_of_customers(rows, self.config.max_rows))
        self.counts_ = {"rows": float(rows.batch.n), "rows_used": float(kept.batch.n)}
        fold, folds = customer_fold(kept.customer_id), []
        members = self.config.members_for(kept.batch.n)
        self.floors_ = []
        for k in range(N_FOLDS):
            mine = kept.take(np.flatnonzero(fold == k))
            if mine.batch.n == 0 or mine.y.sum() == 0:
                raise ModelError(
                    "One half of the customers has no purchases, so the behavior model cannot be judged on the other.",
                    fix="Bring more customers or a longer period.",
                )
            drawn = bootstrap_weights(mine.customer_id, members, self._seed(k), mine.period)
            weight = drawn * mine.weight[:, None]
            self.floors_.append(_FLOOR / max(_spread(mine.x, mine.weight), 1e-6))
            folds.append(FoldRows(mine.batch, mine.x, mine.y, weight / weight.mean(axis=0)))
        return kept, folds

    def _served(self, fold: int, curves: tuple[Floats, Floats], batch: EncodedBatch) -> tuple[Floats, Floats, float]:
        """Calibrated curves of a fold (n, D), and the share of them that is held at the smallest sensitivity.

        Sensitivities are held after the calibration, which would otherwise take the flattened curves for a learner's
        error. A held curve turns about the expected price, where the data are.
        """
        expected = batch.expected_price.astype(float)
        alpha, beta = self.calibrations_[fold].apply(*curves, expected)
        held = np.maximum(beta, self.floors_[fold])
        return alpha + (held - beta) * expected[:, None], held, float((held > beta).mean())

    def _calibrate(self, rows: LearningRows) -> None:
        fold = customer_fold(rows.customer_id)
        self.calibrations_, flat = [], []
        for k, learner in enumerate(self.learners_):
            judge = _thinned(rows.take(np.flatnonzero(fold != k)), _CALIBRATION_ROWS)
            intercept, sensitivity = learner.curves(judge.batch)
            self.calibrations_.append(
                fit_calibration(
                    intercept,
                    sensitivity,
                    judge.batch.expected_price.astype(float),
                    judge.x,
                    judge.y,
                    judge.weight,
                    random_state=self._seed(k),
                    heads=self.learner.heads,
                )
            )
            flat.append(self._served(k, (intercept, sensitivity), judge.batch)[2])
        self.counts_["share_of_curves_held_at_the_smallest_sensitivity"] = float(np.mean(flat))
        for name in sorted({name for learner in self.learners_ for name in learner.counts}):
            self.counts_[name] = float(np.mean([learner.counts.get(name, 0.0) for learner in self.learners_]))


def _share_of_customers(rows: LearningRows, limit: int) -> LearningRows:
    """At most about ``limit`` rows: those of the customers that come first in an order of chance that never changes."""
    if rows.batch.n <= limit:
        return rows
    return rows.take(of_few_customers(rows.customer_id, limit))


def _ordered(rows: LearningRows) -> LearningRows:
    """Rows in an order that does not depend on how they came, without the event sequence, which no challenger reads."""
    slim = rows.without_events()
    matrix = slim.batch.matrix()
    mixed = matrix @ np.cos(np.arange(matrix.shape[1]) + 1.0)  # tells apart rows that agree in all else
    name = pd.util.hash_array(rows.customer_id.astype(str).astype(object), categorize=True)
    return slim.take(np.lexsort((mixed, rows.weight, rows.y, rows.x, name)))


def _thinned(rows: LearningRows, limit: int) -> LearningRows:
    """At most ``limit`` rows, evenly through the order in which they stand."""
    if rows.batch.n <= limit:
        return rows
    return rows.take(np.floor(np.linspace(0, rows.batch.n - 1, limit)).astype(np.int64))


def _reporter(progress: Progress, start: float, width: float, message: str) -> Any:
    part = SubProgress(progress, start, start + width)

    def report(share: float) -> None:
        part.stage("Behavior model", share, message)

    return report


def _spread(x: Floats, weight: Floats) -> float:
    return float(np.sqrt(np.average((x - np.average(x, weights=weight)) ** 2, weights=weight)))


def _log_loss(chance: Floats, rows: LearningRows) -> float:
    p = np.clip(chance, 1e-7, 1 - 1e-7)
    return float(-np.average(rows.y * np.log(p) + (1 - rows.y) * np.log(1 - p), weights=rows.weight))
