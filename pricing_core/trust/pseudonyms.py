"""Keyed pseudonyms: one customer, one name in every table, and nobody without the key can go back."""

from __future__ import annotations

import hmac
import os
import secrets
import tempfile
from pathlib import Path
from typing import Final

import pandas as pd

from pricing_core.errors import ConfigError, WorkspaceError

KEY_BYTES: Final = 32
PREFIX: Final = "c_"
HEX_DIGITS: Final = 20


class Pseudonymizer:
    """Replaces ids by ``c_`` and the first 20 hexadecimal digits of HMAC-SHA256(key, id).

    Parameters
    ----------
    key
        Secret of at least 16 bytes; whoever has it can test whether an id belongs to a pseudonym.

    Notes
    -----
    HMAC: RFC 2104. 80 bits of it make a clash among a million customers about 4e-13 likely.
    """

    def __init__(self, key: bytes) -> None:
        if len(key) < 16:
            raise ConfigError(f"The key has {len(key)} bytes.", fix="Use at least 16 random bytes.")
        self._begun = hmac.new(key, digestmod="sha256")  # a copy of what is begun costs less than beginning anew

    def apply(self, ids: pd.Series) -> pd.Series:
        """Return the pseudonyms of a column of ids (text); missing ids stay missing."""
        codes, levels = pd.factorize(ids)
        names = pd.Series([self.name(str(level)) for level in levels.to_numpy(dtype=object)], dtype="str")
        return pd.Series(names.array.take(codes, allow_fill=True), index=ids.index, name=ids.name)

    def name(self, customer_id: str) -> str:
        """Return the pseudonym of one id."""
        mac = self._begun.copy()
        mac.update(customer_id.encode("utf-8"))
        return PREFIX + mac.hexdigest()[:HEX_DIGITS]


def load_or_create_key(path: Path) -> bytes:
    """Return the key kept in a file that only its owner can read; make one on first use.

    Raises
    ------
    WorkspaceError
        If the file cannot be written or does not hold a key.
    """
    if not path.exists():
        _create(path)
    try:
        path.chmod(0o600)
        key = bytes.fromhex(path.read_text(encoding="ascii").strip())
    except (OSError, ValueError) as error:
        raise WorkspaceError(
            f"The pseudonym key {path.name} cannot be read.",
            fix="Restore it from a backup, or use a new workspace.",
        ) from error
    if len(key) != KEY_BYTES:
        raise WorkspaceError(
            f"The pseudonym key {path.name} has {len(key)} bytes instead of {KEY_BYTES}.",
            fix="Restore it from a backup, or use a new workspace.",
        )
    return key


def _create(path: Path) -> None:
    """Write a new key beside its place and link it in; if another process was faster, its key stays."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".key-")  # mkstemp makes it 0600
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write(secrets.token_bytes(KEY_BYTES).hex())
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise WorkspaceError(
            f"The pseudonym key cannot be written to {path.parent.name} ({error.strerror}).",
            fix="Choose a workspace folder that you can write to.",
        ) from error
    try:
        os.link(temporary, path)
    except FileExistsError:
        return
    finally:
        Path(temporary).unlink(missing_ok=True)
