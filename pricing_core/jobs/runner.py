"""The runner: one process per workspace that starts, watches and stops workers.

``python -m pricing_core.jobs.runner <workspace> <token>``; started by :func:`pricing_core.jobs.ensure_runner`. It
imports neither the learners nor pandas: it costs little while it waits.
"""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from typing import Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from pricing_core.errors import PricingError
from pricing_core.jobs import launch, logs, reasons, records
from pricing_core.store import database, processes
from pricing_core.store.workspace import Workspace

POLL_SECONDS: Final = 0.1
BEAT_SECONDS: Final = 1.0
IDLE_SECONDS: Final = 10.0
GRACE_SECONDS: Final = 1.0
TERM_SECONDS: Final = 0.4
_MOST_ERRORS: Final = 20
_RUNNER = database.runner
_JOBS = database.jobs
_logger = logging.getLogger(__name__)


@dataclass
class WatchedWorker:
    """A worker that runs: a child of this process, or one taken over from a runner that died (no ``process``)."""

    number: int
    pid: int
    mark: str | None
    process: subprocess.Popen[bytes] | None
    cancel_seen: float | None = None

    def ended(self) -> bool:
        """Return whether the worker is no more."""
        if self.process is not None:
            return self.process.poll() is not None
        return not processes.is_alive(self.pid, self.mark)

    @property
    def exit_code(self) -> int | None:
        """How it ended; None for a worker that was taken over."""
        return None if self.process is None else self.process.returncode


class Runner:
    """Dispatcher of one workspace's jobs.

    Parameters
    ----------
    ws
        The workspace.
    token
        The right to run it: only the process that knows the token in the database does.
    idle_seconds
        How long to wait for another job before leaving.
    """

    def __init__(self, ws: Workspace, token: str, *, idle_seconds: float = IDLE_SECONDS) -> None:
        self.ws = ws
        self.token = token
        self.idle_seconds = idle_seconds
        self.worker: WatchedWorker | None = None
        self._beaten = 0.0
        self._errors = 0

    def run(self) -> None:
        """Run jobs until there are none, or another runner has taken over."""
        with database.writing(self.ws) as connection:
            if not self._beat(connection, claims=True):
                return
        self._tidy()
        busy_at = time.monotonic()
        while self.ws.is_initialized:
            try:
                if not self._step():
                    return
                self._errors = 0
            except (sa.exc.SQLAlchemyError, OSError, PricingError):
                self._bear()
            if self.worker is not None:
                busy_at = time.monotonic()
            elif time.monotonic() - busy_at > self.idle_seconds and self._resign():
                return
            time.sleep(POLL_SECONDS)
        if self.worker is not None:  # the workspace was deleted: there is nothing to work for
            launch.stop_worker(self.worker.pid, self.worker.mark)

    def _step(self) -> bool:
        """Do what is due; return False if another runner has taken over."""
        if time.monotonic() - self._beaten > BEAT_SECONDS:
            with database.writing(self.ws) as connection:
                if not self._beat(connection):
                    return False
        if self.worker is None:
            self._find_work()
        else:
            self._watch(self.worker)
        return True

    def _beat(self, connection: Connection, *, claims: bool = False) -> bool:
        values: dict[str, object] = {"heartbeat_at": time.time()}
        if claims:
            mark = processes.start_mark(os.getpid())
            values |= {"pid": os.getpid(), "process_mark": mark}
        else:
            values |= {"starts": 0}
        beaten = connection.execute(sa.update(_RUNNER).where(_RUNNER.c.token == self.token).values(**values))
        self._beaten = time.monotonic()
        return beaten.rowcount == 1

    def _find_work(self) -> None:
        with database.reading(self.ws) as connection:
            if not records.any_active(connection):
                return
        with database.writing(self.ws) as connection:
            if not self._beat(connection):
                return
            launch.end_dead_jobs(connection)
            alive = records.running(connection)
            if alive:
                self.worker = WatchedWorker(alive[0].number, alive[0].pid, alive[0].process_mark, None)
                return
            job = records.oldest_queued(connection)
            if job is not None:
                self.worker = self._start(connection, job.number)

    def _start(self, connection: Connection, number: int) -> WatchedWorker:
        """Start the job's worker and say so, in one transaction: the worker waits for it, see ``worker._take``."""
        process = launch.start_worker(self.ws, number)
        mark = processes.start_mark(process.pid)
        now = time.time()
        connection.execute(
            sa.update(_JOBS)
            .where(_JOBS.c.number == number)
            .values(status="running", pid=process.pid, process_mark=mark, started_at=now, updated_at=now)
        )
        return WatchedWorker(number, process.pid, mark, process)

    def _watch(self, worker: WatchedWorker) -> None:
        if worker.ended():
            self._conclude(worker)
            return
        logs.bound(self.ws.root / records.log_name(worker.number))
        with database.reading(self.ws) as connection:
            asked = records.row_of(connection, worker.number).cancel_requested_at is not None
        if asked:
            self._stop(worker)

    def _stop(self, worker: WatchedWorker) -> None:
        """Give the worker time to stop by itself, then end it."""
        now = time.monotonic()
        if worker.cancel_seen is None:
            worker.cancel_seen = now
        waited = now - worker.cancel_seen
        if waited > GRACE_SECONDS:
            launch.stop_worker(worker.pid, worker.mark, gently=waited < GRACE_SECONDS + TERM_SECONDS)

    def _conclude(self, worker: WatchedWorker) -> None:
        # What the worker started and left behind belongs to its group.
        launch.signal_group(worker.pid, 9)
        logs.bound(self.ws.root / records.log_name(worker.number))
        with database.writing(self.ws) as connection:
            if records.row_of(connection, worker.number).cancel_requested_at is not None:
                records.finish(connection, worker.number, "cancelled")
            else:
                reason = reasons.why_it_ended(worker.exit_code, worker.number)
                records.finish(connection, worker.number, "lost", error=reason)
        self.worker = None
        self._tidy()

    def _resign(self) -> bool:
        """Leave unless a job has come: whoever submits later finds no runner and starts one."""
        with database.writing(self.ws) as connection:
            if records.any_active(connection):
                return False
            connection.execute(sa.delete(_RUNNER).where(_RUNNER.c.token == self.token))
        return True

    def _tidy(self) -> None:
        removed = self.ws.clean_temp()
        if removed:
            _logger.info("Removed %d unfinished folders of processes that ended.", len(removed))
        logs.drop_old(self.ws)
        with database.writing(self.ws) as connection:
            records.drop_old_metrics(connection)

    def _bear(self) -> None:
        """Go on after a failed step, for the disk may be full for a while; give up after many in a row."""
        self._errors += 1
        _logger.warning("A step failed (%d in a row).", self._errors, exc_info=True)
        if self._errors >= _MOST_ERRORS:
            raise
        time.sleep(min(5.0, 0.1 * 2**self._errors))


def main(arguments: list[str]) -> int:
    """Run the workspace's jobs."""
    path, token = arguments
    ws = Workspace(path, create=False)
    logs.bound(ws.logs_dir / "runner.log")
    Runner(ws, token).run()
    return 0


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    sys.exit(main(sys.argv[1:]))
