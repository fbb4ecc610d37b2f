"""Find out how a text file is written: its encoding and its delimiter."""

from __future__ import annotations

import codecs
import csv
import io
from typing import Final

import numpy as np

from pricing_core.errors import FileReadError

DELIMITERS: Final = (",", ";", "\t", "|")
_DELIMITER_WORDS = "comma, semicolon, tab or |"
BOMS: Final = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


def decode(content: bytes, name: str) -> str:
    """Decode by byte-order mark, else UTF-8, else UTF-16 without a mark, else GB18030 or Windows-1252.

    Raises
    ------
    FileReadError
        If none of them fits.
    """
    for mark, encoding in BOMS:
        if content.startswith(mark):
            try:
                return content.decode(encoding)
            except UnicodeDecodeError as error:
                raise unknown_encoding(name) from error
    zeros = content[:4000].count(0)
    if zeros:
        even = content[:4000:2].count(0)
        return _try_decode(content, name, ("utf-16-be",) if even > zeros / 2 else ("utf-16-le",))
    try:
        return _try_decode(content, name, ("utf-8",))
    except FileReadError:
        return _try_decode(content, name, _legacy_encodings(content))


def _legacy_encodings(content: bytes) -> tuple[str, ...]:
    """Order GB18030 and cp1252: Chinese text has long runs of bytes above 127, accents stand alone."""
    high = np.frombuffer(content, dtype=np.uint8) >= 128
    alone = high[1:-1] & ~high[:-2] & ~high[2:]
    return order_legacy(int(alone.sum()), int(high.sum()))


def order_legacy(alone: int, high: int) -> tuple[str, ...]:
    """Order of trying, from the number of bytes above 127 and of those among them that stand alone."""
    return ("cp1252", "gb18030") if alone > 0.3 * high else ("gb18030", "cp1252")


def _try_decode(content: bytes, name: str, encodings: tuple[str, ...]) -> str:
    for encoding in encodings:
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if not has_controls(text):
            return text
    raise unknown_encoding(name)


def has_controls(text: str) -> bool:
    """Whether the start of a text holds control characters: then the encoding is a wrong one."""
    return any(chr(code) in text[:20_000] for code in (*range(9), *range(14, 32), *range(127, 160)))


def unknown_encoding(name: str) -> FileReadError:
    """The error that no encoding fits."""
    return FileReadError(
        f"{name}: the text encoding is not known; UTF-8, UTF-16, GB18030 and Windows-1252 were tried.",
        fix='Save the file as "CSV UTF-8".',
    )


def sniff_delimiter(text: str, name: str) -> str:
    """Return the delimiter that splits the first lines most evenly into at least two cells.

    Raises
    ------
    FileReadError
        If no delimiter splits the header.
    """
    sample = io.StringIO(text[:200_000], newline="")  # an old Mac's line ends are line ends too
    lines = [line for line in (sample.readline() for _ in range(50)) if line.strip()]
    best: tuple[float, int, str] | None = None
    for delimiter in DELIMITERS:
        counts = _cells_per_line(lines, delimiter)
        wide = [count for count in counts if count > 1]  # a title above the header is one cell
        if wide:
            usual = max(set(wide), key=lambda width: (wide.count(width), width))
            agreement = wide.count(usual) / len(counts)
            if best is None or (agreement, usual) > best[:2]:
                best = (agreement, usual, delimiter)
    if best is None:
        header = lines[0].strip()[:80]
        raise FileReadError(
            f"{name}: only one column was found; its header reads {header!r}.",
            fix=f"Separate the columns by {_DELIMITER_WORDS}.",
        )
    return best[2]


def _cells_per_line(lines: list[str], delimiter: str) -> list[int]:
    """Number of cells of each record; none where the lines cannot be split that way."""
    try:
        return [len(row) for row in csv.reader(lines, delimiter=delimiter) if row]
    except csv.Error:
        return []
