"""Assumptions under which strategies are compared."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from pricing_core.errors import ConfigError
from pricing_core.guardrails.rules import read_toml
from pricing_core.response import PricingRows

Floats = NDArray[np.float64]

_RATES: Final = ("cost_change_rate", "competitor_change_rate", "demand_shift_rate", "season_demand_rate")
_WEEKS: Final = 53
_CHURN_STEP: Final = 0.10  # the price increase to which churn_rate refers


@dataclass(frozen=True)
class Scenario:
    """One "what if".

    Parameters
    ----------
    name
        Shown beside the results.
    cost_change_rate
        Change of every unit cost: 0.1 is 10% dearer.
    competitor_change_rate
        Change of every competitor price. It moves demand through the model's market features, therefore the rows
        must have been computed for it; :meth:`apply` leaves them alone.
    competitor_reaction_rate
        Share of our own price changes that the competitor follows, from 0 (does not react) to 1 (matches them). As
        with the move, the rows must have been computed for it.
    demand_shift_rate
        Change of the odds of a purchase at any price: 0.1 multiplies them by 1.1.
    demand_by_category
        The same for single categories, on top: ``{"tea": -0.2}``.
    season_week
        ISO week of the year, 1 to 53, in which the offers are imagined; the model's own season features answer, so
        that the rows must have been computed for it. None leaves the season as it is.
    season_demand_rate
        Change of the odds of a purchase by the season, for a model that knows none.
    stock_share
        Share of the recorded stock that is there to sell, without replenishment; None: stock does not limit sales.
    stock_cover_weeks
        Stock of products without a recorded one, in weeks of their expected sales at today's prices; None: unlimited.
    horizon_weeks
        Length of the period.
    occasions_per_week
        Purchase occasions a week. None: totals are over the rows given, by their weight; the horizon then matters
        only for churn and for stock measured in weeks.
    churn_rate
        Share of customers lost per week for each 10% by which their price exceeds today's; an assumption, since no
        past data tell it. Losses grow in proportion to the increase and start with the horizon; lower prices win
        nobody back. Prices are not chosen with churn in view: the goodwill objective is for that.
    reach_rate
        Share of customers who get the new prices; the others keep today's.

    Raises
    ------
    ConfigError
        If a value is not allowed; the message names it and what is allowed.
    """

    name: str = "base case"
    cost_change_rate: float = 0.0
    competitor_change_rate: float = 0.0
    demand_shift_rate: float = 0.0
    horizon_weeks: float = 4.0
    occasions_per_week: float | None = None
    competitor_reaction_rate: float = 0.0
    demand_by_category: tuple[tuple[str, float], ...] = ()
    season_week: int | None = None
    season_demand_rate: float = 0.0
    stock_share: float | None = None
    stock_cover_weeks: float | None = None
    churn_rate: float = 0.0
    reach_rate: float = 1.0

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not self.name.strip():
            raise ConfigError(f"The name of the scenario is {self.name!r}.", fix="Give it a name.")
        for name in _RATES:
            _above_minus_one(name, getattr(self, name))
        object.__setattr__(self, "demand_by_category", _categories(self.demand_by_category))
        for category, rate in self.demand_by_category:
            _above_minus_one(f"demand_by_category of {category!r}", rate)
        _within("competitor_reaction_rate", self.competitor_reaction_rate, 0.0, 1.0, "0 to 1")
        if not _is_number(self.churn_rate) or not 0 <= self.churn_rate < 1:
            raise ConfigError(f"churn_rate is {self.churn_rate!r}.", fix="It must be from 0 to below 1.")
        if not _is_number(self.reach_rate) or not 0 < self.reach_rate <= 1:
            raise ConfigError(f"reach_rate is {self.reach_rate!r}.", fix="It must be above 0 and at most 1.")
        week = self.season_week
        if week is not None and (isinstance(week, bool) or not isinstance(week, int) or not 1 <= week <= _WEEKS):
            raise ConfigError(f"season_week is {week!r}.", fix="It must be an ISO week from 1 to 53, or left out.")
        if not _is_number(self.horizon_weeks) or self.horizon_weeks <= 0:
            raise ConfigError(f"horizon_weeks is {self.horizon_weeks!r}.", fix="It must be above 0.")
        for name in ("occasions_per_week", "stock_cover_weeks"):
            value = getattr(self, name)
            if value is not None and (not _is_number(value) or value <= 0):
                raise ConfigError(f"{name} is {value!r}.", fix="It must be above 0, or left out.")
        if self.stock_share is not None and (not _is_number(self.stock_share) or self.stock_share < 0):
            raise ConfigError(f"stock_share is {self.stock_share!r}.", fix="It must be at least 0, or left out.")

    @property
    def asks_models(self) -> bool:
        """Whether the rows must have been computed for this scenario: competitor or season features move."""
        return bool(self.competitor_change_rate or self.competitor_reaction_rate or self.season_week is not None)

    @property
    def limits_stock(self) -> bool:
        """Whether stock may run out."""
        return self.stock_share is not None or self.stock_cover_weeks is not None

    def apply(self, rows: PricingRows) -> PricingRows:
        """Rows with the scenario's unit costs and demand; supported prices and current prices stay."""
        shift = np.full(rows.n, math.log1p(self.demand_shift_rate) + math.log1p(self.season_demand_rate))
        for category, rate in self.demand_by_category:
            shift[rows.category == category] += math.log1p(rate)
        if not self.cost_change_rate and not shift.any():
            return rows
        return replace(
            rows,
            unit_cost=rows.unit_cost * (1.0 + self.cost_change_rate),
            response=rows.response.shift_intercept(shift) if shift.any() else rows.response,
        )

    def occasions(self, rows: PricingRows) -> float:
        """Return the number of purchase occasions that totals stand for."""
        if self.occasions_per_week is None:
            return float(rows.weight.sum())
        return self.horizon_weeks * self.occasions_per_week

    def retention(self, price: Floats, current_price: Floats) -> Floats:
        r"""Share of each row's occasions that are left after churn over the horizon, (n,).

        With a price increase :math:`\delta > 0`, customers leave at the weekly rate
        :math:`\lambda = -\ln(1 - s)\,\delta / 0.1`, and of *W* weeks' occasions
        :math:`(1 - e^{-\lambda W}) / (\lambda W)` remain.
        """
        if not self.churn_rate:
            return np.ones(len(price))
        rise = np.maximum(price / current_price - 1.0, 0.0)
        spent = -math.log1p(-self.churn_rate) * rise / _CHURN_STEP * self.horizon_weeks
        safe = np.where(spent > 1e-9, spent, 1.0)
        return np.where(spent > 1e-9, -np.expm1(-safe) / safe, 1.0)

    def to_dict(self) -> dict[str, Any]:
        """Return the settings as JSON-ready values."""
        return {**asdict(self), "demand_by_category": dict(self.demand_by_category)}

    @classmethod
    def from_mapping(cls, values: Mapping[str, Any]) -> Scenario:
        """Build from a table of settings; a table ``scenario`` inside it is taken instead.

        Raises
        ------
        ConfigError
            If a key is unknown (the message names the allowed ones) or a value is not allowed.
        """
        inner = values.get("scenario", values)
        if not isinstance(inner, Mapping):
            raise ConfigError(f"scenario is {inner!r}.", fix="It must be a table of settings.")
        allowed = [f.name for f in fields(cls)]
        unknown = sorted(set(inner) - set(allowed))
        if unknown:
            raise ConfigError(
                f"Unknown scenario setting: {', '.join(unknown)}.", fix=f"Allowed are {', '.join(allowed)}."
            )
        return cls(**inner)

    @classmethod
    def from_toml(cls, source: Path | str) -> Scenario:
        """Read from a TOML file (``Path``) or TOML text (``str``).

        Raises
        ------
        FileReadError
            If the file cannot be read or is not TOML.
        ConfigError
            As in :meth:`from_mapping`.
        """
        return cls.from_mapping(read_toml(source, "scenario settings"))


def _categories(given: Mapping[str, float] | Iterable[tuple[str, float]]) -> tuple[tuple[str, float], ...]:
    pairs = given.items() if isinstance(given, Mapping) else given
    try:
        return tuple(sorted((str(category), rate) for category, rate in pairs))
    except (TypeError, ValueError) as error:
        raise ConfigError(
            f"demand_by_category is {given!r}.", fix="Give a rate per category, such as {tea = -0.2}."
        ) from error


def _above_minus_one(name: str, value: object) -> None:
    if not _is_number(value) or value <= -1:  # type: ignore[operator]
        raise ConfigError(f"{name} is {value!r}.", fix="It must be above -1, such as 0.10 for +10%.")


def _within(name: str, value: object, low: float, high: float, words: str) -> None:
    if not _is_number(value) or not low <= value <= high:  # type: ignore[operator]
        raise ConfigError(f"{name} is {value!r}.", fix=f"It must be from {words}.")


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
