"""Commands by area: each module adds its own to the command line.

A module of an area has one public function ``add(command)``. ``command(name, run, text)`` adds a command with the
option ``--workspace`` and returns its parser for further options; ``run(options)`` does the work and returns an exit
code or None.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from importlib import import_module
from typing import Any, Final

AddCommand = Callable[[str, Callable[[argparse.Namespace], Any], str], argparse.ArgumentParser]

AREAS: Final = (
    "shop", "features", "tuning", "data", "pricing", "strategies", "measure", "export", "pricelist", "runs",
    "compression",
)  # fmt: skip


def add_all(command: AddCommand) -> None:
    """Add the commands of every area, in order."""
    for area in AREAS:
        import_module(f"{__name__}.{area}").add(command)
