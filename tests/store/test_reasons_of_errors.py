"""What a library says of a damaged file reaches the page without the folders of the machine."""

from __future__ import annotations

from pathlib import Path

import pytest

from pricing_core.errors import ModelError, reason
from pricing_core.response.pricing_rows import PricingRows
from tests.pricing_cases import make_rows


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (FileNotFoundError(2, "No such file or directory", "/home/shop/w/runs/r0001/x.json"),
         "x.json: No such file or directory"),
        (ValueError("Could not open '/srv/data/runs/r0002/rows.parquet': no magic bytes"),
         "Could not open 'rows.parquet': no magic bytes"),
        (ValueError(r"cannot open C:\shop\runs\r1\rows.npz"), "cannot open rows.npz"),
        (ValueError("unit cost / price level is 3/4, not and/or"), "unit cost / price level is 3/4, not and/or"),
        (KeyError("price"), "'price'"),
    ],
)  # fmt: skip
def test_files_are_named_without_their_folders(error: BaseException, told: str) -> None:
    assert reason(error) == told


def test_a_file_that_the_sentence_has_named_is_not_named_again() -> None:
    gone = FileNotFoundError(2, "No such file or directory", "/home/shop/w/runs/r0001/x.json")
    assert reason(gone, of="x.json") == "No such file or directory"
    assert reason(gone, of="y.json") == "x.json: No such file or directory"


def test_damaged_and_missing_rows_of_a_run_name_the_file_only(tmp_path: Path) -> None:
    rows = make_rows(20)
    rows.save(tmp_path)
    path = tmp_path / "pricing_rows.parquet"
    path.write_bytes(b"not a table")
    with pytest.raises(ModelError) as damaged:
        PricingRows.load(tmp_path)
    path.unlink()
    with pytest.raises(ModelError) as missing:
        PricingRows.load(tmp_path)
    for found in (damaged, missing):
        assert "pricing_rows.parquet" in str(found.value) and str(tmp_path) not in str(found.value)
        assert str(found.value).endswith("Train again.")
