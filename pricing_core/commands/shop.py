"""Commands from files to a model: demo, import, train."""

from __future__ import annotations

import argparse
import contextlib
from pathlib import Path
from typing import TYPE_CHECKING

from pricing_core.commands import AddCommand
from pricing_core.commands.console import ConsoleProgress, check_writable, loading, note, open_workspace, write_table
from pricing_core.commands.new_workspace import workspace_to_fill
from pricing_core.errors import ConfigError

if TYPE_CHECKING:
    from pricing_core.store.workspace import Workspace
    from pricing_core.workflows.importing import StoredImport

_GUESSED_FROM = 200
_SEED = "whole number that starts all random choices: same data and seed, same prices; default: 0"
TABLE_OPTIONS = ("offers", "customers", "products", "market", "events")


def add(command: AddCommand) -> None:
    """Add demo, import and train."""
    demo = command("demo", _demo, "From a sample shop to a price list.")
    demo.add_argument(
        "--sample", default="demo_shop", choices=("demo_shop", "grocery"), help="which shop; default: demo_shop"
    )
    demo.add_argument("--quick", action="store_true", help="smaller models: a first answer within two minutes")
    demo.add_argument("--seed", type=int, default=0, help=_SEED)

    load = command("import", _import, "Import tables as a new data version.")
    for table in TABLE_OPTIONS:
        about = f"CSV, Parquet or Excel file of {table}"
        load.add_argument(f"--{table}", type=Path, help=about)
    load.add_argument("--orders", type=Path, help="orders in place of offers; what was declined is built from them")
    _add_order_rule(load)
    load.add_argument(
        "--map", nargs="+", action="extend", default=[], metavar="field=column", help="which column holds a field"
    )
    load.add_argument(
        "--extend", action="store_true",
        help="add the rows to the newest version; rows that it has are not added again; not for orders",
    )  # fmt: skip
    load.add_argument("--name", default="my shop", help="of the data; default: my shop")
    load.add_argument(
        "--currency", help="ISO 4217 code of all money in the files; default: that of the data in use, else USD"
    )
    load.add_argument("--margin", type=float, default=None, help="assumed margin over price where unit cost is unknown")
    load.add_argument("--timezone", default="UTC", help="zone of times that carry none")
    load.add_argument(
        "--decimal", default="auto", choices=("auto", "point", "comma"),
        help="decimal sign, where a file leaves it open",
    )  # fmt: skip
    load.add_argument(
        "--date-order", default="auto", choices=("auto", "day_first", "month_first"),
        help="how to read dates such as 03/04/2025, where a file leaves it open",
    )  # fmt: skip
    load.add_argument("--keep-ids", action="store_true", help="keep customer ids instead of pseudonyms")
    load.add_argument("--set-aside", type=Path, help="write the rows that were not used to this CSV file")
    load.add_argument("--only-import", action="store_true", help="leave the figures of the pages to their first visit")
    _add_train(command)


def _add_train(command: AddCommand) -> None:
    """Options of a training."""
    train = command("train", _train, "Train the pricing and the behavior model.")
    train.add_argument("--seed", type=int, default=0, help=_SEED)
    train.add_argument("--quick", action="store_true", help="smaller models: a first answer, with wider ranges")
    train.add_argument(
        "--family", default="auto",
        help="family of the behavior model, such as l1_logit (a wrong name lists them all); default: later offers "
        "choose, but with --quick the network is taken",
    )  # fmt: skip
    train.add_argument("--dataset", help="data version; default: the newest")
    train.add_argument("--keep-current", action="store_true", help="leave the run in use; the new one stands beside it")
    train.add_argument(
        "--warm-start", nargs="?", const="auto", default="auto", metavar="RUN",
        help="run from whose networks to start, or none; default: the one in use, where the log has only grown",
    )  # fmt: skip
    train.add_argument(
        "--settings", metavar="FILE|TUNING", help="TOML or JSON file of settings, or the name of a tuning"
    )
    train.add_argument("--trial", type=int, help="trial of the tuning; default: its best")
    train.add_argument(
        "--random-prices", action="store_true",
        help="prices were varied at random, as in a price test: never hold the price level at the shop's own",
    )  # fmt: skip


def _add_order_rule(load: argparse.ArgumentParser) -> None:
    """Assumptions by which orders become choice occasions."""
    load.add_argument("--period-days", type=int, default=7, help="length of a shopping period, for orders")
    load.add_argument("--scope", default="category", choices=("category", "shop"), help="market an order is in")
    load.add_argument("--price-source", default="modal", choices=("modal", "median", "latest"), help="for orders")
    load.add_argument("--max-age-days", type=int, default=28, help="longest time a price is carried on, for orders")
    load.add_argument(
        "--bestsellers", type=int, default=20,
        help="products of a category that every customer considers besides those bought before, for orders",
    )  # fmt: skip
    load.add_argument("--max-occasions", type=int, default=400_000, help="about so many are made of orders at most")


def _demo(options: argparse.Namespace) -> None:
    from pricing_core import workflows

    workflows.TrainingConfig(seed=options.seed)  # refuses what it cannot use before a workspace is made
    with workspace_to_fill(options) as ws:
        made = workflows.demo(ws, options.sample, quick=options.quick, seed=options.seed, progress=ConsoleProgress())
    print(made.sentence)
    for label, path in made.paths.items():
        print(f"{label}: {path}")


def _import(options: argparse.Namespace) -> None:
    with loading():
        from pricing_core.engines.head_start import HeadStart
        from pricing_core.engines.limits import limits_from_environment

        begun = None if options.offers is None else HeadStart(options.offers, limits_from_environment())
        from pricing_core.data.dataset import check_currency
        from pricing_core.data.importing import ImportBlocked
        from pricing_core.data.mapping import parse_assignments
        from pricing_core.data.occasion_rule import OccasionRule
        from pricing_core.data.options import CleaningOptions
        from pricing_core.workflows import import_files

    tables = (*TABLE_OPTIONS, "orders")
    sources = {table: getattr(options, table) for table in tables if getattr(options, table) is not None}
    if "offers" not in sources and "orders" not in sources:
        raise ConfigError("Neither --offers nor --orders is given.", fix="Give the file with one of them.")
    main_table = "offers" if "offers" in sources else "orders"
    rule = OccasionRule(
        options.period_days, options.scope, options.price_source,
        options.max_age_days, options.bestsellers, options.max_occasions,
    )  # fmt: skip
    mapping = parse_assignments(options.map, main_table)
    cells = CleaningOptions(timezone=options.timezone, decimal=options.decimal, date_order=options.date_order)
    if options.set_aside is not None:
        check_writable(options.set_aside, "--set-aside")
    if options.currency is not None:
        check_currency(options.currency)
    with workspace_to_fill(options) as ws:
        try:
            stored = import_files(
                ws,
                sources,
                mapping=mapping,
                occasions=rule,
                options=cells,
                name=options.name,
                currency=_currency(ws, options.currency, list(sources.values())),
                margin_assumption=options.margin,
                pseudonymize=not options.keep_ids,
                extend=options.extend,
                begun=begun,
                progress=ConsoleProgress(),
            )
        except ImportBlocked as refused:
            if options.set_aside is not None:
                write_table(refused.set_aside, options.set_aside)
            raise
    _tell(stored)
    if options.set_aside is not None:
        write_table(stored.set_aside, options.set_aside)
    print(f"data version: {stored.dataset_id}", flush=True)
    if not options.only_import:
        from pricing_core.workflows import aggregates

        aggregates.prepare_pages(ws, stored.dataset_id, ConsoleProgress())


def _tell(stored: StoredImport) -> None:
    """Print what was found, and the rows in, kept and set aside."""
    for finding in stored.report.findings:
        print(f"{finding.severity}: {finding.table}: {finding.message}")
    sums = [(stored.report, "")] if stored.files is None else [(stored.files, " of these files")]
    if stored.files is not None and not stored.nothing_new:
        sums.append((stored.report, " of the whole version, each row once"))
    for report, whose in sums:
        for table, kept in report.rows_kept.items():
            rows_in, aside = report.rows_in[table], report.rows_set_aside[table]
            print(f"{table}{whose}: {rows_in:,} rows in, {kept:,} kept, {aside:,} set aside")


def _currency(ws: Workspace, given: str | None, files: list[Path]) -> str:
    """The currency of the import; says which one is taken where none is given."""
    from pricing_core.data.currency_guess import guess_currency
    from pricing_core.data.heads import head_of
    from pricing_core.data.read import read_raw
    from pricing_core.errors import PricingError
    from pricing_core.store import datasets

    if given is not None:
        return given
    newest = datasets.latest_dataset_id(ws)
    used = "USD" if newest is None else datasets.load_manifest(ws, newest).currency
    text = f"no currency given: {used}" + ("" if newest is None else f", that of the data in use ({newest})")
    heads = []
    for file in files:
        with contextlib.suppress(PricingError, OSError):  # what is wrong with a file is said when it is read
            heads.append(read_raw(head_of(file)).frame.head(_GUESSED_FROM))
    guess = guess_currency(heads)
    if guess is not None and guess.code != used:
        text += f", although {guess.sign} stands in the column {guess.column}"
    note(f"{text}; --currency names another")
    return used


def _train(options: argparse.Namespace) -> None:
    from pricing_core import workflows
    from pricing_core.charts.verdict import verdict
    from pricing_core.data.dataset import sample_words

    config = workflows.TrainingConfig(
        seed=options.seed,
        quick=options.quick,
        family=options.family,
        warm_start=options.warm_start,
        random_prices=options.random_prices,
    )
    ws = open_workspace(options)
    if options.trial is not None and options.settings is None:
        raise ConfigError("--trial names a trial of a tuning.", fix="Name the tuning with --settings.")
    if options.settings is not None:
        config = workflows.config_with(ws, options.settings, options.trial, base=config)
    run_id = workflows.train(
        ws, options.dataset, config=config, promote=not options.keep_current, progress=ConsoleProgress()
    )
    run = workflows.load_run(ws, run_id)
    if run.manifest.get("working_sample"):
        print(f"learned from {sample_words(run.manifest['working_sample'])}")
    started = run.manifest.get("warm_start") or {}
    if started.get("used"):
        print(f"started from the networks of {started['run']}; {run.manifest['epochs']} passes")
    elif started.get("reason"):
        print(f"not started from {started['run']}: {started['reason']}")
    if run.metrics.get("choice_reason"):
        print(run.metrics["choice_reason"])
    shown = ("log_loss", "auc", "accuracy", "calibration_slope")
    print(f"run: {run_id}; on held-out time: " + ", ".join(f"{key} {run.metrics[key]:.4f}" for key in shown))
    print(verdict(run.metrics).sentence)
