"""Background jobs: long work runs in its own process, one job per workspace at a time, the others wait in order.

Three processes take part, and the database of the workspace is all they share:

* whoever submits (the browser process, the command line): writes the job down and sees to it that a runner lives;
* the *runner*, one per workspace: starts a worker for the oldest waiting job, watches it, stops it on request, and
  leaves when there is nothing to do;
* the *worker*, one per job: does the work, reports progress, and writes the result down itself.

Each may die without the others. A dead worker is noticed by the runner, and the job ends as ``lost`` with the
reason. A dead runner is noticed by whoever looks at a job next: a new runner takes over the worker if it still
lives, and nothing is lost.
"""

from pricing_core.jobs.launch import ensure_runner
from pricing_core.jobs.queue import cancel, get, list_jobs, metrics, retry, submit
from pricing_core.jobs.records import ACTIVE, STATUSES, JobView

__all__ = [
    "ACTIVE",
    "STATUSES",
    "JobView",
    "cancel",
    "ensure_runner",
    "get",
    "list_jobs",
    "metrics",
    "retry",
    "submit",
]
