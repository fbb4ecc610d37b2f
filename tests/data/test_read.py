"""Files of many shapes read as tables; unreadable ones say why."""

from __future__ import annotations

import io
from pathlib import Path

import pandas as pd
import pytest

from pricing_core.data.read import read_raw, read_table
from pricing_core.errors import FileReadError


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_delimiter_is_found(delimiter: str) -> None:
    content = "\n".join(delimiter.join(row) for row in (("id", "text"), ("007", "a"), ("8", "b"))).encode()
    frame = read_table((content, "x.csv"))
    assert frame.to_dict("list") == {"id": ["007", "8"], "text": ["a", "b"]}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "gb18030"])
def test_chinese_is_read_in_every_encoding(encoding: str) -> None:
    frame = read_table(("客户编号,城市\n001,北京\n002,上海\n".encode(encoding), "x.csv"))
    assert list(frame.columns) == ["客户编号", "城市"]
    assert frame["城市"].tolist() == ["北京", "上海"]


def test_western_accents_are_read_from_windows_1252() -> None:
    frame = read_table(("name;preis\nMüller;1,50\nGrün €;2,50\n".encode("cp1252"), "x.csv"))
    assert frame["name"].tolist() == ["Müller", "Grün €"]


def test_rows_that_do_not_fit_keep_their_number_and_blank_rows_are_counted() -> None:
    raw = read_raw((b'a,b\n1,2\n\n3,"4\n5"\n6\n7,8,9\n10,11\n', "x.csv"))
    assert raw.frame["a"].tolist() == ["1", "3", "10"]
    assert raw.row_numbers.tolist() == [2, 4, 7]
    assert raw.malformed["row_number"].tolist() == [5, 6]
    assert raw.malformed["reason"].iloc[1] == "has 3 cells where the header has 2"
    assert raw.blank_rows == 1


def test_delimiter_inside_quotes_is_text() -> None:
    assert read_table((b'a,b\n"x,y",1\n', "x.csv"))["a"].tolist() == ["x,y"]


@pytest.mark.parametrize("suffix", ["parquet", "xlsx"])
def test_typed_formats_keep_text_ids(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"t.{suffix}"
    frame = pd.DataFrame({"id": ["007", "8"], "price": [1.5, 2.0]})
    frame.to_parquet(path) if suffix == "parquet" else frame.to_excel(path, index=False)
    read = read_table(path)
    assert read["id"].tolist() == ["007", "8"]
    assert read["price"].astype(float).tolist() == [1.5, 2.0]


def _workbook_without_cells() -> bytes:
    buffer = io.BytesIO()
    pd.DataFrame().to_excel(buffer, index=False)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("content", "name", "message"),
    [
        (b"", "x.csv", "x.csv: the file is empty (0 bytes). Export it again and check its size."),
        (b"", "x.xlsx", "x.xlsx: the file is empty (0 bytes). Export it again and check its size."),
        (b" \n\n", "x.csv", "x.csv: the file holds no text, only blank lines."),
        (b"a,b\n", "x.csv", "x.csv: the file has a header but no rows."),
        (
            b"a:b\n1:2\n",
            "x.csv",
            "only one column was found; its header reads 'a:b'. Separate the columns by comma,",
        ),
        (
            b"a,\x81\x8d\xff\x00\x01\x90,2\n",
            "x.csv",
            "the text encoding is not known; UTF-8, UTF-16, GB18030",
        ),
        (b"no workbook", "x.xlsx", "x.xlsx: this is not a readable Excel workbook."),
        (b"no parquet", "x.parquet", "x.parquet: this is not a readable Parquet file."),
        (b"{}", "x.json", "files of type 'json' cannot be read. Use CSV, Parquet or Excel (.xlsx); zip and gzip are"),
        (_workbook_without_cells(), "x.xlsx", "x.xlsx: the sheet 'Sheet1' is empty."),
    ],
)
def test_unreadable_file_says_why(content: bytes, name: str, message: str) -> None:
    with pytest.raises(FileReadError) as caught:
        read_table((content, name))
    assert message in str(caught.value)


def test_missing_file_says_so(tmp_path: Path) -> None:
    with pytest.raises(FileReadError, match=r"none\.csv: there is no such file"):
        read_table(tmp_path / "none.csv")


def test_nested_cells_become_text(tmp_path: Path) -> None:
    path = tmp_path / "nested.parquet"
    pd.DataFrame({"id": ["a", "b"], "tags": [[1, 2], None]}).to_parquet(path)
    assert read_table(path)["tags"].iloc[0] == "[1 2]"
