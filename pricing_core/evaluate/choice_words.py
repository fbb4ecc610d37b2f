"""Why a family of models was chosen, in words: what each figure ruled out, and which of them decided."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

_NAMED: Final = 3  # families named one by one; more are counted


@dataclass(frozen=True)
class ChoiceStep:
    """One figure by which families were compared: its name, whom it ruled out, and how many it left."""

    figure: str
    ruled_out: tuple[str, ...]
    left: int


def reason_in_words(chosen: str, families: int, steps: Sequence[ChoiceStep]) -> str:
    """One sentence on how a family was chosen; after the first, a figure that ruled out nobody is not told.

    Parameters
    ----------
    chosen
        Label of the chosen family.
    families
        How many were in the running at first.
    steps
        The figures in the order in which they were looked at.
    """
    if families == 1:
        return f"{chosen} was the only family in the running."
    if not any(step.ruled_out for step in steps):
        return (
            f"{chosen}: later offers cannot tell the {families} candidates apart, so the first in the order of"
            " preference is used."
        )
    if steps[0].left == 1:
        return f"{chosen} is clearly ahead of all other candidates by {steps[0].figure}."
    told = [step for k, step in enumerate(steps) if step.ruled_out or not k]
    parts = [_part(step, k) for k, step in enumerate(told)]
    if told[-1].left > 1:
        parts.append(f"{chosen} is the first of these in the order of preference")
    return f"{chosen} was chosen among {families}: {'; '.join(parts)}."


def _part(step: ChoiceStep, place: int) -> str:
    if step.left == 1:
        return f"{step.figure} decided among these"
    alike = "tell the other" if step.ruled_out else "tell the"
    found = f"could not {alike} {step.left} apart (within about two standard errors)"
    if step.ruled_out:
        found = f"ruled out {_names(step.ruled_out)}, and {found}"
    return f"{'among these, ' if place else ''}{step.figure} {found}"


def _names(labels: Sequence[str]) -> str:
    if len(labels) > _NAMED:
        return f"{len(labels)} of them"
    return labels[0] if len(labels) == 1 else f"{', '.join(labels[:-1])} and {labels[-1]}"
