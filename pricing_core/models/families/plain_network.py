"""Plain network: a multilayer perceptron on all features and the price, which knows nothing of demand.

What deep learning does without economics. It is fitted with Keras, served with NumPy, and projected onto demand curves
like every model that returns probabilities.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from pricing_core.features.batch import EncodedBatch
from pricing_core.models.families.design import LinearColumns
from pricing_core.models.families.files import read_arrays, write_arrays
from pricing_core.models.families.folded import FoldedModel
from pricing_core.models.families.learner import FamilyConfig, FoldRows, Report
from pricing_core.models.families.projected import ProjectedLearner
from pricing_core.models.settings_check import check_range

Floats = NDArray[Any]
Weights = dict[str, NDArray[np.float32]]

NAMES = ("embedding", "kernel_1", "bias_1", "kernel_2", "bias_2", "kernel_3", "bias_3")


@dataclass(frozen=True)
class PlainNetworkConfig(FamilyConfig):
    """Size and fitting of the plain network.

    Parameters
    ----------
    max_epochs
        Most passes over the data.
    units
        Of the first hidden layer; the second has half of them.
    batch_size
        Most rows in a step of the optimizer; a small shop takes smaller steps.
    learning_rate, weight_decay
        Of the optimizer.
    """

    max_rows: int = 400_000
    max_epochs: int = 16
    units: int = 48
    batch_size: int = 1024
    learning_rate: float = 3e-3
    weight_decay: float = 1e-3

    def __post_init__(self) -> None:
        super().__post_init__()
        check_range(self, "max_epochs", "units", "batch_size", low=2)
        check_range(self, "learning_rate", above=0, high=1)
        check_range(self, "weight_decay", low=0)


class PlainNetworkLearner(ProjectedLearner):
    """Members of one fold, fitted side by side as one Keras model.

    Attributes
    ----------
    weights_
        Arrays by name, members first.
    """

    config: PlainNetworkConfig

    @property
    def lengths(self) -> tuple[int, ...]:
        """Passes over the data."""
        return tuple(range(1, self.config.max_epochs + 1))

    def fit(self, rows: FoldRows, length: int, report: Report) -> None:
        """Fit for a number of passes."""
        self._run(rows, length, report)
        self._count_error(rows)

    def explore(self, rows: FoldRows, report: Report) -> None:
        """Fit for the most passes and keep the weights after each."""
        self._run(rows, self.config.max_epochs, report)

    def settle(self, rows: FoldRows, length: int, report: Report) -> None:
        """Go back to the weights after the chosen pass."""
        self.weights_ = self._after[length - 1]
        self._count_error(rows)

    def explored(self, batch: EncodedBatch, x: Floats) -> Iterator[Floats]:
        """Chance after each pass."""
        for weights in self._after:
            self.weights_ = weights
            yield self.chances(batch, x[:, None])[:, 0].mean(axis=1)

    def chances(self, batch: EncodedBatch, x: Floats, length: int | None = None) -> Floats:
        """Chance at each price by each member, (n, G, members)."""
        w, inputs = self.weights_, self.inputs(batch)
        code = np.minimum(batch.product_code, w["embedding"].shape[1] - 1)
        u = self.columns_.standardized(x).astype(np.float32)
        found = []
        for m in range(len(w["embedding"])):
            kernel = w["kernel_1"][m]
            known = np.hstack([inputs, w["embedding"][m][code]]) @ kernel[:-1] + w["bias_1"][m]
            logits = []
            for g in range(x.shape[1]):  # only the price differs, so the rest of the first layer is computed once
                hidden = np.maximum(known + u[:, g, None] * kernel[-1], 0)
                hidden = np.maximum(hidden @ w["kernel_2"][m] + w["bias_2"][m], 0)
                logits.append((hidden @ w["kernel_3"][m] + w["bias_3"][m])[:, 0])
            found.append(expit(np.stack(logits, axis=1).astype(float)))
        return np.stack(found, axis=2)

    def inputs(self, batch: EncodedBatch) -> NDArray[np.float32]:
        """Standardized features and expected price, (n, k + 1)."""
        z, usual = self.columns_.features(batch)
        return np.hstack([z, usual]).astype(np.float32)

    def save(self, folder: Path, stem: str) -> None:
        """Write ``<stem>.npz``."""
        write_arrays(folder, stem, self.columns_.arrays() | {"offsets": self.offsets_} | self.weights_)

    def read(self, folder: Path, stem: str) -> None:
        """Read ``<stem>.npz``."""
        stored = read_arrays(folder, stem, ("keep", "center", "scale", "price", "offsets", *NAMES))
        self.columns_, self.offsets_ = LinearColumns.from_arrays(stored), stored["offsets"]
        self.weights_ = {name: stored[name] for name in NAMES}

    def _run(self, rows: FoldRows, passes: int, report: Report) -> None:
        from pricing_core.models.families.plain_fitting import PlainFitter

        self._measure(rows)
        self.columns_ = LinearColumns.fit(rows)
        u = self.columns_.standardized(rows.x)
        fitter = PlainFitter(self.config, self.seed, rows, self.inputs(rows.batch), u)
        self._after: list[Weights] = []
        for epoch in range(passes):
            report(epoch / passes)
            self._after.append(fitter.run_epoch())
        self.weights_ = self._after[-1]


class PlainNetwork(FoldedModel):
    """Plain network as a demand model."""

    family = "plain_network"
    learner = PlainNetworkLearner
    config_class = PlainNetworkConfig
