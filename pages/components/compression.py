"""A smaller model: what compression saves, what it changes in prices, and which form answers."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from pricing_core.errors import PricingError
from pricing_core.models.demand_model import BLEND, label_of
from pricing_core.models.exported import INSTALL

from . import access, job_panel
from .state import PageState
from .tables import more_columns, record, text_column
from .words import markdown, number, percent, size

_ALL_FORMS = 4
_SAME_SPEED = 0.05  # timings of one machine differ by so much from one time to the next
_CUT = "compress_cut"
_FORM = "compress_form"


def show(page: PageState) -> None:
    """Show the forms of the model in use, and let the user compress it and choose the form that answers."""
    from pricing_core.workflows import compression_report, has_network
    from pricing_core.workflows.compressing import family_of

    busy = job_panel.show(page.ws, ("compress",))
    kind = label_of(family_of(page.run))
    if not has_network(page.run):
        st.info(
            f"The model in use ({kind}) has no network that could be compressed. The deep behavior model has one, "
            "alone or in a blend: train it, or put such a run in use on the Runs tab."
        )  # fmt: skip
        return
    if family_of(page.run) == BLEND:
        st.caption("In use is a blend: its network is compressed, and the sizes are the network's; other parts stay.")
    table = compression_report(page.run)
    if table.empty:
        st.markdown(
            "The compressed form of a model takes about a sixth of its size. With it come a LiteRT and an ONNX file, "
            "about a quarter of the size, which other programs read. The prices of each are compared with the "
            "original's before it answers for anything; the original stays."
        )
    else:
        st.markdown(_sentence(table))
        _table(table)
        if len(table) < _ALL_FORMS:
            st.caption("LiteRT and ONNX files appear here once their programs are there: " + INSTALL)
        _choose(page, table)
    if not busy:
        _start(page, again=not table.empty)


def _sentence(table: pd.DataFrame) -> str:
    """Say what the smallest form saves, what it does to speed, also where that is a loss, and what it changes."""
    first = table[table["form"] == "original"].to_dict("records")[0]
    small = table[table["form"] != "original"].sort_values("size_bytes").to_dict("records")[0]
    serves = record(table, "serves", True) if table["serves"].any() else first
    return (
        f"**{markdown(str(serves['label']))}** answers now. The smallest form's network takes "
        f"{percent(small['size_share'], digits=0)} of the original's size ({size(small['size_bytes'])} instead of "
        f"{size(first['size_bytes'])}) and {_speed(small, first)}. It moves recommended prices by "
        f"{percent(small['price_change_mean'], digits=2)} on average (at most {percent(small['price_change_max'])})."
    )


def _speed(form: dict[Any, Any], first: dict[Any, Any]) -> str:
    """Say how long 100,000 offers take before and after."""
    now, before = float(form["seconds_100000"]), float(first["seconds_100000"])
    times = f"({number(now, digits=1)} s instead of {number(before, digits=1)} s for 100,000 offers)"
    change = now / before - 1 if before > 0 else 0.0
    if abs(change) < _SAME_SPEED:
        return f"answers about as fast {times}"
    return f"answers {'slower' if change > 0 else 'faster'} {times}"


def _table(table: pd.DataFrame) -> None:
    rates = ["size_share", "price_change_mean", "price_change_max", "same_price_share", "profit_change"]
    shown = table.assign(
        kilobytes=table["size_bytes"] / 1000,
        thousand=table["seconds_1000"] * 1000,
        **{name: table[name] * 100 for name in rates},
    )
    figure = st.column_config.NumberColumn
    written: dict[Any, Any] = {"profit_change": lambda change: percent(change / 100, digits=3, signed=True)}
    st.dataframe(
        shown.style.format(written), hide_index=True, placeholder="–", height="content",
        column_order=more_columns(
            "forms_more", ["label", "serves", "size_share", "seconds_100000", "price_change_mean", "profit_change"],
            ["price_change_max", "same_price_share", "log_loss_change", "kilobytes", "thousand"],
        ),
        column_config={
            "label": text_column("Form"),
            "serves": st.column_config.CheckboxColumn(
                "Answers now", help="The form that every page and command asks."
            ),
            "size_share": figure(
                "Network's size", format="%.0f%%",
                help="Share of the original network's size. The Runs tab has the size of the whole model on the disk.",
            ),
            "price_change_mean": figure(
                "Prices move by", format="%.2f%%",
                help="How far recommended prices lie from the original's on average, up or down."
            ),
            "price_change_max": figure(
                "One price at most by", format="%.2f%%", help="Largest change of a recommended price."
            ),
            "same_price_share": figure("Same price", format="%.0f%%", help="Recommended prices equal after rounding."),
            "profit_change": figure(
                "Profit changes by",
                help="Expected profit of the form's prices against the original's, as the original expects it.",
            ),
            "log_loss_change": figure(
                "Log loss", format="%+.5f", help="Change on late offers that the compression did not learn from."
            ),
            "kilobytes": figure("Network, kB", format="%.0f", help="Size of the network's files."),
            "thousand": figure(
                "1,000 offers, ms", format="%.0f", help="Milliseconds for the demand curves of so many offers."
            ),
            "seconds_100000": figure(
                "100,000 offers, s", format="%.1f",
                help="Seconds for the demand curves of so many offers, measured here when the form was made.",
            ),
        },
    )  # fmt: skip


def _choose(page: PageState, table: pd.DataFrame) -> None:
    """Let the user pick the form that answers on every page and command."""
    from pricing_core.workflows import use_form

    labels = {str(row["form"]): str(row["label"]) for row in table.to_dict("records")}
    now = next((str(row["form"]) for row in table.to_dict("records") if row["serves"]), "original")
    with st.form("use_form", border=False), st.container(horizontal=True, vertical_alignment="bottom"):
        chosen = st.selectbox(
            "Form that answers", list(labels), index=list(labels).index(now), key=_FORM, width=300,
            format_func=lambda name: labels.get(name, name),
        )  # fmt: skip
        if access.form_button(page, "train", "Let it answer", icon=":material/swap_horiz:") and chosen != now:
            try:
                use_form(page.ws, str(chosen), str(page.run_id))
            except PricingError as error:
                st.error(markdown(str(error)), icon=":material/error:")
            else:
                st.rerun()


def _start(page: PageState, *, again: bool) -> None:
    """Offer the job that compresses."""
    with st.form("compress", border=False), st.container(horizontal=True, vertical_alignment="bottom"):
        cut = st.number_input(
            "Weights to cut, %", 0, 90, 30, 5, key=_CUT, width=180,
            help="Share of the smallest weights that become zero; the others are rounded to 4 or 8 bits.",
        )  # fmt: skip
        label = "Compress again" if again else "Compress the model"
        if access.form_button(page, "train", label, type="secondary", icon=":material/compress:"):
            params: dict[str, Any] = {"run_id": page.run_id, "sparsity": cut / 100}
            job_panel.start(page.ws, "compress", params)
