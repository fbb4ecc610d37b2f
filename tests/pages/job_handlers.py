"""Stand-ins for the workflows, so that a page can be shown a job that runs, fails or dies."""

from __future__ import annotations

import os
import signal
import time
from typing import Any

from pricing_core.errors import DataError
from pricing_core.progress import Progress
from pricing_core.store.workspace import Workspace


def slow(ws: Workspace, params: dict[str, Any], progress: Progress) -> dict[str, Any]:
    """Report a falling curve for as many seconds as asked."""
    steps = int(params.get("seconds", 60) * 5)
    for step in range(steps):
        progress.stage("behavior model", step / steps, f"member {1 + 3 * step // steps} of 3")
        progress.metric("training loss", step, 0.6 - 0.2 * step / steps)
        progress.metric("validation loss", step, 0.62 - 0.15 * step / steps)
        time.sleep(0.2)
    return {}


def refuse(ws: Workspace, params: dict[str, Any], progress: Progress) -> dict[str, Any]:
    """Fail as a workflow does when the data are not good enough."""
    raise DataError("The data set has 12 offers.", fix="Import a longer period.")


def die(ws: Workspace, params: dict[str, Any], progress: Progress) -> dict[str, Any]:
    """End without a word, as when the system runs out of memory."""
    progress.stage("behavior model", 0.4, "member 2 of 5")
    os.kill(os.getpid(), signal.SIGKILL)
    return {}


SLOW = {"import_sample": slow}
HANDLERS = {"train": slow, "import": refuse, "price_list": die}


def succeed(ws: Workspace, params: dict[str, Any], progress: Progress) -> dict[str, Any]:
    """Do nothing, well; the result is what was asked for."""
    return dict(params)


SUCCESS = {"import": succeed, "backtest": succeed}
