"""What every family of behavior models can do, and how a stored one is found again.

Pages, commands and the optimizer ask a demand model for price responses and never for its kind. A family is a name, a
label in plain words, and the class that fits and loads its models.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from pricing_core.errors import ConfigError, ModelError, reason
from pricing_core.features.batch import EncodedBatch
from pricing_core.models.settings_check import checked_settings
from pricing_core.response.price_response import PriceResponse

if TYPE_CHECKING:
    from pricing_core.models.behavior import LearningRows
    from pricing_core.progress import Progress

Floats = NDArray[np.float64]

NETWORK: Final = "network"
BLEND: Final = "blend"
_FILE: Final = "demand_model.json"


class DemandModel(Protocol):
    """A model of the chance that a customer buys a product at a price in a market.

    Attributes
    ----------
    family
        Name of its family.
    epochs_
        How long it learned, as held-out time chose: passes over the data, trees or the like.
    history_
        Loss by step: ``phase, epoch, training_loss, validation_loss`` in each record; may be empty.
    """

    family: str
    epochs_: int
    history_: list[dict[str, Any]]

    def choose_epochs(self, learn: LearningRows, held_out: LearningRows, progress: Progress | None = None) -> Self:
        """Fit on earlier rows; later rows only say how long to learn."""
        ...

    def fit(self, rows: LearningRows, epochs: int, progress: Progress | None = None) -> Self:
        """Fit on all rows for as long as was chosen."""
        ...

    def respond(self, batch: EncodedBatch, reference_price: Floats) -> PriceResponse:
        """Price response of any rows, as draws of both customer folds."""
        ...

    def save(self, folder: Path) -> None:
        """Write the model in open formats."""
        ...

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what :meth:`save` wrote; TensorFlow is not needed."""
        ...


@dataclass(frozen=True)
class Family:
    """One kind of demand model: its name, its label in plain words, and where its class lives (``module:class``).

    ``settings`` (``module:class``) holds its settings, with their defaults; ``quick`` those that a quick training
    takes instead.
    """

    name: str
    label: str
    place: str
    settings: str
    quick: Mapping[str, Any] = field(default_factory=dict)

    def model_class(self) -> Any:
        """Import and return the class."""
        return _imported(self.place)

    def new(self, settings: Mapping[str, Any] | None = None, *, random_state: int = 0, quick: bool = False) -> Any:
        """Return a model that has learned nothing yet.

        Parameters
        ----------
        settings
            In place of the defaults.
        random_state
            Seed.
        quick
            Start from the settings of a quick training.

        Raises
        ------
        ConfigError
            If the family knows no such setting or does not allow its value.
        """
        return self.model_class()(self.config(settings, random_state=random_state, quick=quick))

    def config(self, settings: Mapping[str, Any] | None = None, *, random_state: int = 0, quick: bool = False) -> Any:
        """Return the settings of a model, as :meth:`new` takes them.

        Raises
        ------
        ConfigError
            If the family knows no such setting or does not allow its value.
        """
        kind = _imported(self.settings)
        own = checked_settings(kind, {} if settings is None else settings, self.label)
        return kind(**{**(self.quick if quick else {}), **own, "random_state": random_state})


def _imported(place: str) -> Any:
    module, name = place.split(":")
    return getattr(import_module(module), name)


_HERE: Final = "pricing_core.models"
FAMILIES: Final[dict[str, Family]] = {
    family.name: family
    for family in (
        Family(
            NETWORK,
            "Deep behavior model",
            f"{_HERE}.behavior:BehaviorModel",
            f"{_HERE}.behavior:BehaviorConfig",
            {"members": 3, "max_epochs": 6, "batch_size": 2048, "learning_rate": 6e-3, "guidance": 0.0},
        ),
        Family(
            "taste_network",
            "Taste network",
            f"{_HERE}.families.taste_network:TasteNetwork",
            f"{_HERE}.families.taste_network:TasteNetworkConfig",
            {"members": 3, "max_rounds": 32, "max_rows": 60_000},
        ),
        Family(
            "two_output_trees",
            "Two-output boosted trees",
            f"{_HERE}.families.two_output_trees:TwoOutputTrees",
            f"{_HERE}.families.two_output_trees:TwoOutputTreesConfig",
            {"members": 2, "n_trees": 100, "learning_rate": 0.12},
        ),
        Family(
            "monotone_trees",
            "Monotone boosted trees",
            f"{_HERE}.families.monotone:MonotoneTreesModel",
            f"{_HERE}.families.monotone:MonotoneFamilyConfig",
            {"members": 2, "n_trees": 100, "learning_rate": 0.12, "max_rows": 60_000},
        ),
        Family(
            "l1_logit",
            "L1 logit",
            f"{_HERE}.families.l1_logit:L1Logit",
            f"{_HERE}.families.l1_logit:L1LogitConfig",
            {"members": 3, "steps": 10, "max_rows": 100_000},
        ),
        Family(
            "hierarchical_logit",
            "Hierarchical logit",
            f"{_HERE}.families.hierarchical_logit:HierarchicalLogit",
            f"{_HERE}.families.hierarchical_logit:HierarchicalLogitConfig",
            {"members": 3, "max_rows": 100_000},
        ),
        Family(
            "plain_network",
            "Plain network",
            f"{_HERE}.families.plain_network:PlainNetwork",
            f"{_HERE}.families.plain_network:PlainNetworkConfig",
            {"members": 2, "max_epochs": 6, "max_rows": 100_000, "learning_rate": 6e-3},
        ),
        Family(
            "bayes",
            "Bayes from counts",
            f"{_HERE}.families.bayes:Bayes",
            f"{_HERE}.families.bayes:BayesConfig",
        ),
    )
}


# A blend of families is chosen by what later offers say, never by name.
_BLENDED: Final = Family(BLEND, "Blend", f"{_HERE}.blend:BlendedModel", f"{_HERE}.blend:BlendConfig")


def family(name: str) -> Family:
    """Return a family by name.

    Raises
    ------
    ConfigError
        If there is none of that name.
    """
    if name == BLEND:
        return _BLENDED
    if name not in FAMILIES:
        raise ConfigError(f"There is no family of models named {name!r}.", fix=f"Choose one of {', '.join(FAMILIES)}.")
    return FAMILIES[name]


def label_of(name: object) -> str | None:
    """Return a family's label in plain words; of a family that this version does not know its name, of none None."""
    if not isinstance(name, str) or not name:
        return None
    return family(name).label if name == BLEND or name in FAMILIES else name


def save_demand_model(model: DemandModel, folder: Path) -> None:
    """Write a model and which family it belongs to."""
    model.save(folder)
    (folder / _FILE).write_text(json.dumps({"family": model.family}), encoding="utf-8")


def load_demand_model(folder: Path) -> DemandModel:
    """Read a model of whichever family; a folder that names none holds the network of an earlier version.

    Raises
    ------
    ModelError
        If the files cannot be read.
    """
    path = folder / _FILE
    try:
        name = json.loads(path.read_text(encoding="utf-8"))["family"] if path.exists() else NETWORK
        kind = family(str(name))
    except (OSError, ValueError, KeyError, TypeError, ConfigError) as error:
        raise ModelError(f"The model in {folder.name} cannot be read: {reason(error)}", fix="Train again.") from error
    model: DemandModel = kind.model_class().load(folder)
    return model
