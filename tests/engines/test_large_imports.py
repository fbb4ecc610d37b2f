"""Large imports in a workspace: by size, cancelled, killed, two at once, on a full disk, and added to what is there."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from pricing_core import workflows
from pricing_core.cli import main
from pricing_core.data.importing import ImportBlocked
from pricing_core.engines import spool
from pricing_core.engines.limits import Limits
from pricing_core.engines.writing import write_parquet
from pricing_core.errors import ConfigError, DataError, JobCancelled, WorkspaceError
from pricing_core.store import blocked, datasets
from pricing_core.store.workspace import Workspace
from pricing_core.trust.identities import FILE_NAME
from tests.engines.messy_shop import as_csv, messy_shop

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def _everything_is_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PRICING_LARGE_MB", "0")
    monkeypatch.setenv("PRICING_ENGINE_MEMORY_MB", "200")


@pytest.fixture(scope="module")
def offers() -> pd.DataFrame:
    return messy_shop(offers=400)["offers"]


@pytest.fixture
def file(offers: pd.DataFrame, tmp_path: Path) -> Path:
    path = tmp_path / "offers.csv"
    path.write_bytes(as_csv(offers))
    return path


@pytest.fixture
def ws(tmp_path: Path) -> Workspace:
    return Workspace.open(tmp_path / "shop")


def test_the_import_is_stored_and_leaves_nothing_behind(
    ws: Workspace, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored = workflows.import_files(ws, {"offers": file})
    assert not list(ws.temp_dir.iterdir())
    monkeypatch.setenv("PRICING_LARGE_MB", "1000")
    small = workflows.import_files(ws, {"offers": file})
    one, other = (datasets.load_dataset(ws, version.dataset_id) for version in (stored, small))
    pd.testing.assert_frame_equal(one.offers, other.offers)
    assert one.manifest.data_hash == other.manifest.data_hash
    pd.testing.assert_frame_equal(stored.set_aside, small.set_aside)


def test_a_refused_import_keeps_its_report(ws: Workspace, offers: pd.DataFrame) -> None:
    path = ws.root / "none.csv"
    path.write_bytes(as_csv(offers.assign(purchased="no")))
    with pytest.raises(ImportBlocked, match="None of the"):
        workflows.import_files(ws, {"offers": path})
    assert blocked.load_blocked(ws) is not None
    assert datasets.latest_dataset_id(ws) is None
    assert not list(ws.temp_dir.iterdir())
    assert not (ws.root / FILE_NAME).exists()  # nobody's id is kept for data that are not


def test_ids_of_customers_without_a_row_that_is_kept_are_nowhere_in_the_version(
    ws: Workspace, offers: pd.DataFrame, tmp_path: Path
) -> None:
    gone = offers.head(1).assign(customer_id="nobody-any-more", price="none")
    path = tmp_path / "some.csv"
    path.write_bytes(as_csv(pd.concat([offers, gone])))
    stored = workflows.import_files(ws, {"offers": path})
    assert (stored.set_aside["customer_id"] == "nobody-any-more").sum() == 1
    for kept in (datasets.folder_of(ws, stored.dataset_id) / "offers.parquet", ws.root / FILE_NAME):
        assert b"nobody-any-more" not in kept.read_bytes()


def test_what_is_written_beside_the_checks_is_gone_when_they_fail(
    ws: Workspace, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, written = threading.Event(), []

    def check(*_: Any, **__: Any) -> None:
        assert begun.wait(30)
        raise DataError("The checks failed.")

    def write(rows: Any, path: Path, *arguments: Any) -> tuple[int, dict[str, str]]:
        found = write_parquet(rows, path, *arguments)
        written.append(path)
        begun.set()
        return found

    monkeypatch.setattr("pricing_core.engines.storing.write_parquet", write)
    monkeypatch.setattr("pricing_core.engines.importing.validate", check)
    with pytest.raises(DataError, match="The checks failed"):
        workflows.import_files(ws, {"offers": file})
    assert written and not written[0].exists()
    assert datasets.latest_dataset_id(ws) is None
    assert not list(ws.temp_dir.iterdir()) and not (ws.root / FILE_NAME).exists()


class Stopping:
    """Progress that asks to stop from a stage on."""

    def __init__(self, stage: str) -> None:
        self.stop_at = stage

    def stage(self, name: str, fraction: float, message: str = "") -> None:
        if name == self.stop_at:
            raise JobCancelled("The job was stopped at your request.")

    def metric(self, name: str, step: int, value: float) -> None:
        pass


@pytest.mark.parametrize("stage", ["Reading", "Cleaning", "Checking", "Storing"])
def test_a_cancelled_import_leaves_nothing(ws: Workspace, file: Path, stage: str) -> None:
    with pytest.raises(JobCancelled):
        workflows.import_files(ws, {"offers": file}, progress=Stopping(stage))
    assert datasets.latest_dataset_id(ws) is None
    assert not list(ws.temp_dir.iterdir())


def test_a_long_query_stops_when_the_user_asks(tmp_path: Path) -> None:
    from contextlib import closing

    from pricing_core.engines.session import Session

    with closing(Session(tmp_path, Limits(), Stopping("Importing"))) as session:
        with pytest.raises(JobCancelled):
            session.row("SELECT sum(a.range * b.range) FROM range(10000000) a, range(10000000) b")
        assert session.row("SELECT 1") == (1,)


@pytest.mark.parametrize("step", ["blocks", "tables"])
def test_a_full_disk_is_said_and_leaves_nothing(
    ws: Workspace, file: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    def full(*_: Any, **__: Any) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    if step == "blocks":
        monkeypatch.setattr(Limits, "held_bytes", 0)
        monkeypatch.setattr(spool.Spool, "_write", full)
    else:
        monkeypatch.setattr("pricing_core.engines.storing.write_parquet", full)
    with pytest.raises(WorkspaceError, match="No space left on device"):
        workflows.import_files(ws, {"offers": file})
    assert datasets.latest_dataset_id(ws) is None
    assert not list(ws.temp_dir.iterdir())


def test_a_killed_import_is_not_seen_and_its_rest_is_swept(ws: Workspace, file: Path) -> None:
    code = (
        "import os, signal, sys\n"
        "from pathlib import Path\n"
        "from pricing_core import workflows\n"
        "from pricing_core.store.workspace import Workspace\n"
        "class Dying:\n"
        "    def stage(self, name, fraction, message=''):\n"
        "        if name == 'Storing':\n"
        "            os.kill(os.getpid(), signal.SIGKILL)\n"
        "    def metric(self, *_):\n"
        "        pass\n"
        "workflows.import_files(Workspace.open(sys.argv[1]), {'offers': Path(sys.argv[2])}, progress=Dying())\n"
    )
    ended = subprocess.run([sys.executable, "-c", code, str(ws.root), str(file)], cwd=ROOT, check=False)
    assert ended.returncode == -signal.SIGKILL
    assert datasets.latest_dataset_id(ws) is None
    assert list(ws.temp_dir.iterdir())
    ws.clean_temp()
    assert not list(ws.temp_dir.iterdir())
    assert workflows.import_files(ws, {"offers": file}).dataset_id == "d0001"


def test_two_imports_at_once_make_two_versions(ws: Workspace, file: Path) -> None:
    found: list[str] = []

    def work() -> None:
        found.append(workflows.import_files(Workspace.open(ws.root), {"offers": file}).dataset_id)

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found) == ["d0001", "d0002"]
    one, other = (datasets.load_dataset(ws, version) for version in found)
    pd.testing.assert_frame_equal(one.offers, other.offers)


@pytest.mark.parametrize("large", ["0", "1000"])
def test_an_import_adds_only_what_is_new(
    ws: Workspace, offers: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, large: str
) -> None:
    monkeypatch.setenv("PRICING_LARGE_MB", large)
    good = offers[["customer_id", "product_id", "offered_at", "price", "purchased"]].drop_duplicates()
    good = good[(good != "").all(axis=1)].reset_index(drop=True)
    paths = {}
    for name, rows in {"first": good[:200], "longer": good, "later": good[150:]}.items():
        paths[name] = tmp_path / f"{name}.csv"
        paths[name].write_bytes(as_csv(rows))
    first = workflows.import_files(ws, {"offers": paths["first"]})
    longer = workflows.import_files(ws, {"offers": paths["longer"]}, extend=True)
    held = {
        version: len(datasets.load_dataset(ws, version).offers) for version in (first.dataset_id, longer.dataset_id)
    }
    assert datasets.load_manifest(ws, longer.dataset_id).extends == first.dataset_id
    message = next(f.message for f in longer.report.findings if "already" in f.message)
    assert f"{held['d0001']} of {held['d0002']} rows were in version d0001 already" in message
    whole = datasets.load_dataset(ws, longer.dataset_id).offers
    workflows.use_version(ws, first.dataset_id)
    later = workflows.import_files(ws, {"offers": paths["later"]}, extend=True)
    pd.testing.assert_frame_equal(datasets.load_dataset(ws, later.dataset_id).offers, whole)
    assert len(datasets.load_dataset(ws, first.dataset_id).offers) == held["d0001"]


def test_rows_that_do_not_fit_the_version_are_not_added(ws: Workspace, file: Path, offers: pd.DataFrame) -> None:
    workflows.import_files(ws, {"offers": file})
    other = ws.root / "other.csv"
    other.write_bytes(as_csv(offers.drop(columns="channel")))
    with pytest.raises(DataError, match="'channel' differs"):
        workflows.import_files(ws, {"offers": other}, extend=True)
    with pytest.raises(DataError, match="pseudonyms"):
        workflows.import_files(ws, {"offers": file}, extend=True, pseudonymize=False)
    with pytest.raises(DataError, match="is in USD, that of the files in JPY"):
        workflows.import_files(ws, {"offers": file}, extend=True, currency="JPY")
    assert datasets.latest_dataset_id(ws) == "d0001"


def test_the_command_streams_and_adds(
    ws: Workspace, file: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for extra in ([], ["--extend"]):
        assert main(["import", "--workspace", str(ws.root), "--offers", str(file), *extra]) == 0
    assert "Nothing is new: version d0001 holds all" in capsys.readouterr().out
    monkeypatch.setenv("PRICING_LARGE_MB", "many")
    with pytest.raises(ConfigError, match="PRICING_LARGE_MB"):
        workflows.import_files(ws, {"offers": file})


@pytest.mark.extra
def test_the_job_streams_uploads_and_adds(ws: Workspace, file: Path) -> None:
    for extend in (False, True):
        kept = workflows.keep_uploads(ws, {"offers": [(file.read_bytes(), "offers.csv")]})
        params = {"sources": kept, "name": "Shop", "extend": extend}
        made = workflows.JOB_HANDLERS["import"](ws, params, Stopping("never"))
        assert not list((ws.root / "uploads").iterdir())
    assert made["dataset_id"] == "d0001" and made["nothing_new"].startswith("Nothing is new")
    assert datasets.load_manifest(ws, "d0001").source == "offers.csv"
