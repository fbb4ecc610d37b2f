"""The kinds of rules there are: what each is called, which number it takes, and what that may be."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Kind:
    """One kind of rule.

    Attributes
    ----------
    key
        Name in files.
    words
        Name on screen.
    meaning
        One sentence.
    coupled
        Whether it ties several rows together; otherwise it bounds each row's price by itself.
    unit
        Of its number: ``rate``, ``money``, ``units``, ``count`` or ``none``.
    allowed
        In words, which numbers are allowed.
    holds
        Whether a number is allowed.
    loosen
        +1 if a larger number is more permissive, −1 if a smaller one is, 0 if there is no number to move.
    optional
        Whether the number may be left out.
    needs
        Other fields of :class:`~pricing_core.guardrails.rule.Rule` that must be given.
    takes
        Other fields that may be given.
    """

    key: str
    words: str
    meaning: str
    coupled: bool = False
    unit: str = "none"
    allowed: str = ""
    holds: Callable[[float], bool] = lambda value: True
    loosen: int = 0
    optional: bool = False
    needs: tuple[str, ...] = ()
    takes: tuple[str, ...] = ()


MARGIN_FLOOR: Final = "margin_floor"
PRICE_FLOOR: Final = "price_floor"
PRICE_CEILING: Final = "price_ceiling"
MAX_CHANGE: Final = "max_change_rate"
MAX_LIST_CHANGE: Final = "max_list_change_rate"
COMPETITOR_BAND: Final = "competitor_band"
PRICE_LADDER: Final = "price_ladder"
ENDINGS: Final = "endings"
DISCOUNT_ONLY: Final = "discount_only"
MAX_DISPERSION: Final = "max_dispersion_rate"
EQUAL_PRICE: Final = "equal_price"
PRICE_ORDER: Final = "price_order"
MIN_CHANGES: Final = "min_changes"
MAX_CHANGES: Final = "max_changes"
DISCOUNT_BUDGET: Final = "discount_budget"
CAPACITY: Final = "capacity"
MIN_CONVERSION: Final = "min_conversion_rate"
MIN_UNITS: Final = "min_units"
PARITY: Final = "parity"

_SHARE: Final = "a share of at least 0, such as 0.20 for 20%"
_COUNT: Final = "a whole number of at least 0"


def _at_least_zero(value: float) -> bool:
    return value >= 0


def _whole(value: float) -> bool:
    return value >= 0 and float(value).is_integer()


_ROW: Final = (
    Kind(MARGIN_FLOOR, "margin floor", "The smallest margin over price that a price may leave.", unit="rate",
         allowed="a share below 1, such as 0.10 for 10%", holds=lambda v: v < 1, loosen=-1),
    Kind(PRICE_FLOOR, "price floor", "The lowest price.", unit="money", allowed="an amount of at least 0",
         holds=_at_least_zero, loosen=-1),
    Kind(PRICE_CEILING, "price ceiling", "The highest price.", unit="money", allowed="an amount above 0",
         holds=lambda v: v > 0, loosen=1),
    Kind(MAX_CHANGE, "maximum change", "How far a price may be from today's, either way.", unit="rate",
         allowed=_SHARE, holds=_at_least_zero, loosen=1),
    Kind(MAX_LIST_CHANGE, "maximum distance from list price", "How far a price may be from the list price, either way.",
         unit="rate", allowed=_SHARE, holds=_at_least_zero, loosen=1),
    Kind(COMPETITOR_BAND, "competitor band", "Between which shares of the competitor's price a price must lie.",
         needs=("low_rate", "high_rate")),
    Kind(PRICE_LADDER, "price ladder", "The price points that are allowed, by price range.", needs=("ranges",)),
    Kind(ENDINGS, "price endings", "The last two digits that prices may have, by price range.", needs=("ranges",)),
    Kind(DISCOUNT_ONLY, "discount only", "No price above the list price; where that is unknown, above today's."),
)  # fmt: skip
_COUPLED: Final = (
    Kind(MAX_DISPERSION, "maximum dispersion",
         "How far a product's highest price may be above its lowest, over all customers.", True, "rate", _SHARE,
         _at_least_zero, 1),
    Kind(EQUAL_PRICE, "equal price", "All rows of a group have the same price.", True, needs=("group",)),
    Kind(PRICE_ORDER, "price order", "One product never costs more than another, less a gap.", True, "money",
         "an amount of at least 0", _at_least_zero, -1, True, ("lower", "higher")),
    Kind(MIN_CHANGES, "minimum number of changes", "How many prices must change at least.", True, "count", _COUNT,
         _whole, -1, takes=("level",)),
    Kind(MAX_CHANGES, "maximum number of changes", "How many prices may change at most.", True, "count", _COUNT,
         _whole, 1, takes=("level",)),
    Kind(DISCOUNT_BUDGET, "discount budget",
         "The most that discounts from the list price may be expected to cost over the horizon.", True, "money",
         "an amount of at least 0", _at_least_zero, 1),
    Kind(CAPACITY, "capacity", "The most units that can be sold over the horizon; without a number, each product's "
         "stock.", True, "units", "a number of units of at least 0", _at_least_zero, 1, True),
    Kind(MIN_CONVERSION, "minimum conversion", "The smallest share of offers that must be expected to sell.", True,
         "rate", "a share between 0 and 1", lambda v: 0 <= v <= 1, -1),
    Kind(MIN_UNITS, "minimum units", "The fewest units that must be expected to sell over the horizon.", True, "units",
         "a number of units of at least 0", _at_least_zero, -1),
    Kind(PARITY, "price parity",
         "How far the average price level of one group of customers may be above that of another.", True, "rate",
         _SHARE, _at_least_zero, 1, needs=("group",)),
)  # fmt: skip

KINDS: Final[dict[str, Kind]] = {kind.key: kind for kind in (*_ROW, *_COUPLED)}
"""Key → kind, row rules first."""

POINT_KINDS: Final = (PRICE_LADDER, ENDINGS)
"""Row rules that allow only some amounts; all other row rules bound the price."""


SHOP_WIDE: Final = {
    MARGIN_FLOOR: "margin floor",
    PRICE_FLOOR: "price floor",
    PRICE_CEILING: "price ceiling",
    MAX_CHANGE: "maximum change",
    DISCOUNT_ONLY: "discount only",
    ENDINGS: "price ending",
}
"""Rules that also exist as one setting for the whole shop, and what they are then called."""


def is_number(value: object) -> bool:
    """Whether a setting is a finite number (a flag is not)."""
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
