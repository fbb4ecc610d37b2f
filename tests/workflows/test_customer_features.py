"""Features of all customers as a command and as a job."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest

from pricing_core import workflows
from pricing_core.cli import main
from pricing_core.errors import ConfigError
from pricing_core.progress import SilentProgress
from pricing_core.store import audit
from pricing_core.store.workspace import Workspace
from pricing_core.trust.access import self_declared
from pricing_core.workflows.customer_features import customer_features_job, kept_features


@pytest.fixture
def ws(tmp_path: Path) -> Workspace:
    """A workspace with sixty offers to twelve customers, whose ids became pseudonyms."""
    made = Workspace(tmp_path / "shop")
    rows = range(60)
    offers = pd.DataFrame(
        {
            "customer_id": [f"{i % 12:04d}" for i in rows],
            "product_id": [f"p{i % 5}" for i in rows],
            "offered_at": [f"2025-01-{1 + i % 28:02d}T10:00:00Z" for i in rows],
            "price": [str(5 + (i * 7) % 11 / 2) for i in rows],
            "purchased": [str(int(i % 3 == 0)) for i in rows],
        }
    )
    workflows.import_files(made, {"offers": offers}, name="Corner shop", currency="EUR")
    return made


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_the_command_writes_one_row_for_each_customer(
    ws: Workspace, tmp_path: Path, capsys: pytest.CaptureFixture[str], kind: str
) -> None:
    out = tmp_path / f"customers.{kind}"
    assert main(["features", "--workspace", str(ws.root), "--out", str(out), "--own-ids"]) == 0
    assert capsys.readouterr().out.strip() == f"12 customers: {out}"
    table = pd.read_csv(out, dtype={"customer_id": str}) if kind == "csv" else pd.read_parquet(out)
    assert sorted(table["customer_id"]) == [f"{i:04d}" for i in range(12)]
    assert table["offers_seen"].tolist() == [5] * 12
    assert table["purchases"].sum() == 20
    if kind == "parquet":
        told = pq.read_metadata(out).metadata
        assert (told[b"data_version"], told[b"currency"]) == (b"d0001", b"EUR")
    assert [path.name for path in tmp_path.iterdir() if ".part" in path.name] == []


def test_without_own_ids_the_customers_stay_pseudonyms(ws: Workspace, tmp_path: Path) -> None:
    assert main(["features", "--workspace", str(ws.root), "--out", str(tmp_path / "c.parquet")]) == 0
    assert pd.read_parquet(tmp_path / "c.parquet")["customer_id"].str.startswith("c_").all()


def test_a_file_of_another_kind_is_refused(ws: Workspace, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["features", "--workspace", str(ws.root), "--out", str(tmp_path / "c.xlsx")]) == 2
    assert "c.xlsx is neither a CSV nor a Parquet file" in capsys.readouterr().err


def test_the_job_keeps_the_file_and_says_so_in_the_audit_log(ws: Workspace) -> None:
    result = customer_features_job(ws, {"actor": vars(self_declared("Kim"))}, SilentProgress())
    path = kept_features(ws, "d0001")
    assert path is not None and result == {"file": path.name, "rows": 12}
    assert len(pd.read_csv(path)) == 12
    entry = audit.entries(ws, "d0001").iloc[0]
    assert entry["action"] == "export" and path.name in str(entry["after"])
    assert not list(ws.temp_dir.iterdir())


def test_a_job_that_names_nobody_makes_no_file(ws: Workspace) -> None:
    with pytest.raises(ConfigError, match="names nobody"):
        customer_features_job(ws, {}, SilentProgress())
    assert kept_features(ws, "d0001") is None
