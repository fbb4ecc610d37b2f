"""Command that hands a price list over in a shop's format."""

from __future__ import annotations

import argparse
import os
from dataclasses import replace
from pathlib import Path

from pricing_core.commands import AddCommand
from pricing_core.commands.console import check_writable, note, open_workspace, write_table
from pricing_core.drafts import draft_path
from pricing_core.errors import ConfigError, FileReadError


def add(command: AddCommand) -> None:
    """Add export."""
    from pricing_core.pricelist.disclosure import RULES
    from pricing_core.pricelist.formats import FORMATS

    export = command("export", _export, "Write a price list in a shop's format, with the way back.")
    export.add_argument("--price-list", help="such as p0001; default: the newest")
    export.add_argument("--format", required=True, choices=tuple(FORMATS), help="of the shop system")
    export.add_argument("--out", type=Path, required=True, help="file to write")
    export.add_argument("--source", type=Path, help="the shop's own export; it comes back with only its prices changed")
    export.add_argument("--undo", type=Path, help="file to write that restores the prices of before")
    export.add_argument("--problems", type=Path, help="CSV file for the rows that would be refused or misread")
    export.add_argument(
        "--group", nargs="+", action="extend", default=[], metavar="segment=group", help="customer group of a segment"
    )
    export.add_argument("--website", default="", help="website that tier prices hold for; default: all")
    export.add_argument("--market", nargs="+", default=[], choices=tuple(RULES), help="markets to disclose for")
    export.add_argument("--id-as-title", action="store_true", help="let product ids stand for unknown titles")
    export.add_argument("--pseudonyms", action="store_true", help="keep pseudonyms in place of customer ids")
    export.add_argument("--name", default="", help="your name, for the audit log; default: the login of this computer")


def _export(options: argparse.Namespace) -> None:
    from pricing_core.pricelist.preflight import grouped
    from pricing_core.store import pricelists
    from pricing_core.trust.access import self_declared
    from pricing_core.workflows import exporting

    for option, path in (("--out", options.out), ("--undo", options.undo), ("--problems", options.problems)):
        if path is not None:
            check_writable(path, option)
    ws = open_workspace(options)
    stored = pricelists.load_price_list(ws, options.price_list)
    request = exporting.ExportRequest(
        options.format,
        customer_groups=_groups(options.group),
        website=options.website,
        markets=tuple(options.market),
        id_as_title=options.id_as_title,
        own_ids=not options.pseudonyms,
        source=_source(options.source),
    )
    catalog = exporting.catalog_for(ws, stored)
    actor = self_declared(options.name or _login())
    problems = exporting.refused(ws, stored, request, catalog=catalog)
    for kind in grouped(problems).itertuples():
        rows = f"{kind.rows:,} rows" + (f" ({kind.first!s})" if kind.first else "")
        print(f"{kind.severity}: {kind.column}: {kind.problem} {kind.fix} {rows}")
    if options.problems is not None:
        write_table(problems, options.problems)
    wanted = [(request, options.out)]
    if options.undo is not None:
        wanted.append((replace(request, undo=True), options.undo))
    for asked, path in wanted:
        file = exporting.exported(ws, stored, asked, actor=actor, catalog=catalog)
        for line in file.notes:
            note(line)
        _write(file.data, path)
        print(f"{file.rows:,} prices: {path}")


def _groups(pairs: list[str]) -> dict[str, str]:
    wrong = [pair for pair in pairs if "=" not in pair]
    if wrong:
        raise ConfigError(f"--group takes segment=group; received {', '.join(wrong)}.")
    return dict(pair.split("=", 1) for pair in pairs)


def _source(path: Path | None) -> bytes | None:
    try:
        return None if path is None else path.read_bytes()
    except OSError as error:
        raise FileReadError(f"{path} cannot be read: {error.strerror}.", fix="Check the path.") from error


def _login() -> str:
    import getpass

    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return ""


def _write(data: bytes, path: Path) -> None:
    draft = draft_path(path)
    try:
        draft.write_bytes(data)
        os.replace(draft, path)
    except OSError as error:
        draft.unlink(missing_ok=True)
        reason = error.strerror or str(error)
        raise ConfigError(f"{path} cannot be written: {reason}.", fix="Choose another place.") from error
