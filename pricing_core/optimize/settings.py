"""Pricing strategies by name, and the settings of those that follow a rule of thumb."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from pricing_core.errors import ConfigError
from pricing_core.optimize.medians import weighted_median
from pricing_core.response import PricingRows

STATUS_QUO: Final = "status_quo"
COST_PLUS: Final = "cost_plus"
COMPETITOR: Final = "competitor"
UNIFORM: Final = "uniform"
PRODUCT: Final = "product"
PERSONALIZED: Final = "personalized"
PERSONALIZED_DISCOUNT: Final = "personalized_discount"

STRATEGIES: Final = (
    STATUS_QUO,
    COST_PLUS,
    COMPETITOR,
    UNIFORM,
    PRODUCT,
    PERSONALIZED,
    PERSONALIZED_DISCOUNT,
)
PERSONAL: Final = (PERSONALIZED, PERSONALIZED_DISCOUNT)
DEFAULT_STRATEGY: Final = PERSONALIZED_DISCOUNT


@dataclass(frozen=True)
class StrategySettings:
    """Settings of the rules of thumb.

    Parameters
    ----------
    markup
        Of cost-plus, over unit cost: 0.5 makes 6.00 of a cost of 4.00. None takes the median markup of current prices.
    competitor_index
        Share of the competitor's price that is asked; 1 matches it.

    Raises
    ------
    ConfigError
        If a value is not a number above its limit.
    """

    markup: float | None = None
    competitor_index: float = 1.0

    def __post_init__(self) -> None:
        if self.markup is not None and not (math.isfinite(self.markup) and self.markup > -1):
            raise ConfigError(f"markup is {self.markup}.", fix="It must be above -1, such as 0.5 for 50% over cost.")
        if not (math.isfinite(self.competitor_index) and self.competitor_index > 0):
            raise ConfigError(f"competitor_index is {self.competitor_index}.", fix="It must be above 0; 1 matches.")


def check_strategy(name: str) -> str:
    """Return the name if it is a strategy.

    Raises
    ------
    ConfigError
        Naming the strategies there are.
    """
    if name not in STRATEGIES:
        raise ConfigError(f"There is no strategy {name!r}.", fix=f"Strategies are {', '.join(STRATEGIES)}.")
    return name


def check_strategies(names: Sequence[str]) -> tuple[str, ...]:
    """Return the names without repeats, in order, each checked by :func:`check_strategy`."""
    return tuple(dict.fromkeys(check_strategy(name.strip()) for name in names))


def usual_markup(rows: PricingRows) -> float:
    """Median markup over unit cost of current prices, by weight, over rows with a cost; 0 if there is none."""
    known = rows.unit_cost > 0
    if not known.any():
        return 0.0
    return weighted_median(rows.current_price[known] / rows.unit_cost[known] - 1.0, rows.weight[known])
