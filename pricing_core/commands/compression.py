"""Command that makes a run's model smaller and chooses which of its forms answers."""

from __future__ import annotations

import argparse
from typing import Any, Final

from pricing_core.commands import AddCommand
from pricing_core.commands.console import ConsoleProgress, note, open_workspace

_FORMS: Final = ("original", "int8", "litert", "onnx")


def add(command: AddCommand) -> None:
    """Add compress."""
    compress = command("compress", _compress, "Make the model smaller, measure what that changes, and choose a form.")
    compress.add_argument("--run", dest="run_id", help="default: the run in use")
    compress.add_argument("--cut", type=float, help="share of the weights to cut, 0 to 0.9; default: 0.3")
    compress.add_argument(
        "--use", choices=_FORMS, help="form that answers from now on; without --again an existing one is put to use"
    )
    compress.add_argument("--again", action="store_true", help="compress also where the run has been compressed")


def _compress(options: argparse.Namespace) -> None:
    from pricing_core import workflows
    from pricing_core.models.pruning import PruningConfig

    ws = open_workspace(options)
    table = workflows.compression_report(workflows.load_run(ws, options.run_id))
    if options.again or options.cut is not None or (table.empty and options.use != "original"):
        config = PruningConfig() if options.cut is None else PruningConfig(sparsity=options.cut)
        workflows.compress(ws, options.run_id, config=config, progress=ConsoleProgress())
    if options.use is not None:
        workflows.use_form(ws, options.use, options.run_id)
    for row in workflows.compression_report(workflows.load_run(ws, options.run_id)).to_dict("records"):
        print(_line({str(name): value for name, value in row.items()}))
    if options.use is None:
        note("choose a form with --use FORM; the original stays.")


def _line(row: dict[str, Any]) -> str:
    return (
        f"{row['form']}{' (serves)' if row['serves'] else ''}: {row['size_bytes']:,} bytes ({row['size_share']:.0%}),"
        f" {row['seconds_1000'] * 1000:.0f} ms per 1,000 and {row['seconds_100000']:.2f} s per 100,000 rows,"
        f" log loss {row['log_loss']:.5f} ({row['log_loss_change']:+.5f}),"
        f" prices moved by {row['price_change_mean']:.3%} (most {row['price_change_max']:.2%},"
        f" {row['same_price_share']:.0%} the same), profit {row['profit_change']:+.4%}"
    )
