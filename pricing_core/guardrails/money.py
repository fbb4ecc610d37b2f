"""Amounts that can be charged: minor units of currencies, and prices with given endings."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pricing_core.errors import ConfigError

Floats = NDArray[np.float64]

_WHOLE: Final = frozenset(
    [
        "BIF",
        "CLP",
        "DJF",
        "GNF",
        "ISK",
        "JPY",
        "KMF",
        "KRW",
        "PYG",
        "RWF",
        "UGX",
        "UYI",
        "VND",
        "VUV",
        "XAF",
        "XOF",
        "XPF",
    ]
)
_THOUSANDTHS: Final = frozenset(["BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"])
_CYCLE: Final = 100  # an ending is the last two digits of the amount in minor units
_SLACK: Final = 1e-6  # minor units; binary fractions of a cent are not a violation


def minor_unit_digits(currency: str) -> int:
    """Digits after the decimal point of an ISO 4217 currency: 2, but 0 for JPY and 3 for KWD.

    Raises
    ------
    ConfigError
        If the code is not three capital letters.
    """
    if len(currency) != 3 or not currency.isascii() or not currency.isalpha() or not currency.isupper():
        raise ConfigError(f"The currency is {currency!r}.", fix="Give an ISO 4217 code such as USD or EUR.")
    return 0 if currency in _WHOLE else 3 if currency in _THOUSANDTHS else 2


def exact_amount(value: float, digits: int) -> Decimal:
    """Decimal amount nearest to ``value`` with ``digits`` after the point, without a binary tail."""
    return Decimal(repr(float(value))).quantize(Decimal(1).scaleb(-digits), rounding=ROUND_HALF_EVEN)


def round_up(amount: Floats, digits: int) -> Floats:
    """Smallest chargeable amount that is not below ``amount``."""
    unit = 10.0**digits
    return np.asarray(np.ceil(amount * unit - _SLACK) / unit)


def round_down(amount: Floats, digits: int) -> Floats:
    """Largest chargeable amount that is not above ``amount``."""
    unit = 10.0**digits
    return np.asarray(np.floor(amount * unit + _SLACK) / unit)


def neighbors(price: Floats, endings: Sequence[int] | None, digits: int) -> tuple[Floats, Floats]:
    """Nearest allowed amounts at or below, and at or above, each price.

    Parameters
    ----------
    endings
        Allowed last two digits of the amount in minor units: 99 allows 4.99 dollars and 499 yen. None allows all.
    digits
        Digits after the decimal point.

    Returns
    -------
    below, above : same shape as ``price``; ``below`` may be zero or negative, which no price range allows.
    """
    if endings is None:
        return round_down(price, digits), round_up(price, digits)
    unit = 10.0**digits
    minor = np.asarray(price, dtype=float) * unit
    lower = [np.floor((minor - e + _SLACK) / _CYCLE) * _CYCLE + e for e in endings]
    upper = [np.ceil((minor - e - _SLACK) / _CYCLE) * _CYCLE + e for e in endings]
    return np.asarray(np.max(lower, axis=0) / unit), np.asarray(np.min(upper, axis=0) / unit)
