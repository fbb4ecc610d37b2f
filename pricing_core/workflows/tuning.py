"""Search for better settings of a model by name: begin, go on, compare."""

from __future__ import annotations

import math
import time
from dataclasses import asdict, dataclass, replace
from typing import Any, Final

import pandas as pd

from pricing_core.charts.setting_words import setting_words
from pricing_core.charts.tuning import value_words
from pricing_core.errors import ConfigError, NoDatasetError
from pricing_core.models.search import PRUNINGS, SEARCHES, OutOfTimeError, SearchPlan, search
from pricing_core.models.search_space import PRICING_MODEL, space_of, tunable
from pricing_core.models.time_folds import FoldPlan
from pricing_core.models.training import TrainingConfig
from pricing_core.models.tuning import candidate, prepare
from pricing_core.progress import Progress, SilentProgress, SubProgress
from pricing_core.store import datasets, studies
from pricing_core.store.studies import StudyRecord
from pricing_core.store.workspace import Workspace
from pricing_core.workflows.telling import start_number, told_from
from pricing_core.workflows.trials import CRITERIA, PRICE_ERROR, judged_by
from pricing_core.workflows.tuned import settings_of

_PREPARING: Final = 20.0  # seconds, about; what the progress gives to it
_COMPARED: Final = (
    "name", "model", "search", "criterion", "dataset_id", "judged_on", "trials", "running", "best_number", "score",
    "start_score", "beyond_luck", "log_loss", "price_slope", "price_slope_low", "price_slope_high", "policy_value",
    "policy_low", "policy_high", "price_error", "offers", "settings", "minutes",
)  # fmt: skip


@dataclass(frozen=True)
class TuningRequest:
    """What to search, on which data, and what counts as better.

    Parameters
    ----------
    name
        Name of the tuning.
    family
        Family of demand models, or ``pricing_model``.
    search, pruning
        See :mod:`~pricing_core.models.search`.
    criterion
        One of :data:`~pricing_core.workflows.trials.CRITERIA`; the pricing model is always judged by its price error.
    seed
        Seed of the search, the folds and every model.
    quick
        Whether the trials start from the settings of a quick training.
    max_rows
        Offers that the trials use: all purchases, and a sample of the refusals that stands for all.
    n_folds
        Windows of later weeks, each judged by a model of earlier weeks.
    dataset_id
        Data; default: the newest.
    """

    name: str
    family: str = "network"
    search: str = "bayes"
    pruning: str = "median"
    criterion: str = "log_loss"
    seed: int = 0
    quick: bool = True
    max_rows: int = 40_000
    n_folds: int = 2
    dataset_id: str | None = None

    def __post_init__(self) -> None:
        space_of(self.family)
        if self.criterion not in CRITERIA or (self.criterion == PRICE_ERROR) != (self.family == PRICING_MODEL):
            allowed = [name for name in CRITERIA if (name == PRICE_ERROR) == (self.family == PRICING_MODEL)]
            raise ConfigError(f"The criterion is {self.criterion!r}; allowed are {', '.join(allowed)}.")
        for name, known in (("search", SEARCHES), ("pruning", PRUNINGS)):
            if getattr(self, name) not in known:
                raise ConfigError(f"{name} is {getattr(self, name)!r}; allowed are {', '.join(known)}.")
        FoldPlan(n_folds=self.n_folds)
        self.training()

    def training(self) -> TrainingConfig:
        """Return the training that the trials vary."""
        return TrainingConfig(seed=self.seed, quick=self.quick, max_rows=self.max_rows)


def new_tuning(ws: Workspace, request: TuningRequest) -> str:
    """Enter a tuning under its name and return the name; nothing is computed yet.

    Raises
    ------
    NoDatasetError
        If there are no data.
    ConfigError
        If the name is taken or cannot be used.
    """
    dataset_id = request.dataset_id or datasets.latest_dataset_id(ws)
    if dataset_id is None:
        raise NoDatasetError("There are no data to tune on.", fix="Import data first.")
    datasets.load_manifest(ws, dataset_id)  # refuses a version that there is not
    record = {key: value for key, value in asdict(replace(request, dataset_id=dataset_id)).items() if key != "name"}
    return studies.create(ws, request.name, record)


def tune(
    ws: Workspace,
    name: str,
    *,
    minutes: float | None = 10.0,
    trials: int | None = None,
    progress: Progress | None = None,
) -> StudyRecord:
    """Go on with a tuning until the budget is used up, and return what it has come to.

    A trial that is running when the time is over is stopped within its learning; the next call begins it anew. Where
    not even one has ended by then, the last words of the progress say how long one takes.

    Parameters
    ----------
    minutes
        Budget of this call, computing what all trials share not counted; None: no limit.
    trials
        Trials of the whole tuning, those of earlier calls included; None: no limit.

    Raises
    ------
    WorkspaceError
        If the workspace holds no tuning of that name, or no longer its data.
    JobError
        If another process is at it.
    """
    progress = progress or SilentProgress()
    request = request_of(ws, name)
    plan = replace(check_budget(request, minutes, trials), first=start_settings(request))
    with studies.working_on(ws, name) as study:
        progress.stage("Preparing", 0.0, "Reading the data set")
        dataset = datasets.load_dataset(ws, request.dataset_id)
        folds = FoldPlan(n_folds=request.n_folds, random_state=request.seed)
        begun = 0.05 if minutes is None else _PREPARING / (_PREPARING + 60 * minutes)
        data = prepare(dataset, request.training(), folds, SubProgress(progress, 0.0, begun))
        told = _Told(SubProgress(progress, begun, 1.0), minutes, trials)
        judge = judged_by(data, request.family, request.criterion, _Within(told))
        search(study, space_of(request.family), judge, plan, told)
    found = studies.get(ws, name)
    progress.stage("Done", 1.0, "The budget is used up" if found.best_number is not None else told.too_short())
    return found


def check_budget(request: TuningRequest, minutes: float | None, trials: int | None) -> SearchPlan:
    """Return how a tuning searches within a budget, as :func:`tune` takes it.

    Raises
    ------
    ConfigError
        If the budget makes no sense.
    """
    return SearchPlan(request.search, request.pruning, minutes, trials, request.seed)


def tuning_job(ws: Workspace, params: dict[str, Any], progress: Progress) -> dict[str, Any]:
    """Background form of :func:`tune`; ``params``: ``name``, ``minutes``, ``trials``."""
    minutes, trials = params.get("minutes"), params.get("trials")
    found = tune(ws, str(params["name"]), minutes=minutes, trials=trials, progress=progress)
    return {"name": found.name, "best_number": found.best_number, "best_score": found.best_score}


def request_of(ws: Workspace, name: str) -> TuningRequest:
    """Return what a tuning searches."""
    record = studies.get(ws, name).record
    return TuningRequest(name=name, **{key: record[key] for key in TuningRequest.__dataclass_fields__ if key in record})


def start_settings(request: TuningRequest) -> dict[str, Any]:
    """Settings that a training would use today, of those that are searched."""
    config = request.training()
    own = config.pricing() if request.family == PRICING_MODEL else _config_of(request.family, config)
    return {name: getattr(own, name) for name in space_of(request.family) if hasattr(own, name)}


def free_name(ws: Workspace, family: str) -> str:
    """Name that no tuning has yet: the family's, with the next number."""
    taken = {each.name for each in studies.list_studies(ws)}
    return next(name for k in range(1, len(taken) + 2) if (name := f"{family} {k}") not in taken)


def compare_tunings(ws: Workspace) -> pd.DataFrame:
    """Return one row per tuning, newest first, with its best trial beside the settings of today.

    Returns
    -------
    DataFrame
        ``name, model, search, criterion, dataset_id, judged_on, trials, running, best_number, score, start_score,
        beyond_luck, log_loss, price_slope, price_slope_low, price_slope_high, policy_value, policy_low, policy_high,
        price_error, offers, settings, minutes``; figures and ``settings`` are the best trial's. Scores compare only
        where ``criterion`` and ``judged_on`` agree. ``start_score`` is that of today's settings, and ``beyond_luck``
        says whether the best trial differs from them by more than luck; NaN and None where that is not known.
    """
    rows = [_compared(ws, each) for each in studies.list_studies(ws)]
    return pd.DataFrame(rows, columns=list(_COMPARED))


def _compared(ws: Workspace, found: StudyRecord) -> dict[str, Any]:
    record = found.record
    table = studies.trials(ws, found.name)
    judged = table[table["state"] == "done"].set_index("number")
    best = judged.loc[found.best_number].to_dict() if found.best_number in judged.index else {}
    start = start_number(table)
    apart = None
    if start is not None and found.best_number is not None and start != found.best_number:
        apart = told_from(ws, found.name, start).get(found.best_number)
    shown = (
        "log_loss", "price_slope", "price_slope_low", "price_slope_high", "policy_value", "policy_low", "policy_high",
        "price_error", "offers",
    )  # fmt: skip
    figures = {key: best.get(f"figure.{key}", float("nan")) for key in shown}
    return {
        "name": found.name,
        "model": tunable().get(record["family"], record["family"]),
        "search": record["search"],
        "criterion": record["criterion"],
        "dataset_id": record["dataset_id"],
        "judged_on": f"{record['dataset_id']}, {record['max_rows']:,} offers, {record['n_folds']} windows, "
        f"seed {record['seed']}",
        "trials": found.n_trials,
        "running": found.running,
        "best_number": found.best_number,
        "score": found.best_score,
        "start_score": float("nan") if start is None else judged["score"][start],
        "beyond_luck": apart,
        **figures,
        "settings": ", ".join(f"{setting_words(key)} {value_words(v)}" for key, v in settings_of(best).items()),
        "minutes": float(table["seconds"].sum()) / 60 if len(table) else 0.0,
    }


def _config_of(name: str, config: TrainingConfig) -> Any:
    model = candidate(name, {}, config)
    return getattr(model, "config", model)


class _Told:
    """Progress of the search: what a trial says of itself is added to the sentence, and time and trials move the bar.

    It also ends a trial that is still learning when the time is over.
    """

    def __init__(self, parent: Progress, minutes: float | None, trials: int | None) -> None:
        self._parent, self._minutes, self._trials = parent, minutes, trials
        self._started = self._trial_started = self._stopped = time.monotonic()
        self._share, self._sentence, self._done = 0.0, "", 0.0

    def stage(self, name: str, fraction: float, message: str = "") -> None:
        """Report between two trials."""
        self._share, self._sentence, self._trial_started = fraction, message, time.monotonic()
        self._parent.stage(name, fraction, message)

    def too_short(self) -> str:
        """Say that no trial has been judged, and how long one takes as far as that can be told."""
        if self._minutes is None or time.monotonic() < self._started + 60 * self._minutes:
            return "No trial could be judged; each says why"
        needed = (self._stopped - self._trial_started) / self._done / 60 if self._done else 0.0
        words = f"; one takes up to {math.ceil(needed)} min" if needed else ""
        return f"No trial has been judged in this time{words}: give more minutes, or use fewer offers"

    def metric(self, name: str, step: int, value: float) -> None:
        """Ignore the curves of single trials."""

    def within(self, fraction: float, message: str) -> None:
        """Report from within a trial, of which a share is done.

        Raises
        ------
        OutOfTimeError
            If the time is over and the trial has not learned all it wants.
        """
        now, shares = time.monotonic(), [self._share]
        if self._minutes is not None:
            shares.append((now - self._started) / (60 * self._minutes))
        if self._trials is not None:
            shares.append(self._share + fraction / self._trials)
        self._parent.stage("Tuning", min(max(shares), 1.0), f"{self._sentence} · {message}")
        self._done, self._stopped = fraction, now
        if self._minutes is not None and now >= self._started + 60 * self._minutes and fraction < 1:
            raise OutOfTimeError


class _Within:
    """Progress of one trial."""

    def __init__(self, told: _Told) -> None:
        self._told = told

    def stage(self, name: str, fraction: float, message: str = "") -> None:
        """Pass the words on, with the share of the trial."""
        self._told.within(fraction, message)

    def metric(self, name: str, step: int, value: float) -> None:
        """Ignore the curves."""
