"""One category in several spellings is pointed out, in small and large files alike."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pricing_core import workflows
from pricing_core.cli import main
from pricing_core.data.spellings import one_spelling, spelled_alike, with_visible_spaces
from pricing_core.engines.limits import Limits
from pricing_core.errors import DataError
from pricing_core.store import datasets
from pricing_core.store.workspace import Workspace
from tests.data.test_checks import shelf_offers
from tests.engines.messy_shop import as_csv
from tests.engines.paths import DATABASE, TINY, USUAL, assert_same
from tests.engines.test_large_repairs import assert_equal_versions


@pytest.mark.parametrize("limits", [TINY, USUAL, DATABASE], ids=["tiny", "usual", "database"])
def test_spellings_of_a_category_are_counted_the_same(limits: Limits) -> None:
    offers, rng = shelf_offers(), np.random.default_rng(0)
    offers["till kind"] = rng.choice(["web", "WEB", "shop", "shop floor", ""], len(offers))
    offers["note"] = [f"Note {k}" if k % 2 else f"note {k - 1}" for k in range(1, len(offers) + 1)]  # no category
    customers = offers[["customer_id"]].drop_duplicates()
    customers["region"] = np.where(np.arange(len(customers)) % 9 == 0, "NORTH  east", "North East")
    sources = {"offers": (as_csv(offers), "offers.csv"), "customers": (as_csv(customers), "customers.csv")}
    outcome = assert_same(sources, limits)
    assert outcome is not None
    told = {f"{each.table}.{each.column}": each for each in outcome.report.findings if "spelled" in each.message}
    assert set(told) == {"offers.till kind", "customers.region"}
    counts = offers["till kind"].value_counts()
    found = told["offers.till kind"]
    assert found.severity == "warning" and found.count == counts["web"] + counts["WEB"]
    assert f"'WEB' ({counts['WEB']:,} rows) and 'web' ({counts['web']:,} rows)" in found.message
    assert "'shop" not in found.message
    assert found.repair == "unify offers.till kind"
    assert "'NORTH␣␣east'" in told["customers.region"].message and "␣ marks a space" in told["customers.region"].message
    assert "␣" not in found.message


def test_texts_that_differ_in_more_than_letters_and_spaces_are_no_spellings() -> None:
    assert spelled_alike(["web", "Web ", "WEB", "web shop", "webshop"]) == [["WEB", "Web ", "web"]]
    assert spelled_alike(["Straße", "STRASSE", "Strasse 1"]) == [["STRASSE", "Straße"]]
    assert spelled_alike(["a", "b", "a"]) == []


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("North East", "North East"),
        ("North  East", "North␣␣East"),
        (" shop ", "␣shop␣"),
        ("North\u00a0East", "North␣East"),
        ("North\tEast", "North␣East"),
    ],
)
def test_spaces_that_make_a_difference_are_seen(text: str, shown: str) -> None:
    assert with_visible_spaces(text) == shown


def test_the_spelling_of_most_rows_is_taken_and_of_as_many_the_first() -> None:
    assert one_spelling({"web": 3, "WEB": 2, "shop": 9, "Shop ": 10, "till": 1}) == {"WEB": "web", "shop": "Shop "}
    assert one_spelling({"web": 2, "WEB": 2}) == {"web": "WEB"}
    assert one_spelling({"web": 2, "shop": 1}) == {}


@pytest.fixture
def ws(tmp_path: Path) -> Workspace:
    offers = shelf_offers()
    rng = np.random.default_rng(0)
    offers["till's kind"] = rng.choice(["web's", "Web's", "shop", ""], len(offers), p=[0.2, 0.5, 0.2, 0.1])
    products = offers[["product_id"]].drop_duplicates()
    products["till's kind"] = ["WEB'S", "web's", "web's"][: len(products)] + ["shop"] * max(0, len(products) - 3)
    ws = Workspace.open(tmp_path / "shop")
    workflows.import_files(ws, {"offers": offers, "products": products})
    return ws


def test_spellings_are_repaired_alike_in_small_and_large_versions_and_the_repair_is_undone(
    ws: Workspace, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    repairs = [name for name in datasets.load_quality(ws)["repair"] if str(name).startswith("unify ")]
    assert sorted(repairs) == ["unify offers.till's kind", "unify products.till's kind"]
    small = workflows.repair_dataset(ws, "d0001", repairs)
    monkeypatch.setenv("PRICING_LARGE_MB", "0")
    large = workflows.repair_dataset(ws, "d0001", repairs)
    assert_equal_versions(ws, small, large, ("offers", "products"))
    before, after = (datasets.load_dataset(ws, each, whole=True).tables() for each in ("d0001", large))
    for table in ("offers", "products"):
        # the tables together tell how a category is spelled, so that they still fit each other
        wanted = before[table]["till's kind"].replace({"web's": "Web's", "WEB'S": "Web's"})
        pd.testing.assert_series_equal(after[table]["till's kind"], wanted)
    assert not datasets.load_quality(ws, large)["repair"].str.startswith("unify ").any()
    assert main(["repair", "--workspace", str(ws.root), "--undo", *repairs]) == 0
    assert "undone: write offers.till's kind in one way" in capsys.readouterr().out
    undone = datasets.load_dataset(ws, whole=True)
    pd.testing.assert_frame_equal(undone.offers, before["offers"])
    assert undone.manifest.repairs == []


@pytest.mark.parametrize("large_mb", ["0", "1000"])
def test_a_column_is_respelled_before_it_is_taken_out_and_ids_never(
    ws: Workspace, monkeypatch: pytest.MonkeyPatch, large_mb: str
) -> None:
    monkeypatch.setenv("PRICING_LARGE_MB", large_mb)
    made = workflows.repair_dataset(ws, "d0001", ["drop offers.till's kind", "unify offers.till's kind"])
    assert "till's kind" not in datasets.load_dataset(ws, made, whole=True).offers
    for name in ("unify offers.product_id", "unify offers.nothing", "unify nowhere.region"):
        with pytest.raises(DataError, match="no category"):
            workflows.repair_dataset(ws, "d0001", [name])
