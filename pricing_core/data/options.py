"""The stated rules for dirty data; each can be switched."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal
from zoneinfo import ZoneInfo

from pricing_core.data.parsing import Decimal
from pricing_core.data.parsing_times import DateOrder
from pricing_core.errors import ConfigError

_ALLOWED: Final = {
    "duplicates": ("set_aside", "keep"),
    "outliers": ("flag", "set_aside", "keep"),
    "missing_numeric": ("keep", "median", "set_aside"),
    "noise": ("set_aside", "keep"),
    "decimal": ("auto", "point", "comma"),
    "date_order": ("auto", "day_first", "month_first"),
}


@dataclass(frozen=True)
class CleaningOptions:
    """How an import treats duplicates, outliers, gaps, noise, and cells that can be read in two ways.

    Rows without a required value, or with a price that is not above zero, are always set aside.

    Attributes
    ----------
    duplicates
        ``set_aside`` keeps the first of several equal offers or events; ``keep`` keeps all. Customers,
        products and market rows must be unique, so that further rows of the same key are always set aside.
    outliers
        A price of an offer is an outlier when its logarithm is more than 6 robust standard deviations
        (1.4826 · median absolute deviation) and more than log 3 away from the median of its product.
        ``flag`` reports it, ``set_aside`` sets the row aside, ``keep`` does not look.
    missing_numeric
        Gaps in optional numbers: ``keep`` leaves them to the models, which know a value for *missing*;
        ``median`` fills in the median of the product, else of the column; ``set_aside`` sets the rows
        aside.
    noise
        An event (other than a purchase) of the same customer, type and product within ``noise_seconds``
        after the one before is a double click: ``set_aside`` or ``keep``.
    noise_seconds
        Seconds, at least 0.
    timezone
        IANA name of the zone of times that carry none.
    decimal
        Decimal sign of numbers that are text; ``auto`` looks at the column and asks where it cannot know.
    date_order
        Order of day and month in dates such as 03/04/2025; ``auto`` looks at the column and asks likewise.
    """

    duplicates: Literal["set_aside", "keep"] = "set_aside"
    outliers: Literal["flag", "set_aside", "keep"] = "flag"
    missing_numeric: Literal["keep", "median", "set_aside"] = "keep"
    noise: Literal["set_aside", "keep"] = "set_aside"
    noise_seconds: float = 1.0
    timezone: str = "UTC"
    decimal: Decimal = "auto"
    date_order: DateOrder = "auto"

    def __post_init__(self) -> None:
        """Validate; a ConfigError names the value received and what is allowed."""
        for name, allowed in _ALLOWED.items():
            value = getattr(self, name)
            if value not in allowed:
                raise ConfigError(f"{name} is {value!r}.", fix=f"Allowed are {', '.join(allowed)}.")
        if not self.noise_seconds >= 0:
            raise ConfigError(f"noise_seconds is {self.noise_seconds}.", fix="Give 0 or a positive number of seconds.")
        try:
            ZoneInfo(self.timezone)
        except (OSError, ValueError, TypeError, KeyError) as error:
            raise ConfigError(
                f"The time zone is {self.timezone!r}.",
                fix="Give an IANA name such as UTC, Europe/Berlin or America/New_York.",
            ) from error
