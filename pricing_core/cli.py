"""Command line: every workflow without a browser.

Exit code 0 when it worked, 2 with one clear line on standard error when the input was bad.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from pricing_core.commands import add_all
from pricing_core.errors import ConfigError, PricingError


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

    def command(name: str, run: Callable[[argparse.Namespace], Any], text: str) -> argparse.ArgumentParser:
        added = commands.add_parser(name, help=text, description=text)
        added.add_argument("--workspace", required=True, type=Path, help="folder of data, models and price lists")
        added.set_defaults(run=run)
        return added

    add_all(command)
    return parser
