"""Commands about strategies: which there are."""

from __future__ import annotations

import argparse

from pricing_core.commands import AddCommand
from pricing_core.commands.console import note, open_workspace


def add(command: AddCommand) -> None:
    """Add strategies."""
    command("strategies", _strategies, "List the strategies there are, the shop's own among them.")


def _strategies(options: argparse.Namespace) -> None:
    from pricing_core import workflows
    from pricing_core.optimize.registry import is_own, strategies

    for problem in workflows.own_strategies(open_workspace(options)).problems:
        note(problem)
    for name, strategy in strategies().items():
        print(f"{name}: {strategy.label}{' (own)' if is_own(name) else ''}")
