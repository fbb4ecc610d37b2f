"""Search for better settings: start, watch live, compare, and train with what was found."""

from __future__ import annotations

import streamlit as st

from pricing_core import jobs
from pricing_core.charts import tuning as charts
from pricing_core.charts.setting_words import setting_help
from pricing_core.errors import ConfigError
from pricing_core.models.search import PRUNINGS, SEARCHES
from pricing_core.models.search_space import PRICING_MODEL, space_of, tunable
from pricing_core.store import studies
from pricing_core.store.studies import StudyRecord

from . import access, figures, job_panel, side_by_side, tuning_tables
from .state import PageState
from .words import count, duration, markdown, plural

KINDS = ("tune",)
POLL_SECONDS = 2.0
_MINUTES = (2, 5, 10, 20, 30, 60, 120, 240)


def show(page: PageState) -> None:
    """Show the tunings of the workspace, and let the user begin one, go on with one, or train with one."""
    busy = job_panel.show(page.ws, KINDS)
    found = studies.list_studies(page.ws)
    if not found:
        st.info(
            "Tuning tries other settings of a model and judges each on later weeks and on customers whom it has not "
            "seen. It runs in the background, and every other page can be used meanwhile.",
            icon=":material/tune:",
        )  # fmt: skip
    with st.expander("Begin a tuning", icon=":material/add:", expanded=not found):
        _begin(page, busy)
    if not found:
        return
    names = [each.name for each in found]
    running = _running(page)
    if running in names and st.session_state.get("tuning_followed") != running:
        st.session_state["tuning_followed"] = st.session_state["tuning_shown"] = running
    if st.session_state.get("tuning_shown") not in names:
        st.session_state.pop("tuning_shown", None)
    chosen = st.selectbox("Tuning", names, key="tuning_shown", width=360)
    if chosen == running:
        st.fragment(_progress, run_every=POLL_SECONDS)(page, chosen)
    else:
        _progress(page, chosen)
    _actions(page, studies.get(page.ws, chosen), busy, running == chosen)
    if len(found) > 1:
        st.subheader("Side by side", anchor=False)
        tuning_tables.compare(page)


def _running(page: PageState) -> str | None:
    active = [job for job in jobs.list_jobs(page.ws, 20) if job.active and job.kind in KINDS]
    return str(active[-1].params.get("name")) if active else None


def _begin(page: PageState, busy: bool) -> None:
    """Let the user choose what to search and for how long, and start the job."""
    from pricing_core.workflows.trials import CRITERIA, PRICE_ERROR
    from pricing_core.workflows.tuning import TuningRequest, free_name, new_tuning

    models = tunable()
    family = st.selectbox("Model", list(models), key="tuning_family", format_func=lambda name: models[name], width=360)
    searched = list(space_of(family))
    st.caption(
        f"Settings that are searched: {', '.join(charts.words(name) for name in searched)}.",
        help="\n\n".join(f"**{charts.words(name)}**: {markdown(setting_help(name) or '–')}" for name in searched),
    )  # fmt: skip
    allowed = [name for name in CRITERIA if (name == PRICE_ERROR) == (family == PRICING_MODEL)]
    with st.form("tuning_form", border=False):
        one, two, three = st.columns(3)
        name = one.text_input(
            "Name", value=free_name(page.ws, family), key=f"tuning_name_{family}", max_chars=studies.LONGEST_NAME
        )
        search = two.selectbox(
            "Search", list(SEARCHES), key="tuning_search", format_func=SEARCHES.__getitem__,
            help="Learning from the trials so far (Bayesian search) finds good settings soonest. Every combination of "
            "a few values (grid) looks evenly everywhere. Values at random are a fair yardstick for both.",
        )  # fmt: skip
        minutes = three.select_slider("Minutes", _MINUTES, value=10, key="tuning_minutes")
        criterion = one.selectbox(
            "What counts as better", allowed, key=f"tuning_criterion_{family == PRICING_MODEL}",
            format_func=CRITERIA.__getitem__, help="Every trial shows all figures; this one decides.",
        )  # fmt: skip
        pruning = two.selectbox(
            "Hopeless trials", list(PRUNINGS), key="tuning_pruning", format_func=PRUNINGS.__getitem__,
            help="A trial that does worse than half of the others at the same point of its learning is stopped, or all "
            "but the best few are (Hyperband). Judged by the forecast error, whatever counts as better in the end.",
        )  # fmt: skip
        rows = three.select_slider(
            "Offers used", (5_000, 10_000, 20_000, 40_000, 80_000, 160_000), value=20_000, key="tuning_rows",
            format_func=count, help="More offers tell settings apart better, and make each trial longer.",
        )  # fmt: skip
        started = access.form_button(
            page, "train", "Begin", type="primary", icon=":material/play_arrow:", disabled=busy
        )
    if started:
        access.require(page.ws, "train")
        try:
            request = TuningRequest(
                name=name, family=family, search=search, pruning=pruning, criterion=criterion, max_rows=int(rows),
                dataset_id=page.dataset_id,
            )  # fmt: skip
            made = new_tuning(page.ws, request)
        except ConfigError as error:  # such as a name that is taken: what is below stays in view
            st.error(markdown(str(error)), icon=":material/error:")
            return
        job_panel.start(page.ws, "tune", {"name": made, "minutes": float(minutes)})


def _progress(page: PageState, name: str) -> None:
    """Show the trials so far, the best of them, and what the settings have to do with it."""
    from pricing_core.models.trial_ends import OUT_OF_TIME

    found = studies.get(page.ws, name)
    trials, criterion = studies.trials(page.ws, name), str(found.record["criterion"])
    history = charts.history_data(trials, criterion)
    if trials.empty:
        st.info("No trial has begun yet.", icon=":material/hourglass_empty:")
        return
    ended = trials[trials["state"] != "running"]
    places = side_by_side.places(5)
    places[0].metric("Trials", count(len(ended)))
    places[1].metric("Stopped early", count(int((trials["state"] == "stopped early").sum())))
    places[2].metric("Best trial", "none yet" if found.best_number is None else count(found.best_number))
    offers = ended["figure.offers"].max() if "figure.offers" in ended else None
    places[3].metric("Judged offers", count(offers), help="Later offers of customers whom no trial had learned from.")
    places[4].metric("Time spent", duration(float(trials["seconds"].fillna(0).sum())))
    if found.best_number is None and not found.running and (ended["reason"] == OUT_OF_TIME).any():
        st.info(
            "The time was over before a trial had been judged. Go on with more minutes, or begin a tuning that uses "
            "fewer offers.", icon=":material/timer:",
        )  # fmt: skip
    if len(history.trials):
        importance = charts.importance_data(_importance(page, found))
        left, right = st.columns(2) if len(importance) else (st.container(), None)
        figures.show(charts.history_figure(history), key=f"tuning_history_{name}", height=380, place=left)
        if right is not None:
            figure = charts.importance_figure(importance)
            figures.show(figure, key=f"tuning_importance_{name}", height=380, place=right)
        _luck(page, found)
    seen = charts.settings_data(trials, criterion)
    if seen.names:
        figures.show(charts.settings_figure(seen), key=f"tuning_settings_{name}", height=320)
    tuning_tables.trials(page, trials, found)


@st.cache_data(max_entries=32, show_spinner=False)
def _importances(root: str, name: str, created: str, judged: int, _page: PageState) -> dict[str, float]:
    from pricing_core.models.search import importances

    return importances(studies.open_study(_page.ws, name))


def _importance(page: PageState, found: StudyRecord) -> dict[str, float]:
    return _importances(str(page.ws.root), found.name, found.created_at.isoformat(), found.n_trials, page)


def _luck(page: PageState, found: StudyRecord) -> None:
    """Say where the best trial cannot be told from the settings of today, or others not from it."""
    from pricing_core.workflows.telling import start_number, told_from_best

    told = told_from_best(page.ws, found.name)
    start = start_number(studies.trials(page.ws, found.name))
    like = sum(apart is False for apart in told.values())
    if start == found.best_number and found.best_number is not None:
        text = f"The settings of today (trial {start}) are the best so far."
    elif start is not None and told.get(start) is False:
        text = (
            f"The judged offers cannot tell trial {found.best_number} from the settings of today (trial {start}): what "
            "it is better by lies within luck. More offers tell settings apart better."
        )
    elif start is not None and told.get(start):
        text = f"Trial {found.best_number} is better than the settings of today (trial {start}) by more than luck."
    else:
        text = ""
    others = f"{plural(like, 'judged trial')} cannot be told apart from the best one." if like else ""
    if text or others:
        st.caption(f"{text} {others}".strip())


def _actions(page: PageState, found: StudyRecord, busy: bool, running: bool) -> None:
    """Go on, train with a trial's settings, take them away, or delete."""
    trials = studies.trials(page.ws, found.name)
    judged = [int(number) for number in trials.loc[trials["state"] == "done", "number"]]
    with st.container(horizontal=True, vertical_alignment="bottom"):
        minutes = st.selectbox("More minutes", _MINUTES, index=2, key="tuning_more", width=130)
        if access.button(page, "train", "Go on", icon=":material/resume:", key="tuning_go_on", disabled=busy):
            job_panel.start(page.ws, "tune", {"name": found.name, "minutes": float(minutes)})
        if judged:
            _train_with(page, found, sorted(judged, key=lambda each: each != found.best_number))
        if not found.running and not running:
            with st.popover("Delete", icon=":material/delete:"):
                st.write(f"Delete {markdown(found.name)} with its trials? Models trained with it stay.")
                if access.button(page, "train", "Delete", key="tuning_delete", type="primary"):
                    studies.delete(page.ws, found.name)
                    st.rerun()


def _train_with(page: PageState, found: StudyRecord, judged: list[int]) -> None:
    from pricing_core.workflows.telling import start_number
    from pricing_core.workflows.training import TrainingConfig
    from pricing_core.workflows.tuned import job_settings, settings_of_trial, settings_text, tuned_config

    number_ = st.selectbox(
        "Trial", judged, key=f"tuning_trial_{found.name}", width=130,
        format_func=lambda each: f"{each} (best)" if each == found.best_number else str(each),
    )  # fmt: skip
    today = start_number(studies.trials(page.ws, found.name)) == number_
    with st.popover(
        "Train with these settings", icon=":material/play_arrow:", type="secondary" if today else "primary"
    ):
        if today:
            st.caption("These are the settings that a training takes by itself.")
        for key, value in settings_of_trial(page.ws, found.name, number_).items():
            st.markdown(f"**{markdown(charts.words(key))}**: {markdown(charts.value_words(value))}")
        full = not bool(found.record["quick"])
        quick = not st.toggle("Full training", value=full, key="tuning_full")
        seed = st.number_input(
            "Seed", 0, 10_000, int(found.record["seed"]), key=f"tuning_seed_{found.name}", width=130,
            help="Number that starts all random choices: the same data and seed give the same prices.",
        )  # fmt: skip
        promote = page.run_id is None or st.checkbox(
            "Put the new model in use as soon as it is ready", False, key="tuning_promote",
            help="Otherwise it stands beside the one in use, to be compared and put in use on the Runs tab.",
        )  # fmt: skip
        base = TrainingConfig(seed=int(seed), quick=quick)
        config = tuned_config(page.ws, found.name, number_, base=base)
        if access.button(page, "train", "Train", key="tuning_train", type="primary"):
            params = {"dataset_id": page.dataset_id, "promote": bool(promote)}
            job_panel.start(page.ws, "train", params | job_settings(config))
    st.download_button(
        "Settings as a file", settings_text(config), f"{found.name}.json", "application/json",
        icon=":material/download:", key="tuning_file", on_click="ignore",
    )  # fmt: skip
