"""How trials of a search end, and what is kept of them beside their settings and their score."""

from __future__ import annotations

from typing import Final

FIGURES: Final = "figures"
REASON: Final = "reason"
FIRST: Final = "first"
OUT_OF_TIME: Final = "the time was over"
STOPPED: Final = "stopped by you"
LOST: Final = "the computer or program stopped"
PARTS: Final = "parts"
PARTLY: Final = "partly"

UNFINISHED: Final = (OUT_OF_TIME, STOPPED, LOST, "stopped by the user")
"""Reasons of trials that have not ended by themselves, so that they are tried again; the last is an earlier version's.
"""


class Pruned(Exception):
    """A trial that is not worth going on with; a message says why where it is not the loss."""


class OutOfTimeError(Exception):
    """The budget is used up within a trial; an objective may raise it between two reports."""
