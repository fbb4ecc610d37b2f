"""Past offers with the prices that are to be judged on them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pricing_core.errors import DataError

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class LoggedOffers:
    """Past offers and the target prices to judge on them, all of shape (n,).

    Rows must be ones from which neither the model nor the target prices were learned, and a target price may depend on
    what was known before the offer, not on the price that was then logged.

    Parameters
    ----------
    price, target_price, unit_cost
        Logged price, target price and cost, in money.
    reference_price
        The money unit of relative prices.
    purchased
        Outcome 0 or 1.
    logged_density
        Density q(x | z) of the logged relative price x = price / reference price, given everything known before.
        Where it is zero, though the price was set, the row gets no weight and is counted in ``n_outside``.
    probability_logged, probability_target
        The model's purchase probability at the logged and at the target price.
    customer_id
        Rows of one customer stay together in the bootstrap; None treats every row as its own.
    weight
        How many occasions a row stands for; None for one each.
    """

    price: Floats
    target_price: Floats
    unit_cost: Floats
    reference_price: Floats
    purchased: Floats
    logged_density: Floats
    probability_logged: Floats
    probability_target: Floats
    customer_id: NDArray[np.object_] | None = None
    weight: Floats | None = None

    def __post_init__(self) -> None:
        if not len(self.price):
            raise DataError("There are no past offers to judge prices on.")
        for name in self.__dataclass_fields__:
            value = getattr(self, name)
            if value is None:
                continue
            if len(value) != len(self.price):
                raise DataError(f"{name} has {len(value)} rows where price has {len(self.price)}.")
            missing = 0 if name == "customer_id" else int((~np.isfinite(np.asarray(value, dtype=float))).sum())
            if missing:
                raise DataError(f"{name} is missing in {missing} of {len(value)} rows.", fix="Leave those rows out.")

    @property
    def n(self) -> int:
        """Number of rows."""
        return len(self.price)
