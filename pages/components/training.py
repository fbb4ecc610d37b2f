"""Start a training, and see how the finished one learned and from what."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import streamlit as st

from pricing_core.charts import training as charts
from pricing_core.data.dataset import sample_words
from pricing_core.models.choice import AUTO
from pricing_core.models.demand_model import FAMILIES
from pricing_core.store import datasets
from pricing_core.workflows.run_words import kind_words

from . import access, figures, job_panel, occasions
from .state import PageState
from .tables import record
from .words import count, duration, markdown, plural

if TYPE_CHECKING:
    from pricing_core.workflows.training_times import TrainingTime

WAYS = {True: "Quick: a first answer, wider ranges", False: "Full: more members and passes, narrower ranges"}


def form(state: PageState) -> None:
    """Let the user choose how to train, with the time it will take, and start the job."""
    offers = record(datasets.list_datasets(state.ws), "dataset_id", state.dataset_id)["offers"]
    sample = datasets.sample_counts(state.ws, state.dataset_id)
    if sample is not None:
        st.caption(f"Learns from {sample_words(sample)}, drawn at random.")
    kinds = {AUTO: "Let later offers choose", **{name: kind.label for name, kind in FAMILIES.items()}}
    with st.container(border=True):
        times = _times(state, offers, str(st.session_state.get("train_family", AUTO)))
        quick = bool(
            st.radio(
                f"Train on {state.dataset_id} ({count(offers)} {occasions.noun(state)})", list(WAYS),
                key="train_quick_choice", persist_state="session", format_func=WAYS.__getitem__,
                captions=[_time_words(times[quick]) for quick in WAYS],  # not in the options, whose texts must stay
            )
        )  # fmt: skip
        with st.container(horizontal=True, vertical_alignment="bottom"):
            family = st.selectbox(
                "Kind of model", list(kinds), key="train_family", format_func=kinds.__getitem__, width=240,
                help="In a full training several kinds compete on later offers, and a quick one takes the deep "
                "behavior model. A kind that is named here is taken without a contest.",
            )  # fmt: skip
            seed = st.number_input(
                "Seed", 0, 10_000, 0, key="train_seed", persist_state="session", width=130,
                help="Number that starts all random choices: the same data and seed give the same prices.",
            )  # fmt: skip
            pressed = access.button(
                state, "train", "Train", type="primary", icon=":material/play_arrow:", key="train_start"
            )
        if quick and family == AUTO:
            st.caption("A quick training takes the deep behavior model: later offers choose only in a full one.")
        random_prices = st.checkbox(
            "Prices were varied at random, as in a price test", False, key="train_random", persist_state="session",
            help="The reaction to price is then taken as measured. Otherwise, where it is so weak that the highest "
            "price tried would be best for nearly everyone, the price level is held at the shop's own.",
        )  # fmt: skip
        promote = state.run_id is None or st.checkbox(
            "Put the new model in use as soon as it is ready", True, key="train_promote", persist_state="session",
            help="Otherwise it stands beside the one in use, to be compared and put in use on the Runs tab.",
        )  # fmt: skip
        if pressed:
            params = {"dataset_id": state.dataset_id, "quick": quick, "seed": int(seed), "promote": bool(promote)}
            params |= {"random_prices": True} if random_prices else {}
            job_panel.start(state.ws, "train", params | ({} if family == AUTO else {"family": str(family)}))


def _times(state: PageState, offers: int, family: str) -> dict[bool, TrainingTime]:
    from pricing_core.workflows import training_time

    return {quick: training_time(state.ws, offers, quick=quick, family=family) for quick in WAYS}


def _time_words(time: TrainingTime) -> str:
    """Say how long it takes, and what that rests on."""
    words = f"About {duration(time.seconds)}"
    if not time.trainings:
        return f"{words} where two cores are free; a busy machine takes longer."
    return f"{words}, as {plural(time.trainings, 'earlier training')} of this kind took here."


def first_words(busy: bool) -> str:
    """Say where things stand before the first model."""
    if busy:
        return "The models are learning in the background; every other page can be used meanwhile."
    return "No model has learned from these data yet. A quick training gives a first answer."


def curves(state: PageState, *, busy: bool = False) -> None:
    """Show how the model in use learned and what it was made from; folded while another one learns above."""
    heading = f"How {state.run_id}, the model in use, has learned"
    if busy:
        with st.expander(heading, icon=":material/show_chart:"):
            _curves(state)
    else:
        st.subheader(heading, anchor=False)
        _curves(state)


def _curves(state: PageState) -> None:
    run = state.run
    st.caption(f"{run.run_id}: {markdown(kind_words(run.manifest))}.")
    if not len(run.history):
        st.caption("This kind of model does not learn in passes over the data, so that there is no learning curve.")
        receipt(run.manifest)
        return
    data = charts.training_data(run.history)
    figures.show(charts.training_figure(data), key="history")
    if run.manifest["config"]["quick"] and _still_improving(data):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown("It still got better when the quick training ended; a full one goes on.", width="content")
            st.button("Choose the full training", icon=":material/arrow_upward:", key="train_full", on_click=_full)
    st.caption(
        "Log loss is how surprised the model is by what happened. Training loss is measured on offers that it learns "
        "from, validation loss on up to 15,000 later ones, by one part of the model (the tabs How good and Runs have "
        "the whole model's): where the second rises, it has begun to learn by heart and stops. Final is the same "
        "training once more on all offers."
    )
    receipt(run.manifest)


def _still_improving(data: charts.TrainingCurves) -> bool:
    judged = data.curves.get("validation loss")
    return judged is not None and data.best_step == int(judged["step"].max())


def _full() -> None:
    st.session_state["train_quick_choice"] = False


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
    started = manifest.get("warm_start") or {}
    if started.get("used"):
        st.caption(f"Started from the networks of {started['run']}; the offers since then judged it.")
    elif started.get("reason"):
        st.caption(markdown(f"Not started from {started['run']}: {started['reason']}."))
    held_back = {name: rows for name, rows in manifest.get("held_back", {}).items() if rows}
    if held_back:
        named = ", ".join(f"{name} ({count(rows)} rows)" for name, rows in held_back.items())
        st.caption(f"Values more than six standard deviations away were held at six: {markdown(named)}.")
    with st.expander("Settings and versions", icon=":material/receipt_long:"):
        st.json({key: manifest[key] for key in ("config", "versions", "seconds", "data_hash", "python")}, expanded=1)
