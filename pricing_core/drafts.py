"""Names under which files are written before they get their own."""

from __future__ import annotations

import os
import secrets
from pathlib import Path


def draft_path(path: Path) -> Path:
    """A hidden name beside ``path`` that no other process and no other thread writes to at the same time.

    Two people who use the app at once are two threads of one process, so the number of the process is not enough.
    """
    return path.with_name(f".{path.name}.{os.getpid()}-{secrets.token_hex(4)}.part")
