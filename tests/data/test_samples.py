"""The samples are there, import cleanly and fast, and the glossary knows the words."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pricing_core import glossary
from pricing_core.data.columns import classify_columns
from pricing_core.data.dataset import DatasetManifest
from pricing_core.data.importing import import_tables
from pricing_core.data.samples import SAMPLE_ROOT, load_sample_sources
from pricing_core.data.validate import validate_table
from pricing_core.errors import ConfigError, DataError, FileReadError


def test_grocery_is_imported_whole_and_fast_with_its_margin_stated() -> None:
    sample = load_sample_sources("grocery")
    start = time.perf_counter()
    outcome = import_tables(sample.tables, mapping=sample.mapping, margin_assumption=sample.margin_assumption)
    seconds = time.perf_counter() - start
    offers = outcome.dataset.offers
    assert (len(offers), int(offers["purchased"].sum())) == (656_402, 9_899)
    assert (offers["customer_id"].nunique(), offers["product_id"].nunique()) == (300, 74)
    assert sum(outcome.report.rows_set_aside.values()) == 0
    assert outcome.dataset.manifest.margin_assumption == 0.30
    assert seconds < 20.0  # measured: 1.5 s on two idle cores
    used = {use.column for use in classify_columns(outcome.dataset) if use.used}
    assert {"display", "mailer", "coupon", "income", "category"} <= used
    assert not used & {
        "age",
        "marital_status",
        "price_paid",
        "price_src",
        "basket_items",
        "basket_value",
        "quantity",
    }


def test_grocery_stays_small_and_says_where_it_comes_from() -> None:
    folder = SAMPLE_ROOT / "grocery"
    assert sum(path.stat().st_size for path in folder.iterdir()) < 10_000_000
    text = (folder / "README.md").read_text(encoding="utf-8")
    for word in ("Source", "Licence", "How the offers were made", "Limits", "Refusals are inferred"):
        assert word in text


def test_missing_sample_says_so(tmp_path: Path) -> None:
    with pytest.raises(FileReadError, match=r"no sample 'bookshop'\. Samples are demo_shop, grocery\."):
        load_sample_sources("bookshop")
    with pytest.raises(FileReadError, match=r"there is no sample_data/grocery/offers\.parquet"):
        load_sample_sources("grocery", root=tmp_path)


def test_many_offers_and_events_are_imported_fast() -> None:
    rng = np.random.default_rng(0)
    start = pd.Timestamp("2025-01-01", tz="UTC")

    def times(count: int) -> pd.Series:
        return pd.Series(start + pd.to_timedelta(rng.integers(0, 10**13, count), unit="us"))

    offers = pd.DataFrame(
        {
            "customer_id": rng.integers(0, 5000, 200_000),
            "product_id": rng.integers(0, 60, 200_000),
            "offered_at": times(200_000),
            "price": rng.integers(100, 300, 200_000) / 100,
            "purchased": rng.integers(0, 2, 200_000),
        }
    )
    events = pd.DataFrame(
        {
            "customer_id": rng.integers(0, 5000, 400_000),
            "product_id": rng.integers(0, 60, 400_000),
            "occurred_at": times(400_000),
            "event_type": rng.choice(["view", "cart"], 400_000),
        }
    )
    begin = time.perf_counter()
    content = offers.to_csv(index=False).encode()
    begin = time.perf_counter()
    outcome = import_tables({"offers": (content, "offers.csv"), "events": events})
    assert time.perf_counter() - begin < 12.0  # measured: 2 s on two idle cores
    assert outcome.report.rows_kept["offers"] == 200_000


def test_manifest_survives_a_round_trip_and_rejects_nonsense() -> None:
    manifest = DatasetManifest(
        "a", "b", margin_assumption=0.2, excluded={"offers.x": "y"}, mapping={"offers": {"price": "p"}}
    )
    assert DatasetManifest.from_dict(manifest.to_dict()) == manifest
    with pytest.raises(ConfigError, match="unknown entries: colour"):
        DatasetManifest.from_dict({**manifest.to_dict(), "colour": 1})
    with pytest.raises(ConfigError, match="The currency is 'dollars'"):
        DatasetManifest("a", "b", currency="dollars")


def test_tables_that_do_not_fit_the_schema_are_refused() -> None:
    with pytest.raises(DataError, match="The customers table does not fit the schema"):
        validate_table("customers", pd.DataFrame({"customer_id": [1, 2]}))


def test_glossary_defines_the_words_on_the_pages() -> None:
    for term in (
        "conversion rate",
        "Margin",
        "unit_cost",
        "reference price",
        "price sensitivity",
        "elasticity",
        "uplift",
        "hold",
        "evidence",
        "interval",
        "guardrails",
        "log loss",
        "AUC",
        "calibration",
        "policy value",
        "SHAP",
        "LIME",
        "fidelity",
        "support",
        "pseudonym",
    ):
        assert glossary.define(term).endswith(".")
    with pytest.raises(ConfigError, match=r"no term 'elastisity'\. Did you mean elasticity"):
        glossary.define("elastisity")
