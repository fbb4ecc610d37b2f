"""Design a test: what the new prices promise, and what each design can see."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import pandas as pd
import streamlit as st

from pricing_core import glossary
from pricing_core.charts.measure import detectable_data, detectable_figure
from pricing_core.evaluate.compared_designs import quickest
from pricing_core.evaluate.test_design import DESIGNS, DesignConfig, DesignResult
from pricing_core.store import pricelists

from . import figures, measure_data, side_by_side
from .guardrails import strategy_name
from .state import PageState
from .tables import rate_column, records, text_column
from .words import MINUS, SYMBOLS, chance, count, markdown, money, percent, plural

if TYPE_CHECKING:
    from pricing_core.evaluate.replay import Rehearsal

OWN_FIGURE = "My own figure"
NAMES = {
    "customer": "Split the customers",
    "label": "Split groups",
    "switchback": "Switch the whole shop by week",
    "label_switchback": "Switch each group by week",
}
CAVEATS = {
    "customer": "Two customers can see different prices on the same day.",
    "label": "All of a group see one price; needs many groups.",
    "switchback": "All see one price; some may wait for a cheap week.",
    "label_switchback": "All of a group see one price; it changes by week.",
}
FEW_GROUPS = 10
FEW = (
    "With only {groups}, chance decides much and the range of the result will be wide; these figures already allow for "
    "that. Splitting customers, or switching each group by week, sees more."
)
MEASURES = {
    "profit_per_offer": "Profit per offer",
    "profit_per_customer": "Profit per customer and week (split customers only)",
}


def promise(state: PageState) -> float | None:
    """Let the user choose what the new prices promise; None if they do not say."""
    lists = records(pricelists.list_price_lists(state.ws))
    named = {
        str(row["price_list_id"]): float(row["profit_uplift_rate"])
        for row in lists
        if row.get("profit_uplift_rate") == row.get("profit_uplift_rate") and "profit_uplift_rate" in row
    }
    strategies = {str(row["price_list_id"]): strategy_name(str(row["strategy"])) for row in lists}
    left, right = st.columns([3, 2], vertical_alignment="bottom")
    chosen = left.selectbox(
        "New prices to be tested", [*named, OWN_FIGURE], key="measure_plan", persist_state="session",
        format_func=lambda name: name if name == OWN_FIGURE else
        f"{name} · {strategies[name]} · promises {percent(named[name], signed=True)} profit",
    )  # fmt: skip
    if chosen in named:
        right.caption("The promise is that of the simulation behind the list.")
        return named[chosen]
    own = right.number_input(
        "Profit change that they promise (%)", -90.0, 500.0, 3.0, 0.5, key="measure_promise", persist_state="session",
        help="Against today's prices. Leave it at zero if you only want to know what can be seen.",
    )  # fmt: skip
    return own / 100 if own else None


def form(state: PageState) -> DesignConfig:
    """Let the user set the design; it holds until the next click."""
    groups = measure_data.groups(state)
    offered = [name for name in DESIGNS if groups or not name.startswith("label")]
    with st.form("measure_form"):
        left, middle, right = st.columns([2, 2, 1], vertical_alignment="top")
        design = left.radio(
            "How to split", offered, format_func=NAMES.__getitem__, key="measure_design", persist_state="session",
            help=glossary.define("price test"),
        )  # fmt: skip
        label = None
        if groups:
            label = middle.selectbox(
                "Groups, where groups are split", groups, key="measure_label", persist_state="session",
                format_func=lambda name: name.partition(": ")[2],
            )  # fmt: skip
        weeks = right.number_input("Weeks", 1, 104, 6, key="measure_weeks", persist_state="session")
        with st.expander("More settings", icon=":material/tune:"):
            more = _more()
        st.form_submit_button("Work it out", type="primary", icon=":material/science:")
    if design != "customer":
        more["measure"] = "profit_per_offer"
    more["washout_days"] = min(more["washout_days"], 7 * more["block_weeks"] - 1)
    return DesignConfig(**{"design": design, "label": label, "weeks": int(weeks), **more})


def fine_money(value: float, currency: str, *, signed: bool = False) -> str:
    """Write an amount per offer: three significant digits where it is less than one unit of money."""
    size = abs(value)
    if not 0 < size < 1:
        return money(value, currency, signed=signed)
    digits = min(2 - math.floor(math.log10(size)), 8)
    sign = MINUS if value < 0 else "+" if signed else ""
    return f"{sign}{SYMBOLS.get(currency, f'{currency} ')}{size:.{digits}f}"


def sentence(result: DesignResult | str) -> str:
    """Return the page's recommendation."""
    return result if isinstance(result, str) else result.sentence


def show(
    state: PageState, config: DesignConfig, found: dict[str, DesignResult | str], *, said_above: bool = False
) -> None:
    """Show what the chosen design sees, beside the others; its sentence only if the page does not open with it."""
    result = found[config.design]
    if isinstance(result, str):
        st.warning(markdown(result), icon=":material/warning:")
    else:
        if not said_above:
            st.markdown(f"**{markdown(result.sentence)}**")
        _tiles(result, state.currency)
        if config.design == "label" and result.n_units <= FEW_GROUPS:
            st.warning(FEW.format(groups=plural(result.n_units, "group")), icon=":material/scatter_plot:")
        figures.show(detectable_figure(detectable_data(result)), key="detectable")
        _rehearsed(measure_data.rehearsal(state, config), config)
    _compared(found, config)


def _more() -> dict[str, Any]:
    one, two, three = st.columns(3)
    share = one.slider("Share with the new prices (%)", 5, 95, 50, 5, key="measure_share", persist_state="session")
    before = one.number_input("Weeks before the test to compare with", 0, 52, 8, key="measure_before",
                              help=glossary.define("cuped"), persist_state="session")  # fmt: skip
    block = two.number_input("Weeks per block (switching)", 1, 8, 1, key="measure_block",
                             help=glossary.define("switchback"), persist_state="session")  # fmt: skip
    washout = two.number_input("Days of washout (switching)", 0, 13, 0, key="measure_washout",
                               help=glossary.define("washout"), persist_state="session")  # fmt: skip
    sure = three.select_slider("Confidence (%)", [80, 90, 95, 99], 90, key="measure_confidence",
                               help=glossary.define("confidence"), persist_state="session")  # fmt: skip
    power = three.select_slider("Power (%)", [50, 70, 80, 90, 95], 80, key="measure_power",
                                help=glossary.define("power"), persist_state="session")  # fmt: skip
    measure = st.radio("What is compared", list(MEASURES), format_func=MEASURES.__getitem__, horizontal=True,
                       key="measure_measure", persist_state="session")  # fmt: skip
    return {
        "test_share": share / 100, "before_weeks": int(before), "block_weeks": int(block),
        "washout_days": int(washout), "confidence": sure / 100, "power": power / 100, "measure": measure,
    }  # fmt: skip


def _tiles(result: DesignResult, currency: str) -> None:
    config = result.config
    tiles = side_by_side.places(4)
    weeks = plural(config.weeks, "week")
    tiles[0].metric(f"Seen in {weeks}", f"±{percent(result.detectable_rate)}"
                    if result.detectable_rate < float("inf") else "nothing", border=True,
                    help=glossary.define("minimum detectable effect"))  # fmt: skip
    known = result.promised_rate is not None
    tiles[1].metric(f"Chance to see {percent(result.promised_rate, signed=True)}" if known else "Chance to see it",
                    chance(result.power) if known else "–", border=True, help=glossary.define("power"))  # fmt: skip
    tiles[2].metric("Weeks the promise needs", _weeks(result) if known else "–", border=True,
                    help=f"To be seen with {config.power:.0%} power.")  # fmt: skip
    units = {"customer": "Customers seen lately", "switchback": "Pairs of blocks"}.get(config.design, "Groups")
    pairs = config.weeks // (2 * config.block_weeks)
    number = pairs if config.design == "switchback" else result.n_units
    tiles[3].metric(units, count(number), border=True)
    unit = "customer and week" if config.measure == "profit_per_customer" else "offer"
    alike = "" if result.correlation != result.correlation else (
        f" Two weeks of one {'customer' if config.design == 'customer' else 'group'} are alike by "
        f"{result.correlation:.2f} (intra-cluster correlation)."
    )  # fmt: skip
    st.caption(
        f"Today the shop earns {markdown(fine_money(result.mean, currency))} per {unit}; the variation comes from its "
        f"own latest 26 weeks at most.{alike} Two-sided test at {config.confidence:.0%} confidence."
    )


def _weeks(result: DesignResult) -> str:
    return f"more than {len(result.curve)}" if result.weeks_needed is None else count(result.weeks_needed)


def _rehearsed(found: Rehearsal | None, config: DesignConfig) -> None:
    """Say how the design did on past weeks in which nothing was changed."""
    if found is None:
        return
    expected = 1 - config.confidence
    alarms = percent(found.false_alarm_rate, digits=0)
    likely = found.false_alarm_rate < expected + 3 * max(found.noise, 0.01)
    verdict = "within chance of" if likely else "more often than"
    st.caption(
        f"Rehearsed on your latest {plural(found.weeks, 'week')}: of {found.n_tests} random splits without any change, "
        f"{alarms} raised a false alarm, {verdict} the {percent(expected, digits=0)} expected.",
        help=glossary.define("a/a check"),
    )


def _compared(found: dict[str, DesignResult | str], config: DesignConfig) -> None:
    rows: list[dict[str, Any]] = []
    for name, each in found.items():
        if isinstance(each, str):
            if name.startswith("label") and not config.label:
                continue
            rows.append({"design": NAMES[name], "note": each})
            continue
        finite = each.detectable_rate < float("inf")
        rows.append({
            "design": NAMES[name], "seen": each.detectable_rate * 100 if finite else None,
            "power": chance(each.power) if each.power == each.power else None,
            "weeks": _weeks(each) if each.promised_rate else None,
            "note": CAVEATS[name],
        })  # fmt: skip
    table = pd.DataFrame(rows, columns=["design", "seen", "power", "weeks", "note"])
    st.dataframe(
        table, hide_index=True, placeholder="–", height="content",
        column_config={
            "design": text_column("Design", pinned=True),
            "seen": rate_column(f"Seen in {config.weeks} weeks (±)", help=glossary.define("minimum detectable effect")),
            "power": text_column("Chance to see it", help=glossary.define("power")),
            "weeks": text_column("Weeks needed", help="For what the plan promises."),
            "note": text_column("What to know", width="large"),
        },
    )  # fmt: skip
    best = quickest(found)
    if best is not None:
        result = found[best]
        assert not isinstance(result, str)
        needs = result.weeks_needed
        if needs:
            st.caption(f"“{NAMES[best]}” sees the promise first, after {plural(needs, 'week')}.")
        else:
            seen = f"“{NAMES[best]}” sees the smallest change in {plural(config.weeks, 'week')}."
            st.caption(f"{seen} Bolder price changes, more customers or more weeks make a test see more.")
