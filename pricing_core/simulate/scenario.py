"""Assumptions under which strategies are compared."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

from pricing_core.errors import ConfigError
from pricing_core.guardrails.rules import read_toml
from pricing_core.response import PricingRows

_RATES = ("cost_change_rate", "competitor_change_rate", "demand_shift_rate")


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
    demand_shift_rate
        Change of the odds of a purchase at any price: 0.1 multiplies them by 1.1.
    horizon_weeks
        Length of the period.
    occasions_per_week
        Purchase occasions a week. None: totals are over the rows given, by their weight, and the horizon
        does not matter.

    Raises
    ------
    ConfigError
        If a rate is not above -1, or the horizon or the occasions are not above 0.
    """

    name: str = "base case"
    cost_change_rate: float = 0.0
    competitor_change_rate: float = 0.0
    demand_shift_rate: float = 0.0
    horizon_weeks: float = 4.0
    occasions_per_week: float | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not self.name.strip():
            raise ConfigError(f"The name of the scenario is {self.name!r}.", fix="Give it a name.")
        for name in _RATES:
            value = getattr(self, name)
            if not _is_number(value) or value <= -1:
                raise ConfigError(f"{name} is {value!r}.", fix="It must be above -1, such as 0.10 for +10%.")
        if not _is_number(self.horizon_weeks) or self.horizon_weeks <= 0:
            raise ConfigError(f"horizon_weeks is {self.horizon_weeks!r}.", fix="It must be above 0.")
        occasions = self.occasions_per_week
        if occasions is not None and (not _is_number(occasions) or occasions <= 0):
            raise ConfigError(f"occasions_per_week is {occasions!r}.", fix="It must be above 0, or left out.")

    def apply(self, rows: PricingRows) -> PricingRows:
        """Rows with the scenario's unit costs and demand; supported prices and current prices stay."""
        return replace(
            rows,
            unit_cost=rows.unit_cost * (1.0 + self.cost_change_rate),
            response=rows.response.shift_intercept(math.log1p(self.demand_shift_rate)),
        )

    def occasions(self, rows: PricingRows) -> float:
        """Return the number of purchase occasions that totals stand for."""
        if self.occasions_per_week is None:
            return float(rows.weight.sum())
        return self.horizon_weeks * self.occasions_per_week

    def to_dict(self) -> dict[str, Any]:
        """Return the settings as JSON-ready values."""
        return asdict(self)

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


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
