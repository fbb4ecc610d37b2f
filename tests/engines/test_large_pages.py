"""What pages ask of a large data set is computed over all of its offers, and agrees with the small way."""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path

import pandas as pd
import pytest

from pricing_core import workflows
from pricing_core.charts.overview import weekly_overview_data
from pricing_core.cli import main
from pricing_core.evaluate.compared_designs import compare_designs
from pricing_core.evaluate.replay import rehearse
from pricing_core.evaluate.sales import group_names, group_of, sales_log
from pricing_core.evaluate.test_design import DesignConfig, DesignResult
from pricing_core.store import datasets, derived, working_samples
from pricing_core.store.workspace import Workspace
from pricing_core.workflows import aggregates, past_sales, stored_offers

from .large_shop import random_shop, saved


@pytest.fixture
def ws(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """An empty workspace in which a thousand offers are many, read five hundred at a time."""
    monkeypatch.setattr(working_samples, "LARGE_OFFERS", 1_000)
    monkeypatch.setattr(working_samples, "SAMPLE_OFFERS", 600)
    monkeypatch.setattr(stored_offers, "BATCH_ROWS", 500)
    monkeypatch.setattr(past_sales, "KEPT_OFFERS", 1_000)
    return Workspace(tmp_path / "shop")


@pytest.mark.parametrize("weeks", [3, 12])
@pytest.mark.parametrize("costs_known", [True, False])
def test_the_last_weeks_are_those_of_all_customers(
    ws: Workspace, monkeypatch: pytest.MonkeyPatch, weeks: int, costs_known: bool
) -> None:
    monkeypatch.setattr(aggregates, "OVERVIEW_WEEKS", weeks)
    dataset = random_shop()
    if not costs_known:
        assert dataset.products is not None
        dataset = replace(dataset, products=dataset.products.drop(columns="unit_cost"))
    dataset_id = saved(ws, dataset)
    pd.testing.assert_frame_equal(
        aggregates.weekly_overview(ws, dataset_id), weekly_overview_data(dataset, weeks=weeks), check_freq=False
    )


def test_figures_are_computed_once_until_what_they_rest_on_changes(
    ws: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset_id = saved(ws, random_shop())
    aggregates.prepare_pages(ws, dataset_id)
    first = aggregates.weekly_overview(ws, dataset_id)
    asked = []
    monkeypatch.setattr(aggregates, "_weeks_of", lambda *given: asked.append(given) or first)
    pd.testing.assert_frame_equal(aggregates.weekly_overview(ws, dataset_id), first)
    assert not asked
    workflows.set_margin_assumption(ws, dataset_id, 0.5)
    aggregates.weekly_overview(ws, dataset_id)
    assert len(asked) == 1


@pytest.mark.parametrize("costs_known", [True, False])
@pytest.mark.parametrize("label", ["offers: weather", "customers: tier"])
def test_tests_are_planned_from_sums_as_from_every_offer(
    ws: Workspace, monkeypatch: pytest.MonkeyPatch, label: str, costs_known: bool
) -> None:
    dataset = random_shop()
    assert dataset.products is not None and dataset.customers is not None
    weather = [f"w{i % 5}" for i in range(len(dataset.offers))]
    tiers = [f"t{i % 6}" if i % 11 else None for i in range(len(dataset.customers))]
    customers = dataset.customers.assign(tier=tiers)
    dataset = replace(dataset, offers=dataset.offers.assign(weather=weather), customers=customers)
    if not costs_known:
        dataset = replace(dataset, products=dataset.products.drop(columns="unit_cost"))
    config, sales = DesignConfig(label=label, weeks=4, before_weeks=2, washout_days=1), sales_log(dataset)
    expected = compare_designs(sales, config, groups=group_of(dataset, label), promised_rate=0.1)
    dataset_id = saved(ws, dataset)
    past_sales.prepare(ws, dataset_id)
    assert past_sales.group_labels(ws, dataset_id) == group_names(dataset)
    groups = past_sales.group_weeks(ws, dataset_id, label)
    monkeypatch.setattr(past_sales, "_sales", lambda *given: pytest.fail("the sums were not kept"))
    shop = past_sales.recent_customer_weeks(ws, dataset_id)
    found = compare_designs(shop, config, groups=groups["group"], group_sales=groups, promised_rate=0.1)
    for name, each in expected.items():
        planned = found[name]
        assert isinstance(each, DesignResult) and isinstance(planned, DesignResult)
        assert planned.sentence == each.sentence
        pd.testing.assert_frame_equal(planned.curve, each.curve)
    rehearsed = past_sales.rehearsal(ws, dataset_id, DesignConfig())
    assert rehearsed is not None and asdict(rehearsed) == pytest.approx(asdict(rehearse(sales, DesignConfig())))


@pytest.mark.parametrize("later", [True, False])
def test_the_import_command_prepares_the_pages_unless_asked_not_to(ws: Workspace, tmp_path: Path, later: bool) -> None:
    file = tmp_path / "offers.csv"
    random_shop().offers.to_csv(file, index=False)
    extra = ["--only-import"] if later else []
    assert main(["import", "--workspace", str(ws.root), "--offers", str(file), *extra]) == 0
    assert datasets.is_large(ws)
    assert (datasets.sample_counts(ws) is None) == later


def test_a_damaged_kept_table_is_computed_again(tmp_path: Path) -> None:
    table = pd.DataFrame({"a": [1]})
    derived.kept(tmp_path, "weeks", "x", lambda: table)
    next((tmp_path / "derived").glob("weeks_*")).write_bytes(b"no parquet")
    pd.testing.assert_frame_equal(derived.kept(tmp_path, "weeks", "x", lambda: table), table)


def test_a_column_left_out_changes_the_list_of_columns(ws: Workspace) -> None:
    dataset_id = saved(ws, random_shop())
    assert aggregates.column_uses(ws, dataset_id).set_index("column").loc["weather", "used"]
    workflows.set_exclusions(ws, dataset_id, {"offers.weather": "no"})
    assert not aggregates.column_uses(ws, dataset_id).set_index("column").loc["weather", "used"]


def test_versions_are_compared_offer_by_offer(ws: Workspace) -> None:
    dataset = random_shop(1_200)
    extra = dataset.offers.tail(7).assign(price=99.0)
    changed = pd.concat([dataset.offers.iloc[5:], extra], ignore_index=True)
    first, second = saved(ws, dataset), saved(ws, replace(dataset, offers=changed))
    table = workflows.compare_versions(ws, first, second).set_index("figure")
    assert table.loc["offers", ["first", "second", "difference"]].tolist() == ["1,200", "1,202", "+2"]
    assert table.loc["offers only in the first", "first"] == "5"
    assert table.loc["offers only in the second", "second"] == "7"
    assert table.loc["median price", "first"] == str(round(float(dataset.offers["price"].median()), 2))
    assert table.loc["customers with offers", "first"] == str(dataset.offers["customer_id"].nunique())
    assert table.loc["first offer", "first"] == f"{dataset.offers['offered_at'].min():%Y-%m-%d}"
    assert table.loc["columns of offers", "first"] == ", ".join(dataset.offers.columns)
    assert (workflows.compare_versions(ws, first, first)["difference"] == "").all()


def test_a_version_put_back_into_use_has_the_same_content(ws: Workspace) -> None:
    dataset = random_shop()
    first = saved(ws, dataset)
    second = saved(ws, replace(dataset, offers=dataset.offers.head(2_000)))
    again = workflows.use_version(ws, first)
    assert datasets.latest_dataset_id(ws) == again not in (first, second)
    assert datasets.load_manifest(ws, again).data_hash == datasets.load_manifest(ws, first).data_hash
    pd.testing.assert_frame_equal(datasets.load_dataset(ws, again, whole=True).offers, dataset.offers)
    workflows.set_margin_assumption(ws, again, 0.6)
    assert datasets.load_manifest(ws, first).margin_assumption == 0.3
    datasets.delete_dataset(ws, first)
    assert len(datasets.load_dataset(ws, again, whole=True).offers) == 3_000
