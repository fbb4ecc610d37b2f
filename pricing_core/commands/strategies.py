"""Commands about strategies: which there are, their segments and markdowns, and what each step of them adds."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from pricing_core.commands import AddCommand
from pricing_core.commands.console import check_writable, guardrails_of, note, open_workspace, write_table

if TYPE_CHECKING:
    from pricing_core.workflows import PricedTable


def add(command: AddCommand) -> None:
    """Add strategies, segments, markdown and value-ladder."""
    command("strategies", _strategies, "List the strategies there are, the shop's own among them.")

    segments = command("segments", _segments, "Form segments; write their rules and price changes.")
    segments.add_argument("--depth", type=int, help="questions asked at most; default: as chosen last in the app")
    segments.add_argument("--min-offers", type=int, help="offers that a segment needs")
    segments.add_argument("--shares", type=Path, help="also write what each depth keeps of personal prices' profit")

    markdown = command("markdown", _markdown, "Plan weekly prices that sell what is in stock by a date.")
    markdown.add_argument("--weeks", type=int, help="weeks until then; default: as chosen last in the app")
    markdown.add_argument("--salvage", type=float, help="what a left-over unit brings, as a share of its unit cost")

    ladder = command("value-ladder", _ladder, "What each step from one change for all to personal prices adds.")
    for parser in (segments, markdown, ladder):
        rules = parser.add_mutually_exclusive_group()
        rules.add_argument("--guardrails", type=Path, help="TOML file")
        rules.add_argument("--no-guardrails", action="store_true", help="keep only to prices that the data support")
        parser.add_argument("--out", type=Path, required=True, help="CSV file to write")


def _strategies(options: argparse.Namespace) -> None:
    from pricing_core import workflows
    from pricing_core.optimize.registry import is_own, strategies

    for problem in workflows.own_strategies(open_workspace(options)).problems:
        note(problem)
    for name, strategy in strategies().items():
        print(f"{name}: {strategy.label}{' (own)' if is_own(name) else ''}")


def _segments(options: argparse.Namespace) -> None:
    from pricing_core import workflows

    check_writable(options.out)
    ws, rules = open_workspace(options), guardrails_of(options)
    now = workflows.chosen_settings(ws)
    changes = {"depth": options.depth, "min_leaf_rows": options.min_offers}
    segments = replace(now.segments, **{name: value for name, value in changes.items() if value is not None})
    settings = replace(now, segments=segments)
    priced = workflows.price(ws, "segment", guardrails=rules, settings=settings)
    _say_notes(priced)
    write_table(priced.prices.details["segments"].to_frame(), options.out)
    if options.shares is not None:
        check_writable(options.shares, "--shares")
        write_table(workflows.judge_segments(ws, guardrails=rules, settings=settings).table, options.shares)


def _markdown(options: argparse.Namespace) -> None:
    from pricing_core import workflows

    check_writable(options.out)
    ws, rules = open_workspace(options), guardrails_of(options)
    now = workflows.chosen_settings(ws)
    changes = {"weeks": options.weeks, "salvage_rate": options.salvage}
    markdown = replace(now.markdown, **{name: value for name, value in changes.items() if value is not None})
    priced = workflows.price(ws, "markdown", guardrails=rules, settings=replace(now, markdown=markdown))
    _say_notes(priced)
    write_table(priced.prices.details["markdowns"].by_week(), options.out)


def _ladder(options: argparse.Namespace) -> None:
    from pricing_core import workflows
    from pricing_core.charts.value_ladder import ladder_sentence

    check_writable(options.out)
    ladder = workflows.value_ladder(open_workspace(options), guardrails=guardrails_of(options))
    print(f"{ladder_sentence(ladder)}.")
    write_table(ladder.table, options.out)


def _say_notes(priced: PricedTable) -> None:
    for text in priced.prices.notes:
        note(text)
