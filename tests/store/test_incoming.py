"""Files on the server: only what lies in the allowed folder can be imported, whatever a name says."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pricing_core.errors import FileReadError
from pricing_core.store import incoming
from pricing_core.store.workspace import Workspace


@pytest.fixture
def ws(tmp_path: Path) -> Workspace:
    """A workspace with files to import, and secrets beside the folder."""
    made = Workspace(tmp_path / "shop")
    folder = incoming.incoming_folder(made)
    (folder / "2025").mkdir()
    (folder / "2025" / "january.csv").write_text("a\n1\n")
    (folder / "offers.csv").write_text("a,b\n1,2\n")
    (folder / "notes.docx").write_text("no table")
    (folder / ".hidden.csv").write_text("a\n")
    (tmp_path / "secret.csv").write_text("password\n1\n")
    (tmp_path / "shop" / "incoming_else").mkdir()
    (tmp_path / "shop" / "incoming_else" / "near.csv").write_text("a\n")
    (folder / "link_in.csv").symlink_to(folder / "offers.csv")
    (folder / "link_out.csv").symlink_to(tmp_path / "secret.csv")
    (folder / "outside").symlink_to(tmp_path, target_is_directory=True)
    (folder / "circle.csv").symlink_to(folder / "circle.csv")
    (folder / "key.csv").symlink_to(made.key_path)
    (folder / "folder.csv").mkdir()
    os.mkfifo(folder / "pipe.csv")
    return made


def test_the_list_names_tables_inside_with_their_size(ws: Workspace) -> None:
    listed = incoming.list_incoming(ws)
    assert sorted(listed["name"]) == ["2025/january.csv", "link_in.csv", "offers.csv"]
    assert listed.set_index("name")["size"]["offers.csv"] == 8
    for name in listed["name"]:
        assert incoming.incoming_path(ws, name).read_text().startswith("a")


ESCAPES = [
    "../secret.csv", "2025/../../../secret.csv", "2025/../offers.csv", "link_out.csv", "outside/secret.csv",
    "outside", "circle.csv", "key.csv", "folder.csv", "pipe.csv", "missing.csv", "",
    ".", "..", "/", "offers.csv\0.csv", ".hidden.csv", "notes.docx", "../incoming_else/near.csv", "2025",
    "~/secret.csv", "..\\secret.csv", "offers.csv/../offers.csv", "%2e%2e/secret.csv",
]  # fmt: skip


@pytest.mark.parametrize("name", ESCAPES)
def test_no_name_leads_out_of_the_folder(ws: Workspace, name: str) -> None:
    with pytest.raises(FileReadError, match="no file"):
        incoming.incoming_path(ws, name)


def test_absolute_names_are_refused_even_inside(ws: Workspace, tmp_path: Path) -> None:
    for path in (tmp_path / "secret.csv", incoming.incoming_folder(ws) / "offers.csv", Path("/etc/passwd")):
        with pytest.raises(FileReadError):
            incoming.incoming_path(ws, str(path))


def test_the_refusal_does_not_tell_what_is_on_the_server(ws: Workspace) -> None:
    said = []
    for name in ("../secret.csv", "../nothing.csv"):
        with pytest.raises(FileReadError) as refused:
            incoming.incoming_path(ws, name)
        said.append(str(refused.value).replace(name, "NAME"))
    assert said[0] == said[1]


def test_another_folder_can_be_allowed(ws: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    allowed = tmp_path / "exports of the shop"
    allowed.mkdir()
    (allowed / "orders.parquet").write_bytes(b"PAR1")
    (tmp_path / "way").symlink_to(allowed, target_is_directory=True)
    monkeypatch.setenv(incoming.VARIABLE, str(tmp_path / "way"))  # the folder itself may be a link of the operator's
    assert incoming.list_incoming(ws)["name"].tolist() == ["orders.parquet"]
    assert incoming.incoming_path(ws, "orders.parquet") == allowed / "orders.parquet"
    with pytest.raises(FileReadError):
        incoming.incoming_path(ws, "offers.csv")
    monkeypatch.setenv(incoming.VARIABLE, str(tmp_path / "not there"))
    assert incoming.list_incoming(ws).empty


def test_a_file_exchanged_for_a_link_after_it_was_chosen_is_refused(ws: Workspace, tmp_path: Path) -> None:
    folder = incoming.incoming_folder(ws)
    assert "offers.csv" in set(incoming.list_incoming(ws)["name"])
    (folder / "offers.csv").unlink()
    (folder / "offers.csv").symlink_to(tmp_path / "secret.csv")
    with pytest.raises(FileReadError):
        incoming.incoming_path(ws, "offers.csv")
