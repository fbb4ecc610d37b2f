"""Commands that ask a model: predict, price, simulate, explain."""

from __future__ import annotations

import argparse
from pathlib import Path

from pricing_core.commands import AddCommand
from pricing_core.commands.console import (
    ConsoleProgress,
    check_writable,
    guardrails_of,
    note,
    open_workspace,
    read_targets,
    write_table,
)
from pricing_core.errors import ConfigError
from pricing_core.optimize.objectives import OBJECTIVES, Objective, parse_objective

_OBJECTIVE = (
    f"what to maximize: {', '.join(OBJECTIVES)}, with settings after a colon such as goodwill:goodwill_cost=0.5 "
    "or mix:revenue_weight=0.3,unit_value=2; default: the one chosen last in the app, else profit"
)

_STRATEGY = "whose prices, as the command strategies lists them"
_OUT = "CSV file to write"


def add(command: AddCommand) -> None:
    """Add predict, price, simulate and explain."""
    predict = command("predict", _predict, "Chance of a purchase of each offer at its price.")
    predict.add_argument("--offers", type=Path, required=True, help="CSV, Parquet or Excel file with a price per row")
    predict.add_argument("--out", type=Path, required=True, help=_OUT)

    price = command("price", _price, "Price each target under a strategy.")
    price.add_argument("--strategy", required=True, help=_STRATEGY)
    price.add_argument("--targets", type=Path, help="default: the most recent offers")
    rules = price.add_mutually_exclusive_group()
    rules.add_argument("--guardrails", type=Path, help="TOML file")
    rules.add_argument("--no-guardrails", action="store_true", help="keep only to prices that the data support")
    price.add_argument("--objective", help=_OBJECTIVE)
    price.add_argument("--out", type=Path, required=True, help=_OUT)

    simulate = command("simulate", _simulate, "Compare strategies on revenue, profit and conversion.")
    simulate.add_argument("--strategies", required=True, help="names separated by commas")
    simulate.add_argument("--targets", type=Path, help="default: the most recent offers")
    simulate.add_argument("--scenario", type=Path, help="TOML file")
    more = simulate.add_mutually_exclusive_group()
    more.add_argument("--guardrails", type=Path, help="TOML file")
    more.add_argument("--no-guardrails", action="store_true", help="keep only to prices that the data support")
    simulate.add_argument("--objective", help=_OBJECTIVE)
    simulate.add_argument("--out", type=Path, required=True, help=_OUT)

    explain = command("explain", _explain, "Why each target's price is what it is.")
    explain.add_argument("--targets", type=Path, required=True, help="CSV, Parquet or Excel file of who may buy what")
    explain.add_argument(
        "--strategy", default="personalized_discount", help=f"{_STRATEGY}; default: personalized_discount"
    )
    explain.add_argument(
        "--language", nargs="+", choices=("en", "zh"), default=["en", "zh"], help="of the reasons; default: both"
    )
    explain.add_argument("--out", type=Path, required=True, help=_OUT)


def _predict(options: argparse.Namespace) -> None:
    from pricing_core import workflows

    check_writable(options.out)
    ws = open_workspace(options)
    given = read_targets(ws, options.offers)
    write_table(given.named_as_given(workflows.predict(ws, given.frame)), options.out)


def _price(options: argparse.Namespace) -> None:
    from pricing_core import workflows

    check_writable(options.out)
    ws = open_workspace(options)
    rules, aim = guardrails_of(options), _objective_of(options)
    given = None if options.targets is None else read_targets(ws, options.targets)
    targets = None if given is None else given.frame
    priced = workflows.price(ws, options.strategy, targets=targets, guardrails=rules, objective=aim)
    for sentence in (*priced.prices.notes, *workflows.cautions(ws, priced.rows)):
        note(sentence)
    frame = workflows.own_customer_ids(ws, priced.frame) if given is None else given.named_as_given(priced.frame)
    write_table(frame, options.out)


def _objective_of(options: argparse.Namespace) -> Objective | None:
    return None if options.objective is None else parse_objective(options.objective)


def _simulate(options: argparse.Namespace) -> None:
    from pricing_core import workflows
    from pricing_core.simulate.scenario import Scenario

    check_writable(options.out)
    ws = open_workspace(options)
    targets = None if options.targets is None else read_targets(ws, options.targets).frame
    scenario = None if options.scenario is None else Scenario.from_toml(options.scenario)
    if scenario is not None and scenario.occasions_per_week is None:
        note("totals stand for the targets' rows: horizon_weeks counts only together with occasions_per_week.")
    names = [name.strip() for name in options.strategies.split(",") if name.strip()]
    if not names:
        raise ConfigError("--strategies names no strategy.", fix="Give one or more names separated by commas.")
    result = workflows.simulate(
        ws, names, targets=targets, scenario=scenario, guardrails=guardrails_of(options),
        objective=_objective_of(options),
    )  # fmt: skip
    for sentence in workflows.cautions(ws, result.rows):
        note(sentence)
    write_table(result.table, options.out)


def _explain(options: argparse.Namespace) -> None:
    from pricing_core import workflows

    check_writable(options.out)
    ws = open_workspace(options)
    given = read_targets(ws, options.targets)
    frame = workflows.explain(
        ws, given.frame, strategy=options.strategy, languages=tuple(options.language), progress=ConsoleProgress()
    )
    write_table(given.named_as_given(frame), options.out)
