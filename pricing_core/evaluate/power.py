"""How large an effect an experiment can see: power and minimum detectable effect from a standard error.

A two-sided test at confidence 1 − α sees a true effect Δ with standard error s and ν degrees of freedom with power
P(|t'(ν, Δ/s)| > t_{1−α/2, ν}), t' being Student's noncentral distribution; as ν grows this becomes the familiar
(z_{1−α/2} + z_power) · s.

References
----------
Cohen, J. (1988), Statistical Power Analysis for the Behavioral Sciences, 2nd edition, chapter 2.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

import numpy as np
from scipy.special import nctdtr, ndtr, ndtri, stdtrit

from pricing_core.errors import ConfigError

_AS_NORMAL: Final = 500.0
"""Degrees of freedom from which the normal distribution is used; its quantiles then differ by less than 0.3%."""


def critical_value(confidence: float, df: float) -> float:
    """Two-sided critical value of a test: t_{1−α/2} with ``df`` degrees of freedom."""
    _check_share("confidence", confidence)
    level = 0.5 + confidence / 2
    return float(ndtri(level)) if df >= _AS_NORMAL else float(stdtrit(df, level)) if df > 0 else float("inf")


def power_of(effect: float, standard_error: float, *, df: float = float("inf"), confidence: float = 0.9) -> float:
    """Chance that a test's interval excludes zero when the true effect is ``effect``."""
    if not standard_error >= 0:
        raise ConfigError(f"The standard error is {standard_error}; it must be at least 0.")
    if df <= 0 or not np.isfinite(standard_error):
        return 0.0
    if standard_error == 0:
        return 1.0 if effect else 1 - confidence
    return _power(abs(effect) / standard_error, df, critical_value(confidence, df))


def detectable_effect(
    standard_error: float, *, df: float = float("inf"), confidence: float = 0.9, power: float = 0.8
) -> float:
    """Smallest true effect that a test sees with the given power (the minimum detectable effect).

    Infinite where no degree of freedom is left.
    """
    _check_share("power", power)
    if power <= 1 - confidence:
        raise ConfigError(f"The power {power} must be above {1 - confidence:.2g}, the rate of false alarms.")
    if df <= 0 or not np.isfinite(standard_error):
        return float("inf")
    return _shift(df, confidence, power) * standard_error


@lru_cache(maxsize=1024)
def _shift(df: float, confidence: float, power: float) -> float:
    """Standard errors between zero and the smallest visible effect; by bisection, since power rises with the effect."""
    critical = critical_value(confidence, df)
    low, high = 0.0, critical + 40.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if _power(middle, df, critical) < power else (low, middle)
    return high


def _power(shift: float, df: float, critical: float) -> float:
    if df >= _AS_NORMAL:
        return float(ndtr(shift - critical) + ndtr(-shift - critical))
    # Far out the noncentral distribution is not computed; there the test sees everything anyway.
    upper, lower = nctdtr(df, shift, critical), nctdtr(df, shift, -critical)
    if not np.isfinite(upper):
        return 1.0
    return float(1 - upper + (lower if np.isfinite(lower) else 0.0))


def _check_share(name: str, value: float) -> None:
    if not 0 < value < 1:
        raise ConfigError(f"The {name} is {value}; it must be above 0 and below 1.")
