r"""Taste network: a small network whose outputs are the level of demand and the price sensitivity.

One hidden layer beside a linear path, for shops whose data are too few for the deep behavior model,

.. math:: \operatorname{logit} P = a_1(z, \hat e) - b_1(z, \hat e)\,(x - \hat e(z)), \qquad
          \operatorname{logit} P = a_2(z, \hat e) - b_2(z, \hat e)\,x, \qquad b > 0,

two heads that control in two ways for prices that follow demand, fitted together and averaged. The expected price
:math:`\hat e` is an input of both: where a shop sets its prices by what it knows of demand, its habit tells what few
purchases cannot. The network is fitted and served with NumPy: TensorFlow is not needed. Han, Zegras, Pereira &
Ben-Akiva, "A neural-embedded discrete choice model: learning taste representation with strengthened interpretability"
(2022), for the idea.
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
from pricing_core.models.families.learner import FamilyConfig, FoldLearner, FoldRows, Report
from pricing_core.models.families.sparse_logit import pooled_curve
from pricing_core.models.families.taste_fitting import (
    NAMES,
    TasteFitter,
    Weights,
    curve_parts,
    forward,
    with_usual_in_both,
)
from pricing_core.models.settings_check import check_range

Floats = NDArray[Any]

_FEWEST_ROWS = 30  # of a product that gets an input of its own
_ROWS_PER_UNIT = 8
_FIRST_ROUNDS = 20  # earlier stops save log loss and cost profit: differences in sensitivity are learned last
_BLOCK = 65_536


@dataclass(frozen=True)
class TasteNetworkConfig(FamilyConfig):
    """Size and fitting of the taste network.

    Parameters
    ----------
    units
        Of the hidden layer; fewer where a fold has less than eight rows for each.
    max_rounds
        Most rounds of forty steps; held-out time chooses among every fourth.
    learning_rate, weight_decay
        Of the optimizer.
    selection
        Strength c of the penalty ``c/√n`` on the length of each input's weights into the hidden layer: inputs that do
        not bend demand are left to the linear path. Yuan & Lin, "Model selection and estimation in regression with
        grouped variables" (2006).
    max_products
        Products with an input of their own, the most frequent ones; others are known by their attributes.
    """

    max_rows: int = 200_000
    units: int = 64
    max_rounds: int = 60
    learning_rate: float = 4e-3
    weight_decay: float = 1e-3
    selection: float = 0.3
    max_products: int = 40

    usual_members = (8, 4)

    def __post_init__(self) -> None:
        super().__post_init__()
        check_range(self, "units", low=1)
        check_range(self, "max_rounds", low=4)
        check_range(self, "max_products", "weight_decay", "selection", low=0)
        check_range(self, "learning_rate", above=0, high=1)


class TasteNetworkLearner(FoldLearner):
    """Members of one fold, fitted side by side.

    Attributes
    ----------
    weights_
        Arrays by name, members first.
    start_
        Pooled log-odds and slope per standard deviation of the price.
    """

    config: TasteNetworkConfig
    heads = 2

    @property
    def lengths(self) -> tuple[int, ...]:
        """Rounds: every fourth, once there are a few."""
        return tuple(range(min(_FIRST_ROUNDS, self.config.max_rounds), self.config.max_rounds + 1, 4))

    def fit(self, rows: FoldRows, length: int, report: Report) -> None:
        """Fit for a number of rounds."""
        self.weights_ = self._run(rows, length, report)[-1]

    def explore(self, rows: FoldRows, report: Report) -> None:
        """Fit for the most rounds and keep the weights after every fourth."""
        every = self._run(rows, self.lengths[-1], report)
        self._after = [every[length - 1] for length in self.lengths]
        self.weights_ = self._after[-1]

    def settle(self, rows: FoldRows, length: int, report: Report) -> None:
        """Go back to the weights after the chosen round."""
        self.weights_ = self._after[self.lengths.index(length)]

    def explored(self, batch: EncodedBatch, x: Floats) -> Iterator[Floats]:
        """Chance after every fourth round."""
        for weights in self._after:
            self.weights_ = weights
            intercept, sensitivity = self.curves(batch)
            yield np.asarray(expit(intercept - sensitivity * x[:, None]).mean(axis=1))

    def curves(self, batch: EncodedBatch) -> tuple[Floats, Floats]:
        """Intercept and sensitivity (n, members · 2), the heads of a member side by side."""
        inputs, usual = self._features(batch)
        parts = [self._curves(inputs[k : k + _BLOCK], usual[k : k + _BLOCK]) for k in range(0, batch.n, _BLOCK)]
        return np.vstack([part[0] for part in parts]), np.vstack([part[1] for part in parts])

    def save(self, folder: Path, stem: str) -> None:
        """Write ``<stem>.npz``."""
        own = {"products": self.products_, "start": np.array(self.start_)}
        write_arrays(folder, stem, self.columns_.arrays() | own | self.weights_)

    def read(self, folder: Path, stem: str) -> None:
        """Read ``<stem>.npz``."""
        stored = read_arrays(folder, stem, ("keep", "center", "scale", "price", "products", "start", *NAMES))
        self.columns_, self.products_ = LinearColumns.from_arrays(stored), stored["products"]
        self.start_ = (float(stored["start"][0]), float(stored["start"][1]))
        self.weights_ = with_usual_in_both({name: stored[name] for name in NAMES})

    def _run(self, rows: FoldRows, rounds: int, report: Report) -> list[Weights]:
        """Averaged weights after each round."""
        self.columns_ = LinearColumns.fit(rows)
        count = np.bincount(rows.batch.product_code, minlength=rows.batch.n_products + 1)
        known = np.flatnonzero((count >= _FEWEST_ROWS) & (np.arange(len(count)) > 0))
        frequent = np.sort(known[np.argsort(-count[known], kind="stable")][: self.config.max_products])
        self.products_ = frequent if len(np.flatnonzero(count)) > 1 else frequent[:0]
        width = self.columns_.price[1]
        level, slope = pooled_curve(rows.x, rows.y, rows.batch.expected_price.astype(float), rows.mean_weight)
        self.start_ = (float(level), float(max(slope * width, 1e-3)))
        inputs, usual = self._features(rows.batch)
        fitter = TasteFitter(
            inputs,
            usual,
            self.columns_.standardized(rows.x),
            rows.y,
            rows.weight,
            self.start_,
            units=max(min(self.config.units, len(rows.x) // _ROWS_PER_UNIT), 4),
            learning_rate=self.config.learning_rate,
            weight_decay=self.config.weight_decay,
            selection=self.config.selection,
            seed=self.seed,
        )
        every = []
        for k in range(rounds):
            report(k / rounds)
            every.append(fitter.run_round())
        return every

    def _features(self, batch: EncodedBatch) -> tuple[Floats, Floats]:
        z, usual = self.columns_.features(batch)
        product = (batch.product_code[:, None] == self.products_).astype(np.float32)
        return np.hstack([z, product]).astype(np.float32), usual.astype(np.float32)

    def _curves(self, inputs: Floats, usual: Floats) -> tuple[Floats, Floats]:
        raw, _, _ = forward(self.weights_, inputs, usual)
        level, slope, _ = curve_parts(raw, usual[:, 0], self.start_)
        level, slope = level.astype(float), slope.astype(float)
        level[..., 0] += slope[..., 0] * usual[:, 0]  # the first head is centered at the expected price
        height, steep = (v.transpose(1, 0, 2).reshape(len(inputs), -1) for v in (level, slope))
        return self.columns_.curves(height, steep)


class TasteNetwork(FoldedModel):
    """Taste network as a demand model."""

    family = "taste_network"
    learner = TasteNetworkLearner
    config_class = TasteNetworkConfig
