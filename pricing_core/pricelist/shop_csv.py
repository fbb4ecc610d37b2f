"""A shop's CSV file, edited cell by cell: every byte that is not in an edited cell stays what it was.

The reader is as tolerant as shops' own: any of four delimiters, any line endings (mixed ones too), quotes where they
are not needed, cells with line breaks, rows that are too short or too long, and text after a closing quote.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import accumulate
from typing import Final, NamedTuple

from pricing_core.errors import FileReadError

DELIMITERS: Final = (",", ";", "\t", "|")
_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_LINE_END: Final = re.compile("\r\n|\n|\r")
_CJK: Final = re.compile("[\u3000-\u30ff\u4e00-\u9fff\uff00-\uffef]")
_HIGH: Final = re.compile("[^\x00-\x7f]")


class Cell(NamedTuple):
    """Place of a cell in the text, quotes included."""

    start: int
    end: int


class Edit(NamedTuple):
    """New text for a stretch of the file."""

    start: int
    end: int
    text: str


@dataclass(frozen=True)
class ShopCsv:
    """A file that can be written back byte for byte.

    Attributes
    ----------
    mark
        Byte order mark, as it stands in the file.
    """

    text: str
    encoding: str
    mark: bytes
    delimiter: str

    @cached_property
    def header(self) -> tuple[str, ...]:
        """Column names: the cells of the first row that is not blank, without surrounding spaces."""
        row = next(self._rows(), None)
        return tuple(self.value(cell).strip() for cell in row) if row else ()

    def rows(self, wanted: Sequence[int]) -> Iterator[tuple[int, list[Cell | None]]]:
        """Rows below the header: number as a spreadsheet shows it, and the cells of the wanted columns.

        A cell is None where the row is too short. Blank rows are counted, and passed over.
        """
        seen_header = False
        number = 0
        for row in self._rows(wanted, blank=True):
            number += 1
            if row is None:
                continue
            if not seen_header:
                seen_header = True
                continue
            yield number, row

    def value(self, cell: Cell | None) -> str:
        """What a cell says: quotes taken away, doubled quotes made single."""
        if cell is None:
            return ""
        whole = self.text[cell.start : cell.end]
        if not whole.startswith('"'):
            return whole
        if whole.count('"') == 2 and whole.endswith('"'):
            return whole[1:-1]
        inner = self.inner(cell)
        body = self.text[inner.start : inner.end]
        return body.replace('""', '"') + self.text[inner.end + 1 : cell.end]

    def quoted(self, cell: Cell) -> bool:
        """Whether a cell stands in quotes."""
        return cell.end > cell.start and self.text[cell.start] == '"'

    def inner(self, cell: Cell) -> Cell:
        """Place of a cell's content within its quotes."""
        if not self.quoted(cell):
            return cell
        match = _quoted(self.delimiter).match(self.text, cell.start)
        assert match is not None
        return Cell(cell.start + 1, cell.start + 1 + len(match[1]))

    def edited(self, edits: Sequence[Edit]) -> bytes:
        """The file with the edits, and not one other byte changed."""
        parts, position = [], 0
        for edit in sorted(edits, key=lambda each: each.start):
            parts += [self.text[position : edit.start], edit.text]
            position = edit.end
        parts.append(self.text[position:])
        return self.mark + "".join(parts).encode(self.encoding)

    def _rows(self, wanted: Sequence[int] | None = None, *, blank: bool = False) -> Iterator[list[Cell | None] | None]:
        position, size = 0, len(self.text)
        while position < size:
            found = _LINE_END.search(self.text, position)
            end, after = (found.start(), found.end()) if found else (size, size)
            line = self.text[position:end]
            if '"' in line:
                bounds, end = self._quoted_row(position)
                match = _LINE_END.match(self.text, end)
                after = match.end() if match else end
                position = after
                columns = range(len(bounds)) if wanted is None else wanted
                yield [Cell(*bounds[k]) if k < len(bounds) else None for k in columns]
            else:
                start, position = position, after
                if line.strip():
                    yield self._plain_row(line, start, wanted)
                elif blank:
                    yield None

    def _plain_row(self, line: str, start: int, wanted: Sequence[int] | None) -> list[Cell | None]:
        lengths = [len(part) for part in line.split(self.delimiter)]
        begins = [start, *(start + total for total in accumulate(length + 1 for length in lengths))]
        columns = range(len(lengths)) if wanted is None else wanted
        return [Cell(begins[k], begins[k] + lengths[k]) if k < len(lengths) else None for k in columns]

    def _quoted_row(self, position: int) -> tuple[list[tuple[int, int]], int]:
        """Bounds of the cells of a row with quotes, and where it ends: maybe lines further down."""
        text, delimiter, size = self.text, self.delimiter, len(self.text)
        bounds: list[tuple[int, int]] = []
        match = _cell(delimiter).match
        while True:
            found = match(text, position)
            assert found is not None
            if found.lastgroup is not None:
                row = text.count("\n", 0, position) + 1
                raise FileReadError(
                    f"A quote that opens in line {row} of your file is never closed.", fix="Export the file again."
                )
            end = found.end()
            bounds.append((position, end))
            if end >= size or text[end] != delimiter:
                return bounds, end
            position = end + 1


def read_shop_csv(data: bytes) -> ShopCsv:
    """File as text that turns back into the same bytes.

    Raises
    ------
    FileReadError
        If the file is empty, or its header has one column only under every delimiter.
    """
    if not data.strip():
        raise FileReadError("Your file is empty.", fix="Export it again from your shop.")
    mark, encoding = next(((m, e) for m, e in _MARKS if data.startswith(m)), (b"", ""))
    body = data[len(mark) :]
    text, encoding = _decoded(body, (encoding,) if encoding else ("utf-8", "gb18030", "cp1252", "latin-1"))
    widths = {d: len(ShopCsv(text, encoding, mark, d).header) for d in DELIMITERS}
    delimiter = max(DELIMITERS, key=widths.__getitem__)
    if widths[delimiter] < 2:
        raise FileReadError("Your file has one column only.", fix="Separate the columns by comma, semicolon, tab or |.")
    return ShopCsv(text, encoding, mark, delimiter)


def _decoded(body: bytes, encodings: Sequence[str]) -> tuple[str, str]:
    for encoding in encodings:
        try:
            text = body.decode(encoding)
        except UnicodeDecodeError:
            continue
        if encoding == "gb18030" and len(_CJK.findall(text)) < 0.5 * len(_HIGH.findall(text)):
            continue
        if text.encode(encoding) == body:
            return text, encoding
    raise FileReadError("The encoding of your file is not known.", fix="Export it as CSV in UTF-8.")


@lru_cache
def _cell(delimiter: str) -> re.Pattern[str]:
    d = re.escape(delimiter)
    return re.compile(rf'"[^"]*(?:""[^"]*)*(?:"[^{d}\r\n]*|(?P<open>\Z))|[^{d}\r\n]*')


@lru_cache
def _quoted(delimiter: str) -> re.Pattern[str]:
    return re.compile(r'"([^"]*(?:""[^"]*)*)"')
