"""Tables of tunings: the trials of one, and all of them side by side."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from pricing_core.charts import tuning as charts
from pricing_core.charts.setting_words import setting_help
from pricing_core.store.studies import StudyRecord

from .state import PageState
from .tables import more_columns, text_column
from .words import money, number

_DECIDES = {"price_reaction": "log_loss"}  # the figure that stands for a criterion made of several
_STATES = {
    "done": "✓ judged", "stopped early": "◦ stopped early", "failed": "✗ failed", "interrupted": "! interrupted",
    "running": "… running",
}  # fmt: skip
_APART = {True: "worse", False: "cannot be told apart", None: "not known"}
_LUCK = {True: "more than luck", False: "within luck", None: "not known"}
_SLOPE_HELP = "Observed reaction to price per forecast reaction, with its 90% range: 1 is right."
_LUCK_HELP = (
    "Whether the difference is more than luck: errors are compared on the same offers, profits by whether their 90% "
    "ranges touch. Luck in the learning itself comes on top."
)


def trials(page: PageState, table: pd.DataFrame, found: StudyRecord) -> None:
    """Show the trials of a tuning, newest first, each against the best."""
    from pricing_core.workflows.telling import told_from_best

    shown = table.iloc[::-1].copy()
    settings = [column for column in shown.columns if column.startswith("setting.")]
    criterion = str(found.record["criterion"])
    told = told_from_best(page.ws, found.name)
    shown["against"] = [
        "best" if each == found.best_number else _APART[told[each]] if each in told else "" for each in shown["number"]
    ]
    marks = zip(shown["number"] == found.best_number, shown["today"], strict=True)
    shown["mark"] = [
        " · ".join(words for words, on in zip(("★ best", "today's"), each, strict=True) if on) for each in marks
    ]
    shown["state"] = shown["state"].map(_STATES)
    _ranges(shown, page.currency)
    first = {"policy_value": ["profit", "slope"], "price_error": ["figure.price_error"]}
    few = first.get(criterion, [f"figure.{_DECIDES.get(criterion, criterion)}", "slope", "profit"])
    reasons = ["reason"] if shown["reason"].astype(bool).any() else []
    figures = ["figure.log_loss", "slope", "profit", "figure.price_error", "figure.offers", "figure.length"]
    order = more_columns(
        "trials_more", ["mark", "number", "state", *few, "against", *reasons],
        [*settings, *(name for name in figures if name not in few), "seconds"],
    )  # fmt: skip
    written: dict[Any, Any] = dict.fromkeys(settings, charts.value_words)  # they sort as numbers
    st.dataframe(
        shown.style.format(written, na_rep="–"), hide_index=True, placeholder="–",
        height=min(38 + 35 * len(shown), 420), column_order=[name for name in order if name in shown],
        column_config={**_columns(page.currency), **{name: _setting(name) for name in settings}},
    )  # fmt: skip


def compare(page: PageState) -> None:
    """Show the tunings beside each other, and say which scores do not compare."""
    from pricing_core.workflows.trials import CRITERIA
    from pricing_core.workflows.tuning import compare_tunings

    table = compare_tunings(page.ws)
    alike = table.groupby(["criterion", "judged_on"]).ngroup().nunique() <= 1
    table["criterion"] = table["criterion"].map(CRITERIA)
    for name in ("score", "start_score"):
        table[name] = table[name].astype(float)
    table["gain"] = 100 * (table["start_score"] - table["score"]) / table["start_score"].abs()
    judged = table["best_number"].notna()
    table["luck"] = [
        "" if not has else "today's is best" if gain == 0 else _LUCK[told]
        for has, gain, told in zip(judged, table["gain"], table["beyond_luck"], strict=True)
    ]  # fmt: skip
    _ranges(table, page.currency, prefix="")
    st.dataframe(
        table, hide_index=True, placeholder="–", height="content",
        column_order=more_columns(
            "tunings_more", ["name", "model", "best_number", "score", "gain", "luck", "judged_on", "settings"],
            ["trials", "criterion", "log_loss", "slope", "profit", "price_error", "offers", "minutes"],
        ),
        column_config={
            **{name.removeprefix("figure."): column for name, column in _columns(page.currency).items()},
            "name": text_column("Tuning"), "model": text_column("Model"),
            "criterion": text_column("What counts"), "settings": text_column("Best settings"),
            "trials": st.column_config.NumberColumn("Trials"),
            "best_number": st.column_config.NumberColumn("Best trial"),
            "score": st.column_config.NumberColumn("Score", format="%.4f", help="Of the best trial: lower is better."),
            "gain": st.column_config.NumberColumn(
                "Better by", format="%.2f%%", help="How much better the best trial is than the settings of today."
            ),
            "luck": text_column("Is that luck?", help=_LUCK_HELP),
            "minutes": st.column_config.NumberColumn("Minutes", format="%.1f"),
            "judged_on": text_column("Judged on"),
        },
    )  # fmt: skip
    if alike:
        st.caption("All were judged on the same offers by the same figure: their scores compare.")
    else:
        st.caption(
            ":material/warning: These tunings were judged on different offers or by different figures. Scores and log "
            "losses compare only between rows with the same “Judged on” and “What counts”."
        )


def _ranges(table: pd.DataFrame, currency: str, prefix: str = "figure.") -> None:
    """Write the reaction to price and the profit with their 90% ranges, as columns ``slope`` and ``profit``."""

    def written(value: float, low: float, high: float, words: Any) -> str | None:
        if pd.isna(value):
            return None
        return words(value) if pd.isna(low) or pd.isna(high) else f"{words(value)} ({words(low)} to {words(high)})"

    for name, names, words in (
        ("slope", ("price_slope", "price_slope_low", "price_slope_high"), lambda v: number(float(v))),
        ("profit", ("policy_value", "policy_low", "policy_high"), lambda v: money(1000 * float(v), currency)),
    ):
        if f"{prefix}{names[0]}" in table:
            values = [table.get(f"{prefix}{each}", pd.Series(float("nan"), table.index)) for each in names]
            table[name] = [written(value, low, high, words) for value, low, high in zip(*values, strict=True)]


def _columns(currency: str) -> dict[str, Any]:
    return {
        "mark": text_column("Which", help="The best trial so far, and the one with the settings of today."),
        "number": st.column_config.NumberColumn("Trial"), "state": st.column_config.TextColumn("State", width=115),
        "figure.log_loss": st.column_config.NumberColumn("Log loss", format="%.4f", help="Lower is better."),
        "slope": text_column("Price reaction", help=_SLOPE_HELP),
        "profit": text_column(
            "Profit per 1,000 offers",
            help=f"What past offers say its prices would earn, {currency}, with its 90% range.",
        ),
        "figure.price_error": st.column_config.NumberColumn("Price error", format="percent"),
        "figure.offers": st.column_config.NumberColumn("Judged offers", format="%,.0f"),
        "figure.length": st.column_config.NumberColumn("Passes or trees", format="%.0f"),
        "against": text_column("Against the best", help=_LUCK_HELP),
        "seconds": st.column_config.NumberColumn("Seconds", format="%.0f", help="In which it ran."),
        "reason": text_column("Why"),
    }  # fmt: skip


def _setting(name: str) -> Any:
    plain = name.removeprefix("setting.")
    return st.column_config.Column(charts.words(plain).capitalize(), help=setting_help(plain))
