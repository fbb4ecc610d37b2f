"""Commands that measure: design a price test, draw its assignment, read its result."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from pricing_core.commands import AddCommand
from pricing_core.commands.console import check_writable, note, open_workspace, write_table
from pricing_core.errors import ConfigError

if TYPE_CHECKING:
    from pricing_core.evaluate.test_design import DesignConfig

DESIGNS = ("customer", "label", "switchback", "label_switchback")

_CONFIDENCE = "two-sided confidence of ranges; default: 90"


def add(command: AddCommand) -> None:
    """Add design, assign and readout."""
    design = command("design", _design, "What a price test can see, from the variation in the shop's own log.")
    _add_design_options(design)
    promise = design.add_mutually_exclusive_group()
    promise.add_argument("--price-list", help="price list whose promised profit change is to be seen")
    promise.add_argument("--promised", type=float, metavar="PERCENT", help="promised profit change in percent")
    design.add_argument("--out", type=Path, help="write what each duration can see to this CSV file")

    assign = command("assign", _assign, "Draw who gets the new prices, keep it, and write the file for the shop.")
    _add_design_options(assign)
    assign.add_argument("--name", required=True, help="name under which the test is kept")
    assign.add_argument("--starts-on", required=True, metavar="YYYY-MM-DD", help="first day; the next Monday counts")
    assign.add_argument("--seed", type=int, default=0, help="whole number that starts the draw; default: 0")
    assign.add_argument(
        "--out", type=Path, required=True, help="CSV file to write: who or which week gets which prices"
    )

    readout = command("readout", _readout, "What the new prices earned beside the old ones.")
    which = readout.add_mutually_exclusive_group(required=True)
    which.add_argument("--test", help="name of a test drawn with assign or in the app")
    which.add_argument("--arms-in-file", action="store_true", help="the outcomes have a column arm: test or control")
    readout.add_argument("--outcomes", type=Path, help="CSV, Parquet or Excel, one row per offer; default: newest data")
    readout.add_argument(
        "--map", nargs="+", action="extend", default=[], metavar="field=column", help="which column holds a field"
    )
    readout.add_argument("--confidence", type=float, default=90.0, metavar="PERCENT", help=_CONFIDENCE)
    readout.add_argument("--before-weeks", type=int, default=8, help="weeks before the test to compare with (CUPED)")
    readout.add_argument("--out", type=Path, help="write the figures of both arms to this CSV file")
    readout.add_argument("--set-aside", type=Path, help="write the rows that could not be used to this CSV file")


def _add_design_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--design", choices=DESIGNS, default="customer",
        help="what is drawn: customers, groups of them (label), or weeks (switchback); default: customer",
    )  # fmt: skip
    parser.add_argument("--label", help="group that is randomized, such as 'customers: region'")
    parser.add_argument("--weeks", type=int, default=6, help="length of the test; default: 6")
    parser.add_argument(
        "--test-share", type=float, default=50.0, metavar="PERCENT", help="who gets the new prices; default: 50"
    )
    parser.add_argument("--block-weeks", type=int, default=1, help="weeks before prices switch; default: 1")
    parser.add_argument(
        "--washout-days", type=int, default=0, help="first days of a block that are left out; default: 0"
    )
    parser.add_argument(
        "--before-weeks", type=int, default=8, help="weeks before the test to compare with (CUPED); default: 8"
    )
    parser.add_argument("--confidence", type=float, default=90.0, metavar="PERCENT", help=_CONFIDENCE)
    parser.add_argument(
        "--power", type=float, default=80.0, metavar="PERCENT", help="chance to see a true effect; default: 80"
    )
    parser.add_argument(
        "--measure", choices=("profit_per_offer", "profit_per_customer"), default="profit_per_offer",
        help="profit per customer counts those who stay away too; only where customers are split",
    )  # fmt: skip


def _config(options: argparse.Namespace) -> DesignConfig:
    from pricing_core.evaluate.test_design import DesignConfig

    return DesignConfig(
        design=options.design,
        weeks=options.weeks,
        label=options.label,
        test_share=options.test_share / 100,
        block_weeks=options.block_weeks,
        washout_days=options.washout_days,
        before_weeks=options.before_weeks,
        confidence=options.confidence / 100,
        power=options.power / 100,
        measure=options.measure,
    )


def _design(options: argparse.Namespace) -> None:
    from pricing_core.workflows import measuring

    if options.out is not None:
        check_writable(options.out)
    ws = open_workspace(options)
    promised = None if options.promised is None else options.promised / 100
    if options.price_list is not None:
        promised = measuring.promised_by(ws, options.price_list)
    result = measuring.plan_test(ws, _config(options), promised_rate=promised)
    print(result.sentence)
    if options.out is not None:
        write_table(result.to_frame(), options.out)


def _assign(options: argparse.Namespace) -> None:
    from pricing_core.workflows import measuring

    check_writable(options.out)
    ws = open_workspace(options)
    measuring.save_design(
        ws, options.name, _config(options), starts_on=measuring.day(options.starts_on), seed=options.seed
    )
    saved = measuring.load_design(ws, options.name)
    record = saved.record
    print(f"starts on {saved.starts_on:%Y-%m-%d}: {record['n_test']:,} in test, {record['n_control']:,} in control")
    if record["p_value"] == record["p_value"]:
        print(f"A/A check on profit before the test: p = {record['p_value']:.2f}")
    write_table(measuring.assignment_file(ws, saved), options.out)


def _readout(options: argparse.Namespace) -> None:
    from pricing_core.data.mapping import parse_assignments
    from pricing_core.evaluate.test_design import DesignConfig
    from pricing_core.workflows import measuring

    for path, name in ((options.out, "--out"), (options.set_aside, "--set-aside")):
        if path is not None:
            check_writable(path, name)
    ws = open_workspace(options)
    design = None if options.test is None else measuring.load_design(ws, options.test)
    if options.outcomes is not None:
        mapping = parse_assignments(options.map).get("offers", {})
        outcomes = measuring.read_outcomes(ws, options.outcomes, mapping=mapping)
    elif design is not None:
        outcomes = measuring.later_outcomes(ws, None, design.starts_on)
    else:
        raise ConfigError("--arms-in-file needs a file.", fix="Name it with --outcomes.")
    for remark in outcomes.remarks:
        note(remark)
    config = design.config if design else DesignConfig()
    config = replace(config, confidence=options.confidence / 100, before_weeks=options.before_weeks)
    _, result = measuring.read_result(ws, outcomes, design=design, config=config)
    print(result.sentence)
    for warning in result.warnings:
        note(warning)
    for reason, lost in result.left_out.items():
        print(f"left out: {lost:,} offers {reason}")
    if len(outcomes.set_aside):
        print(f"set aside: {len(outcomes.set_aside):,} rows that could not be used")
        if options.set_aside is not None:
            write_table(outcomes.set_aside, options.set_aside)
    if options.out is not None:
        write_table(result.to_frame(), options.out)
