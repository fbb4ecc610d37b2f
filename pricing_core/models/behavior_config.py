"""Settings of the behavior model."""

from __future__ import annotations

from dataclasses import dataclass

from pricing_core.models.settings_check import check_range


@dataclass(frozen=True)
class BehaviorConfig:
    """Size and fitting of the behavior model.

    Parameters
    ----------
    members
        Members per fold; each gives two draws, one per head.
    max_epochs, patience
        Passes over the data; passes without improvement on held-out time after which fitting stops.
    batch_size
        Most rows in a step of the optimizer; a small shop takes smaller steps.
    learning_rate, weight_decay
        Of the optimizer.
    guidance
        What the level that trees see counts in the loss where few offers sell, in [0, 1); outcomes count the rest.
    random_state
        Seed.
    """

    members: int = 5
    max_epochs: int = 20
    patience: int = 2
    batch_size: int = 1024
    learning_rate: float = 2e-3
    weight_decay: float = 0.2
    guidance: float = 0.7
    random_state: int = 0

    def __post_init__(self) -> None:
        check_range(self, "members", "max_epochs", "patience", "batch_size", low=1)
        check_range(self, "learning_rate", above=0, high=1)
        check_range(self, "weight_decay", low=0)
        check_range(self, "guidance", low=0, below=1)
