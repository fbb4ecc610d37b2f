"""The assumptions by which orders become choice occasions; see :mod:`pricing_core.data.occasions`."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from pricing_core.errors import ConfigError


@dataclass(frozen=True)
class OccasionRule:
    """Assumptions by which orders become choice occasions.

    Parameters
    ----------
    period_days
        Length of a period, days.
    scope
        ``category``: an order puts the customer into the market of its category; ``shop``: into that of every category.
    price_source
        ``modal``, ``median`` or ``latest`` transaction price of product, store and period.
    max_age_days
        Longest time for which a price is carried forward, days.
    bestsellers
        Products of a category that every customer in its market considers, besides those bought before.
    max_occasions
        About so many are kept at most: more are thinned by whole customers and periods, drawn by a hash that does not
        see what was bought.

    Raises
    ------
    ConfigError
        If a value is not allowed.
    """

    period_days: int = 7
    scope: str = "category"
    price_source: str = "modal"
    max_age_days: int = 28
    bestsellers: int = 20
    max_occasions: int = 400_000

    def __post_init__(self) -> None:
        for name, least in (("period_days", 1), ("max_age_days", 1), ("bestsellers", 1), ("max_occasions", 100)):
            value = getattr(self, name)
            if type(value) is not int or value < least:
                raise ConfigError(f"{name} is {value!r}.", fix=f"It must be a whole number of at least {least}.")
        for name, allowed in (("scope", ("category", "shop")), ("price_source", ("modal", "median", "latest"))):
            if getattr(self, name) not in allowed:
                raise ConfigError(f"{name} is {getattr(self, name)!r}.", fix=f"Allowed are {', '.join(allowed)}.")

    @property
    def max_periods(self) -> int:
        """Number of periods for which a price is carried forward."""
        return max(1, self.max_age_days // self.period_days)

    def to_dict(self) -> dict[str, Any]:
        """Return the settings as JSON-ready values."""
        return asdict(self)
