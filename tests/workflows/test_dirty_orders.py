"""From a dirty export of orders to a price list, on the command line."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import pytest

from pricing_core.cli import main
from pricing_core.store import datasets, pricelists
from pricing_core.store.workspace import Workspace
from tests.order_shop import DirtyOrders, dirty_orders


@pytest.fixture
def shop(tmp_path: Path) -> tuple[Workspace, Path, DirtyOrders]:
    made = dirty_orders(n_customers=120)
    path = tmp_path / "orders.csv"
    path.write_bytes(made.content)
    return Workspace(tmp_path / "shop"), path, made


@pytest.fixture
def run(shop: tuple[Workspace, Path, DirtyOrders], capsys: pytest.CaptureFixture[str]):
    def call(*arguments: str, code: int = 0) -> str:
        capsys.readouterr()
        assert main([*arguments, "--workspace", str(shop[0].root)]) == code
        said = capsys.readouterr()
        return said.err if code == 2 else said.out

    return call


def test_every_kind_of_dirt_is_counted_and_repairs_can_be_taken_back(
    shop: tuple[Workspace, Path, DirtyOrders], run, tmp_path: Path
) -> None:
    ws, path, made = shop
    said = run("import", "--orders", str(path), "--currency", "EUR", "--set-aside", str(tmp_path / "aside.csv"))
    aside = made.duplicates + 2 * made.cancellations + made.without_customer + made.unreadable
    assert f"orders: {made.lines:,} rows in, {made.lines - aside:,} kept, {aside:,} set aside" in said
    assert len((tmp_path / "aside.csv").read_text(encoding="utf-8").splitlines()) == aside + 1
    assert f"{made.without_customer} rows were set aside: customer_id is missing" in said
    assert f"{made.unreadable} rows were set aside: ordered_at is not a time (for example 'unknown')" in said
    assert "1 further column of the orders is not used and not kept: Contact (e-mail addresses)." in said
    far = re.search(r"([\d,]+) order lines cost more than three times above or below the usual price", said)
    assert far is not None and int(far[1].replace(",", "")) >= made.far_off
    assert "prices look personal" not in said

    before = datasets.load_dataset(ws).offers
    assert "repair: price_outliers" in run("quality")
    assert "is not offered. Offered: price_outliers." in run("repair", "price_blip", code=2)
    assert "done: set the far-off prices aside\ndata version: d0002" in run("repair", "--all")
    after = datasets.load_dataset(ws).offers
    gone = before.merge(after.assign(kept=1), how="left")["kept"].isna()
    assert gone.sum() == len(before) - len(after) > 0
    usual = before.groupby("product_id")["price"].transform("median")
    assert (before["price"][gone] > 3 * usual[gone]).all()
    assert "price_outliers (done)" in run("quality") or "done: price_outliers" in run("quality")
    assert f"offers: {len(before):,} → {len(after):,}" in run("versions", "--compare", "d0001", "d0002")
    assert "data version: d0003" in run("repair", "--undo", "price_outliers")
    assert len(datasets.load_dataset(ws).offers) == len(before)
    assert "No repair is named. Offered: price_outliers." in run("repair", code=2)
    assert [line.split()[0] for line in run("versions").splitlines()[1:]] == ["d0003", "d0002", "d0001"]


@pytest.mark.extra
def test_a_dirty_export_of_orders_becomes_a_price_list(
    shop: tuple[Workspace, Path, DirtyOrders], run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ws, path, _ = shop
    run("import", "--orders", str(path), "--currency", "EUR", "--margin", "0.4", "--keep-ids")
    run("repair", "--all")
    trained = run("train", "--quick")
    assert "run: r0001" in trained and "these prices" in trained, "the command says whether to believe the prices"
    capsys.readouterr()
    assert main(["make-list", "--strategy", "product", "--as", "Lea", "--workspace", str(ws.root)]) == 0
    made = capsys.readouterr()
    assert "p0001: Draft" in made.out and "a margin of 40% of the usual price is assumed" in made.err
    frame = pricelists.load_price_list(ws, "p0001").current
    assert set(frame["product_id"].astype(str)) <= {f"00{k:02d}" for k in range(12)} and frame["new_price"].gt(0).all()
    run("export", "--format", "csv", "--out", str(tmp_path / "prices.csv"))
    with (tmp_path / "prices.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == len(frame)
    for row in rows:
        assert row["currency"] == "EUR" and re.fullmatch(r"\d+\.\d\d", row["new_price"])
        assert row["product_id"].startswith("00"), "leading zeros of ids are kept"
