"""Handing a price list over: names of the shop's products, "was" prices as the list says, and the audit log."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import pytest

from pricing_core import workflows
from pricing_core.cli import main
from pricing_core.data.dataset import Dataset
from pricing_core.errors import ConfigError, DataError
from pricing_core.progress import SilentProgress
from pricing_core.store import audit, pricelists
from pricing_core.store.workspace import Workspace
from pricing_core.trust.access import Actor
from pricing_core.workflows import exporting
from pricing_core.workflows.exporting import ExportRequest
from tests.list_cases import LEA, MAYA, make_list, price_frame

START = datetime(2030, 1, 1, tzinfo=UTC)


def dataset(products: pd.DataFrame | None) -> Dataset:
    return Dataset(pd.DataFrame(), None, products, None, None, None)  # type: ignore[arg-type]


@pytest.fixture
def ws(tmp_path: Path) -> Workspace:
    return Workspace(tmp_path / "shop")


def test_every_file_taken_away_is_in_the_audit_log_with_its_hash(ws: Workspace) -> None:
    stored = pricelists.load_price_list(ws, make_list(ws))
    file = exporting.exported(ws, stored, ExportRequest("woocommerce"), actor=LEA)
    back = exporting.exported(ws, stored, ExportRequest("woocommerce", undo=True), actor=MAYA)
    assert file.data == b"SKU,Sale price,Regular price\r\np000,,11.00\r\np001,,18.00\r\np002,,33.00\r\np003,,36.00\r\n"
    assert back.data == b"SKU,Sale price,Regular price\r\np000,,10.00\r\np001,,20.00\r\np002,,30.00\r\np003,,40.00\r\n"
    log = audit.entries(ws, stored.price_list_id)
    log = log[log["action"] == "export"].sort_values("number")
    assert log["actor"].tolist() == ["lea@shop.example", "Maya"]
    for entry, taken, kind in zip(log["after"], (file, back), ("woocommerce", "woocommerce undo"), strict=True):
        assert (entry["format"], entry["sha256"]) == (kind, hashlib.sha256(taken.data).hexdigest())
    assert audit.verify(ws).intact


def test_a_list_that_is_not_approved_says_so(ws: Workspace) -> None:
    stored = pricelists.load_price_list(ws, make_list(ws))
    assert exporting.made(ws, stored, ExportRequest("csv")).notes == (
        "The list is not approved: its status is Draft.",
    )


def test_reductions_are_announced_as_the_list_says_and_only_from_true_prices(ws: Workspace) -> None:
    key = make_list(ws)
    workflows.set_terms(ws, key, actor=MAYA, effective_from=START, was_price="prior_price_30d")
    stored = pricelists.load_price_list(ws, key)
    file = exporting.made(ws, stored, ExportRequest("woocommerce"))
    # Lowest of thirty days: 9.50, 19, 28.50, 38; proposals 11, 18, 33, 36: only the cuts announce a reduction.
    assert file.data.splitlines()[1:] == [b"p000,,11.00", b"p001,18.00,19.00", b"p002,,33.00", b"p003,36.00,38.00"]
    workflows.set_terms(ws, key, actor=MAYA, effective_from=START, was_price="list_price")
    false = exporting.made(ws, pricelists.load_price_list(ws, key), ExportRequest("woocommerce"))
    assert false.data.splitlines()[1:] == [b"p000,,11.00", b"p001,,18.00", b"p002,,33.00", b"p003,,36.00"]
    assert b"was_price" not in exporting.made(ws, stored, ExportRequest("csv")).data


def test_only_who_may_export_gets_a_file_and_a_refused_one_leaves_no_entry(ws: Workspace) -> None:
    stored = pricelists.load_price_list(ws, make_list(ws, price_frame(personal=True)))
    with pytest.raises(DataError, match="Google shows one price to everybody"):
        exporting.exported(ws, stored, ExportRequest("google_merchant"), actor=LEA)
    assert "export" not in set(audit.entries(ws)["action"])
    viewer = Actor("vera@shop.example", "viewer", verified=True)
    assert exporting.exported(ws, stored, ExportRequest("csv"), actor=viewer).rows == 4


def test_a_job_leaves_the_file_among_the_exports(ws: Workspace) -> None:
    key = make_list(ws)
    params = {"price_list_id": key, "format": "woocommerce", "undo": True,
              "actor": {"name": "Maya", "role": "approver", "verified": False}}  # fmt: skip
    made = exporting.export_job(ws, params, SilentProgress())
    assert made == {"file": f"{key}_undo_woocommerce.csv"}
    assert (ws.exports_dir / made["file"]).read_bytes().splitlines()[1] == b"p000,,10.00"
    with pytest.raises(ConfigError, match="names nobody"):
        exporting.export_job(ws, {**params, "actor": None}, SilentProgress())


def test_the_products_table_says_what_the_shop_calls_its_products() -> None:
    products = pd.DataFrame(
        {"product_id": ["a"], "Name": ["Green tea"], "URL handle": ["tea"], "SKU": ["T-1"], "category": ["x"]}
    )
    catalog = exporting.catalog_of(dataset(products))
    assert catalog is not None
    assert catalog.to_dict("records") == [{"product_id": "a", "title": "Green tea", "handle": "tea", "sku": "T-1"}]
    assert exporting.catalog_of(dataset(products[["product_id", "category"]])) is None
    assert exporting.catalog_of(dataset(None)) is None


def test_the_command_writes_file_undo_and_problems(
    ws: Workspace, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    key = make_list(ws, price_frame().assign(product_id=["p0", "", "p2", "p3"]))
    out, undo, problems = (tmp_path / name for name in ("out.csv", "undo.csv", "problems.csv"))
    code = main(
        ["export", "--workspace", str(ws.root), "--price-list", key, "--format", "woocommerce", "--out", str(out),
         "--undo", str(undo), "--problems", str(problems), "--name", "Maya"]
    )  # fmt: skip
    said = capsys.readouterr()
    assert code == 0
    assert "blocking: SKU: The SKU is missing. Give the product a SKU in your shop. 1 rows (3)" in said.out
    assert "1 price is left out" in said.err
    assert out.read_bytes().splitlines() == [
        b"SKU,Sale price,Regular price", b"p0,,11.00", b"p2,,33.00", b"p3,,36.00",
    ]  # fmt: skip
    assert undo.read_bytes().splitlines()[1] == b"p0,,10.00"
    assert pd.read_csv(problems)["row_number"].tolist() == [3]
    source = tmp_path / "mine.csv"
    source.write_bytes(b"ID;SKU;Regular price\n1;p2;30,00\n")
    assert main(["export", "--workspace", str(ws.root), "--format", "woocommerce", "--source", str(source),
                 "--out", str(out), "--undo", str(undo)]) == 0  # fmt: skip
    assert out.read_bytes() == b"ID;SKU;Regular price\n1;p2;33,00\n"
    assert undo.read_bytes() == source.read_bytes()
    arguments = ["export", "--workspace", str(ws.root), "--format", "magento", "--out", str(out)]
    assert main([*arguments, "--group", "loyal"]) == 2
    assert "--group takes segment=group; received loyal." in capsys.readouterr().err
