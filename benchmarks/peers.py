"""What other libraries make of the same data, for :mod:`benchmarks.families`; see ``requirements/causal.txt``.

Each peer gets the attributes and the logged prices, and answers with one of nine prices for each fresh customer, as its
users would have it do: forests and linear double machine learning estimate the effect of a price step on the purchase
and add it to an estimate of the level; boosting and the taste network search the price grid.
"""

from __future__ import annotations

import contextlib
import io
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from benchmarks.known_markets import KnownMarket

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_TASTE_EPOCHS = 60
_ALONE = {"choice-learn": "pip install --no-deps 'choice-learn>=1.3,<2'"}  # it asks for another build of TensorFlow


class PeerMissing(RuntimeError):
    """A peer is not installed."""


def _grid(market: KnownMarket, chance: Callable[[Floats], Floats]) -> Ints:
    x = market.fresh_features
    each = [p * chance(np.column_stack([np.full(len(x), p), x])) for p in market.prices]
    return np.asarray(np.stack(each, axis=1).argmax(axis=1))


def causal_forest(market: KnownMarket) -> Ints:
    """EconML CausalForestDML: effect of the price on the purchase, linear in price, beside a boosted level."""
    return _by_effect(market, "CausalForestDML", {"n_estimators": 200, "min_samples_leaf": 20, "inference": False})


def linear_dml(market: KnownMarket) -> Ints:
    """EconML LinearDML: the same with an effect that is linear in the attributes."""
    return _by_effect(market, "LinearDML", {})


def _by_effect(market: KnownMarket, name: str, settings: dict[str, Any]) -> Ints:
    dml = _import("econml.dml", "econml")
    from sklearn.ensemble import HistGradientBoostingRegressor

    def learner() -> HistGradientBoostingRegressor:
        return HistGradientBoostingRegressor(max_iter=100, learning_rate=0.06, max_leaf_nodes=15, random_state=0)

    model = getattr(dml, name)(model_y=learner(), model_t=learner(), cv=3, random_state=0, **settings)
    model.fit(market.bought, market.price, X=market.features)
    level, usual = learner(), learner()
    level.fit(market.features, market.bought)
    usual.fit(market.features, market.price)
    x = market.fresh_features
    effect = np.asarray(model.const_marginal_effect(x)).reshape(len(x))
    start, middle = level.predict(x), usual.predict(x)
    chance = np.clip(start[:, None] + effect[:, None] * (market.prices - middle[:, None]), 0.0, 1.0)
    return np.asarray((market.prices * chance).argmax(axis=1))


def policy_forest(market: KnownMarket) -> Ints:
    """EconML DRPolicyForest on logged prices rounded to the nearest of the nine, maximizing revenue."""
    policy = _import("econml.policy", "econml")
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

    step = np.abs(market.price[:, None] - market.prices).argmin(axis=1)
    model = policy.DRPolicyForest(
        model_regression=HistGradientBoostingRegressor(max_iter=80, learning_rate=0.06, max_leaf_nodes=15),
        model_propensity=HistGradientBoostingClassifier(max_iter=40, learning_rate=0.06, max_leaf_nodes=15),
        min_propensity=0.02,
        n_estimators=200,
        min_samples_leaf=50,
        random_state=0,
    )
    model.fit(market.price * market.bought, step, X=market.features)
    return np.asarray(model.predict(market.fresh_features), dtype=np.int64)


def scikit_boosting(market: KnownMarket) -> Ints:
    """Boosting of scikit-learn, falling in the price, leaves and steps by cross-validated grid search."""
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.model_selection import GridSearchCV

    falling = [-1, *[0] * market.features.shape[1]]
    search = GridSearchCV(
        HistGradientBoostingClassifier(learning_rate=0.06, monotonic_cst=falling, random_state=0),
        {"max_leaf_nodes": [7, 15], "max_iter": [60, 120, 240]},
        scoring="neg_log_loss",
        cv=3,
    )
    search.fit(np.column_stack([market.price, market.features]), market.bought)
    return _grid(market, lambda rows: np.asarray(search.predict_proba(rows)[:, 1]))


def xgboost_trees(market: KnownMarket) -> Ints:
    """XGBoost, falling in the price, leaves and steps by cross-validated grid search."""
    xgboost = _import("xgboost", "xgboost")
    from sklearn.model_selection import GridSearchCV

    falling = (-1, *[0] * market.features.shape[1])
    search = GridSearchCV(
        xgboost.XGBClassifier(learning_rate=0.06, monotone_constraints=falling, random_state=0, n_jobs=2),
        {"max_depth": [3, 5], "n_estimators": [60, 120, 240]},
        scoring="neg_log_loss",
        cv=3,
    )
    search.fit(np.column_stack([market.price, market.features]), market.bought)
    return _grid(market, lambda rows: np.asarray(search.predict_proba(rows)[:, 1]))


def taste_net(market: KnownMarket) -> Ints:
    """TasteNet of choice-learn: a network of the attributes gives the level and a price effect that is below zero.

    How long it learns is chosen on the latest 15% of the log; it then learns from all of it for as long.
    """
    models, data = _import("choice_learn.models", "choice-learn"), _import("choice_learn.data", "choice-learn")
    import tensorflow as tf

    unit = float(np.abs(market.price).mean())
    mean, sd = market.features.mean(axis=0), market.features.std(axis=0)

    def attributes(features: Floats) -> NDArray[np.float32]:
        return ((features - mean) / sd).astype(np.float32)

    def choices(rows: slice) -> Any:
        price = market.price[rows] / unit
        items = np.zeros((len(price), 2, 2), dtype=np.float32)  # to buy, or not to; a level and a price
        items[:, 0, 0], items[:, 0, 1] = 1.0, price
        bought = (market.bought[rows] == 0).astype(np.int32)  # the first alternative is to buy
        return data.ChoiceDataset(
            choices=bought, shared_features_by_choice=attributes(market.features[rows]), items_features_by_choice=items
        )

    def fitted(epochs: int, learn: Any, judge: Any = None) -> tuple[Any, dict[str, list[float]]]:
        tf.keras.utils.set_random_seed(0)
        model = models.TasteNet(
            taste_net_layers=[32, 16], taste_net_activation="relu",
            items_features_by_choice_parametrization=[["linear", "-exp"], [0.0, 0.0]],
            optimizer="Adam", lr=0.003, batch_size=128, epochs=epochs,
        )  # fmt: skip
        with contextlib.redirect_stderr(io.StringIO()):  # a bar of progress that cannot be turned off
            return model, model.fit(learn, val_dataset=judge, verbose=0)

    late = int(0.85 * len(market.price))
    _, losses = fitted(_TASTE_EPOCHS, choices(slice(0, late)), choices(slice(late, None)))
    model, _ = fitted(int(np.argmin(losses["val_loss"])) + 1, choices(slice(None)))
    level, steep = np.asarray(model.predict_tastes(attributes(market.fresh_features)), dtype=float).T
    chance = expit(level[:, None] - np.exp(-steep)[:, None] * market.prices / unit)
    return np.asarray((market.prices * chance).argmax(axis=1))


PEERS: dict[str, Callable[[KnownMarket], Ints]] = {
    "EconML CausalForestDML": causal_forest,
    "EconML LinearDML": linear_dml,
    "EconML DRPolicyForest": policy_forest,
    "scikit-learn boosting": scikit_boosting,
    "XGBoost": xgboost_trees,
    "choice-learn TasteNet": taste_net,
}


def _import(module: str, package: str) -> Any:
    from importlib import import_module

    try:
        return import_module(module)
    except ImportError as error:
        how = _ALONE.get(package, "pip install -r requirements/causal.txt")
        raise PeerMissing(f"{package} is not installed; for this comparison: {how}") from error
