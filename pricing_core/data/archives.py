"""Files inside files: gzip, zip, and folders of files that make one table."""

from __future__ import annotations

import gzip
import io
import zipfile
import zlib
from pathlib import Path, PurePosixPath
from typing import Final

from pricing_core.errors import FileReadError

MAX_UNPACKED: Final = 4_000_000_000
"""Bytes that a packed file may unpack to: a tiny file can unpack to more than a computer holds."""

_CHUNK: Final = 1 << 24


def unpack_gzip(content: bytes, name: str) -> tuple[bytes, str]:
    """Content and name of the file inside a gzip file.

    Raises
    ------
    FileReadError
        If it is damaged or unpacks to more than :data:`MAX_UNPACKED` bytes.
    """
    parts, size = [], 0
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(content)) as packed:
            while chunk := packed.read(_CHUNK):
                parts.append(chunk)
                size += len(chunk)
                _check_size(size, name)
    except (OSError, EOFError, zlib.error) as error:
        raise FileReadError(f"{name}: this is not a readable gzip file.", fix="Pack it again.") from error
    inner = name[: -len(".gz")] if name.lower().endswith(".gz") else f"{name}.csv"
    return b"".join(parts), inner


def unpack_zip(content: bytes, name: str, formats: tuple[str, ...]) -> list[tuple[bytes, str]]:
    """Contents and names of the readable files inside a zip file, in the order of their names.

    Raises
    ------
    FileReadError
        If it is damaged, encrypted, holds no readable file, or unpacks to more than :data:`MAX_UNPACKED` bytes.
    """
    found = []
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            members = sorted(
                (member for member in packed.infolist() if readable(member.filename, formats)),
                key=lambda member: member.filename,
            )
            _check_size(sum(member.file_size for member in members), name)
            for member in members:
                with packed.open(member) as stream:
                    found.append((stream.read(member.file_size + 1), PurePosixPath(member.filename).name))
    except RuntimeError as error:
        raise FileReadError(f"{name}: the zip file has a password.", fix="Pack it without one.") from error
    except (zipfile.BadZipFile, OSError, EOFError, zlib.error, NotImplementedError) as error:
        raise FileReadError(f"{name}: this is not a readable zip file.", fix="Pack it again.") from error
    if not found:
        raise FileReadError(
            f"{name}: the zip file holds no table.", fix=f"Put files of these types into it: {', '.join(formats)}."
        )
    return found


def files_of_folder(folder: Path, formats: tuple[str, ...]) -> list[Path]:
    """Readable files of a folder, in the order of their names; hidden files and subfolders are passed over.

    Raises
    ------
    FileReadError
        If there is none.
    """
    found = sorted(path for path in folder.iterdir() if path.is_file() and readable(path.name, formats))
    if not found:
        raise FileReadError(
            f"{folder.name}: the folder holds no table.", fix=f"Put files of these types into it: {', '.join(formats)}."
        )
    return found


def readable(name: str, formats: tuple[str, ...]) -> bool:
    """Whether a file inside a folder or a zip file is a table; hidden files and what systems add are not."""
    path = PurePosixPath(name)
    if name.endswith("/") or path.name.startswith((".", "~")) or "__MACOSX" in path.parts:
        return False
    return path.suffix.lower().lstrip(".") in formats


def _check_size(size: int, name: str) -> None:
    if size > MAX_UNPACKED:
        raise FileReadError(
            f"{name}: it unpacks to more than {MAX_UNPACKED // 1_000_000_000} GB.", fix="Split it into smaller files."
        )
