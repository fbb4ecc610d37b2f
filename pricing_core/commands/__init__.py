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

AREAS: Final = {
    "shop": ("demo", "import", "train"),
    "features": ("features",),
    "tuning": ("tune",),
    "data": ("quality", "repair", "versions"),
    "pricing": ("predict", "price", "simulate", "explain"),
    "strategies": ("strategies", "segments", "markdown", "value-ladder"),
    "measure": ("design", "assign", "readout"),
    "export": ("export",),
    "pricelist": (
        "make-list",
        "lists",
        "list-status",
        "override",
        "submit",
        "approve",
        "reject",
        "activate",
        "rollback",
        "audit",
        "database-move",
    ),
    "runs": ("runs",),
    "compression": ("compress",),
}
"""Area → its commands, in the order in which the help lists them."""


def add_commands(command: AddCommand, asked: str | None = None) -> None:
    """Add the commands of the area that holds the one asked for; of every area, in order, where none does."""
    areas = [area for area, commands in AREAS.items() if asked in commands] or list(AREAS)
    for area in areas:
        import_module(f"{__name__}.{area}").add(command)
