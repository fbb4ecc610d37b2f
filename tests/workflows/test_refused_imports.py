"""An import that is refused loses nothing: what was found and every row are kept until one succeeds."""

from __future__ import annotations

import io

import pandas as pd
import pytest

from pricing_core import workflows
from pricing_core.data.importing import ImportBlocked
from pricing_core.store import blocked, datasets
from pricing_core.store.workspace import Workspace

HEADER = "customer_id,product_id,offered_at,price,purchased\n"


def offers(*rows: str) -> tuple[bytes, str]:
    return (HEADER + "\n".join(rows) + "\n").encode(), "offers.csv"


def good_rows(n: int = 60) -> list[str]:
    return [f"c{i % 7},p{i % 3},2025-01-{1 + i % 28:02d}T10:00:00Z,{5 + i % 4},{int(i % 3 == 0)}" for i in range(n)]


def test_a_refused_import_keeps_its_report_and_its_rows(tmp_path):
    ws = Workspace.open(tmp_path / "w")
    rows = [f"c{i},p1,2025-01-0{i}T10:00:00Z,{price},0" for i, price in ((1, 5), (2, -4), (3, 6))]
    refused = offers(*rows)
    with pytest.raises(ImportBlocked, match="purchase"):
        workflows.import_files(ws, {"offers": refused})
    kept = blocked.load_blocked(ws)
    assert kept is not None
    assert "blocking" in set(kept.findings["severity"])
    row = kept.counts.set_index("table").loc["offers"]
    assert row["rows_in"] == row["rows_kept"] + row["rows_set_aside"] == 3
    aside = pd.read_csv(io.BytesIO(workflows.set_aside_for_excel(kept.set_aside)), encoding="utf-8-sig")
    assert aside["row_number"].tolist() == [3]
    assert datasets.latest_dataset_id(ws) is None


def test_a_success_forgets_the_refusal_and_counts_every_row(tmp_path):
    ws = Workspace.open(tmp_path / "w")
    with pytest.raises(ImportBlocked):
        workflows.import_files(ws, {"offers": offers("c1,p1,2025-01-01T10:00:00Z,5,0")})
    stored = workflows.import_files(ws, {"offers": offers(*good_rows(), "c1,p1,2025-01-02T10:00:00Z,cheap,1")})
    assert blocked.load_blocked(ws) is None
    counts = datasets.load_counts(ws, stored.dataset_id).set_index("table").loc["offers"]
    assert (counts["rows_in"], counts["rows_kept"], counts["rows_set_aside"]) == (61, 60, 1)


def test_rows_set_aside_open_safely_in_a_spreadsheet(tmp_path):
    ws = Workspace.open(tmp_path / "w")
    formula = "=HYPERLINK(1),p1,2025-01-02T10:00:00Z,-1,0"
    stored = workflows.import_files(ws, {"offers": offers(*good_rows(), formula)}, pseudonymize=False)
    content = workflows.set_aside_for_excel(datasets.set_aside_path(ws, stored.dataset_id)).decode("utf-8-sig")
    assert "'=HYPERLINK(1)" in content
    assert ",=HYPERLINK" not in content
