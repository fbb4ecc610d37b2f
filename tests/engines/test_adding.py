"""What is added to a version is judged with all its rows; what was found in the files of that version stays known."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from pricing_core import workflows
from pricing_core.data.importing import ImportBlocked
from pricing_core.data.quality import QualityReport
from pricing_core.store import datasets
from pricing_core.store.workspace import Workspace
from tests.engines.messy_shop import as_csv, messy_shop

KEYS = ["customer_id", "product_id", "offered_at", "price", "purchased"]


@pytest.fixture(params=["0", "1000"], ids=["large", "small"])
def ws(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Workspace:
    monkeypatch.setenv("PRICING_LARGE_MB", request.param)
    monkeypatch.setenv("PRICING_ENGINE_MEMORY_MB", "200")
    return Workspace.open(tmp_path / "shop")


@pytest.fixture(scope="module")
def shop() -> dict[str, pd.DataFrame]:
    tables = messy_shop()
    return {**tables, "offers": tables["offers"][[*KEYS, "currency", "stock", "contact"]]}


def test_a_short_week_at_constant_prices_is_added(ws: Workspace, shop: dict[str, pd.DataFrame]) -> None:
    offers = shop["offers"]
    first = workflows.import_files(ws, {"offers": (as_csv(offers), "old.csv"), "products": _file(shop, "products")})
    week = pd.DataFrame({
        "customer_id": [f"C{k:03d}" for k in range(20)], "product_id": "P3", "offered_at": "2025-05-20T10:00:00Z",
        "price": "8.00", "purchased": "no", "currency": "USD", "stock": "3", "contact": "person1@example.org",
    })  # fmt: skip
    week.loc[19, "price"] = "free"
    added = workflows.import_files(ws, {"offers": (as_csv(week), "week.csv")}, extend=True)
    texts = [finding.message for finding in added.report.findings]
    held = datasets.row_counts(ws, first.dataset_id)["offers"]
    words = "0 of 19 rows were in version d0001 already; 19 are new. These files alone: 20 rows in = 19 kept + 1 set"
    assert any(f"{words} aside. Together they are {held + 19:,} rows." in text for text in texts)
    assert added.files is not None
    assert (added.files.rows_in["offers"], added.files.rows_set_aside["offers"]) == (20, 1)
    whole = " ".join(text for text in texts if not text.startswith("In d0001: "))
    assert "price never varies" not in whole and "purchases." not in whole
    assert f"of {held + 19:,} offers" in whole  # costs, of all rows
    assert "1 row was set aside" in whole and "'free'" in whole
    assert any(text.startswith("In d0001: ") and "set aside" in text for text in texts)
    _adds_up(added.report, datasets.row_counts(ws, added.dataset_id))
    assert added.report.rows_in["offers"] == len(offers) + 20
    assert len(added.set_aside) == len(first.set_aside) + 1
    assert added.set_aside["imported_in"].tolist() == ["d0001"] * len(first.set_aside) + [""]


def test_all_rows_together_are_found_as_if_imported_at_once(ws: Workspace, shop: dict[str, pd.DataFrame]) -> None:
    tables = {table: _file(shop, table) for table in ("customers", "products", "events")}
    good = shop["offers"].drop_duplicates(["customer_id", "product_id", "offered_at"]).reset_index(drop=True)
    parts = {"old": good[:500], "new": good[500:], "all": good}
    files = {name: (as_csv(part), f"{name}.csv") for name, part in parts.items()}
    workflows.import_files(ws, {"offers": files["old"], **tables})
    added = workflows.import_files(ws, {"offers": files["new"]}, extend=True)
    at_once = workflows.import_files(ws, {"offers": files["all"], **tables})
    assert _whole(added.report) == _whole(at_once.report)
    _adds_up(added.report, datasets.row_counts(ws, added.dataset_id))
    assert added.report.rows_set_aside == at_once.report.rows_set_aside
    assert added.report.rows_in == at_once.report.rows_in


def test_corrected_offers_that_stand_twice_are_told(ws: Workspace, shop: dict[str, pd.DataFrame]) -> None:
    good = shop["offers"].drop_duplicates(["customer_id", "product_id", "offered_at"]).reset_index(drop=True)
    good = good[pd.to_numeric(good["price"], errors="coerce").gt(0)]
    wrong = good.assign(price=[f"{float(price) * 100:.2f}" if k % 50 == 0 else price
                               for k, price in enumerate(good["price"])])  # fmt: skip
    first = workflows.import_files(ws, {"offers": (as_csv(wrong), "wrong.csv")})
    broken = good[:40].assign(price="free")  # rows set aside shift the numbers
    right = pd.concat([good[:40], broken, good[40:]], ignore_index=True)
    added = workflows.import_files(ws, {"offers": (as_csv(right), "right.csv")}, extend=True)
    keys = ["customer_id", "product_id", "offered_at"]
    table = pd.read_parquet(datasets.folder_of(ws, added.dataset_id) / "offers.parquet")
    twice = int(table.duplicated(keys).sum())
    assert twice > 5 and twice == len(table) - datasets.row_counts(ws, first.dataset_id)["offers"]
    (finding,) = [each for each in added.report.findings if "with other values" in each.message]
    assert (finding.severity, finding.count, finding.scope) == ("warning", twice, "rows")
    assert "on its own" in finding.effect and "counts twice" in finding.effect
    cells = right.iloc[[number - 2 for number in finding.rows]]
    assert len(cells) == min(20, twice)
    marks = pd.MultiIndex.from_frame(good[::50][keys])
    assert pd.MultiIndex.from_frame(cells[keys]).isin(marks).all() and not (cells["price"] == "free").any()
    repaired = datasets.load_quality(ws, workflows.repair_dataset(ws, added.dataset_id, ["price_outliers"]))
    assert f"{finding.message} (Not recounted after the repair.)" in repaired["message"].tolist()


def test_files_without_anything_new_make_no_version(ws: Workspace, shop: dict[str, pd.DataFrame]) -> None:
    offers = {"offers": (as_csv(shop["offers"]), "all.csv")}
    products = {"products": _file(shop, "products")}
    first = workflows.import_files(ws, {**offers, **products}, name="Corner shop")
    part = {"offers": (as_csv(shop["offers"][:300]), "part.csv")}
    for sources in (part, offers, {**offers, **products}):
        again = workflows.import_files(ws, sources, extend=True)
        assert again.dataset_id == first.dataset_id == datasets.latest_dataset_id(ws)
        assert "Nothing is new" in again.nothing_new and again.report.findings[0].message == again.nothing_new
    assert not list(ws.temp_dir.iterdir())
    dearer = shop["products"].assign(unit_cost=shop["products"]["unit_cost"].replace("4", "5"))
    changed = workflows.import_files(ws, {**part, "products": (as_csv(dearer), "products.csv")}, extend=True)
    assert changed.dataset_id == "d0002" and not changed.nothing_new
    assert datasets.load_manifest(ws, "d0002").name == "Corner shop"
    one, other = (pd.read_parquet(datasets.folder_of(ws, each) / "offers.parquet") for each in ("d0001", "d0002"))
    pd.testing.assert_frame_equal(one, other)


def test_a_longer_export_takes_the_place_of_the_shorter_one(ws: Workspace, shop: dict[str, pd.DataFrame]) -> None:
    offers = shop["offers"]
    workflows.import_files(ws, {"offers": (as_csv(offers[:600]), "short.csv")})
    longer = workflows.import_files(ws, {"offers": (as_csv(offers), "long.csv")}, extend=True)
    anew = workflows.import_files(ws, {"offers": (as_csv(offers), "long.csv")})
    assert longer.report.rows_set_aside == anew.report.rows_set_aside
    assert len(longer.set_aside) == len(anew.set_aside)
    assert not any(finding.message.startswith("In d0001") for finding in longer.report.findings)


def test_rows_that_do_not_help_are_refused_with_all_that_was_found(
    ws: Workspace, shop: dict[str, pd.DataFrame]
) -> None:
    good = shop["offers"].drop_duplicates().assign(currency="USD")
    workflows.import_files(ws, {"offers": (as_csv(good), "old.csv")})
    foreign = good.tail(30).assign(currency="EUR", offered_at="2025-06-01T10:00:00Z")
    with pytest.raises(ImportBlocked, match="more than one currency: EUR, USD") as refused:
        workflows.import_files(ws, {"offers": (as_csv(foreign), "new.csv")}, extend=True)
    assert any(finding.message.startswith("In d0001: ") for finding in refused.value.report.findings)
    assert datasets.latest_dataset_id(ws) == "d0001"


def _file(shop: dict[str, pd.DataFrame], table: str) -> tuple[bytes, str]:
    return as_csv(shop[table]), f"{table}.csv"


def _whole(report: QualityReport) -> list[tuple[str, str, str, int]]:
    """Findings about the tables as a whole, without how many rows were added."""
    return [(finding.table, finding.column, finding.message, finding.count) for finding in report.findings
            if finding.scope == "tables" and " already" not in finding.message]  # fmt: skip


def _adds_up(report: QualityReport, rows: dict[str, int]) -> None:
    for table, given in report.rows_in.items():
        assert given == report.rows_kept[table] + report.rows_set_aside[table]
        assert report.rows_kept[table] == rows[table]
