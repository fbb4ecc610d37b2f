"""Commands of a price list on its way to the customers, and of the audit log."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pricing_core.commands import AddCommand
from pricing_core.commands.console import ConsoleProgress, actor_of, guardrails_of, note, open_workspace, visible
from pricing_core.errors import ConfigError

if TYPE_CHECKING:
    from pricing_core.store.pricelists import StoredPriceList
    from pricing_core.store.workspace import Workspace

_LIST = ("price_list", "such as p0001")


def add(command: AddCommand) -> None:
    """Add the commands of price lists and of the audit log, and database-move."""
    make = command("make-list", _make, "Price the most recent offers and keep the prices as a draft list.")
    make.add_argument("--strategy", required=True, help="as the command strategies lists them")
    rules = make.add_mutually_exclusive_group()
    rules.add_argument("--guardrails", type=Path, help="TOML file; default: the rules in use")
    rules.add_argument("--no-guardrails", action="store_true", help="keep only to prices that the data support")
    make.add_argument("--as", "--name", dest="name", default="", help="your name, self-declared; default: your login")

    command("lists", _lists, "Price lists with their status and dates, newest first.")
    status = command("list-status", _status, "Where a price list stands, and what is wrong with its prices.")
    status.add_argument(_LIST[0], help=_LIST[1])

    override = _with_list(command, "override", _override, "Set one product's price by hand; the list is a draft again.")
    override.add_argument("--product", required=True, help="as the list names it")
    override.add_argument("--customer", help="as the list names the customer, where prices are personal")
    choice = override.add_mutually_exclusive_group(required=True)
    choice.add_argument("--price", type=float, help="new price, in the list's currency")
    choice.add_argument("--hold", action="store_true", help="keep today's price instead")
    override.add_argument("--reason", default="", help="required for a price set by hand")

    _with_list(command, "submit", _submit, "Hand a draft over for review.")
    _with_list(command, "approve", _approve, "Approve what was submitted.")
    reject = _with_list(command, "reject", _reject, "Send a list back to draft.")
    reject.add_argument("--reason", required=True, help="what is to be changed; kept with the list")
    activate = _with_list(command, "activate", _activate, "Put an approved list live, now or at a time.")
    activate.add_argument("--at", help="UTC time such as 2026-12-01 or 2026-12-01T06:00; default: now")
    activate.add_argument("--until", help="UTC time at which the prices end; default: until further notice")
    _with_list(command, "rollback", _rollback, "Make a new version that restores an earlier list's prices.")

    audit = command("audit", _audit, "Check the audit log and show who did what.")
    audit.add_argument("--list", dest="price_list", help="only entries of one list")
    audit.add_argument("--last", type=int, default=20, help="how many entries to show; default: 20")
    audit.add_argument("--noted", help="hash of an entry that was written down elsewhere; the log must hold it")
    command(
        "database-move", _move, "Move the workspace's index from its SQLite file to the server of PRICING_DATABASE_URL."
    )


def _with_list(command: AddCommand, name: str, run: Any, text: str) -> argparse.ArgumentParser:
    added = command(name, run, text)
    added.add_argument(_LIST[0], help=_LIST[1])
    added.add_argument("--as", "--name", dest="name", default="", help="your name, self-declared; default: your login")
    return added


def _make(options: argparse.Namespace) -> None:
    from pricing_core import workflows
    from pricing_core.store import pricelists

    ws, rules = open_workspace(options), guardrails_of(options)
    key = workflows.make_price_list(
        ws, options.strategy, guardrails=rules, actor=actor_of(options), progress=ConsoleProgress()
    )  # fmt: skip
    stored = pricelists.load_price_list(ws, key)
    print(stored.summary["sentence"])
    for sentence in workflows.cautions(ws):
        note(sentence)
    _say(stored)


def _lists(options: argparse.Namespace) -> None:
    from pricing_core.store import list_states, pricelists

    ws = open_workspace(options)
    list_states.settle(ws)
    listed = pricelists.list_price_lists(ws)
    if listed.empty:
        note("there is no price list yet; the command make-list or the Optimize page makes one.")
        return
    print(f"{'list':7} {'status':17} {'prices':>8}  {'from':16}  {'to':16}  approved by")
    for row in listed.to_dict("records"):
        begin, end = (_minute(row[name]) for name in ("effective_from", "effective_to"))
        who = row["approved_by"] if isinstance(row["approved_by"], str) else ""
        print(f"{row['price_list_id']:7} {row['status']:17} {row['rows']:8,}  {begin:16}  {end:16}  {who}".rstrip())


def _status(options: argparse.Namespace) -> None:
    from pricing_core.pricelist import decisions, violations

    _, stored = _open(options)
    _say(stored)
    standing = stored.state
    for label, value in (
        ("made by", ", ".join(standing.author_labels)), ("submitted by", standing.submitted_by),
        ("approved by", standing.approved_by), ("sent back by", standing.rejection), ("restores", standing.restores),
    ):  # fmt: skip
        if value:
            print(f"{label}: {value}")
    print("decisions: " + ", ".join(f"{n:,} {name}" for name, n in decisions.counts(stored.review).items() if n))
    found = violations.counts(stored.violations)
    print("violations: " + (", ".join(f"{n:,} {kind}" for kind, n in found.items()) or "none"))


def _override(options: argparse.Namespace) -> None:
    from pricing_core import workflows
    from pricing_core.pricelist import decisions

    ws, stored = _open(options)
    rows = decisions.rows_of(stored.frame, options.product, options.customer)
    if options.hold:
        change = decisions.changes(rows, decisions.HELD, reason=options.reason)
    else:
        change = decisions.changes(rows, decisions.OVERRIDDEN, options.price, options.reason)
    workflows.decide(ws, stored.price_list_id, change, actor=actor_of(options), expected_revision=stored.revision)
    print("1 price changed" if len(rows) == 1 else f"{len(rows):,} prices changed")
    _say(_again(ws, stored))


def _submit(options: argparse.Namespace) -> None:
    from pricing_core import workflows

    ws, stored = _open(options)
    workflows.submit(ws, stored.price_list_id, actor=actor_of(options), expected_revision=stored.revision)
    _say(_again(ws, stored))


def _approve(options: argparse.Namespace) -> None:
    from pricing_core import workflows

    ws, stored = _open(options)
    workflows.approve(ws, stored.price_list_id, actor=actor_of(options), expected_revision=stored.revision)
    _say(_again(ws, stored))


def _reject(options: argparse.Namespace) -> None:
    from pricing_core import workflows

    ws, stored = _open(options)
    actor = actor_of(options)
    workflows.reject(ws, stored.price_list_id, options.reason, actor=actor, expected_revision=stored.revision)
    _say(_again(ws, stored))


def _activate(options: argparse.Namespace) -> None:
    from datetime import UTC, datetime

    from pricing_core import workflows
    from pricing_core.pricelist.lifecycle import moment

    ws, stored = _open(options)
    workflows.schedule(
        ws, stored.price_list_id, actor=actor_of(options), effective_from=moment(options.at) or datetime.now(UTC),
        effective_to=moment(options.until), expected_revision=stored.revision,
    )  # fmt: skip
    _say(_again(ws, stored))


def _rollback(options: argparse.Namespace) -> None:
    from pricing_core import workflows
    from pricing_core.store import pricelists

    ws, stored = _open(options)
    made = workflows.rollback(ws, stored.price_list_id, actor=actor_of(options))
    _say(pricelists.load_price_list(ws, made))


def _audit(options: argparse.Namespace) -> int:
    from pricing_core.store import audit

    if options.last < 0:
        raise ConfigError(f"--last is {options.last}; it is at least 0.")
    ws = open_workspace(options)
    shown = audit.entries(ws, options.price_list, limit=options.last) if options.last else audit.entries(ws).head(0)
    for row in reversed(shown.to_dict("records")):
        who = row["actor"] if row["verified"] else f"{row['actor']} (self-declared)"
        values = [audit.canonical(row[name]) for name in ("before", "after") if row[name]]
        said = f"{row['number']:6} {row['at']:%Y-%m-%d %H:%M:%S} {who}: {row['action']} {row['object_id']} "
        print(visible(said + " -> ".join(values)))
    check = audit.verify(ws, noted=options.noted)
    print(check.sentence)
    for problem in check.problems[1:]:
        print(problem)
    print(f"hash of the last entry: {check.head}")
    return 0 if check.intact else 1


def _move(options: argparse.Namespace) -> None:
    from pricing_core.store import moving

    counts = moving.to_server(open_workspace(options))
    print(f"moved {sum(counts.values()):,} rows of {len(counts)} tables; the SQLite file is kept under another name")


def _open(options: argparse.Namespace) -> tuple[Workspace, StoredPriceList]:
    from pricing_core.store import list_states, pricelists

    ws = open_workspace(options)
    list_states.settle(ws)
    return ws, pricelists.load_price_list(ws, options.price_list)


def _again(ws: Workspace, stored: StoredPriceList) -> StoredPriceList:
    from pricing_core.store import pricelists

    return pricelists.load_price_list(ws, stored.price_list_id)


def _say(stored: StoredPriceList) -> None:
    begin, end = (_minute(getattr(stored.state, name)) for name in ("effective_from", "effective_to"))
    dates = f"from {begin or 'no date'}" + (f" to {end}" if end else "")
    print(f"{stored.price_list_id}: {stored.status}, version {stored.version}, {len(stored.frame):,} prices, {dates}")


def _minute(when: Any) -> str:
    from pricing_core.pricelist.lifecycle import moment

    if when is None or when != when:
        return ""
    found = moment(when if isinstance(when, str) else when.to_pydatetime())
    return f"{found:%Y-%m-%d %H:%M}" if found else ""
