"""Why a worker ended without a result, in the words that the user reads."""

from __future__ import annotations

import signal
from typing import Final

from pricing_core.jobs import records

NO_RUNNER: Final = "The job was not started: its runner does not start. The reason is in logs/runner.log."
_NATIVE_CRASHES: Final = {"SIGSEGV", "SIGBUS", "SIGILL", "SIGFPE", "SIGABRT"}


def why_it_ended(exit_code: int | None, number: int) -> str:
    """Return the reason behind a worker's exit code.

    Parameters
    ----------
    exit_code
        As Python gives it: negative for a signal; None if nobody was there to see it.
    number
        Number of the job, to name its log.
    """
    return f"{_cause(exit_code)} You can try again; details are in {records.log_name(number)}."


def _cause(exit_code: int | None) -> str:
    if exit_code is None:
        return (
            "The worker ended while its runner was away, so the reason is not known: "
            "the machine may have been restarted, or have run out of memory."
        )
    if exit_code == 0:
        return "The worker ended without a result."
    if exit_code > 0:
        return f"The worker ended with exit code {exit_code} and without a result."
    name = _signal_name(-exit_code)
    said = f"signal {-exit_code} ({name})" if name else f"signal {-exit_code}"
    if name == "SIGKILL":
        return f"The worker was killed by {said}: most likely the machine ran out of memory."
    if name in _NATIVE_CRASHES:
        return f"The worker crashed in native code with {said}."
    return f"The worker was ended by {said}."


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return ""
