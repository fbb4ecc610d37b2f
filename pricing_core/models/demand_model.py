"""What every family of behavior models can do, and how a stored one is found again.

Pages, commands and the optimizer ask a demand model for price responses and never for its kind. A family is a name, a
label in plain words, and the class that fits and loads its models.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from pricing_core.errors import ConfigError, ModelError
from pricing_core.features.batch import EncodedBatch
from pricing_core.response.price_response import PriceResponse

if TYPE_CHECKING:
    from pricing_core.models.behavior import LearningRows
    from pricing_core.progress import Progress

Floats = NDArray[np.float64]

NETWORK: Final = "network"
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

    The class is called with the settings of its family as keywords, and with ``random_state``.
    """

    name: str
    label: str
    place: str

    def model_class(self) -> Any:
        """Import and return the class."""
        module, name = self.place.split(":")
        return getattr(import_module(module), name)


FAMILIES: Final[dict[str, Family]] = {
    family.name: family
    for family in (Family(NETWORK, "Deep behavior model", "pricing_core.models.behavior:BehaviorModel"),)
}


def family(name: str) -> Family:
    """Return a family by name.

    Raises
    ------
    ConfigError
        If there is none of that name.
    """
    if name not in FAMILIES:
        raise ConfigError(f"There is no family of models named {name!r}.", fix=f"Choose one of {', '.join(FAMILIES)}.")
    return FAMILIES[name]


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
        raise ModelError(f"The model in {folder.name} cannot be read: {error}", fix="Train again.") from error
    model: DemandModel = kind.model_class().load(folder)
    return model
