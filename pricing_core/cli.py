"""Command line: every workflow without a browser.

Exit code 0 when it worked, 2 with one clear line on standard error when the input was bad, 141 when whoever read the
output stopped reading, as ``head`` does.
"""

from __future__ import annotations

import argparse
import os
import select
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

from pricing_core.commands import add_commands
from pricing_core.errors import ConfigError, PricingError

_READER_GONE: Final = 141  # what a shell reports of a command that a closed pipe ended


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> None:  # type: ignore[override]
        """One line, exit code 2."""
        raise ConfigError(f"{message[:1].upper()}{message[1:]}.", fix=f"See: {self.prog} --help")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code."""
    # LightGBM's threads wait instead of spinning, so that it shares the machine; must be set before it is imported.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    # The first use of a large array then takes a fraction of the time on virtual machines, where huge pages are rare.
    os.environ.setdefault("NUMPY_MADVISE_HUGEPAGE", "0")
    # Arrow's own allocator gives memory back at once, to be cleared anew for the next block: a tenth of a large import.
    os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")
    try:
        try:
            return _run(arguments)
        finally:
            sys.stdout.flush()  # here and not at the end of the interpreter, where nothing can be done about it
    except BrokenPipeError:
        if not _output_closed():
            raise
        return _READER_GONE


def _run(arguments: Sequence[str] | None) -> int:
    try:
        given = list(sys.argv[1:] if arguments is None else arguments)
        options = _parser(given[0] if given else None).parse_args(given)
        return int(options.run(options) or 0)
    except PricingError as error:
        print(f"error: {' '.join(str(error).split())}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("error: stopped by the user.", file=sys.stderr)
        return 130


def _output_closed() -> bool:
    """Whether nobody reads standard output any more; what is still to be written to it then goes nowhere."""
    if not hasattr(select, "poll"):  # Windows
        return False
    output = select.poll()
    output.register(sys.stdout.fileno(), 0)  # an error of the pipe is reported in any case
    if not output.poll(0):
        return False
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return True


def _parser(asked: str | None) -> argparse.ArgumentParser:
    parser = _Parser(prog="python -m pricing_core", description="Personalized-pricing workbench without a browser.")
    commands = parser.add_subparsers(dest="command", required=True, parser_class=_Parser)

    def command(name: str, run: Callable[[argparse.Namespace], Any], text: str) -> argparse.ArgumentParser:
        added = commands.add_parser(name, help=text, description=text)
        added.add_argument("--workspace", required=True, type=Path, help="folder of data, models and price lists")
        added.set_defaults(run=run)
        return added

    add_commands(command, asked)
    return parser
