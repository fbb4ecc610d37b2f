"""A reaction is called measured only where the quality report finds that the product's own offers tell it."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import numpy as np
import pytest

from pricing_core import workflows
from pricing_core.data.checks import product_evidence, untold, variation_findings
from pricing_core.response.pricing_rows import PricingRows
from pricing_core.store import datasets
from pricing_core.store.parquet import write_parquet
from pricing_core.store.workspace import Workspace
from pricing_core.workflows.stored_offers import untold_products
from tests.tea_shop import shared_tea_shop


@pytest.fixture
def shop(tmp_path_factory: pytest.TempPathFactory, tmp_path: Path) -> Workspace:
    """A copy of the tea shop in which one product hardly changes its price, and another never."""
    shutil.copytree(shared_tea_shop(tmp_path_factory), tmp_path / "shop")
    shop = Workspace(tmp_path / "shop")
    offers = datasets.load_dataset(shop).offers
    first, second = sorted(set(offers["product_id"].astype(str)))[:2]
    product, usual = offers["product_id"].astype(str), offers["price"].median()
    alike = usual * np.where(np.arange(len(offers)) % 2, 1.02, 0.98)
    price = offers["price"].where(product != first, alike).where(product != second, usual)
    write_parquet(offers.assign(price=price), datasets.folder_of(shop) / "offers.parquet", "offers")
    return shop


def test_the_products_are_those_that_the_report_counts(shop: Workspace) -> None:
    table = product_evidence(datasets.load_dataset(shop).offers)
    named = untold_products(shop, "d0001")
    assert len(named) == 2
    assert named == set(table.index[untold(table)].astype(str))
    varied = table["v"] > 1e-4
    [finding] = variation_findings(table)
    assert int(re.match(r"\d+", finding.message)[0]) == (untold(table) & varied).sum() == 1  # type: ignore[index]


def test_rows_and_targets_call_them_borrowed_and_no_others(shop: Workspace) -> None:
    run = workflows.load_run(shop)
    named = untold_products(shop, "d0001")
    stored = PricingRows.load(run.folder)
    assert "measured" in set(stored.evidence[np.isin(stored.product_id.astype(str), list(named))])
    _check(run.rows, stored.evidence, named)
    targets, _ = workflows.rows_for(run, run.targets)
    _check(targets, run.model.rows(run.dataset, run.encoded).evidence, named)


def _check(rows: PricingRows, labeled: np.ndarray, named: frozenset[str]) -> None:
    mine = np.isin(rows.product_id.astype(str), list(named))
    assert "measured" not in set(rows.evidence[mine])
    np.testing.assert_array_equal(rows.evidence[~mine], labeled[~mine])
    np.testing.assert_array_equal(rows.evidence == "extrapolated", labeled == "extrapolated")
