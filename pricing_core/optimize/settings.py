"""Pricing strategies by name, and what can be set about those that need settings."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from pricing_core.errors import ConfigError
from pricing_core.optimize.medians import weighted_median
from pricing_core.optimize.registry import find
from pricing_core.response import PricingRows

if TYPE_CHECKING:
    from pricing_core.optimize.segments import Segments

STATUS_QUO: Final = "status_quo"
COST_PLUS: Final = "cost_plus"
COMPETITOR: Final = "competitor"
UNIFORM: Final = "uniform"
PRODUCT: Final = "product"
PERSONALIZED: Final = "personalized"
PERSONALIZED_DISCOUNT: Final = "personalized_discount"
SEGMENT: Final = "segment"
MARKDOWN: Final = "markdown"

STRATEGIES: Final = (
    STATUS_QUO,
    COST_PLUS,
    COMPETITOR,
    UNIFORM,
    PRODUCT,
    PERSONALIZED,
    PERSONALIZED_DISCOUNT,
    SEGMENT,
    MARKDOWN,
)
"""Strategies that come with the product; a shop can add its own (:mod:`pricing_core.optimize.registry`)."""
PERSONAL: Final = (PERSONALIZED, PERSONALIZED_DISCOUNT)
"""Those with a price for each customer."""
DEFAULT_STRATEGY: Final = PERSONALIZED_DISCOUNT
BASES: Final = ("product", "list", "current")


@dataclass(frozen=True)
class SegmentSettings:
    """How segments are formed and what their prices are measured against.

    Parameters
    ----------
    depth
        Questions asked at most, 0 to 6: two to the power of it is the largest number of segments.
    min_leaf_rows
        Offers that a segment needs.
    base
        What a segment's change counts against: ``product`` (the product's best single price), ``list`` (list price, or
        the current one where it is unknown) or ``current``.
    lowest_rate, highest_rate, step_rate
        Changes that are tried, as shares of the base.
    min_gain_rate
        Least gain of one more question, as a share of all profit.
    breadth
        Questions that are followed to the end at each point of the tree, 1 to 8; 1 takes the best one at once.
    exclude
        Names of features that must not be asked about. Protected attributes never are.

    Raises
    ------
    ConfigError
        If a value is not allowed.
    """

    depth: int = 3
    min_leaf_rows: int = 200
    base: str = "product"
    lowest_rate: float = -0.3
    highest_rate: float = 0.3
    step_rate: float = 0.02
    min_gain_rate: float = 0.0002
    breadth: int = 3
    exclude: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if type(self.depth) is not int or not 0 <= self.depth <= 6:
            raise ConfigError(f"The depth of segments is {self.depth!r}.", fix="It must be a whole number from 0 to 6.")
        if type(self.min_leaf_rows) is not int or self.min_leaf_rows < 1:
            raise ConfigError(f"min_leaf_rows is {self.min_leaf_rows!r}.", fix="It must be a whole number from 1 up.")
        if self.base not in BASES:
            raise ConfigError(f"base is {self.base!r}.", fix=f"It must be one of {', '.join(BASES)}.")
        if not -1 < self.lowest_rate <= 0 <= self.highest_rate <= 5:
            raise ConfigError(
                f"Changes from {self.lowest_rate} to {self.highest_rate} cannot be tried.",
                fix="The lowest must lie above -1 and the highest up to 5, with 0 between them.",
            )
        if not 0.001 <= self.step_rate <= 1:
            raise ConfigError(f"step_rate is {self.step_rate!r}.", fix="It must lie between 0.001 and 1.")
        if not 0 <= self.min_gain_rate < 1:
            raise ConfigError(f"min_gain_rate is {self.min_gain_rate!r}.", fix="It must be at least 0 and below 1.")
        if type(self.breadth) is not int or not 1 <= self.breadth <= 8:
            raise ConfigError(f"breadth is {self.breadth!r}.", fix="It must be a whole number from 1 to 8.")
        object.__setattr__(self, "exclude", tuple(self.exclude))


@dataclass(frozen=True)
class MarkdownSettings:
    """Selling off stock by a date.

    Parameters
    ----------
    weeks
        Weeks until then, 1 to 52.
    salvage_rate
        What a unit that is left over brings, as a share of its unit cost: 0 nothing, 1 its cost.
    deepest_rate
        Deepest discount from the current price, such as 0.7.
    steps
        Prices on the ladder between the current price and the deepest discount, both included, 2 to 40.
    offers_per_week
        Offers of the whole shop in a week. None: the rows' weights are one week's offers.

    Raises
    ------
    ConfigError
        If a value is not allowed.
    """

    weeks: int = 8
    salvage_rate: float = 0.0
    deepest_rate: float = 0.6
    steps: int = 13
    offers_per_week: float | None = None

    def __post_init__(self) -> None:
        if type(self.weeks) is not int or not 1 <= self.weeks <= 52:
            raise ConfigError(f"weeks is {self.weeks!r}.", fix="It must be a whole number from 1 to 52.")
        if not (math.isfinite(self.salvage_rate) and 0 <= self.salvage_rate <= 10):
            raise ConfigError(f"salvage_rate is {self.salvage_rate!r}.", fix="It must be at least 0, such as 0.2.")
        if not 0 < self.deepest_rate < 1:
            raise ConfigError(f"deepest_rate is {self.deepest_rate!r}.", fix="It must lie between 0 and 1.")
        if type(self.steps) is not int or not 2 <= self.steps <= 40:
            raise ConfigError(f"steps is {self.steps!r}.", fix="It must be a whole number from 2 to 40.")
        pace = self.offers_per_week
        if pace is not None and not (math.isfinite(pace) and pace > 0):
            raise ConfigError(f"offers_per_week is {pace!r}.", fix="It must be above 0, or left out.")


@dataclass(frozen=True)
class StrategySettings:
    """Settings of strategies.

    Parameters
    ----------
    markup
        Of cost-plus, over unit cost: 0.5 makes 6.00 of a cost of 4.00. None takes the median markup of current prices.
    competitor_index
        Share of the competitor's price that is asked; 1 matches it.
    segments, markdown
        Of the strategies of those names.
    formed
        Segments formed on other rows, such as the recent offers, into which rows are put. None forms them on the rows
        themselves.

    Raises
    ------
    ConfigError
        If a value is not a number above its limit.
    """

    markup: float | None = None
    competitor_index: float = 1.0
    segments: SegmentSettings = field(default_factory=SegmentSettings)
    markdown: MarkdownSettings = field(default_factory=MarkdownSettings)
    formed: Segments | None = None

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
    return find(name).name


def check_strategies(names: Sequence[str]) -> tuple[str, ...]:
    """Return the names without repeats, in order, each checked by :func:`check_strategy`."""
    return tuple(dict.fromkeys(check_strategy(name.strip()) for name in names))


def usual_markup(rows: PricingRows) -> float:
    """Median markup over unit cost of current prices, by weight, over rows with a cost; 0 if there is none."""
    known = rows.unit_cost > 0
    if not known.any():
        return 0.0
    return weighted_median(rows.current_price[known] / rows.unit_cost[known] - 1.0, rows.weight[known])
