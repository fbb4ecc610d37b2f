r"""Units per purchase: how many a customer takes of a product, where the data say so.

On purchases with a known quantity, boosted trees with a logarithmic link (LightGBM, Poisson likelihood) learn the
expected number of units from what is known of customer, product and market, cross-fitted over customers. The price is
not among it. Whether it matters is asked on top, by a Poisson regression on the price variation that no feature
explains,

.. math:: E[q] = \hat q(z)\, e^{a + \theta (x - \hat e)}

with a standard error that allows for customers whose purchases are alike.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pricing_core.errors import ModelError, reason
from pricing_core.features.batch import EncodedBatch
from pricing_core.models.learning_rows import LearningRows
from pricing_core.models.tree_files import read_booster, write_booster

if TYPE_CHECKING:
    import lightgbm as lgb

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

LEAST_PURCHASES: Final = 100
FILE: Final = "quantity.json"
SIGNIFICANT_Z: Final = 2.58
"""Standard errors from which the effect of the price on the quantity counts as real (1%)."""

_FOLDS = 3
_SIZES = (0, 15, 30, 60, 120)


@dataclass(frozen=True)
class QuantityFacts:
    """What was found.

    Attributes
    ----------
    purchases, unknown
        Purchases learned from, and purchases whose quantity is unknown or not above zero.
    mean_units
        Units per purchase.
    explained
        Share of the Poisson deviance that the features explain for customers not learned from.
    price_effect, price_effect_z
        θ, the change of the log of the quantity per unit of relative price, and θ over its standard error.
    """

    purchases: int
    unknown: int
    mean_units: float
    explained: float
    price_effect: float
    price_effect_z: float

    @property
    def price_matters(self) -> bool:
        """Whether the quantity depends on the price."""
        return abs(self.price_effect_z) > SIGNIFICANT_Z


class QuantityModel:
    """Expected units per purchase; see the module's text."""

    def __init__(self, mean: float, boosters: list[lgb.Booster], facts: QuantityFacts) -> None:
        self.mean_, self.boosters_, self.facts_ = mean, boosters, facts

    @classmethod
    def fit(
        cls,
        batch: EncodedBatch,
        x: Floats,
        purchased: Floats,
        quantity: Floats,
        weight: Floats,
        customer: Ints,
        *,
        random_state: int = 0,
    ) -> QuantityModel | None:
        """Learn from logged offers; None where too few purchases have a quantity.

        Parameters
        ----------
        batch
            Features with the expected price.
        x, purchased, quantity, weight, customer
            Relative price, outcome, units (NaN where unknown), weight and number of the customer, (n,) each.
        """
        bought = purchased == 1
        known = bought & np.isfinite(quantity) & (quantity > 0)
        if known.sum() < LEAST_PURCHASES:
            return None
        rows = np.flatnonzero(known)
        units, mass = quantity[rows], weight[rows]
        mean = float(np.average(units, weights=mass))
        unknown = int(bought.sum() - known.sum())
        if np.ptp(units) == 0:
            return cls(mean, [], QuantityFacts(len(rows), unknown, mean, 0.0, 0.0, 0.0))
        matrix = batch.take(rows).matrix()
        boosters, guess = _crossfit(matrix, units, mass, customer[rows], random_state)
        explained = 1 - _deviance(units, guess, mass) / max(_deviance(units, np.full(len(units), mean), mass), 1e-12)
        moved = (x - batch.expected_price.astype(float))[rows]
        effect, z = _price_effect(units, guess, moved, mass, customer[rows])
        return cls(mean, boosters, QuantityFacts(len(rows), unknown, mean, explained, effect, z))

    def predict(self, batch: EncodedBatch) -> Floats:
        """Expected units per purchase at the usual price (n,), above zero."""
        if not self.boosters_:
            return np.full(batch.n, self.mean_)
        matrix = batch.matrix()
        return np.asarray(np.mean([model.predict(matrix, num_threads=2) for model in self.boosters_], axis=0))

    def to_dict(self) -> dict[str, Any]:
        """What was found, JSON-able, with whether the price matters."""
        return {**asdict(self.facts_), "price_matters": self.facts_.price_matters}

    def save(self, folder: Path) -> None:
        """Write ``quantity.json`` and LightGBM text files."""
        for k, model in enumerate(self.boosters_):
            write_booster(model, folder / f"quantity_{k}.txt")
        state = {"mean": self.mean_, "boosters": len(self.boosters_), "facts": asdict(self.facts_)}
        (folder / FILE).write_text(json.dumps(state, indent=1), encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> QuantityModel | None:
        """Read what :meth:`save` wrote; None where the run knows no quantities."""
        path = folder / FILE
        if not path.exists():
            return None
        try:
            state: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
            names = [folder / f"quantity_{k}.txt" for k in range(int(state["boosters"]))]
            models = [read_booster(name) for name in names]
            return cls(float(state["mean"]), models, QuantityFacts(**state["facts"]))
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ModelError(
                f"The quantity model in {folder.name} cannot be read: {reason(error)}.", fix="Train again."
            ) from error


def learn_quantity(offers: pd.DataFrame, rows: LearningRows, random_state: int = 0) -> QuantityModel | None:
    """Quantity model of logged offers, in the order of ``rows``; None where they know no quantities."""
    if "quantity" not in offers.columns:
        return None
    quantity = pd.to_numeric(offers["quantity"], errors="coerce").to_numpy(dtype=float)
    customer = pd.factorize(rows.customer_id, sort=True)[0].astype(np.int64)
    known = (rows.x, rows.y, quantity, rows.weight, customer)
    return QuantityModel.fit(rows.batch, *known, random_state=random_state)


def _crossfit(
    matrix: NDArray[np.float32], units: Floats, weight: Floats, customer: Ints, seed: int
) -> tuple[list[lgb.Booster], Floats]:
    """Boosters, one per fold left out, and each row's prediction by the one that did not see its customer."""
    import lightgbm as lgb

    order = np.random.default_rng([seed, 61]).permutation(int(customer.max()) + 1)
    fold = order[customer] % _FOLDS
    parameters = {
        "objective": "poisson", "num_leaves": 15, "learning_rate": 0.06, "lambda_l2": 1.0, "max_bin": 63,
        "min_data_in_leaf": max(5, min(100, len(units) // 100)), "seed": seed, "deterministic": True,
        "force_row_wise": True, "num_threads": 2, "verbosity": -1,
    }  # fmt: skip
    guesses = {size: np.empty(len(units)) for size in _SIZES}
    models = []
    for k in range(_FOLDS):
        mine = fold == k
        if mine.all() or not mine.any():
            return [], np.full(len(units), float(np.average(units, weights=weight)))
        data = lgb.Dataset(matrix[~mine], units[~mine], weight=weight[~mine], params=parameters)
        model = lgb.train(parameters, data, num_boost_round=_SIZES[-1])
        guesses[0][mine] = np.average(units[~mine], weights=weight[~mine])
        for size in _SIZES[1:]:
            guesses[size][mine] = model.predict(matrix[mine], num_iteration=size, num_threads=2)
        models.append(model)
    best = min(_SIZES, key=lambda size: _deviance(units, guesses[size], weight))
    kept = [] if best == 0 else [lgb.Booster(model_str=m.model_to_string(num_iteration=best)) for m in models]
    return kept, guesses[best]


def _deviance(units: Floats, guess: Floats, weight: Floats) -> float:
    """Poisson deviance per purchase."""
    safe = np.maximum(guess, 1e-9)
    return float(2 * np.average(units * np.log(units / safe) - (units - safe), weights=weight))


def _price_effect(units: Floats, guess: Floats, moved: Floats, weight: Floats, customer: Ints) -> tuple[float, float]:
    """θ and its z, by Poisson regression with the prediction as offset; errors clustered by customer."""
    design = np.column_stack([np.ones_like(moved), moved])
    theta = np.zeros(2)
    for _ in range(20):
        mean = guess * np.exp(np.clip(design @ theta, -5, 5))
        bread = (design * (weight * mean)[:, None]).T @ design + 1e-9 * np.eye(2)
        step = np.linalg.solve(bread, design.T @ (weight * (units - mean)))
        theta = theta + np.clip(step, -1, 1)
        if np.abs(step).max() < 1e-9:
            break
    scores = design * (weight * (units - guess * np.exp(np.clip(design @ theta, -5, 5))))[:, None]
    clustered = np.stack([np.bincount(customer, column) for column in scores.T], axis=1)
    inverse = np.linalg.inv(bread)
    error = float(np.sqrt((inverse @ (clustered.T @ clustered) @ inverse)[1, 1]))
    return float(theta[1]), float(theta[1] / error) if error > 0 else 0.0
