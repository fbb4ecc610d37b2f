"""Command for the history of every customer."""

from __future__ import annotations

import argparse
from pathlib import Path

from pricing_core.commands import AddCommand
from pricing_core.commands.console import ConsoleProgress, check_writable, open_workspace


def add(command: AddCommand) -> None:
    """Add features."""
    features = command("features", _features, "History of every customer as of the end of the log, one row each.")
    features.add_argument("--out", required=True, type=Path, help="file to write: .csv or .parquet")
    features.add_argument("--dataset", help="data version; default: the newest")
    features.add_argument("--own-ids", action="store_true", help="the shop's own customer ids instead of pseudonyms")


def _features(options: argparse.Namespace) -> None:
    from pricing_core.workflows.customer_features import write_customer_features

    check_writable(options.out)
    rows = write_customer_features(
        open_workspace(options),
        options.out,
        dataset_id=options.dataset,
        own_ids=options.own_ids,
        progress=ConsoleProgress(),
    )
    print(f"{rows:,} customers: {options.out}")
