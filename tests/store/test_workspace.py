from __future__ import annotations

import os
import shutil
import sqlite3
import stat
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

from pricing_core.errors import WorkspaceError
from pricing_core.store import database, processes, settings
from pricing_core.store.workspace import Workspace


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_folders_and_database_are_for_their_owner_only_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        ws = Workspace(tmp_path / "a" / "shop")
        settings.set(ws, "key", 1)
        draft = ws.new_temp_dir("run")
    finally:
        os.umask(before)
    folders = [ws.root, *(path for path in ws.root.iterdir() if path.is_dir()), draft]
    assert {_mode(path) for path in folders} == {0o700} and len(folders) == 8
    files = list(ws.root.glob("workspace.sqlite*"))
    assert {_mode(path) for path in files} == {0o600} and len(files) == 3


def test_a_folder_with_other_things_in_it_keeps_its_own_permissions(tmp_path: Path) -> None:
    root = tmp_path / "home"
    root.mkdir()
    root.chmod(0o755)
    (root / "letter.txt").write_text("mine")
    ws = Workspace(root)
    assert (_mode(root), _mode(ws.datasets_dir)) == (0o755, 0o700)


def test_the_workspace_is_found_by_argument_then_environment_then_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PRICING_WORKSPACE", str(tmp_path / "from_environment"))
    assert Workspace.open(tmp_path / "given").root == tmp_path / "given"
    assert Workspace.open().root == tmp_path / "from_environment"
    monkeypatch.delenv("PRICING_WORKSPACE")
    assert Workspace.open(None).root == tmp_path / "workspace"


def test_a_path_that_cannot_be_a_workspace_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("")
    with pytest.raises(WorkspaceError, match=r"The workspace .*file is a file\. Give a folder, or a path that is free"):
        Workspace(file)
    with pytest.raises(WorkspaceError, match=r"cannot be used: Not a directory\. Choose a folder"):
        Workspace(file / "inside")
    with pytest.raises(WorkspaceError, match=r"There is no workspace at .*nothing\. Open it once in the app first\."):
        Workspace(tmp_path / "nothing", create=False)
    assert not (tmp_path / "nothing").exists()


def test_a_path_that_may_not_even_be_looked_at_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_self: Path, **_options: object) -> os.stat_result:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "stat", refuse)
    with pytest.raises(WorkspaceError, match=r"The workspace /secret/shop cannot be used: Permission denied\."):
        Workspace("/secret/shop")


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may write everywhere")
def test_a_folder_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    root = tmp_path / "shop"
    Workspace(root)
    root.chmod(0o500)
    with pytest.raises(WorkspaceError, match="Choose a folder in which you may create files"):
        Workspace(root)
    root.chmod(0o700)


def test_a_newer_schema_is_refused_in_plain_words(file_ws: Workspace) -> None:
    settings.set(file_ws, "key", 1)
    with closing(sqlite3.connect(file_ws.database_path)) as connection:
        connection.execute(f"PRAGMA user_version={database.SCHEMA_VERSION + 1}")
    database._engines.clear()
    with pytest.raises(
        WorkspaceError,
        match=r"written by a newer version \(schema 3; this version knows 2\)\. Update the program, or open another",
    ):
        settings.get(file_ws, "key")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"no database at all " * 100, r"workspace\.sqlite cannot be read: file is not a database"),
        (b"", r"workspace\.sqlite in the workspace is not a database of this program"),
    ],
)
def test_a_file_that_is_not_our_database_is_refused_and_left_alone(
    file_ws: Workspace, content: bytes, message: str
) -> None:
    file_ws.database_path.write_bytes(content)
    with pytest.raises(WorkspaceError, match=message):
        settings.get(file_ws, "key")
    assert file_ws.database_path.read_bytes() == content


@pytest.mark.parametrize("kept", [4_096, 9_000, 20_000])
def test_a_database_that_is_cut_off_behind_its_head_is_named_and_left_alone(file_ws: Workspace, kept: int) -> None:
    for k in range(200):
        settings.set(file_ws, f"key {k}", "x" * 200)
    database.close(file_ws)
    content = file_ws.database_path.read_bytes()[:kept]
    assert len(content) == kept
    file_ws.database_path.write_bytes(content)
    with pytest.raises(WorkspaceError, match=r"workspace\.sqlite cannot be read: .*malformed\. Restore it from a copy"):
        settings.get(file_ws, "key 150")
    assert file_ws.database_path.read_bytes() == content


def test_a_workspace_removed_under_a_running_program_is_a_clear_error_and_can_be_made_anew(tmp_path: Path) -> None:
    ws = Workspace(tmp_path / "shop")
    settings.set(ws, "key", 1)
    shutil.rmtree(ws.root)
    with pytest.raises(WorkspaceError, match="The workspace's database cannot be created"):
        settings.get(ws, "key")
    assert settings.get(Workspace(ws.root), "key", "none") == "none"


def test_only_what_dead_processes_left_is_cleaned(ws: Workspace) -> None:
    mine = ws.new_temp_dir("run")
    code = (
        "import sys; from pricing_core.store.workspace import Workspace\n"
        "draft = Workspace(sys.argv[1]).new_temp_dir('run'); (draft / 'half').write_text('x'); print(draft.name)"
    )
    ran = subprocess.run([sys.executable, "-c", code, ws.root], capture_output=True, text=True, check=True)
    reused_number = ws.temp_dir / f"run-{os.getpid()}-anotherstart-00ff00ff"
    reused_number.mkdir()
    young, old = ws.temp_dir / "unknown", ws.temp_dir / "unknown.old"
    young.write_text("")
    old.write_text("")
    os.utime(old, (time.time() - 90_000,) * 2)
    assert set(ws.clean_temp()) == {ran.stdout.strip(), reused_number.name, old.name}
    assert {path.name for path in ws.temp_dir.iterdir()} == {mine.name, young.name}


def test_a_process_is_told_from_a_later_one_with_its_number() -> None:
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    mark = processes.start_mark(child.pid)
    assert processes.is_alive(child.pid, mark)
    assert not processes.is_alive(child.pid, processes.start_mark(os.getpid()))
    assert not processes.is_alive(child.pid, None) and not processes.is_alive(None, mark)
    child.kill()
    end = time.monotonic() + 60
    while processes.is_alive(child.pid, mark) and time.monotonic() < end:
        time.sleep(0.01)
    assert not processes.is_alive(child.pid, mark)  # ended, though nobody has collected it yet
    child.communicate()
    assert processes.start_mark(child.pid) is None
