"""What would change a recommendation, which events moved it, what if, and customers who are like this one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd
import streamlit as st

from pricing_core import glossary
from pricing_core.charts.curves import curves_figure
from pricing_core.charts.events import events_figure
from pricing_core.errors import DataError
from pricing_core.explain.readable import SHARES, axis_title, readable

from . import figures, guardrails, results, side_by_side
from .explain import OUTCOMES, priced_rows, stamp
from .state import PageState
from .tables import text_column
from .words import count, markdown, money, number, percent, plural

if TYPE_CHECKING:
    from pricing_core.explain.flip import FlipPoints
    from pricing_core.workflows import RowExplanation
    from pricing_core.workflows.explained_offers import ReadyOffers
    from pricing_core.workflows.flipping import SettlingTest

PRICE = "price"
LONG_WEEKS = 104


def _ready(state: PageState) -> ReadyOffers:
    return _ready_offers(results.key(state), state)


@st.cache_resource(max_entries=2, show_spinner="Reading the recent offers …")
def _ready_offers(stamp: str, _state: PageState) -> ReadyOffers:
    from pricing_core.workflows.explained_offers import recent_offers

    return recent_offers(_state.run)


def flips(state: PageState, index: int) -> None:
    """Show at which cost, competitor price and stock the decision changes, and the cheapest test that settles it."""
    found, test = _flips(stamp(state), index, state)
    st.caption("The smallest change of one circumstance, all else equal, from which the decision is another one.")
    if not found:
        strategy = guardrails.strategy_name(guardrails.last_strategy(state.ws))
        st.info(f"Flip points are worked out for personal and product prices, not for: {markdown(strategy)}.")
    else:
        table = pd.DataFrame([_flip_row(each, state.currency) for each in found])
        names = ("Circumstance", "Today", "Decision today", "Changes when it rises to", "Changes when it falls to")
        st.dataframe(table, hide_index=True, column_config={name: text_column(name) for name in names})
    with st.container(border=True):
        st.markdown("**The cheapest test that would settle it**", help=glossary.define("minimum detectable effect"))
        st.markdown(markdown(_test_sentence(test, state)))


@st.cache_resource(max_entries=32, show_spinner="Searching what would change it …")
def _flips(stamp: str, index: int, _state: PageState) -> tuple[list[FlipPoints], SettlingTest | None]:
    from pricing_core.workflows.flipping import flips_of_row, settling_test

    rules, strategy = guardrails.chosen(_state.ws), guardrails.last_strategy(_state.ws)
    ready, prices = _ready(_state), priced_rows(_state).prices
    return flips_of_row(ready, index, strategy, rules), settling_test(
        ready, index, prices, results.offers_per_week(_state)
    )


def _flip_row(each: FlipPoints, currency: str) -> dict[str, Any]:
    row = each.to_frame().iloc[0]
    write = count if each.circumstance == "stock" else lambda value: money(value, currency)

    def told(side: str, end: float) -> str:
        if pd.isna(row[f"change_{side}"]):
            return f"no change up to {percent(end, signed=True, digits=0)}"
        change = percent(row[f"change_{side}"], signed=True)
        return f"{write(row[f'value_{side}'])} ({change}): {row[f'decision_{side}']}"

    return {
        "Circumstance": each.circumstance,
        "Today": write(row["value"]),
        "Decision today": row["decision"],
        "Changes when it rises to": told("up", each.highest),
        "Changes when it falls to": told("down", each.lowest),
    }


def _test_sentence(test: SettlingTest | None, state: PageState) -> str:
    if test is None:
        return "There is nothing to test: the price stays, or moving it is not expected to pay."
    mine, currency = test.offers, state.currency
    share = "" if mine.share == 1 else f" ({percent(mine.share, digits=0)} of the recommended change)"
    parts = [
        f"The model puts the chance that such changes of this product's prices pay at "
        f"{percent(mine.chance_of_gain, digits=0)}.{'' if mine.needed else ' A test would only confirm it.'}",
        f"Ask {money(test.price, currency)} here{share} and move the product's other prices alike for half of the "
        f"offers; keep today's prices for the other half.",
        f"{count(mine.offers_each)} offers each tell the expected gain of {money(mine.gain, currency)} per offer from "
        f"none (power 80%, significance 5%): {_weeks(mine.weeks)} at the product's pace.",
    ]
    wide = test.everywhere
    if wide is not None and mine.weeks > wide.weeks:
        parts.append(
            f"Sooner done on all products whose price moves in this direction: {count(wide.offers_each)} offers each, "
            f"{_weeks(wide.weeks)}."
        )
    return " ".join(parts)


def _weeks(weeks: float) -> str:
    return "more than two years" if weeks > LONG_WEEKS else plural(max(1, round(weeks)), "week")


def events(found: RowExplanation) -> None:
    """Show which recent events moved the chance of a purchase."""
    if found.method != "expected gradients":
        st.info(
            "This model knows a customer by counts and habits, which are among the drivers. It reads no single events; "
            "the deep behavior model does."
        )
        return
    figures.show(events_figure(found.events), key="events")
    st.caption(
        "Each event is left out in turn; its bar is the chance of a purchase at the recommended price with it minus "
        "without it. Counts such as “views in 30 days” are drivers of their own and stay as they are."
    )


def curves(state: PageState, index: int, found: RowExplanation) -> None:
    """Show how one answer would change with the price or another feature, and where past offers support it."""
    from pricing_core.workflows.comparing import varied_features

    names = varied_features(_ready(state))
    left, right = st.columns(2)
    label = str(left.selectbox("What to vary", [PRICE, *names], key="vary", persist_state="session"))
    shown = {"probability": OUTCOMES["probability"], "sensitivity": OUTCOMES["sensitivity"]}
    outcome = "probability"
    if label != PRICE:
        outcome = str(
            right.segmented_control(
                "What to watch", list(shown), format_func=shown.__getitem__, default="probability", required=True,
                key="vary_outcome", persist_state="session",
            )
        )  # fmt: skip
    try:
        data = _curves(stamp(state), index, label, outcome, float(found.price.price[0]), state)
    except DataError as error:
        st.info(markdown(str(error)))
        return
    name, rate = shown[outcome].lower(), outcome == "probability"
    x = f"Price ({state.currency})" if label == PRICE else axis_title(label, names[label])
    unit = "" if label == PRICE else readable(names[label]).unit
    figures.show(
        curves_figure(
            data, what=f"the {label}", x=x, name=name, y=shown[outcome], is_rate=rate,
            x_rate=unit in SHARES,
        ),
        key="curves",
    )  # fmt: skip
    st.caption(
        "Thin lines: other offers; dashed: their mean. Gray bars: how past offers spread over these values; where "
        "there are none, the curve is a guess. Everything else stays as it is, which in life it may not."
    )


@st.cache_resource(max_entries=64, show_spinner="Asking the model …")
def _curves(stamp: str, index: int, label: str, outcome: str, price: float, _state: PageState) -> Any:
    from pricing_core.workflows.comparing import feature_curves, price_curves

    if label == PRICE:
        return price_curves(_ready(_state), index, price)
    return feature_curves(_ready(_state), index, label, priced_rows(_state).prices, outcome)


def similar(state: PageState, index: int) -> None:
    """Show averages over similar customers, never anything about a single one."""
    try:
        found, scope = _similar(stamp(state), index, state)
    except DataError as error:
        st.info(markdown(str(error)))
        return
    what = "this product" if scope == "product" else "this category"
    places = side_by_side.places(5)
    places[0].metric("Similar customers", count(found.customers), help="Nearest in taste and price sensitivity.")
    places[1].metric("Conversion", percent(found.conversion_rate), help=f"Purchases per offer of {what} in the log.")
    places[2].metric("Typical price offered", money(found.typical_price, state.currency))
    places[3].metric("Typical price paid", money(found.typical_paid_price, state.currency))
    places[4].metric("Recommended change", percent(found.recommended_change_rate, signed=True))
    st.caption(
        f"{plural(found.offers, 'offer')} of {what} to these customers, {plural(found.purchases, 'purchase')}; median "
        f"elasticity {number(found.elasticity)}. Only averages over at least ten customers are shown."
    )


@st.cache_resource(max_entries=32, show_spinner="Looking for similar customers …")
def _similar(stamp: str, index: int, _state: PageState) -> Any:
    from pricing_core.workflows.comparing import similar_to

    return similar_to(_ready(_state), index, priced_rows(_state).prices)
