"""Which settings of a model are searched, and between which values.

A space is a table: name of the setting → range or choice. The families of this product have theirs here; a class of
another family brings its own as the attribute ``SEARCH_SPACE``.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from pricing_core.errors import ConfigError
from pricing_core.models.demand_model import FAMILIES, NETWORK, family

if TYPE_CHECKING:
    from optuna.trial import Trial

PRICING_MODEL: Final = "pricing_model"
"""Name under which the pricing model is tuned, beside the names of the families."""


@dataclass(frozen=True)
class Range:
    """Numbers from ``low`` to ``high``.

    Parameters
    ----------
    log
        Whether equal ratios count as equal steps.
    whole
        Whether only whole numbers are meant.
    points
        Values on the grid, from end to end.
    """

    low: float
    high: float
    log: bool = False
    whole: bool = False
    points: int = 3

    def __post_init__(self) -> None:
        if not self.low < self.high or (self.log and self.low <= 0) or self.points < 2:
            raise ConfigError(f"No values can be searched from {self.low} to {self.high}.")

    def grid(self) -> list[Any]:
        """Evenly spaced values on the range's scale, ascending, no two alike."""
        if self.log:
            values = np.exp(np.linspace(math.log(self.low), math.log(self.high), self.points))
        else:
            values = np.linspace(self.low, self.high, self.points)
        rounded = [round(float(v)) if self.whole else float(f"{v:.3g}") for v in values]
        return list(dict.fromkeys(rounded))

    def suggest(self, trial: Trial, name: str) -> Any:
        """Have the search choose a value."""
        if self.whole:
            return trial.suggest_int(name, int(self.low), int(self.high), log=self.log)
        return trial.suggest_float(name, self.low, self.high, log=self.log)

    def holds(self, value: Any) -> bool:
        """Whether the value lies in the range."""
        if isinstance(value, bool) or not isinstance(value, int | float):
            return False
        return self.low <= value <= self.high and (not self.whole or float(value).is_integer())


@dataclass(frozen=True)
class Choice:
    """One of a few values: numbers, texts or truth values."""

    values: tuple[Any, ...]

    def __post_init__(self) -> None:
        if len(self.values) < 2:
            raise ConfigError("A choice needs at least two values.")

    def grid(self) -> list[Any]:
        """All values."""
        return list(self.values)

    def suggest(self, trial: Trial, name: str) -> Any:
        """Have the search choose a value."""
        return trial.suggest_categorical(name, self.values)

    def holds(self, value: Any) -> bool:
        """Whether it is one of the values."""
        return value in self.values


SearchSpace = Mapping[str, Range | Choice]

_RATE: Final = Range(5e-4, 2e-2, log=True, points=4)
_TREE_RATE: Final = Range(0.02, 0.3, log=True)
_LEAVES: Final = Range(3, 63, log=True, whole=True)
_SPACES: Final[dict[str, SearchSpace]] = {
    NETWORK: {
        "learning_rate": _RATE,
        "weight_decay": Range(1e-3, 1.0, log=True),
        "batch_size": Choice((256, 512, 1024, 2048, 4096)),
    },
    "taste_network": {
        "learning_rate": _RATE,
        "weight_decay": Range(1e-5, 1e-1, log=True),
        "units": Range(8, 96, log=True, whole=True),
    },
    "two_output_trees": {
        "learning_rate": _TREE_RATE,
        "n_leaves": _LEAVES,
        "shrinkage": Range(0.5, 50.0, log=True),
    },
    "monotone_trees": {"learning_rate": _TREE_RATE, "n_leaves": _LEAVES},
    "l1_logit": {
        "depth": Range(1.5, 4.0),
        "max_products": Range(5, 200, log=True, whole=True),
    },
    "hierarchical_logit": {"members": Range(2, 8, whole=True)},
    "plain_network": {
        "learning_rate": _RATE,
        "weight_decay": Range(1e-5, 1e-1, log=True),
        "units": Range(16, 128, log=True, whole=True),
    },
    "bayes": {
        "smoothing": Range(5.0, 500.0, log=True),
        "n_features": Range(2, 24, whole=True),
    },
    PRICING_MODEL: {
        "n_trees": Range(20, 320, log=True, whole=True),
        "n_leaves": Range(7, 127, log=True, whole=True),
        "learning_rate": _TREE_RATE,
    },
}


def tunable() -> dict[str, str]:
    """Name → label of every model whose settings can be searched."""
    labels = {name: found.label for name, found in FAMILIES.items() if _space(name)}
    return {**labels, PRICING_MODEL: "Pricing model (going price)"}


def space_of(name: str) -> SearchSpace:
    """Return the settings that are searched of a family, or of the pricing model.

    Raises
    ------
    ConfigError
        If there is no such model, or it has nothing to search.
    """
    space = _space(name)
    if not space:
        known = ", ".join(tunable())
        raise ConfigError(f"The model {name!r} has no settings to search.", fix=f"Choose one of {known}.")
    return space


def grid_points(space: SearchSpace, random_state: int = 0) -> list[dict[str, Any]]:
    """All combinations of the grid's values, in a random order that the seed fixes.

    The order is random so that a search that is stopped half-way has looked everywhere.
    """
    names = list(space)
    points = [
        dict(zip(names, values, strict=True)) for values in itertools.product(*(space[name].grid() for name in names))
    ]
    order = np.random.default_rng(random_state).permutation(len(points))
    return [points[i] for i in order]


def _space(name: str) -> SearchSpace:
    if name == PRICING_MODEL:
        return _SPACES[name]
    declared: SearchSpace = getattr(family(name).model_class(), "SEARCH_SPACE", None) or _SPACES.get(name, {})
    return declared
