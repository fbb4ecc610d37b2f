"""Pricing model: the going price of an offer, what price the shop's habit would have set, and how far prices ranged.

Three LightGBM parts, none of which sees the outcome:

* *reference price* ``g(P) = base · exp(f(product, market))``: the going price, the unit in which the behavior model
  measures (a network takes its place where it is clearly better on customers not seen);
* *expected price* ``ê(z) = E[price / reference | z]`` on everything known of customer, product and market, cross-fitted
  over customers, so that the residual ``x − ê`` is price variation that no feature explains;
* *spread* ``s(z) = E|x − ê|``: with the empirical distribution of ``(x − ê) / s`` it gives the conditional density of
  logged prices, hence the range of prices that the data support and the propensity of off-policy evaluation.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pricing_core.errors import ConfigError, ModelError, reason
from pricing_core.features.batch import EncodedBatch
from pricing_core.models.pricing_challenge import NETWORK, TREES, GoingPriceRows, challenge
from pricing_core.models.pricing_trees import THREADS, Crossfit, TreeSettings, crossfit_few, crossfit_trees, train_trees
from pricing_core.models.settings_check import check_range
from pricing_core.models.tree_files import read_booster, write_booster

if TYPE_CHECKING:
    import lightgbm as lgb

    from pricing_core.models.pricing_network import PricingNetwork

Floats = NDArray[np.float64]
Floats32 = NDArray[np.float32]

_LEVELS = np.concatenate([[0.0, 0.001, 0.0025, 0.005], np.linspace(0.01, 0.99, 99), [0.995, 0.9975, 0.999, 1.0]])

_REFERENCE_LEAVES = 15
_PARTITIONS = 3
_NETWORK_FILE = "pricing_network.npz"


@dataclass(frozen=True)
class PricingConfig:
    """Size of the pricing model.

    Parameters
    ----------
    n_trees
        Most trees of the reference and of the expected price; how many serve is decided on left-out customers.
    n_leaves, learning_rate
        Leaves of the trees of the expected price, and the step of each tree.
    n_folds
        Folds over customers for the cross-fitted expected price (≥ 2).
    few_rows
        With at most so many rows smaller trees compete for the expected price, and that of a training row is averaged
        over three partitions into folds.
    random_state
        Seed.
    """

    n_trees: int = 80
    n_leaves: int = 31
    learning_rate: float = 0.1
    n_folds: int = 3
    few_rows: int = 25_000
    random_state: int = 0

    def __post_init__(self) -> None:
        if self.n_folds < 2:
            raise ConfigError(f"n_folds is {self.n_folds}; cross-fitting needs at least 2.")
        check_range(self, "n_trees", low=1)
        check_range(self, "n_leaves", low=2)
        check_range(self, "learning_rate", above=0, high=1)
        check_range(self, "few_rows", low=0)

    def trees(self, n_leaves: int) -> TreeSettings:
        """Return the settings of boosters with so many leaves."""
        return TreeSettings(self.n_trees, n_leaves, self.learning_rate, self.n_folds, self.random_state)


@dataclass(frozen=True)
class GoingPrice:
    """What the pricing model says of *n* offers: ``reference`` in money; ``expected`` and ``spread`` relative to it."""

    reference: Floats
    expected: Floats
    spread: Floats


class PricingModel:
    """LightGBM pricing model; see the module's text for its parts.

    Attributes
    ----------
    reference_, expected_, spread_
        Boosters (``expected_`` one per fold).
    quantiles_
        Quantiles of the standardized residual at fixed levels.
    network_
        Network that sets the going price in place of the trees; None where it is not clearly better.
    train_going_
        Cross-fitted reference and expected price of the training rows, and their spread.
    """

    def __init__(self, config: PricingConfig | None = None) -> None:
        self.config = config or PricingConfig()
        self.network_: PricingNetwork | None = None

    def fit(
        self,
        batch: EncodedBatch,
        base_price: Floats,
        price: Floats,
        customer_code: NDArray[np.int64],
        weight: Floats | None = None,
        category: NDArray[np.object_] | None = None,
        challenger_rows: int = 0,
    ) -> PricingModel:
        """Fit on logged offers; folds are drawn over customers.

        Parameters
        ----------
        base_price, price
            Money (n,), above zero.
        customer_code
            Number of each row's customer (n,).
        weight
            How many offers a row stands for (n,); default: one.
        category
            Category of each row's product (n,), by which errors are told apart; default: one for all.
        challenger_rows
            Rows on which a network competes with the trees for the going price; 0: none does.
        """
        rng = np.random.default_rng(self.config.random_state)
        weight = np.ones(batch.n) if weight is None else weight
        customers = int(customer_code.max()) + 1
        folds = [rng.permutation(customers)[customer_code] % self.config.n_folds for _ in range(_PARTITIONS)]
        fold = folds[0]
        market_view, matrix = _without_customer(batch), batch.matrix()
        level = np.log(price / base_price)
        # Rows are measured by a reference that did not see their price: one that did would hide part of the variation.
        trees = self.config.trees(_REFERENCE_LEAVES)
        crossfitted = crossfit_trees(market_view, level, weight, fold, trees)
        self.reference_ = train_trees(market_view, level, weight, crossfitted.n_trees, trees)
        guess = crossfitted.prediction
        compared: dict[str, Any] = {}
        if challenger_rows:
            rows = GoingPriceRows(level, weight, fold, np.full(batch.n, "all") if category is None else category)
            judged = challenge(self.reference_, batch, market_view, rows, crossfitted, trees, challenger_rows)
            self.network_, guess, compared = judged.network, judged.prediction, {"going_price": judged.figures}
        self.train_reference_ = base_price * np.exp(guess)
        x = price / self.train_reference_
        habit = self._habit(matrix, x, weight, folds)
        self.expected_, self.train_expected_ = habit.models, habit.prediction
        residual = x - self.train_expected_
        size = np.abs(residual)
        self.floor_ = float(max(0.1 * np.average(size, weights=weight), 1e-4))
        self.spread_ = train_trees(matrix, size, weight, max(10, self.config.n_trees // 4), self.config.trees(8))
        self.train_spread_ = np.maximum(self.spread_.predict(matrix, num_threads=THREADS), self.floor_)
        self.quantiles_ = _weighted_quantiles(residual / self.train_spread_, weight)
        self.metrics_ = {
            **compared,
            "reference_r2": _explained(level, guess, weight),
            "reference_mean_absolute_error_rate": float(np.average(np.abs(x - 1), weights=weight)),
            "expected_r2_crossfitted": _explained(x, self.train_expected_, weight),
            "residual_price_sd": float(np.sqrt(np.average(residual**2, weights=weight))),
        }
        return self

    def _habit(self, matrix: Floats32, x: Floats, weight: Floats, folds: list[NDArray[np.int64]]) -> Crossfit:
        """Cross-fit the expected price; few rows get smaller trees and an average over the partitions."""
        shape = self.config.trees(self.config.n_leaves)
        if len(x) <= self.config.few_rows:
            return crossfit_few(matrix, x, weight, folds, shape)
        return crossfit_trees(matrix, x, weight, folds[0], shape)

    @property
    def train_going_(self) -> GoingPrice:
        """What the model says of its training rows, each from models that did not see the row's price."""
        return GoingPrice(self.train_reference_, self.train_expected_, self.train_spread_)

    def predict(self, batch: EncodedBatch, base_price: Floats) -> GoingPrice:
        """Predict reference, expected price and spread of any offers."""
        matrix = batch.matrix()
        if self.network_ is None:
            level = self.reference_.predict(_without_customer(batch), num_threads=THREADS)
        else:
            level = self.network_.predict(batch)
        expected = np.mean([model.predict(matrix, num_threads=THREADS) for model in self.expected_], axis=0)
        spread = np.maximum(self.spread_.predict(matrix, num_threads=THREADS), self.floor_)
        return GoingPrice(base_price * np.exp(level), expected, spread)

    def supported_range(self, going: GoingPrice, coverage: float = 0.98) -> tuple[Floats, Floats]:
        """Central range of logged prices in money, given everything known of the offer.

        Parameters
        ----------
        coverage
            Share of past prices within the range, in (0, 1).
        """
        if not 0 < coverage < 1:
            raise ConfigError(f"The coverage of supported prices is {coverage}; it must lie between 0 and 1.")
        tail = (1 - coverage) / 2
        low, high = np.interp([tail, 1 - tail], _LEVELS, self.quantiles_)
        return (
            going.reference * np.maximum(going.expected + low * going.spread, 0.01),
            going.reference * (going.expected + high * going.spread),
        )

    def density(self, going: GoingPrice, relative_price: Floats) -> Floats:
        """Conditional density of logged relative prices at ``relative_price`` (n,)."""
        z = (relative_price - going.expected) / going.spread
        edges, share = np.unique(self.quantiles_, return_index=True)
        share[-1] = len(_LEVELS) - 1  # a lump of prices at the top end belongs to the last step
        step = np.diff(edges)
        height = np.diff(_LEVELS[share]) / np.maximum(step, 1e-9)
        place = np.clip(np.searchsorted(edges, z, side="right") - 1, 0, len(height) - 1)
        return np.where((z < edges[0]) | (z > edges[-1]), 0.0, height[place]) / going.spread

    def views(self, batch: EncodedBatch) -> dict[str, tuple[list[lgb.Booster], Floats32, dict[str, list[int]]]]:
        """Return by part the boosters whose mean answers, the matrix that they read, and each feature's columns of it.

        ``reference`` answers with the log of the going price over the price level, ``expected`` with the price that the
        shop's habit would set, relative to the going price. Where the network sets the going price, the trees'
        ``reference`` is the answer of the runner-up.
        """
        goods, everything = ("product", "market"), ("customer", "product", "market")
        return {
            "reference": ([self.reference_], _without_customer(batch), batch.columns_of(goods)),
            "expected": (self.expected_, batch.matrix(), batch.columns_of(everything)),
        }

    def save(self, folder: Path) -> None:
        """Write LightGBM text files, a JSON file, and the network where it sets the going price."""
        write_booster(self.reference_, folder / "pricing_reference.txt")
        write_booster(self.spread_, folder / "pricing_spread.txt")
        for k, model in enumerate(self.expected_):
            write_booster(model, folder / f"pricing_expected_{k}.txt")
        state = {
            "n_folds": len(self.expected_),
            "floor": self.floor_,
            "quantiles": self.quantiles_.tolist(),
            "metrics": self.metrics_,
            "going_price": TREES if self.network_ is None else NETWORK,
        }
        if self.network_ is not None:
            self.network_.save(folder / _NETWORK_FILE)
        (folder / "pricing_model.json").write_text(json.dumps(state, indent=1))

    @classmethod
    def load(cls, folder: Path) -> PricingModel:
        """Read what :meth:`save` wrote."""
        try:
            state: dict[str, Any] = json.loads((folder / "pricing_model.json").read_text())
            model = cls(PricingConfig(n_folds=int(state["n_folds"])))
            model.reference_ = read_booster(folder / "pricing_reference.txt")
            model.spread_ = read_booster(folder / "pricing_spread.txt")
            names = [folder / f"pricing_expected_{k}.txt" for k in range(int(state["n_folds"]))]
            model.expected_ = [read_booster(name) for name in names]
            model.floor_, model.quantiles_ = float(state["floor"]), np.array(state["quantiles"])
            model.metrics_ = state["metrics"]
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ModelError(
                f"The pricing model in {folder.name} cannot be read: {reason(error)}.", fix="Train again."
            ) from error
        if state.get("going_price") == NETWORK:
            from pricing_core.models.pricing_network import PricingNetwork

            model.network_ = PricingNetwork.load(folder / _NETWORK_FILE)
        return model


def _explained(target: Floats, prediction: Floats, weight: Floats) -> float:
    """Share of the variance of ``target`` that ``prediction`` explains."""
    total = np.average((target - np.average(target, weights=weight)) ** 2, weights=weight)
    left = np.average((target - prediction) ** 2, weights=weight)
    return float(1 - left / total) if total > 1e-12 else 0.0


def _weighted_quantiles(values: Floats, weight: Floats) -> Floats:
    if np.ptp(weight) == 0:
        return np.asarray(np.quantile(values, _LEVELS))
    return np.asarray(np.quantile(values, _LEVELS, weights=weight, method="inverted_cdf"))


def _without_customer(batch: EncodedBatch) -> Floats32:
    """Product and market columns with the product code: the going price must not depend on who asks."""
    return np.hstack([batch.product, batch.market, batch.product_code[:, None].astype(np.float32)])
