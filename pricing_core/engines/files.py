"""Files that can be streamed: unpacked onto the disk, and their encoding found, without holding them in memory."""

from __future__ import annotations

import codecs
import gzip
import shutil
import struct
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Final

import numpy as np

from pricing_core.data import sniff
from pricing_core.data.archives import readable
from pricing_core.data.read import FORMATS, TABLE_FORMATS, File, NamedPath, Source, file_name, files_of, suffix_of
from pricing_core.errors import FileReadError
from pricing_core.progress import Progress

PARQUET: Final = ("parquet", "pq")
STREAMED: Final = ("csv", "tsv", "txt", *PARQUET)
_CHUNK: Final = 1 << 24
_HEAD: Final = 1 << 22


@dataclass(frozen=True)
class PlainFile:
    """A file on the disk that is neither packed nor a workbook, and its name for messages."""

    path: Path
    name: str

    @property
    def is_parquet(self) -> bool:
        """Whether it is a Parquet file."""
        return suffix_of(self.name) in PARQUET


def unpacked_bytes(source: Source) -> int | None:
    """Size of a source once unpacked, bytes; None where it cannot be streamed."""
    total = 0
    for file in files_of(source):
        size = _size(file)
        if size is None:
            return None
        total += size
    return total


def plain_files(source: Source, folder: Path, progress: Progress) -> list[PlainFile]:
    """Unpack what is packed into ``folder``; what is plain already stays where it is.

    Raises
    ------
    FileReadError
        If a file is missing, empty or damaged, or the disk has no room for what it unpacks to.
    """
    found: list[PlainFile] = []
    for file in files_of(source):
        found += _plain(_on_disk(file, folder), folder, progress)
    return found


def sniff_encoding(file: PlainFile, *, whole: bool = True) -> str:
    """Encoding of a text file, by the rules of :func:`pricing_core.data.sniff.decode`.

    Parameters
    ----------
    whole
        Whether all of the file is looked at; else a file that begins as UTF-8 is taken to be UTF-8.

    Raises
    ------
    FileReadError
        If none is known to fit.
    """
    with file.path.open("rb") as stream:
        head = stream.read(_HEAD)
    for mark, encoding in sniff.BOMS:
        if head.startswith(mark):
            return _first_fitting(file, head, (encoding,), controls=False)
    zeros = head[:4000].count(0)
    if zeros:
        even = head[:4000:2].count(0)
        return _first_fitting(file, head, ("utf-16-be",) if even > zeros / 2 else ("utf-16-le",))
    if not whole and _begins_as_utf8(head):
        return "utf-8"
    try:
        return _first_fitting(file, head, ("utf-8",))
    except FileReadError:
        return _first_fitting(file, head, sniff.order_legacy(*_high_bytes(file)))


def _first_fitting(file: PlainFile, head: bytes, encodings: tuple[str, ...], *, controls: bool = True) -> str:
    for encoding in encodings:
        text = codecs.getincrementaldecoder(encoding)(errors="replace").decode(head)
        if not (controls and sniff.has_controls(text)) and _fits(file, encoding):
            return encoding
    raise sniff.unknown_encoding(file.name)


def _begins_as_utf8(head: bytes) -> bool:
    try:
        text = codecs.getincrementaldecoder("utf-8")().decode(head, final=len(head) < _HEAD)
    except UnicodeDecodeError:
        return False
    return not sniff.has_controls(text)


def _fits(file: PlainFile, encoding: str) -> bool:
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        for chunk in _chunks(file.path):
            if encoding != "utf-8" or not chunk.isascii() or decoder.getstate()[0]:
                decoder.decode(chunk)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _high_bytes(file: PlainFile) -> tuple[int, int]:
    """Number of bytes above 127 that stand alone, and of all of them."""
    alone = high = 0
    for chunk in _chunks(file.path):
        above = np.frombuffer(chunk, dtype=np.uint8) >= 128
        alone += int((above[1:-1] & ~above[:-2] & ~above[2:]).sum())
        high += int(above.sum())
    return alone, high


def _chunks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as stream:
        while chunk := stream.read(_CHUNK):
            yield chunk


def _size(file: File) -> int | None:
    suffix = suffix_of(file_name(file))
    if isinstance(file, tuple):
        return len(file[0]) if suffix in STREAMED else None  # a packed upload in memory is small
    path = file.path if isinstance(file, NamedPath) else Path(file)
    try:
        if suffix == "zip":
            return _size_of_zip(path)
        if suffix == "gz":
            if suffix_of(file_name(file)[: -len(".gz")]) not in STREAMED:
                return None
            with path.open("rb") as stream:
                stream.seek(-4, 2)
                return max(int(struct.unpack("<I", stream.read(4))[0]), path.stat().st_size)
        if suffix in PARQUET:
            return _size_of_parquet(path)
        return path.stat().st_size if suffix in STREAMED else None
    except (OSError, ValueError, zipfile.BadZipFile):
        return None


def _size_of_zip(path: Path) -> int | None:
    with zipfile.ZipFile(path) as packed:
        members = [member for member in packed.infolist() if readable(member.filename, TABLE_FORMATS)]
        if not members or any(suffix_of(member.filename) not in ("csv", "tsv", "txt") for member in members):
            return None
        return sum(member.file_size for member in members)


def _size_of_parquet(path: Path) -> int:
    import pyarrow.parquet as parquet

    metadata = parquet.ParquetFile(path).metadata
    return sum(metadata.row_group(group).total_byte_size for group in range(metadata.num_row_groups))


def _on_disk(file: File, folder: Path) -> PlainFile:
    name = file_name(file)
    if isinstance(file, tuple):
        path = _free(folder, name)
        path.write_bytes(file[0])
    else:
        path = file.path if isinstance(file, NamedPath) else Path(file)
    try:
        empty = path.stat().st_size == 0
        with path.open("rb"):
            pass
    except FileNotFoundError:
        raise FileReadError(f"{name}: there is no such file.", fix="Check the path.") from None
    except OSError as error:
        raise FileReadError(f"{name}: the file cannot be opened ({error.strerror}).") from error
    if empty:
        raise FileReadError(f"{name}: the file is empty (0 bytes).", fix="Export it again and check its size.")
    return PlainFile(path, name)


def _plain(file: PlainFile, folder: Path, progress: Progress) -> list[PlainFile]:
    suffix = suffix_of(file.name)
    if suffix == "gz":
        inner = file.name[: -len(".gz")]
        try:
            with gzip.open(file.path, "rb") as packed:
                return [PlainFile(_copied(packed, folder, inner, progress), inner)]  # type: ignore[arg-type]
        except (gzip.BadGzipFile, EOFError, zlib.error) as error:
            raise FileReadError(f"{file.name}: this is not a readable gzip file.", fix="Pack it again.") from error
    if suffix == "zip":
        return _members(file, folder, progress)
    if suffix not in FORMATS:
        raise FileReadError(f"{file.name}: files of type {suffix!r} cannot be read.")
    return [file]


def _members(file: PlainFile, folder: Path, progress: Progress) -> list[PlainFile]:
    found = []
    try:
        with zipfile.ZipFile(file.path) as packed:
            members = [member for member in packed.infolist() if readable(member.filename, TABLE_FORMATS)]
            for member in sorted(members, key=lambda member: member.filename):
                name = PurePosixPath(member.filename).name
                with packed.open(member) as stream:
                    found.append(PlainFile(_copied(stream, folder, name, progress), name))
    except RuntimeError as error:
        raise FileReadError(f"{file.name}: the zip file has a password.", fix="Pack it without one.") from error
    except (zipfile.BadZipFile, EOFError, zlib.error, NotImplementedError) as error:
        raise FileReadError(f"{file.name}: this is not a readable zip file.", fix="Pack it again.") from error
    return found


def _copied(stream: IO[bytes], folder: Path, name: str, progress: Progress) -> Path:
    """Copy a stream into the folder, leaving room on the disk for what the import needs besides."""
    path = _free(folder, name)
    with path.open("wb") as target:
        while chunk := stream.read(_CHUNK):
            progress.stage("Unpacking", 0.0, f"Unpacking {name}")
            if shutil.disk_usage(folder).free < 4 * len(chunk):
                raise FileReadError(f"{name}: the disk has no room for what it unpacks to.", fix="Free some space.")
            target.write(chunk)
    return path


def _free(folder: Path, name: str) -> Path:
    return folder / f"{len(list(folder.iterdir())):04d}-{suffix_of(name) or 'file'}"
