"""Scenarios that stay: save, duplicate, compare up to four, share by link, take away as CSV or one-page report."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import pandas as pd
import streamlit as st

from pricing_core.charts.bridge import bridge_data, bridge_figure
from pricing_core.charts.report import ReportText, scenario_report
from pricing_core.errors import ConfigError
from pricing_core.optimize.registry import labels
from pricing_core.pricelist.export import to_excel_csv
from pricing_core.simulate.bridge import bridge
from pricing_core.simulate.export import comparison_frame
from pricing_core.simulate.scenario import Scenario
from pricing_core.store import scenarios as store

from . import access, figures, guardrails, results, scenario_form
from .guardrails import strategy_name
from .scenario_form import Chosen
from .scenarios import focus_of, named, sentence, steps
from .state import PageState
from .tables import money_column, number_column, record, signed, text_column
from .words import ago, chance, markdown, plural

if TYPE_CHECKING:
    from pricing_core.simulate.response_surface import Answer

MAX_COMPARED = 4
EXTRA = ("run_id", "strategies", "focus")
OPEN_NEXT = "scenario_open_next"


def open_next(state: PageState) -> None:
    """Put a saved scenario that the user asked for into the form; call it before the form is drawn."""
    wanted = st.session_state.pop(OPEN_NEXT, None)
    if wanted is None:
        return
    try:
        scenario_form.place(scenario_form.of_scenario(*wanted))
        st.query_params.clear()
    except ConfigError as error:
        st.warning(markdown(str(error)), icon=":material/error:")


def save(state: PageState, answer: Answer, chosen: Chosen) -> None:
    """Keep the scenario under a name, share it by link, or take it away."""
    said = scenario_form.words(chosen.scenario)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        with st.form("save_scenario", border=False), st.container(horizontal=True, vertical_alignment="bottom"):
            proposed = (said[:1].upper() + said[1:])[:80] or "Base case"
            name = st.text_input("Name of this scenario", proposed, max_chars=120, width=320)
            if access.form_button(state, "edit", "Save scenario", icon=":material/bookmark_add:"):
                spec = {**chosen.scenario.to_dict(), "name": name, "run_id": state.run_id,
                        "strategies": list(chosen.strategies), "focus": chosen.focus}  # fmt: skip
                store.save_scenario(state.ws, name, spec, answer.table)
                st.toast(f"Saved: {markdown(name)}", icon=":material/check:")
        with st.popover("Share", icon=":material/link:"):
            st.write("This address opens the same settings for anyone who works with this shop. It holds no data.")
            st.code(address(chosen), language=None, wrap_lines=True)
            st.caption("Guardrails and objective are those set on Optimize and are not part of the link.")
        st.download_button(
            "CSV", lambda: to_excel_csv(comparison_frame([(proposed, answer.scenario, named(state, answer))])),
            "scenario.csv", "text/csv", icon=":material/download:", on_click="ignore", key="scenario_csv",
        )  # fmt: skip
        st.download_button(
            "One-page report", lambda: report(state, answer, chosen).encode(), "scenario.html", "text/html",
            icon=":material/print:", on_click="ignore", key="scenario_report",
            help="Opens in any browser and prints on one page.",
        )  # fmt: skip


def address(chosen: Chosen) -> str:
    """Return the address of this page with the settings in it."""
    url = str(st.context.url or "").split("?")[0]
    return f"{url}?{urlencode(chosen.query())}"


def report(state: PageState, answer: Answer, chosen: Chosen) -> str:
    """Write the comparison as one page of HTML."""
    focus = focus_of(answer, chosen)
    rules = guardrails.in_words(guardrails.chosen(state.ws), state.currency)
    text = ReportText(
        title=f"What if {scenario_form.words(answer.scenario) or 'nothing else changes'}?",
        sentence=sentence(state, answer, chosen),
        assumptions=(f"Guardrails: {rules}", f"strategy looked at: {strategy_name(focus)}"),
        notes=(
            "Profit is judged by forecasts that had no part in choosing the prices. Ranges hold the truth nine times "
            "in ten if the model is right; the luck of sales comes on top.",
            "“One change for all” is the fair baseline: what remains above it is the worth of telling customers or "
            "products apart.",
        ),
        origin=f"Data {state.basis_id} ({state.manifest.name}), model {state.run_id}, "
        f"{plural(answer.scenario.horizon_weeks, 'week')} at {answer.occasions:,.0f} offers in all.",
    )
    table = named(state, answer)
    return scenario_report(
        text, table, currency=state.currency, weeks=answer.scenario.horizon_weeks, bridge=steps(state, answer, focus)
    )


def compare(state: PageState, chosen: Chosen) -> None:
    """Show up to four saved scenarios side by side, answered anew by the model in use for the strategies above."""
    saved = store.list_scenarios(state.ws)
    if saved.empty:
        st.caption("Save a scenario to compare it with others here.")
        return
    names = dict(zip(saved["scenario_id"], saved["name"], strict=True))
    made = dict(zip(saved["scenario_id"], saved["created_at"], strict=True))
    known = [each for each in st.session_state.get("compared", []) if each in names]
    if "compared" in st.session_state and known != list(st.session_state["compared"]):
        st.session_state["compared"] = known
    picked = st.multiselect(
        f"Compare up to {MAX_COMPARED}", list(names), list(names)[:MAX_COMPARED],
        format_func=lambda each: f"{names[each]} · {ago(made[each].to_pydatetime())}",
        max_selections=MAX_COMPARED, key="compared", persist_state="session",
    )  # fmt: skip
    loaded = [store.load_scenario(state.ws, each) for each in picked]
    if not loaded:
        return
    rules = guardrails.chosen(state.ws)
    answers = {
        each.name: results.answer(state, chosen.strategies, _parts(state, each.spec)[0], rules) for each in loaded
    }
    names_of = list(next(iter(answers.values())).table["strategy"])
    focus = names_of.index(chosen.focus) if chosen.focus in names_of else len(names_of) - 1
    strategy = st.selectbox("Strategy compared", names_of, focus, format_func=strategy_name)
    _side_by_side(state, answers, str(strategy))
    _changed(loaded, answers, state)
    if len(loaded) > 1:
        _between(state, answers, str(strategy))
    _actions(state, loaded, answers)


def _parts(state: PageState, spec: dict[str, Any]) -> tuple[Scenario, tuple[str, ...], str]:
    values = {key: value for key, value in spec.items() if key not in EXTRA}
    scenario = Scenario.from_mapping({**values, "occasions_per_week": results.offers_per_week(state)})
    there = labels()
    names = [name for name in spec.get("strategies") or scenario_form.START if name in there]
    focus = str(spec.get("focus") or "")
    return scenario, tuple(dict.fromkeys([*names, *scenario_form.ALWAYS])), focus if focus in names else ""


def _side_by_side(state: PageState, answers: dict[str, Answer], strategy: str) -> None:
    rows = []
    for name, answer in answers.items():
        row = record(answer.table, "strategy", strategy)
        said = scenario_form.words(answer.scenario) or "nothing else changes"
        weeks = answer.scenario.horizon_weeks
        rows.append({**row, "scenario": name, "weeks": weeks, "assumes": said,
                     "loss": chance(row["probability_loss"]), "per_week": row["profit"] / weeks})  # fmt: skip
    frame = pd.DataFrame(rows)
    for name in ("profit_uplift_rate", "profit_uplift_rate_low", "profit_uplift_rate_high", "conversion_rate"):
        frame[name] *= 100
    st.dataframe(
        signed(
            frame, state.currency, money=["profit", "profit_low", "profit_high", "per_week"],
            percent=["profit_uplift_rate", "profit_uplift_rate_low", "profit_uplift_rate_high"],
        ),
        hide_index=True, height="content",
        column_order=["scenario", "assumes", "weeks", "profit", "profit_low", "profit_high", "per_week",
                      "profit_uplift_rate", "profit_uplift_rate_low", "profit_uplift_rate_high", "loss", "revenue",
                      "units", "conversion_rate"],
        column_config={
            "scenario": text_column("Scenario", pinned=True), "assumes": text_column("Assumes"),
            "weeks": st.column_config.NumberColumn("Weeks", format="%g"),
            "profit": number_column("Profit"), "profit_low": number_column("90% low"),
            "profit_high": number_column("90% high"), "per_week": number_column("Profit a week"),
            "profit_uplift_rate": number_column("Against today"),
            "profit_uplift_rate_low": number_column("90% low"), "profit_uplift_rate_high": number_column("90% high"),
            "loss": text_column("Chance of a loss"), "revenue": money_column("Revenue", state.currency),
            "units": st.column_config.NumberColumn("Units", format="%,.0f"),
            "conversion_rate": st.column_config.NumberColumn("Conversion", format="%.2f%%"),
        },
    )  # fmt: skip


def _changed(loaded: list[store.StoredScenario], answers: dict[str, Answer], state: PageState) -> None:
    """Say that a saved figure came from another model."""
    other = [each.name for each in loaded if each.spec.get("run_id") != state.run_id]
    if other:
        st.caption(
            markdown(
                f"Answered by the model in use, {state.run_id}; {', '.join(other)} was saved with another model "
                "and may have shown other figures then."
            )
        )


def _between(state: PageState, answers: dict[str, Answer], strategy: str) -> None:
    """Bridge between two of the compared scenarios."""
    names = list(answers)
    left, right = st.columns(2)
    start = left.selectbox("From", names, len(names) - 1, key="bridge_from")
    end = right.selectbox("To", names, 0, key="bridge_to")
    found = bridge(answers[start].products(strategy), answers[end].products(strategy))
    data = bridge_data(found, start, end, currency=state.currency)
    figures.show(bridge_figure(data, currency=state.currency), key="bridge_compared")


def _actions(state: PageState, loaded: list[store.StoredScenario], answers: dict[str, Answer]) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        by_id = {each.scenario_id: each for each in loaded}
        picked = st.selectbox(
            "Saved scenario", list(by_id), format_func=lambda each: by_id[each].name, width=320, key="saved_one"
        )
        one = by_id[str(picked)]
        if st.button("Open", icon=":material/folder_open:", key="saved_open"):
            st.session_state[OPEN_NEXT] = _parts(state, one.spec)
            st.rerun()
        if access.button(state, "edit", "Duplicate", icon=":material/content_copy:", key="saved_duplicate"):
            store.duplicate_scenario(state.ws, one.scenario_id)
            st.rerun()
        if access.button(state, "edit", "Delete", icon=":material/delete:", key="saved_delete"):
            store.delete_scenario(state.ws, one.scenario_id)
            st.rerun()
        st.download_button(
            "CSV of the comparison",
            lambda: to_excel_csv(
                comparison_frame([(name, found.scenario, named(state, found)) for name, found in answers.items()])
            ),
            "scenarios.csv", "text/csv", icon=":material/download:", on_click="ignore", key="compared_csv",
        )  # fmt: skip
