"""What the families of boosted trees share: the matrix that they read, parameters, and files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pricing_core.features.batch import EncodedBatch
from pricing_core.models.families.learner import FEW_ROWS
from pricing_core.models.tree_files import read_booster, write_booster

if TYPE_CHECKING:
    import lightgbm as lgb

Floats32 = NDArray[np.float32]

THREADS = 2


def tree_matrix(batch: EncodedBatch) -> Floats32:
    """All features with the product code and, last, the expected price, (n, a + b + c + 2)."""
    return np.hstack([batch.matrix(), batch.expected_price[:, None]])


def parameters(n: int, *, n_leaves: int, learning_rate: float, seed: int) -> dict[str, Any]:
    """LightGBM parameters for the ``n`` rows of a fold that give the same trees whenever the rows are the same."""
    return {
        "num_leaves": n_leaves,
        "learning_rate": learning_rate,
        "min_data_in_leaf": max(10, min(100, n // 200)),
        "max_bin": 255 if n <= FEW_ROWS // 2 else 63,
        "seed": seed,
        "deterministic": True,
        "force_row_wise": True,
        "num_threads": THREADS,
        "verbosity": -1,
    }


def lengths_up_to(n_trees: int) -> tuple[int, ...]:
    """Numbers of trees to choose from, each about a third more than the one before."""
    found = [n_trees]
    while found[-1] > 8:
        found.append(int(found[-1] * 0.74))
    return tuple(reversed(found))


def shortened(booster: lgb.Booster, n_trees: int) -> lgb.Booster:
    """Booster with its first trees only."""
    import lightgbm as lgb

    return lgb.Booster(model_str=booster.model_to_string(num_iteration=n_trees))


def write_boosters(boosters: list[lgb.Booster], folder: Path, stem: str) -> None:
    """Write LightGBM text files ``<stem>_<member>.txt``."""
    for m, booster in enumerate(boosters):
        write_booster(booster, folder / f"{stem}_{m}.txt")


def read_boosters(folder: Path, stem: str, members: int) -> list[lgb.Booster]:
    """Read what :func:`write_boosters` wrote.

    Raises
    ------
    ModelError
        If a file is missing or broken.
    """
    return [read_booster(folder / f"{stem}_{m}.txt") for m in range(members)]
