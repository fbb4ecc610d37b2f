"""What commands share: progress and notes on standard error, the workspace, and files written whole or not at all."""

from __future__ import annotations

import argparse
import gc
import getpass
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from pricing_core.drafts import draft_path
from pricing_core.errors import ConfigError, WorkspaceError

if TYPE_CHECKING:
    import pandas as pd

    from pricing_core.guardrails.rules import Guardrails
    from pricing_core.store.workspace import Workspace
    from pricing_core.trust.access import Actor
    from pricing_core.workflows.targets import TargetFile


@contextmanager
def loading() -> Iterator[None]:
    """Load code without looking for cycles of unused objects meanwhile: there are none, and many objects."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


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


def open_workspace(options: argparse.Namespace, *, create: bool = False) -> Workspace:
    """Open the workspace of the option and clear what a killed command left behind.

    Parameters
    ----------
    create
        Make one where there is none, and say so. A command that works on data that are there does not: a mistyped path
        is an error.
    """
    from pricing_core.store.workspace import Workspace

    path: Path = options.workspace
    new = not (path / "datasets").is_dir()
    if new and not create:
        raise WorkspaceError(
            f"There is no workspace at {path}.",
            fix="Check --workspace, or bring data in first with the commands import or demo.",
        )
    ws = Workspace.open(path)
    if new:
        note(f"there was no workspace at {path}: a new one is made")
    ws.clean_temp()
    return ws


def actor_of(options: argparse.Namespace) -> Actor:
    """Who gives the command: the name of the option, else the user's login, self-declared."""
    from pricing_core.trust.access import self_declared

    try:
        return self_declared(options.name or getpass.getuser())
    except (OSError, KeyError):  # a system without a name for its user
        return self_declared("")


def visible(text: str) -> str:
    """Text for a terminal: signs that steer it or turn a text around are written as their codes."""
    return "".join(sign if sign.isprintable() else f"\\u{ord(sign):04x}" for sign in text)


def read_targets(ws: Workspace, path: Path) -> TargetFile:
    """Read a file of targets; say so when it names no time."""
    from pricing_core import workflows

    given = workflows.read_targets(ws, path)
    if "offered_at" not in given.frame.columns:
        columns = ", ".join(map(str, given.frame.columns))
        note(f"{path.name} has no column read as offered_at (columns: {columns}); priced as of the end of the log.")
    return given


def note(text: str) -> None:
    """Say something on standard error that is no error."""
    print(f"note: {text}", file=sys.stderr)


def guardrails_of(options: argparse.Namespace) -> Guardrails | None:
    """Rules that the options name; None for the product's own."""
    from pricing_core.guardrails.rules import NO_GUARDRAILS, Guardrails

    if options.no_guardrails:
        return NO_GUARDRAILS
    return None if options.guardrails is None else Guardrails.from_toml(options.guardrails)


def check_writable(path: Path, option: str = "--out") -> None:
    """Refuse a place that cannot be written before any work is done."""
    if path.is_dir() or not path.resolve().parent.is_dir() or not os.access(path.resolve().parent, os.W_OK):
        raise ConfigError(f"{path} cannot be written.", fix=f"Choose another {option}, in a folder that exists.")


def write_table(frame: pd.DataFrame, path: Path) -> None:
    """Write a CSV whole or not at all."""
    draft = draft_path(path)
    try:
        frame.to_csv(draft, index=False, date_format="%Y-%m-%dT%H:%M:%SZ")
        os.replace(draft, path)
    except OSError as error:
        draft.unlink(missing_ok=True)
        reason = error.strerror or str(error)
        raise ConfigError(f"{path} cannot be written: {reason}.", fix="Choose another place.") from error
    print(f"{len(frame):,} rows: {path}")
