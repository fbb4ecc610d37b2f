"""Where a model errs: forecast against what happened, by group of offers, with counts and standard errors."""

from __future__ import annotations

from itertools import pairwise
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from pricing_core.errors import DataError
from pricing_core.evaluate.metrics import SMALLEST_PROBABILITY, checked_outcomes

Texts = NDArray[np.object_]

HISTORY_BANDS: Final = ("none", "1–4", "5–19", "20 or more")
OTHERS: Final = "all others"
_EDGES: Final = (1, 5, 20)
_SURE: Final = 2.0
_FEW: Final = 30


def history_band(count: ArrayLike) -> Texts:
    """Name how much history a customer has, (n,): none, 1–4, 5–19, 20 or more earlier offers or events."""
    place = np.searchsorted(_EDGES, np.asarray(count, dtype=float), side="right")
    return np.asarray(np.array(HISTORY_BANDS, dtype=object)[place], dtype=object)


def price_bands(relative_price: ArrayLike, *, bands: int = 5) -> tuple[Texts, list[str]]:
    """Name the price band of each offer, as a share of its going price.

    Parameters
    ----------
    relative_price
        Price / going price (n,); bands hold about equally many offers.

    Returns
    -------
    tuple
        Band of each offer (n,), such as ``92–98%``, and the bands from cheap to dear.
    """
    values = np.asarray(relative_price, dtype=float)
    edges = np.unique(np.round(np.quantile(values, np.linspace(0, 1, bands + 1)[1:-1]), 2))
    percent = [f"{edge * 100:.0f}" for edge in edges]
    if not percent:
        return np.full(len(values), "every price", dtype=object), ["every price"]
    inner = [f"{a}–{b}%" for a, b in pairwise(percent)]
    names = [f"below {percent[0]}%", *inner, f"{percent[-1]}% or more"]
    return np.array(names, dtype=object)[np.searchsorted(edges, values, side="right")], names


def group_errors(
    y: ArrayLike,
    p: ArrayLike,
    group: ArrayLike,
    weight: ArrayLike | None = None,
    *,
    order: list[str] | None = None,
    most: int = 12,
) -> pd.DataFrame:
    """Compare forecast and outcome within groups.

    For a group of weights w the forecast error is Σ w (p − y) / Σ w, with the standard error of a sum of independent
    purchases at the forecast chances, √(Σ w² p (1 − p)) / Σ w. Log loss has the standard error of a weighted mean.

    Parameters
    ----------
    y, p, group, weight
        Outcome 0 or 1, predicted probability, name of the group (empty: unknown), optional weight; shape (n,).
    order
        Groups in the order to show; default: the largest first.
    most
        Without ``order``: groups shown; the smaller ones are taken together and counted.

    Returns
    -------
    DataFrame
        ``group, n, purchases, predicted_rate, observed_rate, error, error_se, log_loss, log_loss_se, verdict``;
        ``verdict`` says whether the error is beyond two standard errors: ``as forecast``, ``too high``, ``too low``
        (the forecast, against what happened), or ``too few`` below 30 offers.

    Raises
    ------
    DataError
        If the lengths differ or a value is outside its range.
    """
    outcome, probability, weights = checked_outcomes(y, p, weight)
    names = pd.Series(np.asarray(group, dtype=object).ravel(), dtype="string").fillna("")
    if len(names) != len(outcome):
        raise DataError(f"There are {len(names)} group names for {len(outcome)} outcomes.")
    names = names.where(names != "", "unknown")
    shown, labels = _shown(names, order, most)
    code = pd.Index(labels).get_indexer(pd.Index(shown))
    size = np.bincount(code, weights=weights, minlength=len(labels))
    total = np.where(size > 0, size, np.nan)
    expected = np.bincount(code, weights=weights * probability, minlength=len(labels)) / total
    observed = np.bincount(code, weights=weights * outcome, minlength=len(labels)) / total
    noise = weights**2 * probability * (1 - probability)
    error_se = np.sqrt(np.bincount(code, weights=noise, minlength=len(labels))) / total
    safe = np.clip(probability, SMALLEST_PROBABILITY, 1 - SMALLEST_PROBABILITY)
    loss = -(outcome * np.log(safe) + (1 - outcome) * np.log1p(-safe))
    mean = np.bincount(code, weights=weights * loss, minlength=len(labels)) / total
    spread = np.bincount(code, weights=weights**2 * (loss - mean[code]) ** 2, minlength=len(labels))
    n = np.bincount(code, minlength=len(labels))
    table = pd.DataFrame(
        {
            "group": labels,
            "n": n,
            "purchases": np.bincount(code, weights=outcome, minlength=len(labels)).astype(int),
            "predicted_rate": expected,
            "observed_rate": observed,
            "error": expected - observed,
            "error_se": error_se,
            "log_loss": mean,
            "log_loss_se": np.sqrt(spread) / total,
        }
    )
    table["verdict"] = _verdicts(table)
    return table[table["n"] > 0].reset_index(drop=True)


def _shown(names: pd.Series, order: list[str] | None, most: int) -> tuple[pd.Series, list[str]]:
    """Groups to show of each row, and their order; the smallest ones become :data:`OTHERS`."""
    if order is not None:
        extra = sorted(set(names) - set(order))
        return names, [*order, *extra]
    sizes = names.value_counts()
    ranked = sorted(sizes.index, key=lambda name: (-int(sizes[name]), str(name)))
    if len(ranked) <= most:
        return names, [str(name) for name in ranked]
    kept = [str(name) for name in ranked[: most - 1]]
    rest = f"{OTHERS} ({len(ranked) - len(kept)})"
    return names.where(names.isin(kept), rest), [*kept, rest]


def _verdicts(table: pd.DataFrame) -> NDArray[np.object_]:
    sure = table["error"].abs() > _SURE * table["error_se"]
    side = np.where(table["error"] > 0, "too high", "too low")
    return np.where(table["n"] < _FEW, "too few", np.where(sure, side, "as forecast")).astype(object)
