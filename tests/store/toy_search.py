"""A search that costs nothing, as a process that a test can kill.

``python -m tests.store.toy_search <workspace> <study> <trial in which to sleep>``
"""

from __future__ import annotations

import sys
import time
from typing import Any

from pricing_core.models.search import Judged, Report, SearchPlan, search
from pricing_core.models.search_space import Choice, Range
from pricing_core.store import studies
from pricing_core.store.workspace import Workspace

SPACE = {"x": Range(-2.0, 2.0), "kind": Choice(("a", "b"))}
TRIALS = 5


def bowl(settings: dict[str, Any], report: Report) -> Judged:
    loss = (settings["x"] - 1) ** 2 + (settings["kind"] == "a")
    for step in (1, 2):
        report(step, loss)
    return Judged(loss)


def run(path: str, name: str, sleep_in_trial: int) -> None:
    calls: list[dict[str, Any]] = []

    def objective(settings: dict[str, Any], report: Report) -> Judged:
        calls.append(settings)
        if len(calls) == sleep_in_trial:
            print("asleep", flush=True)
            time.sleep(60)
        return bowl(settings, report)

    with studies.working_on(Workspace(path), name) as study:
        search(study, SPACE, objective, SearchPlan(minutes=None, trials=TRIALS, seed=4))


if __name__ == "__main__":
    run(sys.argv[1], sys.argv[2], int(sys.argv[3]))
