"""Rules that tie prices of several rows together, applied to what a strategy proposes."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pricing_core.guardrails import coupled_rules
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

    Without such rules the proposal stays as it is. A strategy that is one fixed rule (a markup, the competitor, one
    change for all) is left alone as well, and a note says that these rules do not hold for it.
    """
    still = np.zeros(task.rows.n, dtype=bool)
    rules = coupled_rules(task.guardrails)
    if not rules:
        return Tied(proposal, still)
    level = coupled_level(task.name)
    if level is None:
        note = f"{len(rules)} rules for several prices at once are not applied: this strategy is one fixed rule."
        return Tied(replace(proposal, notes=(*proposal.notes, note)), still)
    return _solved(task, proposal, level)


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
