"""Start a training, and see what the finished one is worth."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from pricing_core import glossary
from pricing_core.charts.leaderboard import BEHAVIOR_MODEL, leaderboard_data
from pricing_core.data.dataset import sample_words
from pricing_core.store import datasets, runs

from . import access, job_panel
from .guardrails import strategy_name
from .state import PageState
from .tables import number_column, record, records, signed, text_column
from .words import count, duration, markdown, money, note, number, percent

WAYS = {True: "Quick: a first answer, wider ranges", False: "Full: more members and passes, narrower ranges"}


def form(state: PageState) -> None:
    """Let the user choose how to train, with the time it will take, and start the job."""
    offers = record(datasets.list_datasets(state.ws), "dataset_id", state.dataset_id)["offers"]
    with st.form("train_form"):
        way, seed, button = st.columns([4, 1, 1], vertical_alignment="bottom")
        quick = way.radio(
            f"Train on {state.dataset_id} ({count(offers)} offers)", list(WAYS), key="train_quick_choice",
            persist_state="session", format_func=lambda quick: _way(quick, offers),
        )  # fmt: skip
        chosen = seed.number_input(
            "Seed", 0, 10_000, 0, key="train_seed", persist_state="session",
            help="Number that starts all random choices: the same data and seed give the same prices.",
        )  # fmt: skip
        if access.form_button(
            state, "train", "Train", place=button, type="primary", icon=":material/play_arrow:", width="stretch"
        ):
            params = {"dataset_id": state.dataset_id, "quick": bool(quick), "seed": int(chosen)}
            job_panel.start(state.ws, "train", params)


def first_words(busy: bool) -> str:
    """Say where things stand before the first model."""
    if busy:
        return "The models are learning in the background; every other page can be used meanwhile."
    return "No model has learned from these data yet. A quick training gives a first answer."


def sentence(metrics: dict[str, Any]) -> str:
    """Say in one sentence whether the model knows more than the average."""
    mine = record(leaderboard_data(metrics), "model", BEHAVIOR_MODEL)
    since = pd.Timestamp(metrics["held_out_from"])
    verdict = "knows more than the shop's average" if mine["gain_rate"] > 0 else "knows no more than the shop's average"
    return (
        f"On offers since {since.day} {since:%b %Y}, which it had not seen, the model {verdict}: in "
        f"{mine['auc'] * 100:.0f} of 100 pairs it gives the buyer a higher chance than the one who refused."
    )


def tiles(metrics: dict[str, Any]) -> None:
    """Show the figures that a manager asks for, each with its explanation."""
    mine = record(leaderboard_data(metrics), "model", BEHAVIOR_MODEL)
    ranking, gain, level, slope, hits = st.columns(5)
    ranking.metric("Ranks buyers first", percent(metrics["auc"], digits=0), help=glossary.define("auc"))
    gain.metric(
        "Better than the average", percent(mine["gain_rate"]),
        help="Share of the forecast error (log loss) of the shop's average conversion that the model takes away.",
    )  # fmt: skip
    level.metric(
        "Conversion, forecast", percent(metrics["mean_prediction"]),
        **note(f"{percent(metrics['base_rate'])} observed"),
        help="Mean forecast and what really happened on the held-out offers.",
    )  # fmt: skip
    slope.metric("Calibration slope", number(metrics["calibration_slope"]), help=glossary.define("calibration"))
    hits.metric(
        "Accuracy", percent(metrics["accuracy"]),
        **note(f"{percent(metrics['baseline_accuracy'])} by guessing"),
        help=f"{glossary.define('accuracy')} Guessing: always the commoner outcome.",
    )  # fmt: skip


def leaderboard(metrics: dict[str, Any]) -> None:
    """Show the behavior model beside the simple models."""
    table = leaderboard_data(metrics)
    shown = table.assign(**{name: table[name] * 100 for name in ("gain_rate", "auc", "accuracy")})
    st.dataframe(
        shown, hide_index=True, placeholder="–", height="content",
        column_order=["model", "gain_rate", "auc", "accuracy", "log_loss", "calibration_slope"],
        column_config={
            "model": text_column("Model"),
            "gain_rate": st.column_config.NumberColumn("Better than the average", format="%+.1f%%"),
            "auc": st.column_config.NumberColumn("Ranks buyers first", format="%.0f%%"),
            "accuracy": st.column_config.NumberColumn("Accuracy", format="%.1f%%"),
            "log_loss": st.column_config.NumberColumn("Log loss", format="%.4f", help=glossary.define("log loss")),
            "calibration_slope": st.column_config.NumberColumn("Calibration slope", format="%.2f"),
        },
    )  # fmt: skip


def registry(state: PageState) -> None:
    """List the runs, and let the user put another one into use."""
    listed = runs.list_runs(state.ws)
    st.dataframe(
        listed.assign(auc=listed["auc"] * 100), hide_index=True, placeholder="–", height="content",
        column_order=["run_id", "promoted", "created_at", "dataset_id", "quick", "seconds", "auc", "log_loss", "seed"],
        column_config={
            "run_id": text_column("Run"), "promoted": st.column_config.CheckboxColumn("In use"),
            "created_at": st.column_config.DatetimeColumn("Trained (UTC)", format="YYYY-MM-DD HH:mm"),
            "dataset_id": text_column("Data"), "quick": st.column_config.CheckboxColumn("Quick"),
            "seconds": st.column_config.NumberColumn("Time taken (s)", format="%.0f"),
            "auc": st.column_config.NumberColumn("Ranks buyers first", format="%.0f%%"),
            "log_loss": st.column_config.NumberColumn("Log loss", format="%.4f"),
            "seed": st.column_config.NumberColumn("Seed"),
        },
    )  # fmt: skip
    others = [run_id for run_id in listed["run_id"] if run_id != state.run_id]
    if others:
        with st.form("promote", border=False), st.container(horizontal=True, vertical_alignment="bottom"):
            chosen = st.selectbox("Put another run into use", others, key="promote_run", width=260)
            if access.form_button(state, "train", "Use this run", icon=":material/swap_horiz:"):
                runs.promote_run(state.ws, chosen)
                st.rerun()


def _way(quick: bool, offers: int) -> str:
    from pricing_core.workflows import estimated_seconds

    return f"{WAYS[quick]} (about {duration(estimated_seconds(offers, quick=quick))})"


def policy_value(state: PageState, metrics: dict[str, Any]) -> None:
    """Show what each strategy's prices would have earned from the held-out offers, without trusting the model."""
    judged = metrics.get("policy_value") or {}
    if not judged:
        return
    st.subheader("What past customers say about other prices", anchor=False, help=glossary.define("policy value"))
    table = pd.DataFrame([{"name": strategy_name(name), **figures} for name, figures in judged.items()])
    table["verdict"] = ["✓ reliable" if row["reliable"] else f"✗ {row['reason']}" for row in records(table)]
    table["effective_percent"] = table["effective_share"] * 100
    per_hundred, currency = ["value", "low", "high"], state.currency
    table[per_hundred] *= 100
    st.dataframe(
        signed(table, currency, money=per_hundred), hide_index=True, placeholder="–", height="content",
        column_order=["name", "value", "low", "high", "effective_percent", "verdict"],
        column_config={
            "name": text_column("Strategy"),
            "value": number_column("Profit per 100 offers"), "low": number_column("90% low"),
            "high": number_column("90% high"),
            "effective_percent": st.column_config.NumberColumn(
                "Usable offers", format="%.0f%%", help=glossary.define("effective sample size")
            ),
            "verdict": text_column("Reliable?", width="large"),
        },
    )  # fmt: skip
    logged = money(100 * float(table["logged_value"].iloc[0]), currency)
    st.caption(
        f"As they were priced, 100 of these offers earned {markdown(logged)}. Estimated from the held-out offers whose "
        "logged price was near the strategy's price (doubly robust); few such offers, no verdict."
    )


def receipt(manifest: dict[str, Any]) -> None:
    """Show what the run was made from: data, seed, time, versions."""
    counts, config = manifest["counts"], manifest["config"]
    st.caption(
        f"Learned from {count(counts['rows_used'])} of {count(counts['offers'])} offers of "
        f"{markdown(manifest['data_name'])} ({manifest['dataset_id']}) "
        f"with seed {config['seed']} in {duration(manifest['seconds']['total'])}."
    )
    if manifest.get("working_sample"):
        st.caption(f"Worked on {sample_words(manifest['working_sample'])}. Products are known from all offers.")
    if counts["rows_used"] < counts["offers"]:
        st.caption("All purchases were kept; refusals were sampled, and each weighs for those left out.")
    held_back = {name: rows for name, rows in manifest.get("held_back", {}).items() if rows}
    if held_back:
        named = ", ".join(f"{name} ({count(rows)} rows)" for name, rows in held_back.items())
        st.caption(f"Values more than six standard deviations away were held at six: {markdown(named)}.")
    with st.expander("Settings and versions", icon=":material/receipt_long:"):
        st.json({key: manifest[key] for key in ("config", "versions", "seconds", "data_hash", "python")}, expanded=1)
