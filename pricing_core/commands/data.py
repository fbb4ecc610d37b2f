"""Commands about the data that were imported: what was found, repairs, versions."""

from __future__ import annotations

import argparse

from pricing_core.commands import AddCommand
from pricing_core.commands.console import ConsoleProgress, note, open_workspace
from pricing_core.errors import ConfigError


def add(command: AddCommand) -> None:
    """Add quality, repair and versions."""
    quality = command("quality", _quality, "What the import found, and which repairs it offers.")
    quality.add_argument("--dataset", help="data version; default: the newest")

    repair = command("repair", _repair, "Apply or undo repairs that the quality report offers; makes a new version.")
    repair.add_argument("names", nargs="*", metavar="REPAIR", help="as the command quality names them")
    repair.add_argument("--all", action="store_true", help="every repair that is offered")
    repair.add_argument("--undo", nargs="+", default=[], metavar="REPAIR", help="take these back")

    versions = command("versions", _versions, "Versions of the data, newest first; compare two, or go back to one.")
    versions.add_argument("--compare", nargs=2, metavar=("FIRST", "SECOND"), help="how two versions differ")
    versions.add_argument("--use", metavar="VERSION", help="put an earlier version back into use, as a new version")


def _quality(options: argparse.Namespace) -> None:
    from pricing_core.store import datasets

    ws = open_workspace(options)
    manifest = datasets.load_manifest(ws, options.dataset)
    findings = datasets.load_quality(ws, options.dataset)
    for row in findings.to_dict("records"):
        print(f"{row['severity']}: {row['table']}: {row['message']}")
        name = row.get("repair") or ""
        if name:
            print(f"    repair: {name}{' (done)' if name in manifest.repairs else ''}")
    if findings.empty:
        print("Nothing was found that affects the prices.")
    for name in manifest.repairs:
        print(f"done: {name}")


def _repair(options: argparse.Namespace) -> None:
    from pricing_core import workflows
    from pricing_core.data.repairs import repair_words
    from pricing_core.store import datasets

    ws = open_workspace(options)
    manifest = datasets.load_manifest(ws)
    dataset_id = str(datasets.latest_dataset_id(ws))
    findings = datasets.load_quality(ws, dataset_id)
    named: list[str] = findings["repair"].fillna("").tolist() if "repair" in findings else []
    offered = list(dict.fromkeys(name for name in named if name and name not in manifest.repairs))
    wanted = offered if options.all else options.names
    for kind, names, known in (("offered", wanted, offered), ("done", options.undo, manifest.repairs)):
        strange = [name for name in names if name not in known]
        if strange:
            raise ConfigError(
                f"The repair {strange[0]} is not {kind}.",
                fix=f"{kind.capitalize()}: {', '.join(known) or 'none'}.",
            )
    chosen = [name for name in (*manifest.repairs, *wanted) if name not in options.undo]
    if chosen == manifest.repairs:
        if offered and not options.all:
            raise ConfigError("No repair is named.", fix=f"Offered: {', '.join(offered)}. --all takes every one.")
        note("there is nothing to repair; the data stay as they are")
        print(f"data version: {dataset_id}")
        return
    made = workflows.repair_dataset(ws, dataset_id, chosen, progress=ConsoleProgress())
    for name in wanted:
        print(f"done: {repair_words(name).lower()}")
    for name in options.undo:
        print(f"undone: {repair_words(name).lower()}")
    print(f"data version: {made}")


def _versions(options: argparse.Namespace) -> None:
    from pricing_core import workflows
    from pricing_core.store import datasets

    ws = open_workspace(options)
    if options.compare:
        for row in workflows.compare_versions(ws, *options.compare).to_dict("records"):
            change = f" ({row['difference']})" if row["difference"] else ""
            print(f"{row['figure']}: {row['first'] or '–'} → {row['second'] or '–'}{change}")
        return
    if options.use:
        print(f"data version: {workflows.use_version(ws, options.use, progress=ConsoleProgress())}")
        return
    listed = datasets.list_datasets(ws)
    listed = listed.assign(origin=listed["dataset_id"].map(workflows.version_origins(ws)))
    columns = ["dataset_id", "origin", "created_at", "name", "currency", "offers", "customers", "set_aside", "source"]
    shown = listed[columns]
    print("There are no data yet." if listed.empty else shown.to_string(index=False))
