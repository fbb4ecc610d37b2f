"""Rules that tie prices of several rows together, applied to what a strategy proposes."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pricing_core.guardrails import coupled_rules
from pricing_core.guardrails.coupled import measures
from pricing_core.optimize.contract import Proposal, Task
from pricing_core.optimize.registry import coupled_level
from pricing_core.optimize.snapping import Snapped

Mask = NDArray[np.bool_]

TIED: Final = "rules for several prices"


@dataclass(frozen=True, eq=False)
class Tied:
    """A proposal that keeps the rules, which rows (n,) they moved, their duals, and how far from the best it may be."""

    proposal: Proposal
    moved: Mask
    duals: dict[str, float] = field(default_factory=dict)
    gap_rate: float = 0.0


def tie_prices(task: Task, proposal: Proposal) -> Tied:
    """Move proposed prices so that rules over several rows hold.

    Without such rules the proposal stays as it is. A strategy whose prices follow one rule of its own (a markup, the
    competitor, one change for all, segments) is left alone as well, and notes say which of the rules its prices break.
    """
    still = np.zeros(task.rows.n, dtype=bool)
    rules = coupled_rules(task.guardrails)
    if not rules:
        return Tied(proposal, still)
    level = coupled_level(task.name)
    if level is None:
        return Tied(replace(proposal, notes=(*proposal.notes, *_broken(task, proposal))), still)
    return _solved(task, proposal, level)


def _broken(task: Task, proposal: Proposal) -> tuple[str, ...]:
    """Say which rules over several rows the proposed prices do not keep."""
    open_rows = (proposal.conflict == "") & proposal.price.fits
    price = np.where(open_rows, proposal.price.price, task.rows.current_price)
    names = [each.rule.label for each in measures(task.rows, task.guardrails, price, task.response) if not each.kept]
    return tuple(
        f"These prices do not keep the rule “{name}”: the strategy's own rule is not bent for it."
        for name in dict.fromkeys(names)
    )


def _solved(task: Task, proposal: Proposal, level: str) -> Tied:
    from pricing_core.optimize.coupled import solve_coupled

    open_rows = (proposal.conflict == "") & proposal.price.fits
    bounds = replace(
        task.bounds,
        low=proposal.low,
        high=proposal.high,
        low_rule=proposal.low_rule,
        high_rule=proposal.high_rule,
        feasible=open_rows,
        conflict=proposal.conflict,
    )
    start = np.where(open_rows, proposal.wanted, task.rows.current_price)
    found = solve_coupled(
        task.rows,
        task.response,
        task.guardrails,
        bounds,
        start,
        objective=task.objective,
        level=level,
        learn=task.learn,
    )
    half = 0.5 * 10.0**-task.guardrails.decimals
    moved = open_rows & (np.abs(found.price - proposal.price.price) > half)
    price = Snapped(
        np.where(open_rows, found.price, proposal.price.price), np.where(open_rows, found.fits, proposal.price.fits)
    )
    notes = (*proposal.notes, *found.notes, *found.infeasible)
    wanted = np.where(moved, found.price, proposal.wanted)
    return Tied(replace(proposal, wanted=wanted, price=price, notes=notes), moved, dict(found.duals), found.gap_rate)
