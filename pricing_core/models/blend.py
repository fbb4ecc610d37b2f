"""Blend: the draws of two or three families side by side, so that the mean chance averages over them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from pricing_core.errors import ConfigError, ModelError, reason
from pricing_core.features.batch import EncodedBatch
from pricing_core.models.demand_model import BLEND, DemandModel, family, load_demand_model, save_demand_model
from pricing_core.models.learning_rows import LearningRows
from pricing_core.progress import Progress, SilentProgress, SubProgress
from pricing_core.response.price_response import PriceResponse

Floats = NDArray[np.float64]

_FILE = "blend.json"


@dataclass(frozen=True)
class BlendConfig:
    """Families of a blend, fitted with their own settings.

    Parameters
    ----------
    parts
        Names of the families.
    quick
        Whether they take the settings of a quick training.
    random_state
        Seed.
    """

    parts: tuple[str, ...] = ("network", "taste_network")
    quick: bool = False
    random_state: int = 0

    def __post_init__(self) -> None:
        if not self.parts or len(set(self.parts)) < len(self.parts) or BLEND in self.parts:
            raise ConfigError("A blend needs one or more families, each of them once.", fix="Name other parts.")


class BlendedModel:
    """Several demand models that answer together.

    Attributes
    ----------
    parts_
        Fitted models.
    lengths_
        How long each part learns, by family.
    """

    family = BLEND
    takes_residual = True

    def __init__(self, config: BlendConfig | None = None) -> None:
        self.config = config or BlendConfig()
        self.parts_: list[DemandModel] = []
        self.lengths_: dict[str, int] = {}
        self.history_: list[dict[str, Any]] = []
        self.epochs_ = 1

    @classmethod
    def of(cls, parts: Sequence[DemandModel], *, quick: bool = False, random_state: int = 0) -> Self:
        """Blend models that are fitted already."""
        model = cls(BlendConfig(tuple(part.family for part in parts), quick, random_state))
        model._take(parts)
        return model

    def choose_epochs(self, learn: LearningRows, held_out: LearningRows, progress: Progress | None = None) -> Self:
        """Fit each part on earlier rows; later rows only say how long it learns."""
        progress = progress or SilentProgress()
        self._take([new.choose_epochs(learn, held_out, part) for new, part in self._new(progress)])
        return self

    def fit(self, rows: LearningRows, epochs: int, progress: Progress | None = None) -> Self:
        """Fit each part for its own length, or for ``epochs`` where none was chosen."""
        progress = progress or SilentProgress()
        lengths = dict(self.lengths_)
        self._take([new.fit(rows, lengths.get(new.family, epochs), part) for new, part in self._new(progress)])
        return self

    def respond(self, batch: EncodedBatch, reference_price: Floats, residual: Floats | None = None) -> PriceResponse:
        """Price response with the draws of all parts; ``residual`` (n,) goes to the parts that know an instrument."""
        found = []
        for part in self.parts_:
            if residual is not None and getattr(part, "takes_residual", False):
                model: Any = part
                found.append(model.respond(batch, reference_price, residual))
            else:
                found.append(part.respond(batch, reference_price))
        members = np.cumsum([0, *(int(each.draw_member.max()) + 1 for each in found)])
        return PriceResponse(
            reference_price=reference_price,
            intercept=np.hstack([each.intercept for each in found]),
            sensitivity=np.hstack([each.sensitivity for each in found]),
            draw_fold=np.concatenate([each.draw_fold for each in found]),
            draw_member=np.concatenate([each.draw_member + k for each, k in zip(found, members[:-1], strict=True)]),
        )

    def save(self, folder: Path) -> None:
        """Write each part in a folder of its own, and ``blend.json``."""
        for part in self.parts_:
            own = folder / f"part_{part.family}"
            own.mkdir(exist_ok=True)
            save_demand_model(part, own)
        state = {
            "parts": [part.family for part in self.parts_],
            "lengths": self.lengths_,
            "quick": self.config.quick,
            "random_state": self.config.random_state,
        }
        (folder / _FILE).write_text(json.dumps(state, indent=1), encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what :meth:`save` wrote."""
        try:
            state = json.loads((folder / _FILE).read_text(encoding="utf-8"))
            model = cls(BlendConfig(tuple(state["parts"]), bool(state["quick"]), int(state["random_state"])))
            lengths = {str(name): int(length) for name, length in state["lengths"].items()}
        except (OSError, ValueError, KeyError, TypeError, ConfigError) as error:
            raise ModelError(
                f"The model in {folder.name} cannot be read: {reason(error)}", fix="Train again."
            ) from error
        model._take([load_demand_model(folder / f"part_{name}") for name in model.config.parts])
        model.lengths_ = lengths
        return model

    def _new(self, progress: Progress) -> list[tuple[Any, Progress]]:
        size = len(self.config.parts)
        return [
            (
                family(name).new(random_state=self.config.random_state, quick=self.config.quick),
                SubProgress(progress, k / size, (k + 1) / size),
            )
            for k, name in enumerate(self.config.parts)
        ]

    def _take(self, parts: Sequence[DemandModel]) -> None:
        self.parts_ = list(parts)
        self.lengths_ = {part.family: part.epochs_ for part in parts}
        self.epochs_ = max(self.lengths_.values())
        self.history_ = [{**line, "family": part.family} for part in parts for line in part.history_]
