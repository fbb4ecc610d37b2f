"""Pricing model: the going price of an offer, what price the shop's habit would have set, and how far prices ranged.

Three LightGBM parts, none of which sees the outcome:

* *reference price* ``g(P) = base · exp(f(product, market))``: the going price, the unit in which the behavior model measures;
* *expected price* ``ê(z) = E[price / reference | z]`` on everything known of customer, product and market, cross-fitted over
  customers, so that the residual ``x − ê`` is price variation that no feature explains;
* *spread* ``s(z) = E|x − ê|``: with the empirical distribution of ``(x − ê) / s`` it gives the conditional density of logged
  prices, hence the range of prices that the data support and the propensity of off-policy evaluation.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pricing_core.errors import ConfigError, ModelError
from pricing_core.features.batch import EncodedBatch

if TYPE_CHECKING:
    import lightgbm as lgb

Floats = NDArray[np.float64]

_LEVELS = np.concatenate([[0.0, 0.001, 0.0025, 0.005], np.linspace(0.01, 0.99, 99), [0.995, 0.9975, 0.999, 1.0]])


@dataclass(frozen=True)
class PricingConfig:
    """Size of the pricing model.

    Parameters
    ----------
    n_trees, n_leaves, learning_rate
        Of the reference and the expected price.
    n_folds
        Folds over customers for the cross-fitted expected price (≥ 2).
    random_state
        Seed.
    """

    n_trees: int = 150
    n_leaves: int = 31
    learning_rate: float = 0.1
    n_folds: int = 3
    random_state: int = 0

    def __post_init__(self) -> None:
        if self.n_folds < 2:
            raise ConfigError(f"n_folds is {self.n_folds}; cross-fitting needs at least 2.")
        if self.n_trees < 1 or self.n_leaves < 2 or not 0 < self.learning_rate <= 1:
            raise ConfigError("n_trees must be ≥ 1, n_leaves ≥ 2 and learning_rate in (0, 1].")


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
    train_expected_
        Cross-fitted expected relative price of the training rows (n,).
    """

    def __init__(self, config: PricingConfig | None = None) -> None:
        self.config = config or PricingConfig()

    def fit(self, batch: EncodedBatch, base_price: Floats, price: Floats, customer_code: NDArray[np.int64]) -> PricingModel:
        """Fit on logged offers; folds are drawn over customers."""
        rng = np.random.default_rng(self.config.random_state)
        market_view = _without_customer(batch)
        self.reference_ = self._train(market_view, np.log(price / base_price))
        reference = base_price * np.exp(self.reference_.predict(market_view))
        x = price / reference
        matrix = batch.matrix()
        fold = rng.permutation(int(customer_code.max()) + 1)[customer_code] % self.config.n_folds
        self.expected_ = [self._train(matrix[fold != k], x[fold != k]) for k in range(self.config.n_folds)]
        expected = np.empty(batch.n)
        for k, model in enumerate(self.expected_):
            expected[fold == k] = model.predict(matrix[fold == k])
        residual = x - expected
        size = np.abs(residual)
        self.floor_ = float(max(0.1 * size.mean(), 1e-4))
        self.spread_ = self._train(matrix, size, n_trees=max(10, self.config.n_trees // 4), n_leaves=8)
        spread = np.maximum(self.spread_.predict(matrix), self.floor_)
        self.quantiles_ = np.quantile(residual / spread, _LEVELS)
        self.train_expected_ = expected
        total = float(np.var(np.log(price / base_price)))
        self.metrics_ = {
            "reference_r2": 1 - float(np.var(np.log(price / reference))) / total if total > 0 else 0.0,
            "reference_mean_absolute_error_rate": float(np.mean(np.abs(price / reference - 1))),
            "expected_r2_crossfitted": 1 - float(np.var(residual)) / max(float(np.var(x)), 1e-12),
            "residual_price_sd": float(np.std(residual)),
        }
        return self

    def predict(self, batch: EncodedBatch, base_price: Floats) -> GoingPrice:
        """Reference, expected and spread of any offers."""
        matrix = batch.matrix()
        reference = base_price * np.exp(self.reference_.predict(_without_customer(batch)))
        expected = np.mean([model.predict(matrix) for model in self.expected_], axis=0)
        return GoingPrice(reference, expected, np.maximum(self.spread_.predict(matrix), self.floor_))

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
        step = np.diff(edges)
        height = np.diff(_LEVELS[share]) / np.maximum(step, 1e-9)
        place = np.clip(np.searchsorted(edges, z, side="right") - 1, 0, len(height) - 1)
        return np.where((z < edges[0]) | (z > edges[-1]), 0.0, height[place]) / going.spread

    def save(self, folder: Path) -> None:
        """Write LightGBM text files and a JSON file."""
        self.reference_.save_model(str(folder / "pricing_reference.txt"))
        self.spread_.save_model(str(folder / "pricing_spread.txt"))
        for k, model in enumerate(self.expected_):
            model.save_model(str(folder / f"pricing_expected_{k}.txt"))
        state = {
            "n_folds": len(self.expected_),
            "floor": self.floor_,
            "quantiles": self.quantiles_.tolist(),
            "metrics": self.metrics_,
        }
        (folder / "pricing_model.json").write_text(json.dumps(state, indent=1))

    @classmethod
    def load(cls, folder: Path) -> PricingModel:
        """Read what :meth:`save` wrote."""
        import lightgbm as lgb

        try:
            state: dict[str, Any] = json.loads((folder / "pricing_model.json").read_text())
            model = cls(PricingConfig(n_folds=int(state["n_folds"])))
            model.reference_ = lgb.Booster(model_file=str(folder / "pricing_reference.txt"))
            model.spread_ = lgb.Booster(model_file=str(folder / "pricing_spread.txt"))
            names = [folder / f"pricing_expected_{k}.txt" for k in range(int(state["n_folds"]))]
            model.expected_ = [lgb.Booster(model_file=str(name)) for name in names]
        except (OSError, ValueError, KeyError, lgb.basic.LightGBMError) as error:
            raise ModelError(f"The pricing model in {folder.name} cannot be read: {error}.", fix="Train again.") from error
        model.floor_, model.quantiles_ = float(state["floor"]), np.array(state["quantiles"])
        model.metrics_ = state["metrics"]
        return model

    def _train(self, matrix: NDArray[np.float32], target: Floats, *, n_trees: int | None = None, n_leaves: int | None = None) -> lgb.Booster:
        import lightgbm as lgb

        parameters = {
            "objective": "regression",
            "num_leaves": n_leaves or self.config.n_leaves,
            "learning_rate": self.config.learning_rate,
            "min_data_in_leaf": max(5, min(100, len(target) // 200)),
            "lambda_l2": 1.0,
            "seed": self.config.random_state,
            "deterministic": True,
            "force_row_wise": True,
            "num_threads": 2,
            "verbosity": -1,
        }
        data = lgb.Dataset(matrix, target, free_raw_data=True)
        return lgb.train(parameters, data, num_boost_round=n_trees or self.config.n_trees)


def _without_customer(batch: EncodedBatch) -> NDArray[np.float32]:
    """Product and market columns with the product code: the going price must not depend on who asks."""
    return np.hstack([batch.product, batch.market, batch.product_code[:, None].astype(np.float32)])
