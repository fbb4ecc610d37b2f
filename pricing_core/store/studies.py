"""Searches for settings ("studies") by name, with all their trials.

They are in a file of their own under ``studies/``, or beside the workspace's index where that is on a PostgreSQL
server. Optuna writes them, so that a search that was killed can go on, and any tool that reads Optuna can open them.
"""

from __future__ import annotations

import json
import os
import sqlite3
import threading
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa

from pricing_core.errors import ConfigError, JobError, WorkspaceError, reason
from pricing_core.models.trial_ends import FIGURES, FIRST, LOST, PARTLY, PARTS, REASON, UNFINISHED
from pricing_core.store import database, postgresql, processes
from pricing_core.store.workspace import Workspace

if TYPE_CHECKING:
    import optuna
    import pandas as pd

FOLDER: Final = "studies"
FILE: Final = "studies.sqlite"
LONGEST_NAME: Final = 60
_RECORD: Final = "record"
_OWNER: Final = "owner"
_INTERRUPTED: Final = "interrupted"
_STATES: Final = {"COMPLETE": "done", "PRUNED": "stopped early", "FAIL": "failed", "RUNNING": "running"}
_storages: dict[tuple[str, int, int], Any] = {}
_storages_lock = threading.Lock()


@dataclass(frozen=True)
class StudyRecord:
    """One search: its name, when it was made, what is searched and how, and whether a process is at it.

    Attributes
    ----------
    n_trials
        Trials that have ended in any way.
    best_number, best_score
        Trial with the lowest score; None where none has been judged.
    """

    name: str
    created_at: datetime
    record: dict[str, Any]
    running: bool
    n_trials: int
    best_number: int | None
    best_score: float | None


def create(ws: Workspace, name: str, record: Mapping[str, Any]) -> str:
    """Enter a new search and return its name without surrounding spaces.

    Raises
    ------
    ConfigError
        If the name cannot be used, or is taken.
    """
    import optuna

    name = name.strip()
    if not name or len(name) > LONGEST_NAME or not name.isprintable():
        raise ConfigError(f"A tuning needs a name of 1 to {LONGEST_NAME} printable characters.", fix="Choose another.")
    study = optuna.create_study(storage=_storage(ws), study_name=name, direction="minimize", load_if_exists=True)
    if _RECORD in study.user_attrs:
        raise ConfigError(f"There is a tuning named {name!r} already.", fix="Continue it, or choose another name.")
    study.set_user_attr(_RECORD, {**json.loads(database.to_json(dict(record))), "created_at": _now()})
    return name


def list_studies(ws: Workspace) -> list[StudyRecord]:
    """Return all searches, newest first."""
    if not _exists(ws):
        return []
    import optuna

    names = optuna.get_all_study_names(_storage(ws))
    found = [record for name in names if (record := _record(open_study(ws, name))) is not None]
    return sorted(found, key=lambda each: (each.created_at, each.name), reverse=True)


def get(ws: Workspace, name: str) -> StudyRecord:
    """Return one search.

    Raises
    ------
    WorkspaceError
        If the workspace holds none of that name.
    """
    found = _record(open_study(ws, name))
    if found is None:
        raise _unknown(ws, name)
    return found


def open_study(ws: Workspace, name: str) -> optuna.Study:
    """Open a search to read its trials or to add some.

    Raises
    ------
    WorkspaceError
        If the workspace holds none of that name.
    """
    import optuna

    if not _exists(ws):
        raise _unknown(ws, name)
    try:
        return optuna.load_study(study_name=name, storage=_storage(ws))
    except KeyError:
        raise _unknown(ws, name) from None


@contextmanager
def working_on(ws: Workspace, name: str) -> Iterator[optuna.Study]:
    """Open a search to go on with, alone; trials that a killed process left running are marked as failed.

    Raises
    ------
    JobError
        If another process is at it.
    """
    study = open_study(ws, name)
    if _owned(study):
        raise JobError(f"The tuning {name!r} is running already.", fix="Wait for it, or cancel it.")
    pid = os.getpid()
    study.set_user_attr(_OWNER, {"pid": pid, "mark": processes.start_mark(pid)})
    _fail_interrupted(study)
    try:
        yield study
    finally:
        study.set_user_attr(_OWNER, None)


def trials(ws: Workspace, name: str) -> pd.DataFrame:
    """Return one row per trial, oldest first.

    Returns
    -------
    DataFrame
        ``number`` (from 1), ``state`` (done, stopped early, failed, interrupted, running), ``score``, ``seconds``
        (while it ran; not known where its process was killed), ``reason``, ``today`` (whether its settings are those
        that a training takes by itself), then ``figure.<name>`` and ``setting.<name>`` columns.
    """
    import pandas as pd

    study = open_study(ws, name)
    owned = _owned(study)
    rows = []
    for trial in study.get_trials(deepcopy=False):
        if trial.state.name == "WAITING":
            continue
        state = _state(trial, owned)
        lost = state == _INTERRUPTED and REASON not in trial.user_attrs  # its end is when that was noticed
        seconds = float("nan") if lost or trial.duration is None else trial.duration.total_seconds()
        fixed = {
            "number": trial.number + 1,
            "state": state,
            "score": float("nan") if trial.value is None else trial.value,
            "seconds": seconds,
            "reason": trial.user_attrs.get(REASON, LOST if lost else "").replace("by the user", "by you"),
            "today": bool(trial.user_attrs.get(FIRST)) and not trial.user_attrs.get(PARTLY),
        }
        figures = {f"figure.{key}": value for key, value in trial.user_attrs.get(FIGURES, {}).items()}
        rows.append(fixed | figures | {f"setting.{key}": value for key, value in trial.params.items()})
    columns = ["number", "state", "score", "seconds", "reason", "today"]
    return pd.DataFrame(rows, columns=None if rows else columns)


def parts(ws: Workspace, name: str) -> dict[int, dict[str, list[float]]]:
    """Return number of a trial → its sums by group of customers, of those that have been judged and kept them."""
    found = open_study(ws, name).get_trials(deepcopy=False)
    return {trial.number + 1: trial.user_attrs[PARTS] for trial in found if PARTS in trial.user_attrs}


def delete(ws: Workspace, name: str) -> None:
    """Delete a search with its trials; models trained with its settings stay.

    Raises
    ------
    JobError
        If a process is at it.
    """
    import optuna

    if _owned(open_study(ws, name)):
        raise JobError(f"The tuning {name!r} is running.", fix="Cancel it first.")
    optuna.delete_study(study_name=name, storage=_storage(ws))


def _state(trial: optuna.trial.FrozenTrial, owned: bool) -> str:
    state = _STATES[trial.state.name]
    # A search gives a reason for each trial that fails; one without was ended for a process that was killed.
    cut = (state == "running" and not owned) or (state == "failed" and trial.user_attrs.get(REASON, LOST) in UNFINISHED)
    return _INTERRUPTED if cut else state


def _fail_interrupted(study: optuna.Study) -> None:
    from optuna.trial import TrialState

    for trial in study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
        study.tell(trial.number, state=TrialState.FAIL)


def _owned(study: optuna.Study) -> bool:
    owner = study.user_attrs.get(_OWNER) or {}
    return processes.is_alive(owner.get("pid"), owner.get("mark"))


def _record(study: optuna.Study) -> StudyRecord | None:
    """Return what is known of a search; None for one whose making was interrupted."""
    record = dict(study.user_attrs.get(_RECORD) or {})
    if not record:
        return None
    ended = [trial for trial in study.get_trials(deepcopy=False) if trial.state.is_finished()]
    judged = [trial for trial in ended if trial.state.name == "COMPLETE" and trial.value is not None]
    best = min(judged, key=lambda trial: (trial.value, trial.number), default=None)
    created = datetime.fromisoformat(record.pop("created_at"))
    at = None if best is None else best.number + 1
    score = None if best is None else best.value
    return StudyRecord(study.study_name, created, record, _owned(study), len(ended), at, score)


def _file(ws: Workspace) -> Path:
    return ws.root / FOLDER / FILE


def _on_server(ws: Workspace) -> sa.URL | None:
    """Address of the server; None where the searches are in the file, where they stay when the index moves."""
    return None if _file(ws).exists() else postgresql.database_url(ws)


def _exists(ws: Workspace) -> bool:
    return _file(ws).exists() or _on_server(ws) is not None


def _storage(ws: Workspace) -> Any:
    """Optuna's storage, opened once per process."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    url = _on_server(ws)
    if url is not None:
        database.get_engine(ws)  # makes the schema if need be
        schema, place = postgresql.schema_name(ws), 0
        address = url.render_as_string(hide_password=False)
        options = f"-c search_path={schema} -c lock_timeout={int(database.BUSY_SECONDS * 1000)}"
        arguments: dict[str, Any] = {"connect_args": {"options": options}, "pool_pre_ping": True}
    else:
        path = _file(ws)
        _make_file(path)
        schema, place = "", path.stat().st_ino
        address = sa.URL.create("sqlite", database=str(path)).render_as_string()
        arguments = {"connect_args": {"timeout": database.BUSY_SECONDS}}
    key = (f"{address} {schema}", os.getpid(), place)
    with _storages_lock:
        if key not in _storages:
            _storages[key] = optuna.storages.RDBStorage(address, engine_kwargs=arguments)
        return _storages[key]


def _make_file(path: Path) -> None:
    try:
        path.parent.mkdir(mode=0o700, exist_ok=True)
        if not path.exists():
            os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
            with closing(sqlite3.connect(path)) as connection:
                connection.execute("PRAGMA journal_mode=WAL")  # a page that reads never waits for a trial that writes
    except (OSError, sqlite3.Error) as error:
        raise WorkspaceError(
            f"The tunings of the workspace cannot be kept: {reason(error)}.",
            fix="Check that the folder exists, is writable and has free space.",
        ) from error


def _unknown(ws: Workspace, name: str) -> WorkspaceError:
    known = ", ".join(each.name for each in list_studies(ws)[:5]) or "none"
    return WorkspaceError(f"The workspace holds no tuning named {name!r}.", fix=f"Choose one of: {known}.")


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")
