"""The mapping of an export is remembered by its columns, whatever their order."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from pricing_core import workflows
from pricing_core.errors import MappingError
from pricing_core.store import datasets, file_shapes
from pricing_core.store.file_shapes import FileShape
from pricing_core.store.workspace import Workspace


def test_a_shape_is_known_by_its_columns_in_any_order(tmp_path: Path) -> None:
    ws = Workspace.open(tmp_path)
    assert file_shapes.recall(ws, ["a", "b"]) is None
    file_shapes.remember(ws, ["Who", "What", "When"], FileShape("orders", {"customer_id": "Who"}))
    file_shapes.remember(ws, ["a", "b"], FileShape("products", {"product_id": "a"}))
    assert file_shapes.recall(ws, ["When", "what", "Who"]) == FileShape("orders", {"customer_id": "Who"})
    assert file_shapes.recall(ws, ["When", "Who"]) is None


def test_the_second_import_of_a_kind_of_file_needs_no_mapping(tmp_path: Path) -> None:
    ws = Workspace.open(tmp_path / "ws")
    rows = range(60)
    frame = pd.DataFrame(
        {
            "w": [f"c{k % 7}" for k in rows],
            "x": [f"p{k % 3}" for k in rows],
            "y": [f"2025-01-{1 + k % 28:02d}" for k in rows],
            "z": [f"{4 + k % 5}.50" for k in rows],
            "b": [str(int(k % 4 == 0)) for k in rows],
        }
    )
    path = tmp_path / "january.csv"
    frame.to_csv(path, index=False)
    mapping = {"customer_id": "w", "product_id": "x", "offered_at": "y", "price": "z", "purchased": "b"}
    with pytest.raises(MappingError, match="required columns are missing"):
        workflows.import_files(ws, {"offers": path})
    workflows.import_files(ws, {"offers": path}, mapping={"offers": mapping})
    folder = tmp_path / "months"
    folder.mkdir()
    frame[["b", "z", "y", "x", "w"]].to_csv(folder / "february.csv", index=False)
    frame.assign(y="2025-03-01").to_csv(folder / "march.csv", index=False, sep=";")
    stored = workflows.import_files(ws, {"offers": folder})
    assert stored.report.rows_in == {"offers": 120}
    assert datasets.load_manifest(ws, stored.dataset_id).mapping["offers"] == mapping
