"""Do predicted purchase rates hold: by level of the prediction, and by price band."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtri

from pricing_core.errors import ConfigError, DataError
from pricing_core.evaluate.metrics import checked_outcomes

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_Z90: Final = float(ndtri(0.95))


def calibration_table(y: ArrayLike, p: ArrayLike, weight: ArrayLike | None = None, *, bins: int = 10) -> pd.DataFrame:
    """Observed against predicted purchase rate, by groups of equal size from low to high prediction.

    Parameters
    ----------
    y, p, weight
        Outcome 0 or 1, predicted probability, optional weight; shape (n,).
    bins
        Groups at most; equal predictions stay together, so there can be fewer.

    Returns
    -------
    DataFrame
        ``bin, low, high`` (range of the predictions), ``n``, ``predicted_rate, observed_rate`` (weighted means) and
        ``observed_low, observed_high`` (90% Wilson interval).
    """
    outcome, probability, weights = checked_outcomes(y, p, weight)
    counted = weights > 0
    outcome, probability, weights = outcome[counted], probability[counted], weights[counted]
    group = equal_groups(probability, bins)
    return _rates(probability, outcome, probability, weights, group).rename(columns={"band": "bin"})


def expected_calibration_error(table: pd.DataFrame) -> float:
    """Mean of |observed − predicted| over the groups of a calibration table, weighted by their rows."""
    gap = (table["observed_rate"] - table["predicted_rate"]).abs()
    return float((gap * table["n"]).sum() / table["n"].sum())


@dataclass(frozen=True)
class PriceBandCalibration:
    """Whether conversion changes between price bands as predicted.

    Attributes
    ----------
    table
        One row per band: ``band, low, high, mean_price, n, predicted_rate, observed_rate, observed_low,
        observed_high, predicted_change, observed_change`` (against the mean of all rows).
    slope, slope_low, slope_high
        Observed change per predicted change between bands, with its 90% interval; 1 is right, below 1 the model
        overstates the reaction to price. NaN where the predictions do not differ between bands.
    """

    table: pd.DataFrame
    slope: float
    slope_low: float
    slope_high: float


def price_band_calibration(
    price: ArrayLike, y: ArrayLike, p: ArrayLike, weight: ArrayLike | None = None, *, bands: int = 6
) -> PriceBandCalibration:
    """Compare observed and predicted conversion between price bands.

    Give the relative price (price / reference price), so that bands hold cheap and dear occasions of every product,
    or its residual after the expected price (x − ê), which leaves only the variation that identifies the response.
    The slope is the weighted least-squares line of observed on predicted band rates, weights being the inverse
    binomial variances.

    Parameters
    ----------
    price
        Relative price of each row, shape (n,).
    y, p, weight
        Outcome 0 or 1, predicted probability at that price, optional weight; shape (n,).
    bands
        Bands of equal size at most.

    Raises
    ------
    DataError
        If a price is missing, or the inputs do not fit together.
    """
    outcome, probability, weights = checked_outcomes(y, p, weight)
    prices = np.asarray(price, dtype=float).ravel()
    if len(prices) != len(outcome):
        raise DataError(f"There are {len(prices)} prices for {len(outcome)} outcomes.")
    if not np.isfinite(prices).all():
        raise DataError(f"{int((~np.isfinite(prices)).sum())} prices are missing.", fix="Leave those rows out.")
    counted = weights > 0
    outcome, probability = outcome[counted], probability[counted]
    prices, weights = prices[counted], weights[counted]
    group = equal_groups(prices, bands)
    table = _rates(prices, outcome, probability, weights, group)
    table.insert(3, "mean_price", _means(prices, weights, group))
    total = weights.sum()
    table["predicted_change"] = table["predicted_rate"] - weights @ probability / total
    table["observed_change"] = table["observed_rate"] - weights @ outcome / total
    return PriceBandCalibration(table, *_slope(outcome, probability, weights, group))


def _slope(outcome: Floats, probability: Floats, weight: Floats, group: Ints) -> tuple[float, float, float]:
    predicted, observed = _means(probability, weight, group), _means(outcome, weight, group)
    size, squares = np.bincount(group, weights=weight), np.bincount(group, weights=weight**2)
    variance = np.maximum(predicted * (1 - predicted), 1e-9) * squares / size**2
    precision = 1 / variance
    centered = predicted - precision @ predicted / precision.sum()
    spread = float(precision @ centered**2)
    if len(predicted) < 2 or spread < 1e-9:
        return float("nan"), float("nan"), float("nan")
    slope = float(precision @ (centered * observed) / spread)
    margin = _Z90 / np.sqrt(spread)
    return slope, slope - margin, slope + margin


def wilson_interval(rate: ArrayLike, n: ArrayLike) -> tuple[Floats, Floats]:
    """90% Wilson score interval of an observed rate over ``n`` rows; stays inside [0, 1] and never has zero width."""
    share, size = np.asarray(rate, dtype=float), np.asarray(n, dtype=float)
    spread = 1 + _Z90**2 / size
    middle = (share + _Z90**2 / (2 * size)) / spread
    half = _Z90 * np.sqrt(share * (1 - share) / size + _Z90**2 / (4 * size**2)) / spread
    return np.maximum(middle - half, 0.0), np.minimum(middle + half, 1.0)


def _rates(values: Floats, outcome: Floats, probability: Floats, weight: Floats, group: Ints) -> pd.DataFrame:
    """Range of ``values`` and both rates by group; the interval uses the effective number of weighted rows."""
    observed = _means(outcome, weight, group)
    size, squares = np.bincount(group, weights=weight), np.bincount(group, weights=weight**2)
    low, high = wilson_interval(observed, size**2 / squares)
    span = pd.Series(values).groupby(group).agg(["min", "max"])
    return pd.DataFrame(
        {
            "band": np.arange(1, len(observed) + 1),
            "low": span["min"].to_numpy(),
            "high": span["max"].to_numpy(),
            "n": np.bincount(group),
            "predicted_rate": _means(probability, weight, group),
            "observed_rate": observed,
            "observed_low": low,
            "observed_high": high,
        }
    )


def _means(values: Floats, weight: Floats, group: Ints) -> Floats:
    return np.bincount(group, weights=weight * values) / np.bincount(group, weights=weight)


def equal_groups(values: Floats, count: int) -> Ints:
    """Group 0, 1, … of each value: about equal sizes, equal values together, no group empty."""
    if count < 1:
        raise ConfigError(f"The number of groups is {count}; it must be at least 1.")
    edges = np.unique(np.quantile(values, np.linspace(0, 1, count + 1)[1:-1])) if count > 1 else np.empty(0)
    found = np.searchsorted(edges, values, side="right")
    return np.unique(found, return_inverse=True)[1].astype(np.int64)
