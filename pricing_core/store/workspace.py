"""The workspace: one folder that holds everything a shop has imported, trained and decided.

Folders are readable by their owner only, because they hold customers' behavior.
"""

from __future__ import annotations

import os
import secrets
import shutil
import time
from pathlib import Path

from pricing_core.errors import WorkspaceError
from pricing_core.store import processes

ENVIRONMENT_VARIABLE = "PRICING_WORKSPACE"
DEFAULT_PATH = "workspace"
_FOLDERS = ("datasets", "runs", "price_lists", "exports", "logs", "temp")
_FOREIGN_TEMP_AGE = 24 * 3600.0


class Workspace:
    """Folder of one shop; opening it creates what is missing.

    Parameters
    ----------
    path
        Folder; created (with owner-only permissions) if it does not exist.
    create
        Whether to create what is missing. A background process does not: it must not bring back a workspace that
        the user is deleting.

    Raises
    ------
    WorkspaceError
        If the path is a file, or the folder cannot be created or written, or is not there and not to be created.
    """

    def __init__(self, path: str | os.PathLike[str], *, create: bool = True) -> None:
        self.root = Path(path).expanduser().resolve()
        self.create = create
        try:
            if self.root.exists() and not self.root.is_dir():
                raise WorkspaceError(f"The workspace {path} is a file.", fix="Give a folder, or a path that is free.")
            if create:
                self._create_folders()
            elif not self.is_initialized:
                raise WorkspaceError(f"There is no workspace at {path}.", fix="Open it once in the app first.")
        except OSError as error:
            raise WorkspaceError(
                f"The workspace {path} cannot be used: {error.strerror or error}.",
                fix="Choose a folder in which you may create files.",
            ) from error
        if not os.access(self.root, os.R_OK | os.W_OK | os.X_OK):
            raise WorkspaceError(
                f"The workspace {path} is not writable.", fix="Choose a folder in which you may create files."
            )

    @classmethod
    def open(cls, path: str | os.PathLike[str] | None = None) -> Workspace:
        """Open ``path``, or else the folder named by ``PRICING_WORKSPACE``, or else ``./workspace``."""
        return cls(path or os.environ.get(ENVIRONMENT_VARIABLE) or DEFAULT_PATH)

    def _create_folders(self) -> None:
        # An existing folder with other things in it keeps its own permissions; our folders inside it do not need it.
        ours = not self.root.exists() or self.is_initialized or not any(self.root.iterdir())
        self.root.mkdir(mode=0o700, parents=True, exist_ok=True)
        if ours:
            _owner_only(self.root)
        for name in _FOLDERS:
            folder = self.root / name
            folder.mkdir(mode=0o700, exist_ok=True)
            _owner_only(folder)

    @property
    def datasets_dir(self) -> Path:
        """Folder of the imported data sets."""
        return self.root / "datasets"

    @property
    def runs_dir(self) -> Path:
        """Folder of the trained models."""
        return self.root / "runs"

    @property
    def price_lists_dir(self) -> Path:
        """Folder of the price lists."""
        return self.root / "price_lists"

    @property
    def exports_dir(self) -> Path:
        """Folder for files handed to the user."""
        return self.root / "exports"

    @property
    def logs_dir(self) -> Path:
        """Folder of the background jobs' logs."""
        return self.root / "logs"

    @property
    def temp_dir(self) -> Path:
        """Folder of what is still being written."""
        return self.root / "temp"

    @property
    def key_path(self) -> Path:
        """File of the key behind the customers' pseudonyms."""
        return self.root / "pseudonym.key"

    @property
    def database_path(self) -> Path:
        """SQLite file with the index and the jobs, unless they are on a server."""
        return self.root / "workspace.sqlite"

    @property
    def schema_marker(self) -> Path:
        """File that names the workspace's schema on a PostgreSQL server; absent where the index is a SQLite file."""
        return self.root / "postgresql.schema"

    @property
    def is_initialized(self) -> bool:
        """Whether the workspace has been opened before, with either kind of database."""
        return self.database_path.exists() or self.schema_marker.exists()

    def new_temp_dir(self, label: str) -> Path:
        """Create an empty owner-only folder under ``temp/`` whose name says which process owns it."""
        pid = os.getpid()
        folder = self.temp_dir / f"{label}-{pid}-{processes.start_mark(pid)}-{secrets.token_hex(4)}"
        folder.mkdir(mode=0o700)
        return folder

    def clean_temp(self) -> list[str]:
        """Remove what killed processes left under ``temp/``, and return the names removed.

        A folder is kept while the process that made it lives. Anything else in there is removed after a day.
        """
        removed = []
        for entry in self.temp_dir.iterdir():
            if _is_stale(entry):
                _remove(entry)
                removed.append(entry.name)
        return removed

    def __repr__(self) -> str:
        return f"Workspace({str(self.root)!r})"


def _owner_only(folder: Path) -> None:
    if folder.stat().st_mode & 0o077:
        folder.chmod(0o700)


def _is_stale(entry: Path) -> bool:
    parts = entry.name.rsplit("-", 3)
    if len(parts) == 4 and parts[1].isdigit():
        return not processes.is_alive(int(parts[1]), parts[2])
    try:
        return time.time() - entry.stat().st_mtime > _FOREIGN_TEMP_AGE
    except FileNotFoundError:
        return False


def _remove(entry: Path) -> None:
    if entry.is_dir() and not entry.is_symlink():
        shutil.rmtree(entry, ignore_errors=True)
    else:
        entry.unlink(missing_ok=True)
