"""Whether to believe the prices: the checks, the figures, the models that competed, and what past offers say."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from pricing_core import glossary
from pricing_core.charts.leaderboard import YARDSTICK, candidates_data, candidates_figure
from pricing_core.charts.verdict import Verdict
from pricing_core.evaluate.family_values import FORECAST, PAST_OFFERS

from . import figures
from .cautions import WHICH_PROFIT
from .guardrails import strategy_name
from .state import PageState
from .tables import more_columns, records, text_column
from .words import duration, markdown, money, note, number, percent

ICONS = {"good": ":green[:material/check_circle:]", "unsure": ":orange[:material/help:]",
         "bad": ":red[:material/cancel:]"}  # fmt: skip
HOW_JUDGED = (
    "Kinds of model are judged on up to 15,000 of the later offers, drawn evenly, and their reaction to price by price "
    "changes that no feature explains. The figures at the top of the page and on the Runs tab, and the simple "
    "yardsticks, are those of all later offers."
)
BASES = {PAST_OFFERS: "Past offers", FORECAST: "Other models"}
_AHEAD = ("is ahead of the other candidates by", "was chosen among the candidates by")
"""How runs of an earlier version put it, although a figure may only have ruled out others; and in other words."""
SIZES = ((1e9, "GB"), (1e6, "MB"), (1e3, "kB"))


def show(state: PageState, found: Verdict) -> None:
    """Show the checks, the figures, the models that competed, and what past offers say."""
    checks(found)
    tiles(state.run.metrics)
    leaderboard(state)
    policy_value(state)


def checks(found: Verdict) -> None:
    """Show what was looked at, each with its finding."""
    with st.container(border=True):
        for check in found.checks:
            st.markdown(f"{ICONS[check.status]} **{check.name}.** {markdown(check.finding)}.")


def tiles(metrics: dict[str, Any]) -> None:
    """Show the figures that a manager asks for, each with its explanation."""
    with st.container(horizontal=True, gap="medium"):
        _tile("Ranks buyers first", percent(metrics["auc"], digits=0), glossary.define("auc"))
        _tile(
            "Conversion, forecast", percent(metrics["mean_prediction"]),
            "Mean forecast and what really happened on the held-out offers.",
            f"{percent(metrics['base_rate'])} observed",
        )  # fmt: skip
        found = [None if value is None else float(value) for value in metrics.get("price_band_slope") or [None] * 3]
        _tile(
            "Reaction to price", number(found[0]),
            "Observed reaction to price per forecast reaction, with its 90% range; 1 is as forecast.",
            f"{number(found[1])} to {number(found[2])}",
        )  # fmt: skip
        _tile("Calibration slope", number(metrics["calibration_slope"]), glossary.define("calibration slope"))
        _tile(
            "Accuracy", percent(metrics["accuracy"]),
            f"{glossary.define('accuracy')} Guessing: always the commoner outcome.",
            f"{percent(metrics['baseline_accuracy'])} by guessing",
        )  # fmt: skip


def _tile(label: str, value: str, help: str, remark: str = "") -> None:
    st.metric(label, value, help=help, width="content", **(note(remark) if remark else {}))


def leaderboard(state: PageState) -> None:
    """Show the models that competed beside the simple yardsticks, and why the chosen one was chosen."""
    metrics, run = state.run.metrics, state.run
    size = sum(path.stat().st_size for path in run.folder.iterdir() if path.is_file())
    table = candidates_data(metrics, seconds=run.manifest["seconds"]["total"], size_bytes=size)
    st.subheader("Models that competed", anchor=False, help=HOW_JUDGED)
    if metrics.get("choice_reason"):
        st.markdown(markdown(str(metrics["choice_reason"]).replace(*_AHEAD)))
    figure = candidates_figure(table, currency=state.currency)
    if figure is not None:
        figures.show(figure, key="candidates")
    few, further = ["name", "earned", "reaction", "loss"], ["basis", "ranks", "hits", "time", "size"]
    if table["policy_value"].isna().all():
        few, further = ["name", "reaction", "loss", "ranks"], ["hits", "time", "size"]
    st.dataframe(
        _shown(table, state.currency), hide_index=True, height="content", placeholder="–",
        column_order=more_columns("leaderboard_more", few, further),
        column_config={
            "name": text_column("Model", pinned=True),
            "earned": text_column(
                "Profit per 1,000 offers",
                help=f"With its 90% range. {glossary.define('policy value')} {glossary.define('doubly robust')}",
            ),
            "basis": text_column(
                "Profit judged by",
                help="Past offers: outcomes of offers near a model's prices correct what the other models forecast. "
                "Other models: too few are near, so they alone say. No model judges itself.",
            ),
            "reaction": text_column(
                "Reaction, judged offers",
                help=f"With its 90% range. 1 is as forecast; below 1 the model overstates it. {HOW_JUDGED}",
            ),
            "loss": st.column_config.NumberColumn(
                "Log loss, judged offers", format="%.4f", help=f"{glossary.define('log loss')} {HOW_JUDGED}"
            ),
            "ranks": st.column_config.NumberColumn(
                "Ranks buyers first", format="%.1f%%", help=f"{glossary.define('auc')} Also called AUC."
            ),
            "hits": st.column_config.NumberColumn("Accuracy", format="%.1f%%", help=glossary.define("accuracy")),
            "time": text_column("Training", help="On this machine."),
            "size": text_column("Size", help="On the disk."),
        },
    )  # fmt: skip
    if table["policy_basis"].isin(list(BASES)).any():
        st.caption(
            "Profits compare the models on the same offers, whose luck they share. Whether past offers say what a "
            "strategy's prices earn, the table below tells, by a stricter rule."
        )
    blank = table.loc[table["kind"] != YARDSTICK, "policy_value"].isna()
    if metrics.get("leaderboard") and blank.any() and not blank.all():
        st.caption(
            "A blank profit means that nobody could judge that model: it takes one other model that is no part of it "
            "and enough past offers near its prices, or two such models without them."
        )
    if not metrics.get("leaderboard"):
        st.caption("This model was trained without competitors. Train again to see others beside it.")


def policy_value(state: PageState) -> None:
    """Show what each strategy's prices would have earned from the held-out offers, without trusting the model."""
    judged = state.run.metrics.get("policy_value") or {}
    if not judged:
        return
    st.subheader("What past customers say about other prices", anchor=False, help=glossary.define("policy value"))
    table = pd.DataFrame([{"name": strategy_name(name), **figures} for name, figures in judged.items()])
    table["verdict"] = ["✓ reliable" if row["reliable"] else "✗ no verdict" for row in records(table)]
    table["effective_percent"] = table["effective_share"] * 100
    currency = state.currency
    table["earns"] = [
        _range(*(money(_thousand(row[name]), currency) for name in ("value", "low", "high"))) for row in records(table)
    ]
    st.dataframe(
        table, hide_index=True, placeholder="–", height="content",
        column_order=["name", "earns", "effective_percent", "verdict"],
        column_config={
            "name": text_column("Strategy"),
            "earns": text_column("Profit per 1,000 offers", help="With its 90% range."),
            "effective_percent": st.column_config.NumberColumn(
                "Usable offers", format="%.0f%%", help=glossary.define("effective sample size")
            ),
            "verdict": text_column("Reliable?"),
        },
    )  # fmt: skip
    for row in records(table[~table["reliable"].astype(bool)]):
        st.caption(f":material/help: **{markdown(row['name'])}:** {markdown(str(row['reason']))}")
    logged = money(1000 * float(table["logged_value"].iloc[0]), currency)
    st.caption(
        f"As they were priced, 1,000 of these offers earned {markdown(logged)}. Estimated from the held-out offers "
        "whose logged price was near the strategy's price (doubly robust); few such offers, no verdict. "
        + WHICH_PROFIT
    )


def _shown(table: pd.DataFrame, currency: str) -> pd.DataFrame:
    rows = []
    for row in records(table):
        earned = [money(_thousand(row[f"policy_{name}"]), currency) for name in ("value", "low", "high")]
        mark = "✓ " if row["chosen"] else "    " if row["kind"] == YARDSTICK else ""
        rows.append(
            {
                "name": f"{mark}{row['label']}",
                "earned": _range(*earned),
                "basis": BASES.get(row["policy_basis"]),
                "reaction": _range(
                    *(number(row[name]) for name in ("price_slope", "price_slope_low", "price_slope_high"))
                ),
                "loss": row["log_loss"],
                "ranks": 100 * row["auc"],
                "hits": 100 * row["accuracy"],
                "time": None if pd.isna(row["seconds"]) else duration(row["seconds"]),
                "size": None if pd.isna(row["size_bytes"]) else _size(row["size_bytes"]),
            }
        )
    return pd.DataFrame(rows)


def _range(value: str, low: str, high: str) -> str | None:
    if value == "unknown":
        return None
    return value if "unknown" in (low, high) else f"{value} ({low} to {high})"


def _thousand(profit: float | None) -> float | None:
    return None if profit is None else 1000 * float(profit)


def _size(count: float) -> str:
    for unit, name in SIZES:
        if count >= unit:
            return f"{count / unit:.1f} {name}"
    return f"{count:.0f} bytes"
