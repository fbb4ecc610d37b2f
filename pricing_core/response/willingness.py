"""What buyers would pay, and what they keep: willingness to pay and consumer surplus."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy.special import logit

from pricing_core.errors import ConfigError
from pricing_core.response.price_response import PriceResponse

Floats = NDArray[Any]

_HALVINGS: Final = 60


def willingness_to_pay(response: PriceResponse, chance: float = 0.5) -> Floats:
    """Highest price at which each row still buys with the given chance, (n,), money.

    It is the price at which the posterior mean probability equals ``chance``; 0 where the chance is lower even at a
    price of zero.

    Raises
    ------
    ConfigError
        If ``chance`` does not lie between 0 and 1.
    """
    if not 0.0 < chance < 1.0:
        raise ConfigError(f"chance is {chance}.", fix="It must lie between 0 and 1, such as 0.5.")
    by_draw = (response.intercept - logit(chance)) / response.sensitivity * response.reference_price[:, None]
    low = np.maximum(by_draw.min(axis=1), 0.0)
    high = np.maximum(by_draw.max(axis=1), 0.0)
    for _ in range(_HALVINGS):
        middle = 0.5 * (low + high)
        buys = response.probability(middle) >= chance
        low, high = np.where(buys, middle, low), np.where(buys, high, middle)
    never = response.probability(np.zeros(response.n)) < chance
    return np.where(never, 0.0, 0.5 * (low + high))


def consumer_surplus(response: PriceResponse, price: Floats) -> Floats:
    r"""Return what an offer is worth to the customer beyond the price paid, by draw, (n, D), money.

    .. math:: \frac{r}{b_d} \ln\left(1 + e^{a_d - b_d p / r}\right)

    Parameters
    ----------
    price
        (n,) money.
    """
    utility = response.intercept - response.sensitivity * (price / response.reference_price)[:, None]
    return np.asarray(response.reference_price[:, None] / response.sensitivity * np.logaddexp(0.0, utility))
