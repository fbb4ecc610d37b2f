"""Command line: every workflow without a browser.

Exit code 0 when it worked, 2 with one clear line on standard error when the input was bad.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pricing_core.errors import ConfigError, PricingError

if TYPE_CHECKING:
    import pandas as pd

    from pricing_core.guardrails.rules import Guardrails
    from pricing_core.store.workspace import Workspace
    from pricing_core.workflows.targets import TargetFile

TABLE_OPTIONS = ("offers", "customers", "products", "market", "events")


class ConsoleProgress:
    """Progress on standard error: one line per stage."""

    def __init__(self) -> None:
        self._stage = ""
        self._started = time.monotonic()
        self._printed = 0.0

    def stage(self, name: str, fraction: float, message: str = "") -> None:
        """Print a line when the stage changes, and every ten seconds."""
        seconds = time.monotonic() - self._started
        if name != self._stage or seconds - self._printed >= 10:
            self._stage, self._printed = name, seconds
            print(f"[{seconds:6.1f} s, {fraction:4.0%}] {name}: {message}", file=sys.stderr, flush=True)

    def metric(self, name: str, step: int, value: float) -> None:
        """Print points of the validation loss."""
        if name == "validation loss":
            print(f"{'':18}{name} after pass {step}: {value:.4f}", file=sys.stderr, flush=True)


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> None:  # type: ignore[override]
        """One line, exit code 2."""
        raise ConfigError(f"{message[:1].upper()}{message[1:]}.", fix=f"See: {self.prog} --help")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code."""
    # LightGBM's threads wait instead of spinning, so that it shares the machine; must be set before it is imported.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    try:
        options = _parser().parse_args(arguments)
        return int(options.run(options) or 0)
    except PricingError as error:
        print(f"error: {' '.join(str(error).split())}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("error: stopped by the user.", file=sys.stderr)
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="python -m pricing_core", description="Personalized-pricing workbench without a browser.")
    commands = parser.add_subparsers(dest="command", required=True, parser_class=_Parser)

    def command(name: str, run: object, text: str) -> argparse.ArgumentParser:
        added = commands.add_parser(name, help=text, description=text)
        added.add_argument("--workspace", required=True, type=Path, help="folder of data, models and price lists")
        added.set_defaults(run=run)
        return added

    demo = command("demo", _demo, "From a sample shop to a price list.")
    demo.add_argument("--sample", default="demo_shop", choices=("demo_shop", "grocery"))
    demo.add_argument("--quick", action="store_true", help="smaller models: a first answer within two minutes")
    demo.add_argument("--seed", type=int, default=0)

    load = command("import", _import, "Import tables as a new data version.")
    for table in TABLE_OPTIONS:
        about = f"CSV, Parquet or Excel file of {table}"
        load.add_argument(f"--{table}", type=Path, required=table == "offers", help=about)
    load.add_argument("--map", nargs="+", action="extend", default=[], metavar="field=column")
    load.add_argument("--name", default="my shop")
    load.add_argument("--currency", default="USD")
    load.add_argument("--margin", type=float, default=None, help="assumed margin over price where unit cost is unknown")
    load.add_argument("--timezone", default="UTC", help="zone of times that carry none")
    load.add_argument("--keep-ids", action="store_true", help="keep customer ids instead of pseudonyms")
    load.add_argument("--set-aside", type=Path, help="write the rows that were not used to this CSV file")

    train = command("train", _train, "Train the pricing and the behavior model.")
    train.add_argument("--seed", type=int, default=0)
    train.add_argument("--quick", action="store_true")
    train.add_argument("--dataset", help="data version; default: the newest")

    predict = command("predict", _predict, "Chance of a purchase of each offer at its price.")
    predict.add_argument("--offers", type=Path, required=True)
    predict.add_argument("--out", type=Path, required=True)

    price = command("price", _price, "Price each target under a strategy.")
    price.add_argument("--strategy", required=True)
    price.add_argument("--targets", type=Path, help="default: the most recent offers")
    rules = price.add_mutually_exclusive_group()
    rules.add_argument("--guardrails", type=Path, help="TOML file")
    rules.add_argument("--no-guardrails", action="store_true", help="keep only to prices that the data support")
    price.add_argument("--out", type=Path, required=True)

    simulate = command("simulate", _simulate, "Compare strategies on revenue, profit and conversion.")
    simulate.add_argument("--strategies", required=True, help="names separated by commas")
    simulate.add_argument("--targets", type=Path)
    simulate.add_argument("--scenario", type=Path, help="TOML file")
    more = simulate.add_mutually_exclusive_group()
    more.add_argument("--guardrails", type=Path, help="TOML file")
    more.add_argument("--no-guardrails", action="store_true")
    simulate.add_argument("--out", type=Path, required=True)

    explain = command("explain", _explain, "Why each target's price is what it is.")
    explain.add_argument("--targets", type=Path, required=True)
    explain.add_argument("--strategy", default="personalized_discount")
    explain.add_argument("--out", type=Path, required=True)
    return parser


def _workspace(options: argparse.Namespace) -> Workspace:
    from pricing_core.store.workspace import Workspace

    ws = Workspace.open(options.workspace)
    ws.clean_temp()  # what a killed command left half-written
    return ws


def _demo(options: argparse.Namespace) -> None:
    from pricing_core import workflows

    ws = _workspace(options)
    made = workflows.demo(ws, options.sample, quick=options.quick, seed=options.seed, progress=ConsoleProgress())
    print(made.sentence)
    for label, path in made.paths.items():
        print(f"{label}: {path}")


def _import(options: argparse.Namespace) -> None:
    from pricing_core import workflows
    from pricing_core.data.importing import ImportBlocked
    from pricing_core.data.mapping import parse_assignments
    from pricing_core.data.options import CleaningOptions

    sources = {table: getattr(options, table) for table in TABLE_OPTIONS if getattr(options, table) is not None}
    if options.set_aside is not None:
        _check_writable(options.set_aside, "--set-aside")
    try:
        stored = workflows.import_files(
            _workspace(options),
            sources,
            mapping=parse_assignments(options.map),
            options=CleaningOptions(timezone=options.timezone),
            name=options.name,
            currency=options.currency,
            margin_assumption=options.margin,
            pseudonymize=not options.keep_ids,
            progress=ConsoleProgress(),
        )
    except ImportBlocked as refused:
        if options.set_aside is not None:
            _write(refused.set_aside, options.set_aside)
        raise
    for finding in stored.report.findings:
        print(f"{finding.severity}: {finding.table}: {finding.message}")
    for table, kept in stored.report.rows_kept.items():
        rows_in, aside = stored.report.rows_in[table], stored.report.rows_set_aside[table]
        print(f"{table}: {rows_in:,} rows in, {kept:,} kept, {aside:,} set aside")
    if options.set_aside is not None:
        _write(stored.set_aside, options.set_aside)
    print(f"data version: {stored.dataset_id}")


def _train(options: argparse.Namespace) -> None:
    from pricing_core import workflows

    config = workflows.TrainingConfig(seed=options.seed, quick=options.quick)
    ws = _workspace(options)
    run_id = workflows.train(ws, options.dataset, config=config, progress=ConsoleProgress())
    run = workflows.load_run(ws, run_id)
    shown = ("log_loss", "auc", "accuracy", "calibration_slope")
    print(f"run: {run_id}; on held-out time: " + ", ".join(f"{key} {run.metrics[key]:.4f}" for key in shown))


def _predict(options: argparse.Namespace) -> None:
    from pricing_core import workflows

    _check_writable(options.out)
    ws = _workspace(options)
    given = _read_targets(ws, options.offers)
    _write(given.named_as_given(workflows.predict(ws, given.frame)), options.out)


def _price(options: argparse.Namespace) -> None:
    from pricing_core import workflows

    _check_writable(options.out)
    ws = _workspace(options)
    rules = _guardrails(options)
    if options.targets is None:
        priced = workflows.price(ws, options.strategy, guardrails=rules)
        _write(workflows.own_customer_ids(ws, priced.frame), options.out)
        return
    given = _read_targets(ws, options.targets)
    priced = workflows.price(ws, options.strategy, targets=given.frame, guardrails=rules)
    _write(given.named_as_given(priced.frame), options.out)


def _simulate(options: argparse.Namespace) -> None:
    from pricing_core import workflows
    from pricing_core.simulate.scenario import Scenario

    _check_writable(options.out)
    ws = _workspace(options)
    targets = None if options.targets is None else _read_targets(ws, options.targets).frame
    scenario = None if options.scenario is None else Scenario.from_toml(options.scenario)
    if scenario is not None and scenario.occasions_per_week is None:
        _note("totals stand for the targets' rows: horizon_weeks counts only together with occasions_per_week.")
    names = [name.strip() for name in options.strategies.split(",") if name.strip()]
    if not names:
        raise ConfigError("--strategies names no strategy.", fix="Give one or more names separated by commas.")
    result = workflows.simulate(ws, names, targets=targets, scenario=scenario, guardrails=_guardrails(options))
    _write(result.table, options.out)


def _explain(options: argparse.Namespace) -> None:
    from pricing_core import workflows

    _check_writable(options.out)
    ws = _workspace(options)
    given = _read_targets(ws, options.targets)
    frame = workflows.explain(ws, given.frame, strategy=options.strategy, progress=ConsoleProgress())
    _write(given.named_as_given(frame), options.out)


def _read_targets(ws: Workspace, path: Path) -> TargetFile:
    from pricing_core import workflows

    given = workflows.read_targets(ws, path)
    if "offered_at" not in given.frame.columns:
        columns = ", ".join(map(str, given.frame.columns))
        _note(f"{path.name} has no column read as offered_at (columns: {columns}); priced as of the end of the log.")
    return given


def _note(text: str) -> None:
    print(f"note: {text}", file=sys.stderr)


def _guardrails(options: argparse.Namespace) -> Guardrails | None:
    from pricing_core.guardrails.rules import NO_GUARDRAILS, Guardrails

    if options.no_guardrails:
        return NO_GUARDRAILS
    return None if options.guardrails is None else Guardrails.from_toml(options.guardrails)


def _check_writable(path: Path, option: str = "--out") -> None:
    """Refuse a place that cannot be written before any work is done."""
    if path.is_dir() or not path.resolve().parent.is_dir() or not os.access(path.resolve().parent, os.W_OK):
        raise ConfigError(f"{path} cannot be written.", fix=f"Choose another {option}, in a folder that exists.")


def _write(frame: pd.DataFrame, path: Path) -> None:
    """Write a CSV whole or not at all."""
    draft = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        frame.to_csv(draft, index=False, date_format="%Y-%m-%dT%H:%M:%SZ")
        os.replace(draft, path)
    except OSError as error:
        draft.unlink(missing_ok=True)
        reason = error.strerror or str(error)
        raise ConfigError(f"{path} cannot be written: {reason}.", fix="Choose another place.") from error
    print(f"{len(frame):,} rows: {path}")
