"""A comparison as the query of a link: settings only, so that whoever opens it sees the same scenario.

Rates are written in percent, defaults are left out, and nothing of the data goes in but names of categories.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from pricing_core.errors import ConfigError
from pricing_core.simulate.scenario import Scenario

_PERCENT: Final = {
    "cost": "cost_change_rate", "competitor": "competitor_change_rate", "follows": "competitor_reaction_rate",
    "demand": "demand_shift_rate", "season_demand": "season_demand_rate", "stock": "stock_share",
    "churn": "churn_rate", "reach": "reach_rate",
}  # fmt: skip
_NUMBER: Final = {"stock_weeks": "stock_cover_weeks", "weeks": "horizon_weeks"}
_WEEK: Final = "week"
_CATEGORY: Final = "demand_in."
_STRATEGIES: Final = "strategies"
_FOCUS: Final = "focus"
_MOST: Final = 40  # parameters


@dataclass(frozen=True)
class Link:
    """Scenario, strategies side by side, and the one looked at closely (empty: none chosen)."""

    scenario: Scenario
    strategies: tuple[str, ...] = ()
    focus: str = ""


def to_query(scenario: Scenario, strategies: Sequence[str] = (), focus: str = "") -> dict[str, str]:
    """Query parameters of a scenario; its name and the shop's pace are left out."""
    plain, query = Scenario(), {}
    for key, name in _PERCENT.items():
        value = getattr(scenario, name)
        if value is not None and value != getattr(plain, name):
            query[key] = _text(100.0 * value)
    for key, name in _NUMBER.items():
        value = getattr(scenario, name)
        if value is not None and value != getattr(plain, name):
            query[key] = _text(float(value))
    if scenario.season_week is not None:
        query[_WEEK] = str(scenario.season_week)
    for category, rate in scenario.demand_by_category:
        query[_CATEGORY + category] = _text(100.0 * rate)
    if strategies:
        query[_STRATEGIES] = ",".join(strategies)
    if focus:
        query[_FOCUS] = focus
    return query


def from_query(query: Mapping[str, str], *, strategies: Sequence[str], occasions_per_week: float | None = None) -> Link:
    """Read what :func:`to_query` wrote.

    Parameters
    ----------
    strategies
        Names that exist; others in the link are refused.

    Raises
    ------
    ConfigError
        If the link asks for something unknown or not allowed.
    """
    if len(query) > _MOST:
        raise ConfigError(f"The link has {len(query)} settings.", fix=f"At most {_MOST} are read.")
    values: dict[str, object] = {"occasions_per_week": occasions_per_week}
    categories = {}
    for key, text in query.items():
        if key in _PERCENT:
            values[_PERCENT[key]] = round(_number(key, text) / 100.0, 10)
        elif key in _NUMBER:
            values[_NUMBER[key]] = _number(key, text)
        elif key == _WEEK:
            values["season_week"] = int(_number(key, text))
        elif key.startswith(_CATEGORY):
            categories[key.removeprefix(_CATEGORY)] = round(_number(key, text) / 100.0, 10)
        elif key not in (_STRATEGIES, _FOCUS):
            raise ConfigError(f"The link has a setting that is unknown here: {key[:40]!r}.", fix="Copy the link again.")
    named = tuple(dict.fromkeys(each.strip() for each in query.get(_STRATEGIES, "").split(",") if each.strip()))
    focus = query.get(_FOCUS, "")
    wrong = [each for each in (*named, *([focus] if focus else [])) if each not in strategies]
    if wrong:
        raise ConfigError(
            f"The link names a strategy that does not exist here: {wrong[0][:40]!r}.",
            fix=f"Strategies are {', '.join(strategies)}.",
        )
    return Link(Scenario(**values, demand_by_category=tuple(categories.items())), named, focus)  # type: ignore[arg-type]


def _text(value: float) -> str:
    return f"{value:.10g}"


def _number(key: str, text: str) -> float:
    try:
        return float(text)
    except ValueError as error:
        raise ConfigError(f"The link's {key} is {text[:40]!r}.", fix="It must be a number.") from error
