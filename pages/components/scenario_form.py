"""Assumptions as sliders that answer at once, strategies to compare, and links that carry both."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import streamlit as st

from pricing_core import glossary
from pricing_core.data.seasons import LEAST_SEASON_DAYS
from pricing_core.errors import ConfigError
from pricing_core.optimize.registry import labels
from pricing_core.simulate.links import Link, from_query, to_query
from pricing_core.simulate.scenario import Scenario

from . import guardrails, results
from .guardrails import strategy_name
from .state import PageState
from .words import markdown, percent, plural

START = ("status_quo", "uniform", "product", "personalized_discount")
ALWAYS = ("status_quo", "uniform")
SHARES = (None, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0)
WEEKS = (None, 1.0, 2.0, 3.0, 4.0, 6.0, 8.0, 12.0)
READ = "scenario_link"
BEST = ""
_MONTHS = ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
           "November", "December")  # fmt: skip


@dataclass(frozen=True)
class Chosen:
    """What the form says: the scenario, the strategies side by side, and the one to look at closely (empty: best)."""

    scenario: Scenario
    strategies: tuple[str, ...]
    focus: str

    def query(self) -> dict[str, str]:
        """Query parameters that reproduce it."""
        return to_query(self.scenario, self.strategies, self.focus)


def form(state: PageState) -> Chosen:
    """Show the assumptions; each move is answered at once."""
    _read_link(state)
    competitor_known, season_known, stock_known = results.knowledge(state)
    one, two, three, four, five = st.columns(5)
    cost = _slider(one, "Unit costs (%)", "scenario_cost", "All unit costs change by this much.")
    rival = _slider(
        two, "Competitor prices (%)", "scenario_rival", "All competitor prices change by this much."
        if competitor_known else "The data hold no competitor prices.", disabled=not competitor_known,
    )  # fmt: skip
    demand = _slider(three, "Demand (%)", "scenario_demand", "The odds of a purchase at any price change by this much.")
    stock = _stock(four, stock_known)
    weeks = five.slider(
        "Horizon (weeks)", 1, 26, key=_start("scenario_weeks", 4), persist_state="session",
        help=glossary.define("horizon"),
    )  # fmt: skip
    more = _more(state, competitor_known, season_known)
    left, right = st.columns([5, 2], vertical_alignment="top")
    names = guardrails.strategy_names(state.ws)
    strategies = left.multiselect(
        "Strategies side by side", names, format_func=strategy_name, persist_state="session", wrap=True,
        key=_start("scenario_strategies", [name for name in START if name in names]),
        help="Today's prices and the best uniform change are always among them: what is given up, and the fair "
        "baseline.",
    )  # fmt: skip
    compared = tuple(dict.fromkeys([*strategies, *ALWAYS]))
    options = [BEST, *(name for name in compared if name != "status_quo")]
    if st.session_state.get("scenario_focus", BEST) not in options:
        st.session_state["scenario_focus"] = BEST
    focus = right.selectbox(
        "Look closely at", options, key="scenario_focus", persist_state="session",
        format_func=lambda name: strategy_name(name) if name else "The one that earns most",
    )  # fmt: skip
    scenario = Scenario(
        cost_change_rate=cost / 100, competitor_change_rate=rival / 100, demand_shift_rate=demand / 100,
        horizon_weeks=weeks, occasions_per_week=results.offers_per_week(state),
        stock_share=stock if stock_known else None, stock_cover_weeks=None if stock_known else stock, **more,
    )  # fmt: skip
    chosen = Chosen(scenario, compared, str(focus))
    _write_link(chosen)
    return chosen


def words(scenario: Scenario) -> str:
    """Say what the scenario assumes; empty where nothing differs from today."""
    parts = [
        f"{name} {percent(rate, digits=0, signed=True)}"
        for name, rate in (
            ("costs", scenario.cost_change_rate),
            ("competitors", scenario.competitor_change_rate),
            ("demand", scenario.demand_shift_rate),
            *((f"demand for {category}", rate) for category, rate in scenario.demand_by_category),
            ("season", scenario.season_demand_rate),
        )
        if rate
    ]
    if scenario.competitor_reaction_rate:
        parts.append(f"competitors following {percent(scenario.competitor_reaction_rate, digits=0)} of our changes")
    if scenario.season_week is not None:
        parts.append(f"the season of week {scenario.season_week}")
    if scenario.stock_share is not None:
        parts.append(f"{percent(scenario.stock_share, digits=0)} of today's stock")
    if scenario.stock_cover_weeks is not None:
        parts.append(f"stock for {plural(scenario.stock_cover_weeks, 'week')} of sales")
    if scenario.churn_rate:
        parts.append(f"{percent(scenario.churn_rate)} of customers a week leaving per 10% dearer")
    if scenario.reach_rate < 1:
        parts.append(f"{percent(scenario.reach_rate, digits=0)} of customers reached")
    return ", ".join(parts)


def _more(state: PageState, competitor_known: bool, season_known: bool) -> dict[str, Any]:
    with st.expander(f"More assumptions{_count()}", icon=":material/tune:"):
        one, two, three, four = st.columns(4)
        follows = one.slider(
            "Competitors follow (%)", 0, 100, step=5, key=_start("scenario_follows", 0), persist_state="session",
            disabled=not competitor_known, help="Share of our own price changes that competitors copy.",
        )  # fmt: skip
        week = two.selectbox(
            "Season of the year", [None, *range(1, 54)], key=_start("scenario_season", None), persist_state="session",
            format_func=_week, disabled=not season_known,
            help="The model's own season answers." if season_known
            else f"The log is shorter than {LEAST_SEASON_DAYS} days, so no season was learned; move demand instead.",
        )  # fmt: skip
        churn = three.slider(
            "Customers lost (% a week)", 0.0, 20.0, step=0.5, key=_start("scenario_churn", 0.0),
            persist_state="session",
            help="For each 10% by which a customer's price exceeds today's. An assumption: no past data tell it.",
        )  # fmt: skip
        reach = four.slider(
            "Customers reached (%)", 5, 100, step=5, key=_start("scenario_reach", 100), persist_state="session",
            help="The others keep today's prices.",
        )  # fmt: skip
        every = sorted({str(name) for name in state.run.rows.category})
        picked = st.multiselect(
            "Categories whose demand moves on its own",
            every,
            key=_start("scenario_categories", []),
            persist_state="session",
        )
        shifts = {}
        for place, name in zip(st.columns(max(len(picked), 4)), picked, strict=False):
            shifts[name] = _slider(place, f"{markdown(name)} (%)", f"scenario_demand_{name}", "On top of the demand.")
    return {
        "competitor_reaction_rate": follows / 100, "season_week": week, "churn_rate": churn / 100,
        "reach_rate": reach / 100,
        "demand_by_category": tuple((name, rate / 100) for name, rate in shifts.items() if rate),
    }  # fmt: skip


def _count() -> str:
    now = st.session_state
    plain: dict[str, Any] = {
        "scenario_follows": 0, "scenario_season": None, "scenario_churn": 0.0, "scenario_reach": 100,
        "scenario_categories": [],
    }  # fmt: skip
    moved = sum(now.get(key, value) != value for key, value in plain.items())
    return f" ({moved} set)" if moved else ""


def _stock(place: Any, known: bool) -> float | None:
    options = list(SHARES if known else WEEKS)
    now = st.session_state[_start("scenario_stock", None)]
    if now not in options:
        options = [None, *sorted([*(each for each in options if each is not None), float(now)])]  # type: ignore[arg-type]
    chosen = place.select_slider(
        "Stock", options, key="scenario_stock", persist_state="session",
        format_func=lambda value: "no limit" if value is None else (
            f"{value:.0%} of today's" if known else plural(value, "week") + " of sales"
        ),
        help="Units to sell over the horizon, without new deliveries. " + (
            "Measured by the recorded stock of each product." if known
            else "The data hold no stock; it is measured in weeks of each product's sales at today's prices."
        ),
    )  # fmt: skip
    return None if chosen is None else float(chosen)


def _slider(place: Any, label: str, key: str, help_text: str, *, disabled: bool = False) -> int:
    return int(
        place.slider(
            label,
            -50,
            50,
            format="%+d",
            key=_start(key, 0),
            persist_state="session",
            help=help_text,
            disabled=disabled,
        )
    )


def _start(key: str, value: Any) -> str:
    """Give a widget its first value through its key, since links and saved scenarios set it in the same way."""
    if key not in st.session_state:
        st.session_state[key] = value
    return key


def _week(week: int | None) -> str:
    if week is None:
        return "as it is"
    return f"week {week} ({_MONTHS[min(11, int((week - 0.5) * 7 / 30.44))]})"


def _write_link(chosen: Chosen) -> None:
    """Keep the address of the page equal to what it shows."""
    query = chosen.query()
    if dict(st.query_params.to_dict()) != query:
        st.query_params.from_dict(query)
    st.session_state[READ] = query


def _read_link(state: PageState) -> None:
    """Take the settings of a link that was opened; those that the page wrote itself are in the widgets already."""
    query = {str(key): str(value) for key, value in st.query_params.to_dict().items()}
    if not query or st.session_state.get(READ) == query:
        return
    try:
        link = from_query(query, strategies=list(labels()))
        values = _widget_values(link)
    except ConfigError as error:
        st.warning(f"{markdown(str(error))} The settings of the link are left out.", icon=":material/link_off:")
        st.query_params.clear()
        return
    place(values)


def place(values: dict[str, Any]) -> None:
    """Set the form's widgets; call it before they are drawn."""
    for key, value in values.items():
        st.session_state[key] = value


def _widget_values(link: Link) -> dict[str, Any]:
    """Values of the form's widgets for a link.

    Raises
    ------
    ConfigError
        If the page has no such setting.
    """
    scenario = link.scenario
    stock = scenario.stock_share if scenario.stock_share is not None else scenario.stock_cover_weeks
    values: dict[str, Any] = {
        "scenario_cost": _whole("unit costs", scenario.cost_change_rate, -50, 50),
        "scenario_rival": _whole("competitor prices", scenario.competitor_change_rate, -50, 50),
        "scenario_demand": _whole("demand", scenario.demand_shift_rate, -50, 50),
        "scenario_follows": _whole("reaction", scenario.competitor_reaction_rate, 0, 100),
        "scenario_reach": _whole("reach", scenario.reach_rate, 5, 100),
        "scenario_churn": round(100 * scenario.churn_rate, 2), "scenario_season": scenario.season_week,
        "scenario_weeks": _whole("horizon", scenario.horizon_weeks / 100, 1, 26), "scenario_stock": stock,
        "scenario_focus": link.focus,
        "scenario_categories": [category for category, _ in scenario.demand_by_category],
    }  # fmt: skip
    if scenario.churn_rate > 0.2:
        raise ConfigError("The link's churn is outside of what this page offers.", fix="It goes up to 20% a week.")
    if scenario.season_demand_rate:
        raise ConfigError("The link moves demand by the season.", fix="Use the demand slider instead.")
    for category, rate in scenario.demand_by_category:
        values[f"scenario_demand_{category}"] = _whole(f"demand for {category}", rate, -50, 50)
    if link.strategies:
        values["scenario_strategies"] = list(link.strategies)
    return values


def of_scenario(scenario: Scenario, strategies: tuple[str, ...], focus: str) -> dict[str, Any]:
    """Values of the form's widgets for a scenario that was saved.

    Raises
    ------
    ConfigError
        If the page has no such setting.
    """
    return _widget_values(Link(scenario, strategies, focus))


def _whole(name: str, rate: float, low: int, high: int) -> int:
    value = round(100 * rate)
    if not low <= value <= high:
        raise ConfigError(f"The link's {name} is outside of what this page offers.", fix=f"It is {low} to {high}.")
    return value
