"""Search for settings: one trial after another, until the budget is used up.

The search stands still between two trials, and what comes next follows from the finished trials and the seed alone. A
search that was killed therefore goes on as if it had not been.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Protocol

import numpy as np

from pricing_core.errors import ConfigError, DataError, JobCancelled, ModelError
from pricing_core.models.search_space import SearchSpace, grid_points
from pricing_core.models.trial_ends import FIGURES, FIRST, LOST, OUT_OF_TIME, PARTLY, PARTS, REASON, STOPPED, UNFINISHED
from pricing_core.models.trial_ends import OutOfTimeError as OutOfTimeError
from pricing_core.models.trial_ends import Pruned as Pruned
from pricing_core.progress import Progress, SilentProgress

if TYPE_CHECKING:
    from optuna import Study
    from optuna.pruners import BasePruner
    from optuna.samplers import BaseSampler
    from optuna.trial import FrozenTrial, Trial

SEARCHES: Final = {
    "bayes": "Learn from the trials so far",
    "grid": "Every combination of a few",
    "random": "Any values, at random",
}
PRUNINGS: Final = {
    "median": "Stop the worse half",
    "hyperband": "Stop all but the best few",
    "none": "Let every trial finish",
}
LAST_STEP: Final = 90
"""Largest step at which a trial reports."""

_START_TRIALS: Final = 6
_TO_COMPARE: Final = 8
_SEED_STEP: Final = 100_003


@dataclass(frozen=True)
class Judged:
    """What a trial came to.

    Attributes
    ----------
    score
        Lower is better.
    figures
        Worth showing.
    parts
        Sums by group of customers, from which two trials can be compared on the same offers.
    """

    score: float
    figures: Mapping[str, float] = field(default_factory=dict)
    parts: Mapping[str, Sequence[float]] = field(default_factory=dict)


class Report(Protocol):
    """Receiver of the loss within a trial."""

    def __call__(self, step: int, value: float) -> None:
        """Note the loss at a step; raises :class:`Pruned` where the trial is not worth going on with."""


Objective = Callable[[dict[str, Any], Report], Judged]


@dataclass(frozen=True)
class SearchPlan:
    """How to search, and for how long.

    Parameters
    ----------
    search
        One of :data:`SEARCHES`.
    pruning
        One of :data:`PRUNINGS`.
    minutes, trials
        Budget of this call in time, and of the whole search in finished trials; None: no limit. A trial that is running
        when the time is over is stopped at its next report, the first one too; the next call repeats it.
    seed
        Seed of the search.
    first
        Settings that are tried before any others, such as today's; one outside the space is drawn instead.
    """

    search: str = "bayes"
    pruning: str = "median"
    minutes: float | None = 10.0
    trials: int | None = None
    seed: int = 0
    first: Mapping[str, Any] | None = None

    def __post_init__(self) -> None:
        for name, allowed in (("search", SEARCHES), ("pruning", PRUNINGS)):
            if getattr(self, name) not in allowed:
                raise ConfigError(f"{name} is {getattr(self, name)!r}; allowed are {', '.join(allowed)}.")
        if self.minutes is not None and not 0 < self.minutes < float("inf"):
            raise ConfigError(f"The budget is {self.minutes} minutes; it must be above 0.")
        if self.trials is not None and self.trials < 1:
            raise ConfigError(f"The number of trials is {self.trials}; it must be at least 1.")
        if self.minutes is None and self.trials is None and self.search != "grid":
            raise ConfigError("The search has no end.", fix="Give minutes, or a number of trials.")


def search(
    study: Study, space: SearchSpace, objective: Objective, plan: SearchPlan, progress: Progress | None = None
) -> None:
    """Try settings until the budget is used up, or the grid is; each trial is in the study as soon as it starts.

    A trial whose model cannot be fitted counts as failed, with its reason, and the search goes on.

    Raises
    ------
    JobCancelled
        If the user stops it; the trial that was running counts as failed.
    """
    progress = progress or SilentProgress()
    study.pruner = _pruner(plan)
    end = None if plan.minutes is None else time.monotonic() + 60 * plan.minutes
    started = time.monotonic()
    while True:
        finished = finished_trials(study)
        over = end is not None and time.monotonic() >= end
        if over or (plan.trials is not None and len(finished) >= plan.trials):
            return
        _say(progress, plan, study, finished, started)
        trial = _next(study, space, plan, finished)
        if trial is None:
            return
        _run(study, trial, space, objective, _Watch(trial, plan, end))


def finished_trials(study: Study) -> list[FrozenTrial]:
    """Trials that need not be repeated: judged, stopped early, or failed for a reason of their own."""
    from optuna.trial import TrialState

    kept = (TrialState.COMPLETE, TrialState.PRUNED)
    return [
        trial
        for trial in study.get_trials(deepcopy=False)
        if trial.state in kept
        or (trial.state == TrialState.FAIL and trial.user_attrs.get(REASON, LOST) not in UNFINISHED)
    ]


def best_trial(study: Study) -> FrozenTrial | None:
    """Return the judged trial with the lowest score; None where none has been judged."""
    from optuna.trial import TrialState

    judged = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
    return min(judged, key=lambda trial: (trial.value, trial.number), default=None)


def importances(study: Study) -> dict[str, float]:
    """Share of the differences between judged trials that each setting explains, the largest first (PED-ANOVA).

    Empty with fewer than eight judged trials, or where all have one score.

    References
    ----------
    Watanabe, Bansal and Hutter (2023), PED-ANOVA: efficiently quantifying hyperparameter importance in arbitrary
    subspaces.
    """
    from optuna.importance import get_param_importances
    from optuna.trial import TrialState

    judged = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
    if len(judged) < _TO_COMPARE or len({trial.value for trial in judged}) < 2:
        return {}
    return {name: float(share) for name, share in get_param_importances(study).items()}


class _Watch:
    """The report of one trial: prunes it, and ends it when the time is over."""

    def __init__(self, trial: Trial, plan: SearchPlan, end: float | None) -> None:
        self._trial, self._prunes, self._end = trial, plan.pruning != "none", end

    def __call__(self, step: int, value: float) -> None:
        self._trial.report(value, step)
        if self._prunes and self._trial.should_prune():
            raise Pruned
        if self._end is not None and time.monotonic() >= self._end:
            raise OutOfTimeError


def _run(study: Study, trial: Trial, space: SearchSpace, objective: Objective, watch: _Watch) -> None:
    from optuna.trial import TrialState

    settings = {name: setting.suggest(trial, name) for name, setting in space.items()}
    try:
        judged = objective(settings, watch)
        if not np.isfinite(judged.score):
            raise ModelError("The score is not a number.")
    except Pruned as end:
        if end.args:
            trial.set_user_attr(REASON, str(end))
        study.tell(trial, state=TrialState.PRUNED)
    except OutOfTimeError:
        _fail(study, trial, OUT_OF_TIME)
    except (ModelError, DataError, ConfigError) as error:
        _fail(study, trial, str(error))
    except (JobCancelled, KeyboardInterrupt):
        _fail(study, trial, STOPPED)
        raise
    except BaseException:
        _fail(study, trial, LOST)
        raise
    else:
        if judged.parts:
            trial.set_user_attr(
                PARTS, {name: [float(each) for each in values] for name, values in judged.parts.items()}
            )
        trial.set_user_attr(FIGURES, {name: float(value) for name, value in judged.figures.items()})
        study.tell(trial, judged.score)


def _fail(study: Study, trial: Trial, reason: str) -> None:
    from optuna.trial import TrialState

    trial.set_user_attr(REASON, reason)
    study.tell(trial, state=TrialState.FAIL)


def _next(study: Study, space: SearchSpace, plan: SearchPlan, finished: list[FrozenTrial]) -> Trial | None:
    """Start the next trial; None where the grid is used up."""
    from optuna.trial import TrialState

    study.sampler = _sampler(plan, len(finished))
    if study.get_trials(deepcopy=False, states=(TrialState.WAITING,)):  # a killed process had just put it there
        return study.ask()
    if plan.first is not None and not any(trial.user_attrs.get(FIRST) for trial in finished):
        inside = {name: value for name, value in plan.first.items() if name in space and space[name].holds(value)}
        partly = {PARTLY: True} if set(inside) != set(space) else {}
        study.enqueue_trial(inside, user_attrs={FIRST: True, **partly})
    elif plan.search == "grid":
        tried = [trial.params for trial in finished]
        point = next((point for point in grid_points(space, plan.seed) if point not in tried), None)
        if point is None:
            return None
        study.enqueue_trial(point)
    return study.ask()


def _sampler(plan: SearchPlan, finished: int) -> BaseSampler:
    """Sampler of one trial, seeded by its place: what it draws does not depend on who drew before it."""
    from optuna.samplers import RandomSampler, TPESampler

    seed = (plan.seed * _SEED_STEP + finished) % 2**32
    if plan.search == "bayes":
        return TPESampler(seed=seed, n_startup_trials=_START_TRIALS)
    return RandomSampler(seed=seed)


def _pruner(plan: SearchPlan) -> BasePruner:
    from optuna.pruners import HyperbandPruner, MedianPruner, NopPruner

    if plan.pruning == "median":
        return MedianPruner(n_startup_trials=4, n_warmup_steps=1)
    if plan.pruning == "hyperband":
        return HyperbandPruner(min_resource=1, max_resource=LAST_STEP, reduction_factor=3)
    return NopPruner()


def _say(progress: Progress, plan: SearchPlan, study: Study, finished: list[FrozenTrial], started: float) -> None:
    """Say which trial comes next: its number in the study, those that were interrupted counted."""
    from optuna.trial import TrialState

    shares = [0.0]
    if plan.minutes is not None:
        shares.append((time.monotonic() - started) / (60 * plan.minutes))
    if plan.trials is not None:
        shares.append(len(finished) / plan.trials)
    judged = [trial for trial in finished if trial.value is not None]
    every = study.get_trials(deepcopy=False)
    waiting = [trial.number for trial in every if trial.state == TrialState.WAITING]
    message = f"Trial {(min(waiting) if waiting else len(every)) + 1}"
    if judged:
        best = min(judged, key=lambda trial: (trial.value, trial.number))
        message += f"; the best so far is number {best.number + 1}"
    progress.stage("Tuning", min(1.0, max(shares)), message)
