"""A file whose first rows were read early is imported as any other."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from pricing_core.engines.head_start import HeadStart
from pricing_core.errors import FileReadError
from tests.engines.paths import TINY, large

HEADER = "customer_id,product_id,offered_at,price,purchased,note"


def _rows(first: int, count: int, note: str) -> str:
    rows = range(first, first + count)
    return "".join(f"C{k % 990},P{k % 7},2024-01-{k % 28 + 1:02d},{k % 7 + 1}.{k % 5},{k % 2},{note}\n" for k in rows)


TEXTS = {
    "plain": (HEADER + "\n" + _rows(0, 3_000, "new")).encode(),
    "short rows and blank lines": (HEADER + "\n\nC1,P1\n" + _rows(0, 2_000, "") + "C1,P1,2024\n").encode(),
    "quoted line ends": (HEADER + "\n" + _rows(0, 2_000, '"two\nlines"')).encode(),
    "a quotation mark within a cell": (HEADER + "\n" + _rows(0, 2_000, '5" wide')).encode(),
    "another encoding later on": (HEADER + "\n" + _rows(0, 3_000, "a")).encode() + _rows(0, 9, "é").encode("cp1252"),
    "UTF-16": (HEADER + "\n" + _rows(0, 2_000, "é")).encode("utf-16"),
}


@pytest.mark.parametrize("name", TEXTS)
def test_what_was_begun_early_is_imported_as_if_it_was_not(tmp_path: Path, name: str) -> None:
    file = tmp_path / "offers.csv"
    file.write_bytes(TEXTS[name])
    usual, tables = large({"offers": file}, TINY)
    begun = HeadStart(file, TINY)
    outcome, found = large({"offers": file}, TINY, begun=begun)
    assert begun.reader(file) is None  # it was used
    assert outcome.manifest.data_hash == usual.manifest.data_hash
    pd.testing.assert_frame_equal(outcome.report.to_frame(), usual.report.to_frame())
    pd.testing.assert_frame_equal(outcome.set_aside, usual.set_aside)
    pd.testing.assert_frame_equal(found["offers"], tables["offers"])


def test_only_the_file_that_was_begun_is_gone_on_with(tmp_path: Path) -> None:
    file, other = tmp_path / "offers.csv", tmp_path / "other.csv"
    for path in (file, other):
        path.write_bytes(TEXTS["plain"])
    begun = HeadStart(file, TINY)
    assert begun.reader(other) is None
    assert begun.reader(file) is not None
    replaced = HeadStart(file, TINY)
    for thread in threading.enumerate():  # begun, before the file is another one
        if thread.name.startswith("import-begin"):
            thread.join()
    other.replace(file)
    assert replaced.reader(file) is None


def test_nothing_is_begun_for_small_packed_or_missing_files(tmp_path: Path) -> None:
    file = tmp_path / "offers.csv"
    file.write_bytes(TEXTS["plain"])
    assert HeadStart(file, replace(TINY, large_bytes=1 << 30)).reader(file) is None
    assert HeadStart(file, replace(TINY, threads=1)).reader(file) is None
    packed = file.rename(tmp_path / "offers.zip")
    assert HeadStart(packed, TINY).reader(packed) is None
    missing = tmp_path / "missing.csv"
    begun = HeadStart(missing, TINY)
    with pytest.raises(FileReadError, match="no such file"):
        large({"offers": missing}, TINY, begun=begun)
