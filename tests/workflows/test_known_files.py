"""A file whose rows the data hold already: said before the import, counted after it."""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd
import pytest

from pricing_core import workflows
from pricing_core.cli import main
from pricing_core.data.mapping import guess_mapping
from pricing_core.data.read import read_raw
from pricing_core.engines.known_rows import known_offers
from pricing_core.store import datasets
from pricing_core.store.workspace import Workspace
from pricing_core.workflows.known_files import known_in_head, known_orders_in_head, share_words
from tests.data.test_checks import shelf_offers
from tests.order_shop import dirty_orders


@pytest.fixture
def ws(tmp_path: Path) -> Workspace:
    ws = Workspace.open(tmp_path / "shop")
    workflows.import_files(ws, {"offers": shelf_offers()})
    return ws


def test_the_first_rows_of_a_file_are_looked_up_before_the_import(ws: Workspace) -> None:
    offers = shelf_offers()
    mapping = guess_mapping(list(offers.columns), "offers")
    text = offers.astype(str)
    n = min(200, len(offers))
    assert known_in_head(ws, text.head(200), mapping) == (n, n)
    names = len(pd.read_parquet(datasets.folder_of(ws) / "offers.parquet")["customer_id"].unique())
    changed = text.assign(price=[price if k % 2 else "7.77" for k, price in enumerate(text["price"])])
    assert known_in_head(ws, changed.head(20), mapping) == (10, 20)
    assert known_in_head(ws, text.head(20).assign(customer_id="somebody new"), mapping) == (0, 20)
    assert known_in_head(ws, text.head(20).drop(columns="price"), mapping) == (0, 0)
    assert share_words(10, 20).startswith("10 of the first 20 rows are in the data in use already")
    assert share_words(0, 20) == share_words(0, 0) == ""
    assert names and len(datasets.list_datasets(ws)) == 1


def test_an_import_says_how_many_rows_are_known(
    ws: Workspace, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    offers = shelf_offers()
    same = workflows.import_files(ws, {"offers": offers})
    assert f"All {len(offers):,} offers are in version d0001 already" in same.report.findings[0].message
    later = offers.tail(300).assign(offered_at=lambda frame: frame["offered_at"] + pd.Timedelta("400D"))
    file = tmp_path / "part.csv"
    pd.concat([offers.tail(100), later]).to_csv(file, index=False)
    assert main(["import", "--offers", str(file), "--workspace", str(ws.root)]) == 0
    assert "100 of 400 offers are in version d0002 already" in capsys.readouterr().out
    effects = datasets.load_quality(ws)["effect"]
    assert effects.str.contains(f"not {len(offers) - 100:,} other offers of d0002").sum() == 1
    workflows.use_version(ws, "d0002")
    grown = workflows.import_files(ws, {"offers": pd.read_csv(file)}, extend=True)
    assert not any("are in version" in finding.message and "already." in finding.message
                   for finding in grown.report.findings)  # fmt: skip


def test_many_rows_are_told_from_a_part_of_their_fingerprints(ws: Workspace) -> None:
    folder = datasets.folder_of(ws, "d0001")
    exact, estimated = known_offers(folder, folder), known_offers(folder, folder, exact_rows=10)
    assert exact.exact and exact.known == exact.given == exact.earlier
    assert not estimated.exact and abs(estimated.known / exact.known - 1) < 0.35


@pytest.mark.parametrize("large_mb", ["0", "1000"])
def test_orders_that_are_known_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], large_mb: str
) -> None:
    monkeypatch.setenv("PRICING_LARGE_MB", large_mb)
    made = dirty_orders(n_customers=120).content
    file = tmp_path / "orders.csv"
    ws = Workspace.open(tmp_path / "orders")
    file.write_bytes(made)
    workflows.import_files(ws, {"orders": file})
    again = workflows.import_files(ws, {"orders": file})
    (known,) = [each for each in again.report.findings if "in version d0001 already" in each.message]
    assert known.message.startswith("All of these orders") and "nothing is new" in known.message
    assert not datasets.load_manifest(ws, "d0001").repairs and datasets.latest_dataset_id(ws) == "d0002"
    head = read_raw(file).frame.head(200)
    mapping = guess_mapping(list(head.columns), "orders")
    seen, rows = known_orders_in_head(ws, head, mapping)
    assert 0.8 * rows < seen <= rows
    assert "order lines are in the data in use already" in share_words(seen, rows, orders=True)
    assert known_orders_in_head(ws, head.assign(**{mapping["customer_id"]: "somebody new"}), mapping) == (0, rows)
    lines = made.splitlines(keepends=True)
    file.write_bytes(b"".join(lines[: len(lines) // 2]))
    choices = ["--bestsellers", "5", "--max-age-days", "14"]
    assert main(["import", "--orders", str(file), "--workspace", str(ws.root), *choices]) == 0
    rule = datasets.load_manifest(ws).evidence["rule"]
    assert (rule["bestsellers"], rule["max_age_days"]) == (5, 14)
    assert re.search(
        r"info: orders: [\d,]+ of [\d,]+ purchases are in version d0002 already\.", capsys.readouterr().out
    )
    assert "holds only these orders" in " ".join(datasets.load_quality(ws)["effect"])


def test_the_command_tells_rows_of_the_file_and_of_the_version_apart(
    ws: Workspace, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    offers, file = shelf_offers(), tmp_path / "more.csv"
    later = offers.tail(300).assign(offered_at=lambda frame: frame["offered_at"] + pd.Timedelta("400D"))
    pd.concat([offers.tail(100), later]).to_csv(file, index=False)
    command = ["import", "--offers", str(file), "--extend", "--workspace", str(ws.root), "--only-import"]
    assert main(command) == 0
    said = capsys.readouterr().out
    assert "offers of these files: 400 rows in, 400 kept, 0 set aside" in said
    whole = len(offers) + 300
    assert f"offers of the whole version, each row once: {whole:,} rows in, {whole:,} kept, 0 set aside" in said
    assert main(command) == 0
    said = capsys.readouterr().out
    assert "Nothing is new: version d0002 holds all 400 offers of these files" in said
    assert "data version: d0002" in said and "whole version" not in said
