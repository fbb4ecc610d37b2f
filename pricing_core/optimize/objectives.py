r"""What prices are chosen to make as large as possible.

Per purchase occasion, with price *p*, unit cost *c* and chance of a purchase *P*:

================  =============================================================
``profit``        :math:`(p - c) P`
``revenue``       :math:`p P`
``units``         :math:`P`; among equally many units the more profitable price
``conversion``    as ``units``, counted per occasion
``mix``           :math:`w_\pi (p - c) P + w_r\, p P + v P`
``goodwill``      :math:`(p - c) P - g (1 - P)`, *g* being lost with each customer who does not buy
``cautious``      a lower confidence bound of profit over the posterior draws
================  =============================================================

All but ``cautious`` are, up to a factor and a constant, profit with an *effective cost*, and so share its closed form
and Newton steps: zero cost for revenue, :math:`c - g` with goodwill, :math:`(w_\pi c - v)/(w_\pi + w_r)` for a mix,
and a cost far below zero for units.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields
from statistics import NormalDist
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from pricing_core.errors import ConfigError, DataError
from pricing_core.optimize.cautious import CautiousFunction, scan
from pricing_core.optimize.posterior import ProfitFunction, maximize_posterior_profit
from pricing_core.response import PriceResponse

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Values = Callable[[Floats], Floats]

PROFIT: Final = "profit"
REVENUE: Final = "revenue"
UNITS: Final = "units"
CONVERSION: Final = "conversion"
MIX: Final = "mix"
GOODWILL: Final = "goodwill"
CAUTIOUS: Final = "cautious"
OBJECTIVES: Final = (PROFIT, REVENUE, UNITS, CONVERSION, MIX, GOODWILL, CAUTIOUS)

_UNIT_WORTH: Final = 1e6  # a unit counts as this many times the highest unit cost: profit only breaks ties


@dataclass(frozen=True)
class Objective:
    """What to maximize.

    Parameters
    ----------
    kind
        One of :data:`OBJECTIVES`.
    profit_weight, revenue_weight
        Of ``mix``, at least zero, not both zero.
    unit_value
        Of ``mix``: worth of one more unit sold, money, such as a market share bonus.
    goodwill_cost
        Of ``goodwill``: money lost with each customer who does not buy.
    confidence
        Of ``cautious``: chance that the profit is at least the bound, between 0.5 and 1.

    Raises
    ------
    ConfigError
        If a value is not allowed; the message names the value received and what is allowed.
    """

    kind: str = PROFIT
    profit_weight: float = 1.0
    revenue_weight: float = 0.0
    unit_value: float = 0.0
    goodwill_cost: float = 0.0
    confidence: float = 0.9

    def __post_init__(self) -> None:
        if self.kind not in OBJECTIVES:
            raise ConfigError(f"The objective is {self.kind!r}.", fix=f"It must be one of {', '.join(OBJECTIVES)}.")
        for name in ("profit_weight", "revenue_weight", "unit_value", "goodwill_cost"):
            value = getattr(self, name)
            if not (_is_number(value) and value >= 0):
                raise ConfigError(f"{name} is {value!r}.", fix="It must be a number of at least 0.")
        if self.profit_weight + self.revenue_weight <= 0:
            raise ConfigError("profit_weight and revenue_weight are both 0.", fix="Give one of them a weight above 0.")
        if not (_is_number(self.confidence) and 0.5 < self.confidence < 1):
            raise ConfigError(f"confidence is {self.confidence!r}.", fix="It must lie between 0.5 and 1, such as 0.9.")

    @property
    def cautious(self) -> bool:
        """Whether the spread over posterior draws counts, not only their mean."""
        return self.kind == CAUTIOUS

    @property
    def counts_units(self) -> bool:
        """Whether the objective is a number of sales, not money."""
        return self.kind in (UNITS, CONVERSION)

    @property
    def spread_weight(self) -> float:
        """Standard deviations that ``cautious`` takes off the mean."""
        return NormalDist().inv_cdf(self.confidence) if self.cautious else 0.0

    def effective_cost(self, unit_cost: Floats) -> Floats:
        """Cost with which the objective is profit, (n,) money; below zero where a sale is worth more than its price.

        For ``cautious`` it is the unit cost: the bound is taken of plain profit.
        """
        cost = np.asarray(unit_cost, dtype=float)
        if self.kind == REVENUE:
            return np.zeros_like(cost)
        if self.counts_units:
            return cost - _UNIT_WORTH * (float(cost.max(initial=0.0)) or 1.0)
        if self.kind == MIX:
            return (self.profit_weight * cost - self.unit_value) / (self.profit_weight + self.revenue_weight)
        return cost - self.goodwill_cost if self.kind == GOODWILL else cost.copy()

    @classmethod
    def from_mapping(cls, values: Mapping[str, Any]) -> Objective:
        """Build from a table of settings.

        Raises
        ------
        ConfigError
            If a key is unknown or a value is not allowed.
        """
        allowed = [each.name for each in fields(cls)]
        unknown = sorted(set(values) - set(allowed))
        if unknown:
            raise ConfigError(f"Unknown setting of the objective: {unknown[0]}.", fix=f"Use {', '.join(allowed)}.")
        return cls(**values)

    def to_mapping(self) -> dict[str, Any]:
        """Return the settings as a table that :meth:`from_mapping` reads."""
        return asdict(self)


def parse_objective(text: str) -> Objective:
    """Read ``profit``, or a kind with settings: ``mix:revenue_weight=0.5,unit_value=2``.

    Raises
    ------
    ConfigError
        If the text is not of that form, or a setting is not allowed.
    """
    kind, _, rest = text.partition(":")
    values: dict[str, Any] = {"kind": kind.strip()}
    for part in filter(None, (each.strip() for each in rest.split(","))):
        name, equals, value = part.partition("=")
        try:
            values[name.strip()] = float(value)
        except ValueError:
            equals = ""
        if not equals:
            raise ConfigError(f"The objective has the setting {part!r}.", fix="Write it as name=number.")
    return Objective.from_mapping(values)


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


DEFAULT_OBJECTIVE: Final = Objective()
"""Profit."""


def objective_function(response: PriceResponse, cost: Floats, objective: Objective) -> Values:
    """Return a function of prices (n,) → what is maximized (n,), in money, for rows that are evaluated often.

    A factor and a constant are left out: use it to compare prices, and :func:`objective_value` to report.
    """
    if objective.cautious:
        return CautiousFunction(response, cost, objective.spread_weight)
    return ProfitFunction(response, objective.effective_cost(cost))


def objective_value(response: PriceResponse, price: Floats, cost: Floats, objective: Objective) -> Floats:
    """Objective of each row at ``price`` (n,), per occasion: money, or purchases for ``units`` and ``conversion``."""
    if objective.kind == CAUTIOUS:
        return CautiousFunction(response, cost, objective.spread_weight)(price)
    chance = ProfitFunction(response, price - 1.0)(price)
    if objective.counts_units:
        return chance
    if objective.kind == REVENUE:
        return price * chance
    profit = (price - cost) * chance
    if objective.kind == MIX:
        worth = objective.revenue_weight * price + objective.unit_value
        return np.asarray(objective.profit_weight * profit + worth * chance)
    return profit - objective.goodwill_cost * (1.0 - chance) if objective.kind == GOODWILL else profit


def group_total(
    response: PriceResponse, cost: Floats, weight: Floats, code: Ints, groups: int, objective: Objective
) -> Values:
    """Return a function of one price per group (groups,) → the group's objective (groups,), by row weight.

    Parameters
    ----------
    cost, weight
        (n,) money, and occasions that a row stands for.
    code
        (n,) group of each row, 0 … groups − 1.
    """
    if not objective.cautious:
        profit = ProfitFunction(response, objective.effective_cost(cost))
        return lambda price: np.asarray(np.bincount(code, weight * profit(price[code]), groups), dtype=float)
    bound = CautiousFunction(response, cost, objective.spread_weight)
    everything = np.arange(response.n)

    def total(price: Floats) -> Floats:
        by_member = bound.members(price[code], everything) * weight
        return bound.bound(np.stack([np.bincount(code, each, groups) for each in by_member]))

    return total


def maximize_objective(
    response: PriceResponse, rows_cost: Floats, low: Floats, high: Floats, objective: Objective
) -> Floats:
    """Price within ``[low, high]`` with the largest objective, row by row.

    Parameters
    ----------
    rows_cost, low, high
        (n,) money, ``low <= high``.

    Returns
    -------
    (n,) money. For ``cautious``, whose bound can have several peaks: a scan of 33 prices in equal steps, then four
    finer ones around the best; otherwise Newton steps.

    Raises
    ------
    DataError
        If a range is empty or not finite.
    """
    if not objective.cautious:
        return maximize_posterior_profit(response, objective.effective_cost(rows_cost), low, high)
    empty = ~(low <= high) | ~np.isfinite(low) | ~np.isfinite(high)
    if empty.any():
        raise DataError(f"The range of allowed prices is empty or unknown in {int(empty.sum())} of {response.n} rows.")
    return scan(CautiousFunction(response, rows_cost, objective.spread_weight), low, high)
