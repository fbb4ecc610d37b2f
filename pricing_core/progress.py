"""How long-running work reports on itself, without knowing who listens.

Learners and workflows receive a :class:`Progress`; a background job writes it to the job table, the
command line prints it, and a test ignores it.
"""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """Receiver of progress; each call is also the point where a cancelled job stops."""

    def stage(self, name: str, fraction: float, message: str = "") -> None:
        """Report the stage's name, the share of the whole job done in [0, 1], and a sentence.

        Raises
        ------
        JobCancelled
            If the user has asked for the job to stop.
        """

    def metric(self, name: str, step: int, value: float) -> None:
        """Report one point of a live curve, for example ``("validation loss", epoch, 0.31)``."""


class SilentProgress:
    """Progress that nobody watches."""

    def stage(self, name: str, fraction: float, message: str = "") -> None:
        """Ignore the report."""

    def metric(self, name: str, step: int, value: float) -> None:
        """Ignore the report."""


class SubProgress:
    """Part of a larger job: maps the part's fraction 0 … 1 onto ``[start, end]`` of the whole."""

    def __init__(self, parent: Progress, start: float, end: float) -> None:
        self.parent = parent
        self.start = start
        self.end = end

    def stage(self, name: str, fraction: float, message: str = "") -> None:
        """Pass the report on, rescaled."""
        self.parent.stage(name, self.start + (self.end - self.start) * fraction, message)

    def metric(self, name: str, step: int, value: float) -> None:
        """Pass the point on."""
        self.parent.metric(name, step, value)
