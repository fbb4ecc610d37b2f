"""The beginning of a large file maps like the whole."""

from __future__ import annotations

import gzip
import io
import zipfile
from pathlib import Path

import pandas as pd
import pytest

from pricing_core.data import heads
from pricing_core.data.read import read_raw
from pricing_core.errors import FileReadError

TABLE = pd.DataFrame({"Kunde": [f"{i:05d}" for i in range(3_000)], "Preis": ["1,50 €"] * 3_000, "Ort": "Köln"})


def _csv(encoding: str) -> bytes:
    return TABLE.to_csv(index=False, sep=";").encode(encoding)


def _packed(content: bytes) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("read me.pdf", "no table")
        packed.writestr("export/offers.csv", content)
    return made.getvalue()


def _parquet() -> bytes:
    made = io.BytesIO()
    TABLE.to_parquet(made, row_group_size=1_000)
    return made.getvalue()


FILES = {
    "utf-8.csv": lambda: _csv("utf-8"),
    "mark.csv": lambda: _csv("utf-8-sig"),
    "wide.csv": lambda: _csv("utf-16"),
    "windows.csv": lambda: _csv("cp1252"),
    "packed.csv.gz": lambda: gzip.compress(_csv("utf-8")),
    "packed.zip": lambda: _packed(_csv("utf-8")),
    "table.parquet": _parquet,
}


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("on_disk", [True, False])
def test_a_head_has_the_columns_and_the_first_rows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, on_disk: bool
) -> None:
    monkeypatch.setattr(heads, "HEAD_BYTES", 5_000)
    content = FILES[name]()
    (tmp_path / name).write_bytes(content)
    head = heads.head_of(tmp_path / name if on_disk else (content, name))
    assert len(head[0]) < 10_000
    raw = read_raw(head)
    assert not len(raw.malformed)
    assert 100 <= len(raw.frame) < 1_000
    first = raw.frame.head(100).astype(str).reset_index(drop=True)
    pd.testing.assert_frame_equal(first, TABLE.head(100).astype(str), check_dtype=False)


def test_a_small_file_comes_whole() -> None:
    content = b"a,b\n1,2"
    assert heads.head_of((content, "x.csv")) == (content, "x.csv")


@pytest.mark.parametrize("name", ["x.zip", "x.csv.gz", "x.parquet"])
def test_a_damaged_file_is_named(tmp_path: Path, name: str) -> None:
    with pytest.raises(FileReadError, match=name):
        heads.head_of((b"this is no such file", name))
