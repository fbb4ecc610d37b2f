"""What a family has to bring: a learner of demand curves for the customers of one fold."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Final, Self

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from pricing_core.features.batch import EncodedBatch
from pricing_core.models.settings_check import check_range

Floats = NDArray[np.float64]
Report = Callable[[float], None]

FEW_ROWS: Final = 25_000
"""Most rows of both folds that count as few; fewer than the rows from which the families of a large shop compete."""


@dataclass(frozen=True)
class FamilyConfig:
    """Settings that all families share.

    Parameters
    ----------
    members
        Members of the weighted likelihood bootstrap per fold; None: as many as ``usual_members`` says for the rows.
    max_rows
        Most rows to learn from; above it a random share of the customers, the same in every run, stands for all.
    random_state
        Seed.
    """

    members: int | None = None
    max_rows: int = 1_000_000
    random_state: int = 0

    usual_members: ClassVar[tuple[int, int]] = (4, 4)
    """Members where at most 25,000 rows teach, each noisier and cheaper there, and where more do."""

    def __post_init__(self) -> None:
        check_range(self, "members", "max_rows", low=1)

    def members_for(self, n: int) -> int:
        """Members per fold where ``n`` rows of both folds teach."""
        return self.members or self.usual_members[0 if n <= FEW_ROWS else 1]


@dataclass(frozen=True)
class FoldRows:
    """Rows of one fold: features with expected price, relative price and outcome (n,), weights (n, members)."""

    batch: EncodedBatch
    x: Floats
    y: Floats
    weight: Floats

    @property
    def mean_weight(self) -> Floats:
        """Weight of each row, averaged over the members, (n,)."""
        return np.asarray(self.weight.mean(axis=1))


class FoldLearner(ABC):
    """Members of one fold, fitted together.

    Attributes
    ----------
    config
        Settings of the family.
    lengths
        How long it can learn (trees, steps of a path), from short to long; a single one where nothing is to choose.
    heads
        Draws per member.
    counts
        What was held back or approximated while it learned, by name.
    """

    heads: ClassVar[int] = 1

    def __init__(self, config: Any, seed: int) -> None:
        self.config = config
        self.seed = seed
        self.counts: dict[str, float] = {}

    @property
    def lengths(self) -> tuple[int, ...]:
        """How long it can learn."""
        return (1,)

    @abstractmethod
    def fit(self, rows: FoldRows, length: int, report: Report) -> None:
        """Fit all members for as long as was chosen."""

    @abstractmethod
    def curves(self, batch: EncodedBatch) -> tuple[Floats, Floats]:
        """Intercept and sensitivity of each draw, (n, members · heads); a sensitivity may have either sign."""

    @abstractmethod
    def save(self, folder: Path, stem: str) -> None:
        """Write files whose names start with ``stem``, in open formats."""

    @abstractmethod
    def read(self, folder: Path, stem: str) -> None:
        """Read what :meth:`save` wrote."""

    def explore(self, rows: FoldRows, report: Report) -> None:
        """Fit what says how long to learn."""
        self.fit(rows, self.lengths[-1], report)

    def settle(self, rows: FoldRows, length: int, report: Report) -> None:
        """Make the explored learner one that learned for ``length``."""
        self.fit(rows, length, report)

    def explored(self, batch: EncodedBatch, x: Floats) -> Iterator[Floats]:
        """Chance of a purchase (n,) at relative prices x (n,) by each of the lengths, after :meth:`explore`."""
        intercept, sensitivity = self.curves(batch)
        yield np.asarray(expit(intercept - sensitivity * x[:, None]).mean(axis=1))

    @classmethod
    def load(cls, folder: Path, stem: str, config: Any, seed: int) -> Self:
        """Read a fitted learner."""
        learner = cls(config, seed)
        learner.read(folder, stem)
        return learner
