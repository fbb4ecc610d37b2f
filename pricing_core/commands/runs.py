"""Command of the trained models: list, compare, put in use, go back, note, delete."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from pricing_core.commands import AddCommand
from pricing_core.commands.console import actor_of, note, open_workspace, visible
from pricing_core.errors import ConfigError

if TYPE_CHECKING:
    from pricing_core.store.workspace import Workspace
    from pricing_core.workflows.comparing_runs import RunComparison

_SHOWN_OF_NOTE = 80


def add(command: AddCommand) -> None:
    """Add runs."""
    runs = command("runs", _runs, "Trained models: list them, or do one thing with one of them.")
    what = runs.add_mutually_exclusive_group()
    what.add_argument("--use", metavar="RUN", help="have pages and commands use this model, such as r0002")
    what.add_argument(
        "--roll-back", action="store_true", help="use the model that was in use before; again: one further back"
    )
    what.add_argument("--note", nargs=2, metavar=("RUN", "TEXT"), help="keep a note; an empty text removes it")
    what.add_argument("--delete", metavar="RUN", help="delete for good; refused while in use or behind a price list")
    what.add_argument("--compare", nargs="+", metavar="RUN", help="settings, figures and prices of 2 to 4 models")
    what.add_argument("--history", action="store_true", help="which model was in use when")
    runs.add_argument("--strategy", help="with --compare: whose prices; default: personalized_discount")
    runs.add_argument("--as", "--name", dest="name", default="", help="your name, self-declared; default: your login")


def _runs(options: argparse.Namespace) -> None:
    from pricing_core.store import run_registry
    from pricing_core.workflows import using_runs

    if options.strategy is not None and not options.compare:
        raise ConfigError("--strategy belongs to --compare.", fix="Add --compare with the models, or leave it out.")
    ws = open_workspace(options)
    actor = actor_of(options)
    if options.use:
        using_runs.use_run(ws, options.use, actor=actor)
        print(f"in use: {options.use}")
    elif options.roll_back:
        back = using_runs.go_back(ws, actor=actor)
        for passed in back.skipped:
            note(passed)
        print(f"in use: {back.run_id}")
    elif options.note:
        run_registry.set_note(ws, *options.note, actor=actor)
        print(f"{options.note[0]}: noted")
    elif options.delete:
        run_registry.delete(ws, options.delete, actor=actor)
        print(f"deleted: {options.delete}")
    elif options.history:
        _history(ws)
    elif options.compare:
        _compare(ws, options)
    else:
        _list(ws)


def _list(ws: Workspace) -> None:
    from pricing_core.store import runs
    from pricing_core.workflows.run_words import kind_words, manifests

    listed = runs.list_runs(ws)
    known = manifests(ws, list(listed["run_id"]))
    if listed.empty:
        print("no models yet")
    for row in listed.to_dict("records"):
        figures = ", ".join(f"{name} {row[name]:.4f}" for name in ("log_loss", "auc") if row.get(name) == row.get(name))
        used = "  in use" if row["promoted"] else ""
        note = f"  note: {_cut(str(row['note']))}" if row["note"] else ""
        when = f"{row['created_at']:%Y-%m-%d %H:%M}"
        kind = f"  {kind_words(known[row['run_id']])}"
        print(visible(f"{row['run_id']}  {when}  data {row['dataset_id']}{kind}  {figures}{used}{note}"))


def _history(ws: Workspace) -> None:
    from pricing_core.store import run_registry

    for row in run_registry.usage_history(ws).to_dict("records"):
        until = "now" if row["until"] is None or row["until"] != row["until"] else f"{row['until']:%Y-%m-%d %H:%M}"
        who = f" by {row['actor']}" if row["actor"] else ""
        gone = "  (deleted since)" if row["deleted"] else ""
        since = f"{row['since']:%Y-%m-%d %H:%M}"
        print(visible(f"{since} to {until:16}  {row['run_id']}  {row['why']}{who}{gone}"))


def _compare(ws: Workspace, options: argparse.Namespace) -> None:
    from pricing_core.workflows.comparing_runs import compare_runs

    found = compare_runs(ws, options.compare, strategy=options.strategy or "personalized_discount")
    _table("settings that differ", "setting", found)
    _table("figures on held-out time", "figure", found)
    if not found.same_offers:
        print("note: these models were judged on different offers, so that their figures do not compare exactly.")
    for row in found.prices.to_dict("records"):
        print(
            f"prices of {row['run_id']} against {found.run_ids[0]} for the same {row['offers']:,.0f} offers: "
            f"{_plain(row['mean_change'], 4):+.2%} on average, {row['moved_share']:.1%} move by more than 1% "
            f"({row['up_share']:.1%} up, {row['down_share']:.1%} down), largest {_plain(row['largest_change'], 3):+.1%}"
        )


def _cut(text: str) -> str:
    """Text that fits on a line of the list; the page shows a note in full."""
    return text if len(text) <= _SHOWN_OF_NOTE else f"{text[: _SHOWN_OF_NOTE - 1]}…"


def _plain(share: float, digits: int) -> float:
    """Share as it will be written, without the sign of a zero."""
    return round(float(share), digits) + 0.0


def _table(title: str, key: str, found: RunComparison) -> None:
    table = found.settings if key == "setting" else found.figures
    print(f"{title}:")
    width = max([len(str(name)) for name in table[key]], default=0)
    print(f"  {'':{width}}  " + "  ".join(f"{run_id:>16}" for run_id in found.run_ids))
    for row in table.to_dict("records"):
        cells = [row[run_id] if key == "setting" else _number(float(row[run_id])) for run_id in found.run_ids]
        print(visible(f"  {row[key]:{width}}  " + "  ".join(f"{cell:>16}" for cell in cells)))
    if table.empty:
        print("  none")


def _number(value: float) -> str:
    if value != value:
        return "–"
    return f"{value:,.0f}" if abs(value) >= 1_000 else f"{value:.4f}"
