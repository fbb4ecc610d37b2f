"""The beginning of a file, so that its columns can be mapped without reading all of it."""

from __future__ import annotations

import gzip
import io
import zipfile
import zlib
from pathlib import Path, PurePosixPath
from typing import IO, Final

import pyarrow as pa
import pyarrow.parquet as pq

from pricing_core.data.archives import readable
from pricing_core.data.read import TABLE_FORMATS
from pricing_core.errors import FileReadError

HEAD_BYTES: Final = 1 << 20
HEAD_ROWS: Final = 200
_TEXT: Final = ("csv", "tsv", "txt")
_PARQUET: Final = ("parquet", "pq")

Head = tuple[bytes, str]


def head_of(source: Path | tuple[bytes, str], name: str | None = None) -> Head:
    """Content and name of a small file with the first rows of a large one, to be read like any other.

    Parameters
    ----------
    source
        A path, or the content of an upload with its name.
    name
        Name of the file behind a path, for its format and for messages; default: the path's own.

    Raises
    ------
    FileReadError
        If the file is damaged.
    """
    if isinstance(source, tuple):
        content, name = source
        return _head(io.BytesIO(content), name)
    name = name or source.name
    try:
        with source.open("rb") as file:
            return _head(file, name)
    except OSError as error:
        raise FileReadError(f"{name} cannot be read: {error.strerror or error}.") from error


def _head(file: IO[bytes], name: str) -> Head:
    kind = _suffix(name)
    try:
        if kind in _TEXT:
            return _whole_lines(file.read(HEAD_BYTES + 1)), name
        if kind in _PARQUET:
            return _first_rows(file), name
        if kind == "gz":
            with gzip.GzipFile(fileobj=file) as packed:
                inner = name[: -len(".gz")]
                return _head(
                    io.BytesIO(packed.read(HEAD_BYTES + 1)), inner if _suffix(inner) in _TEXT else inner + ".csv"
                )
        if kind == "zip":
            return _in_zip(file, name)
    except (zipfile.BadZipFile, EOFError, zlib.error, RuntimeError, gzip.BadGzipFile, pa.ArrowInvalid) as error:
        raise FileReadError(f"{name}: this file is damaged.", fix="Copy or pack it again.") from error
    return file.read(), name  # a workbook has no beginning of its own


def _in_zip(file: IO[bytes], name: str) -> Head:
    """Head of the first readable file inside; the others must have the same columns anyway."""
    with zipfile.ZipFile(file) as packed:
        members = sorted(each.filename for each in packed.infolist() if readable(each.filename, TABLE_FORMATS))
        if not members:
            raise FileReadError(f"{name}: no table is inside.", fix="Pack CSV, Parquet or Excel files.")
        inner = PurePosixPath(members[0]).name
        with packed.open(members[0]) as stream:
            text = _suffix(inner) in _TEXT
            return _head(io.BytesIO(stream.read(HEAD_BYTES + 1) if text else stream.read()), inner)


def _whole_lines(content: bytes) -> bytes:
    """The content without its last, broken line, unless the file ended before."""
    if len(content) <= HEAD_BYTES:
        return content
    content = content[:HEAD_BYTES]
    wide = content[:2] in (b"\xff\xfe", b"\xfe\xff") or content[:4000].count(0) > 200
    line_end = {b"\xfe\xff": b"\0\n"}.get(content[:2], b"\n\0") if wide else b"\n"
    end = content.rfind(line_end)
    return content if end < 0 else content[: end + len(line_end)]


def _first_rows(file: IO[bytes]) -> bytes:
    parquet = pq.ParquetFile(file)
    batch = next(parquet.iter_batches(batch_size=HEAD_ROWS), None)
    schema = parquet.schema_arrow
    table = pa.Table.from_batches([] if batch is None else [batch], schema=schema)
    made = io.BytesIO()
    pq.write_table(table.slice(0, HEAD_ROWS), made)
    return made.getvalue()


def _suffix(name: str) -> str:
    return PurePosixPath(name).suffix.lower().removeprefix(".")
