"""How far two sets of prices for the same offers are apart."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import ArrayLike

from pricing_core.errors import DataError

NOTABLE: Final = 0.01


def price_moves(before: ArrayLike, after: ArrayLike, *, notable: float = NOTABLE) -> dict[str, float]:
    """Compare prices row by row.

    Parameters
    ----------
    before, after
        Prices above zero (n,), in the same currency.
    notable
        Relative change beyond which a price counts as moved.

    Returns
    -------
    dict
        ``offers`` (n), ``mean_change`` (mean of after / before − 1), ``mean_distance`` (mean of its size),
        ``largest_change`` (the one of largest size, signed), ``moved_share``, ``up_share`` and ``down_share``
        (shares of offers that move by more than ``notable``; up and down).

    Raises
    ------
    DataError
        If the lengths differ, there are no rows, or a price is missing or not above zero.
    """
    old, new = np.asarray(before, dtype=float).ravel(), np.asarray(after, dtype=float).ravel()
    if len(old) != len(new) or not len(old):
        raise DataError(f"There are {len(old)} prices before and {len(new)} after; both need the same rows.")
    wrong = ~((old > 0) & (new > 0) & np.isfinite(old) & np.isfinite(new))
    if wrong.any():
        raise DataError(f"{int(wrong.sum())} prices are missing or not above zero.", fix="Leave those offers out.")
    change = new / old - 1
    # A hair's breadth of rounding must not decide whether an exact 1% counts.
    beyond = np.abs(change) > notable + 1e-9
    return {
        "offers": float(len(change)),
        "mean_change": float(change.mean()),
        "mean_distance": float(np.abs(change).mean()),
        "largest_change": float(change[np.argmax(np.abs(change))]),
        "moved_share": float(beyond.mean()),
        "up_share": float((beyond & (change > 0)).mean()),
        "down_share": float((beyond & (change < 0)).mean()),
    }
