"""Command that searches for better settings of a model: tune."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from pricing_core.commands import AddCommand
from pricing_core.commands.console import ConsoleProgress, check_writable, note, open_workspace, write_table
from pricing_core.errors import ConfigError, PricingError

if TYPE_CHECKING:
    import pandas as pd

    from pricing_core.store.studies import StudyRecord
    from pricing_core.store.workspace import Workspace
    from pricing_core.workflows.tuning import TuningRequest


def add(command: AddCommand) -> None:
    """Add tune."""
    tune = command("tune", _tune, "Search for better settings of a model, by cross-validation over time and customers.")
    tune.add_argument("--name", help="of the tuning; default: the model's name with a number")
    tune.add_argument("--family", default="network", help="kind of demand model, or pricing_model; default: network")
    tune.add_argument(
        "--search", default="bayes", choices=("bayes", "grid", "random"),
        help="bayes learns from the trials so far, grid tries every combination of a few values, random any values; "
        "default: bayes",
    )  # fmt: skip
    tune.add_argument(
        "--pruning", default="median", choices=("median", "hyperband", "none"),
        help="which trials end early: median those that do worse than half of the others, hyperband all but the best "
        "few, none not one; default: median",
    )  # fmt: skip
    tune.add_argument(
        "--criterion", choices=("log_loss", "price_reaction", "policy_value", "price_error"),
        help="what counts as better; default: log_loss, or price_error for the pricing model",
    )  # fmt: skip
    tune.add_argument("--minutes", type=float, help="budget; default: 10, unless --trials is given")
    tune.add_argument("--trials", type=int, help="trials of the whole tuning")
    tune.add_argument("--rows", type=int, default=40_000, help="offers that the trials use")
    tune.add_argument("--folds", type=int, default=2, help="windows of later weeks that are judged")
    tune.add_argument("--seed", type=int, default=0, help="whole number that starts all random choices; default: 0")
    tune.add_argument("--full", action="store_true", help="start from the settings of a full training")
    tune.add_argument("--dataset", help="data version; default: the newest")
    more = tune.add_mutually_exclusive_group()
    more.add_argument("--resume", metavar="NAME", help="go on with a tuning, also one that was killed")
    more.add_argument("--list", action="store_true", help="compare the tunings that there are")
    more.add_argument("--delete", metavar="NAME", help="delete a tuning; models trained with it stay")
    tune.add_argument("--out", type=Path, help="write the trials, or with --list the tunings, to this CSV file")


def _tune(options: argparse.Namespace) -> None:
    from pricing_core.store import studies
    from pricing_core.workflows import tuned, tuning

    if options.out is not None:
        check_writable(options.out)
    ws = open_workspace(options)
    if options.list:
        _show(tuning.compare_tunings(ws), options.out)
        return
    if options.delete is not None:
        studies.delete(ws, options.delete)
        print(f"deleted: {options.delete}")
        return
    name, found = _searched(ws, options)
    if options.out is not None:
        write_table(studies.trials(ws, name), options.out)
    if found.best_number is None:
        raise ConfigError(
            f"No trial of {name!r} could be judged.", fix="See its trials: tune --resume with --out, or give more time."
        )
    settings = tuned.settings_of_trial(ws, name, found.best_number)
    print(f"tuning: {name}; {found.n_trials} trials; best: trial {found.best_number}, score {found.best_score:.5f}")
    print(_told(ws, found))
    print("settings: " + ", ".join(f"{key} {value}" for key, value in settings.items()))
    print(f'train with them: train --settings "{name}"')


def _searched(ws: Workspace, options: argparse.Namespace) -> tuple[str, StudyRecord]:
    """Begin a tuning or go on with one; what cannot be begun leaves none behind."""
    from pricing_core.store import studies
    from pricing_core.workflows import tuning

    minutes = options.minutes if options.minutes is not None or options.trials is not None else 10.0
    new = options.resume is None
    request = _request(ws, options) if new else tuning.request_of(ws, options.resume)
    tuning.check_budget(request, minutes, options.trials)
    name = tuning.new_tuning(ws, request) if new else request.name
    try:
        return name, tuning.tune(ws, name, minutes=minutes, trials=options.trials, progress=ConsoleProgress())
    except PricingError:
        if new and studies.trials(ws, name).empty:
            studies.delete(ws, name)
        raise
    except KeyboardInterrupt:
        note(f'the trials of {name!r} so far are kept; go on with: tune --resume "{name}"')
        raise


def _request(ws: Workspace, options: argparse.Namespace) -> TuningRequest:
    from pricing_core.models.search_space import PRICING_MODEL
    from pricing_core.workflows import tuning

    prices = options.family == PRICING_MODEL
    return tuning.TuningRequest(
        name=tuning.free_name(ws, options.family) if options.name is None else options.name,
        family=options.family,
        search=options.search,
        pruning=options.pruning,
        criterion=options.criterion or ("price_error" if prices else "log_loss"),
        seed=options.seed,
        quick=not options.full,
        max_rows=options.rows,
        n_folds=options.folds,
        dataset_id=options.dataset,
    )


def _told(ws: Workspace, found: StudyRecord) -> str:
    """Say how sure it is that the best trial is the best, and better than the settings of today."""
    from pricing_core.store import studies
    from pricing_core.workflows import telling

    told, start = telling.told_from_best(ws, found.name), telling.start_number(studies.trials(ws, found.name))
    like = sum(apart is False for apart in told.values())
    others = f"; {like} of {len(told)} other judged trials cannot be told apart from it" if told else ""
    if start is None or told.get(start, True) is None:
        return f"beside the settings of today: not known{others}"
    if start == found.best_number:
        return f"the settings of today (trial {start}) are the best{others}"
    beyond = "by more than luck" if told[start] else "only within luck"
    return f"better than the settings of today (trial {start}) {beyond}{others}"


def _show(table: pd.DataFrame, out: Path | None) -> None:
    if out is not None:
        write_table(table, out)
    elif table.empty:
        print("no tunings yet")
    else:
        shown = [
            "name",
            "model",
            "criterion",
            "judged_on",
            "trials",
            "best_number",
            "score",
            "start_score",
            "beyond_luck",
        ]
        told = table["beyond_luck"].map({True: "yes", False: "no"}).fillna("–")
        print(table.assign(beyond_luck=told)[[*shown, "settings"]].to_string(index=False))
