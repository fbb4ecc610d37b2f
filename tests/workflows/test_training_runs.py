"""A run in the workspace: what it holds, that it is reproducible, and that a failure leaves the last good one."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pandas as pd
import pytest

from pricing_core import workflows
from pricing_core.errors import DataError, PricingError, WorkspaceError
from pricing_core.models.shop_model import ShopModel
from pricing_core.store import datasets, runs
from pricing_core.store.workspace import Workspace
from pricing_core.workflows.held_out import load_held_out
from pricing_core.workflows.warm import previous_run
from tests.tea_shop import shared_tea_shop


@pytest.fixture(scope="module")
def run(trained) -> workflows.TrainedRun:
    return workflows.load_run(Workspace.open(trained.workspace))


def test_a_run_is_kept_in_open_formats(run):
    names = {path.name for path in run.folder.iterdir()}
    assert {"behavior_0.keras", "behavior_1.keras", "pricing_reference.txt", "manifest.json", "metrics.json"} <= names
    assert not [name for name in names if name.endswith((".pkl", ".pickle", ".joblib"))]
    manifest = json.loads((run.folder / "manifest.json").read_text())
    stored = datasets.load_manifest(run.ws, run.dataset_id)
    assert manifest["data_hash"] == stored.data_hash
    assert manifest["config"]["seed"] == 0
    assert manifest["versions"]["keras"].count(".") == 2


def test_metrics_cover_accuracy_loss_ranking_calibration_and_policy_value(run):
    assert 0.5 < run.metrics["auc"] < 1
    assert run.metrics["log_loss"] < run.metrics["baseline_log_loss"]
    assert run.metrics["accuracy"] >= 0.5
    assert 0.5 < run.metrics["calibration_slope"] < 1.5
    assert {"uniform", "product", "personalized"} == set(run.metrics["policy_value"])
    assert run.metrics["policy_value"]["product"]["logged_value"] > 0
    assert "monotone boosted trees" in run.metrics["baselines"]


def test_a_saved_model_answers_like_the_rows_stored_with_it(run):
    model = ShopModel.load(run.folder)
    offers = run.targets.tail(40).reset_index(drop=True)
    rows = model.rows(run.dataset, model.encode(run.dataset, offers))
    stored = run.rows.take(np.arange(run.rows.n - 40, run.rows.n))
    price = stored.current_price
    assert np.allclose(rows.response.probability(price), stored.response.probability(price), atol=1e-5)
    assert np.allclose(rows.support_low, stored.support_low)


@pytest.mark.extra
def test_the_same_seed_gives_the_same_prices_under_another_pseudonym_key(trained, run, tmp_path_factory):
    other = Workspace.open(tmp_path_factory.mktemp("again"))
    files = {name: trained.files / f"{name}.csv" for name in ("offers", "customers", "products", "market", "events")}
    workflows.import_files(other, files)
    workflows.train(other, config=workflows.TrainingConfig(quick=True))
    again = workflows.load_run(other)
    assert set(again.targets["customer_id"]).isdisjoint(run.targets["customer_id"])
    first = workflows.price(run.ws, "personalized_discount").prices.price
    second = workflows.price(other, "personalized_discount").prices.price
    assert np.array_equal(first, second)


def test_a_failed_training_leaves_the_last_good_run_in_use(run, own_shop):
    few = run.dataset.offers.head(50).drop(columns=["promotion"])
    stored = workflows.import_files(own_shop, {"offers": few}, pseudonymize=False)
    with pytest.raises(DataError, match="at least 200 offers"):
        workflows.train(own_shop, stored.dataset_id)
    assert runs.latest_run_id(own_shop) == run.run_id


SPARE = {"record.json", "behavior_0.keras", "behavior_1.keras"}  # read by nobody here: a copy, and what users take away


@pytest.mark.parametrize("damage", ["empty", "cut", "changed", "gone"])
def test_damage_to_any_file_of_a_run_is_an_error_that_says_what_to_do(own_shop, damage):
    folder = workflows.load_run(own_shop).folder
    rng = np.random.default_rng(0)
    for path in sorted(folder.iterdir()):
        if damage == "changed" and path.suffix == ".json":
            continue  # another digit is as good as the one that was there
        if path.name in SPARE or (damage == "gone" and path.name in ("held_out.parquet", "demand_model.json")):
            continue  # the two are not there in a run of an earlier version
        whole = path.read_bytes()
        if damage == "gone":
            path.unlink()
        else:
            bits = rng.choice(np.array([0, 0x15], dtype=np.uint8), len(whole), p=[0.99, 0.01])
            changed = (np.frombuffer(whole, dtype=np.uint8) ^ bits).tobytes()
            path.write_bytes({"empty": b"", "cut": whole[: len(whole) // 2], "changed": changed}[damage])
        with pytest.raises(PricingError, match=r"Train again|Restore it from a copy"):
            _read_everything(own_shop)
        path.write_bytes(whole)
    _read_everything(own_shop)


def _read_everything(ws):
    run = workflows.load_run(ws)
    assert [len(run.history), len(run.importance), len(run.column_uses), run.rows.n] > [0, 0, 0, 0]
    assert run.model.behavior.respond(run.encoded.batch, run.encoded.going.reference).n == run.rows.n
    assert len(load_held_out(run.folder)) > 0


def test_a_damaged_run_in_use_does_not_stand_in_the_way_of_the_next_training(own_shop):
    run = workflows.load_run(own_shop)
    (run.folder / "manifest.json").write_text("{", encoding="utf-8")
    assert previous_run(own_shop, "auto", run.dataset) is None
    with pytest.raises(WorkspaceError, match="Restore it from a copy"):
        previous_run(own_shop, run.run_id, run.dataset)


def test_a_table_that_is_gone_is_missed(own_shop):
    folder = datasets.folder_of(own_shop)
    (folder / "customers.parquet").unlink()
    with pytest.raises(WorkspaceError, match=r"has lost its customers file\. Restore it from a copy"):
        datasets.load_dataset(own_shop)


def test_an_assumed_margin_sets_the_cost_and_can_be_changed(tmp_path, tmp_path_factory):
    shutil.copytree(shared_tea_shop(tmp_path_factory), tmp_path / "tea")  # it was trained with unknown costs
    ws = Workspace.open(tmp_path / "tea")
    run = workflows.load_run(ws)
    margin = datasets.load_manifest(ws, run.dataset_id).margin_assumption
    offers = run.dataset.offers
    assert run.rows.cost_assumed.all() and 0 < margin < 1
    level = pd.Series(run.rows.product_id).map(offers.groupby("product_id")["price"].median()).to_numpy(dtype=float)
    assert np.allclose(run.rows.unit_cost, (1 - margin) * level)
    workflows.set_margin_assumption(ws, run.dataset_id, 0.2)
    assert np.allclose(workflows.load_run(ws).rows.unit_cost, 0.8 * level)
    stored = workflows.import_files(ws, {"offers": offers}, margin_assumption=0.45)
    assert datasets.load_manifest(ws, stored.dataset_id).margin_assumption == 0.45


def test_a_price_list_carries_its_effect_and_disclosure(own_shop):
    from pricing_core.store import pricelists

    made = pricelists.load_price_list(own_shop, workflows.make_price_list(own_shop, "personalized_discount"))
    assert made.summary["sentence"].startswith("Raise ")
    assert made.frame["disclosure_required"].all()
    assert not made.frame.duplicated(["customer_id", "product_id"]).any()
    by_product = pricelists.load_price_list(own_shop, workflows.make_price_list(own_shop, "product"))
    assert by_product.frame["product_id"].is_unique
    assert not by_product.frame["disclosure_required"].any()


@pytest.mark.extra
def test_a_training_can_stand_beside_the_run_in_use(run, tmp_path):
    shutil.copytree(run.ws.root, tmp_path / "shop")
    ws = Workspace.open(tmp_path / "shop")
    kept = workflows.TrainingConfig(quick=True, family="bayes")
    beside = workflows.train(ws, config=kept, promote=False)
    assert beside != run.run_id and runs.latest_run_id(ws) == run.run_id
    assert set(runs.list_runs(ws)["run_id"]) == {beside, run.run_id}
