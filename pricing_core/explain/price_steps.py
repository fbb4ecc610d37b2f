"""Price step ladder: how a recommendation comes about, in steps of money that add up exactly."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Final

import pandas as pd

from pricing_core.errors import ConfigError

Money = Decimal | float | int | str

STEPS: Final[dict[str, str]] = {
    "reference": "Going price of the product in its market",
    "product": "What is known of the product: cost, demand and rating",
    "market": "The market now: competitor price, season and promotion",
    "taste": "How much this customer likes the product",
    "sensitivity": "How much this customer minds the price",
    "objective": "What prices are chosen for, other than profit alone",
    "shared": "One price for all who get it, within the guardrails",
    "guardrail": "Guardrails and the prices that the data support",
    "coupled": "Rules that tie several prices together",
    "ending": "Price ending",
    "kept": "Today's price is kept",
}
_MOST_DECIMALS: Final = 6  # what lies beyond is the tail of a binary float


@dataclass(frozen=True)
class PriceStep:
    """One rung: its name, what it stands for, the price reached, and the change from the rung before."""

    name: str
    meaning: str
    price: Decimal
    change: Decimal


@dataclass(frozen=True)
class PriceLadder:
    """Rungs from the reference price to the recommended one.

    ``steps[0]`` is the start with no change; all prices are exact decimals of one precision, so ``start`` + the changes
    = ``final`` without any remainder.
    """

    steps: tuple[PriceStep, ...]

    @property
    def start(self) -> Decimal:
        """Price before any step."""
        return self.steps[0].price

    @property
    def final(self) -> Decimal:
        """Recommended price."""
        return self.steps[-1].price

    def largest(self) -> PriceStep | None:
        """Return the step that moves the price most; None if nothing moves it."""
        moving = [step for step in self.steps[1:] if step.change]
        return max(moving, key=lambda step: abs(step.change)) if moving else None

    def to_frame(self) -> pd.DataFrame:
        """One row per rung: ``step, meaning, price, change``, money as exact decimals."""
        return pd.DataFrame(
            {
                "step": [step.name for step in self.steps],
                "meaning": [step.meaning for step in self.steps],
                "price": [step.price for step in self.steps],
                "change": [step.change for step in self.steps],
            }
        )


def price_ladder(prices: Mapping[str, Money], *, minor_units: int = 2) -> PriceLadder:
    """Build the ladder from prices computed with successively more information.

    Each price is rounded to the currency's smallest unit, or to the decimals of the final price where that has more (a
    current price that is kept, say), and each step is the difference of two neighbors: nothing is left over, and no
    step hides a rounding remainder larger than that unit.

    Parameters
    ----------
    prices
        Name of the rung → price reached with it, in the order of :data:`STEPS`; rungs may be left out. The last one is
        the recommended price.
    minor_units
        Decimals of the currency (ISO 4217): 2 for dollars, 0 for yen.

    Raises
    ------
    ConfigError
        If a rung is unknown or out of order, there are fewer than two, or a price is not a number above zero.

    Examples
    --------
    >>> ladder = price_ladder({"reference": 12.99, "taste": 11.6312, "ending": 11.49})
    >>> [str(step.change) for step in ladder.steps]
    ['0.00', '-1.36', '-0.14']
    """
    known = list(STEPS)
    unknown = [name for name in prices if name not in STEPS]
    if unknown:
        raise ConfigError(f"{unknown[0]!r} is not a step of the price ladder; allowed are {', '.join(known)}.")
    names = list(prices)
    if names != sorted(names, key=known.index):
        raise ConfigError(f"The steps {', '.join(names)} are out of order; the order is {', '.join(known)}.")
    if len(names) < 2:
        raise ConfigError("A price ladder needs a first price and the recommended one.")
    exact = [_decimal(name, price) for name, price in prices.items()]
    unit = Decimal(1).scaleb(-max(minor_units, _decimals(exact[-1])))
    rounded = [value.quantize(unit, rounding=ROUND_HALF_UP) for value in exact]
    previous = [rounded[0], *rounded]
    return PriceLadder(
        tuple(
            PriceStep(name, STEPS[name], price, price - before)
            for name, price, before in zip(names, rounded, previous, strict=False)
        )
    )


def _decimals(price: Decimal) -> int:
    exponent = round(price, _MOST_DECIMALS).normalize().as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


def _decimal(name: str, price: Money) -> Decimal:
    try:
        value = Decimal(str(price))
    except InvalidOperation as error:
        raise ConfigError(f"The price of the step {name!r} is {price!r}; it must be a number.") from error
    if not value.is_finite() or value <= 0:
        raise ConfigError(f"The price of the step {name!r} is {price}; it must be above zero.")
    return value
