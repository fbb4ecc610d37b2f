"""A run is compressed, its forms are measured, and the chosen one prices without TensorFlow."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pricing_core import workflows
from pricing_core.cli import main
from pricing_core.errors import ConfigError, MissingDependencyError
from pricing_core.models.price_server import PriceServer
from pricing_core.store.workspace import Workspace

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def compressed(trained, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A copy of the trained shop whose run is compressed: other tests share the original."""
    folder = tmp_path_factory.mktemp("compressed") / "workspace"
    shutil.copytree(trained.workspace, folder)
    assert main(["compress", "--workspace", str(folder), "--use", "int8"]) == 0
    return Workspace.open(folder)


def test_a_compressed_form_is_small_and_hardly_moves_prices(compressed: Workspace) -> None:
    table = workflows.compression_report(workflows.load_run(compressed)).set_index("form")
    assert table.index[0] == "original" and table.loc["int8", "serves"]
    assert table.loc["int8", "size_share"] < 0.25
    assert (table["price_change_mean"] < 0.005).all()
    assert (table["log_loss_change"].abs() < 0.005).all() and (table["profit_change"] > -0.001).all()
    assert {"original", "int8"} <= set(table.index)
    assert ("onnx" in table.index) == (find_spec("onnx") is not None and find_spec("onnxruntime") is not None)
    assert ("litert" in table.index) == (find_spec("ai_edge_litert") is not None)


def test_the_chosen_form_prices_everywhere_without_tensorflow(compressed: Workspace, trained, tmp_path: Path) -> None:
    run = workflows.load_run(compressed)
    assert json.loads((run.folder / "manifest.json").read_text())["serving_form"] == "int8"
    stored = run.rows.response
    fresh = run.model.behavior.respond(run.encoded.batch, run.encoded.going.reference)
    np.testing.assert_allclose(stored.intercept, fresh.intercept, atol=1e-4)
    script = (
        "import sys; from pricing_core.cli import main; code = main(sys.argv[1:]);"
        "print(code, sorted({name.split('.')[0] for name in sys.modules} & {'tensorflow', 'keras'}))"
    )
    arguments = ["price", "--workspace", str(compressed.root), "--strategy", "personalized"]
    arguments += ["--targets", str(trained.files / "targets.csv"), "--out", str(tmp_path / "prices.csv")]
    said = subprocess.run([sys.executable, "-c", script, *arguments], cwd=ROOT, capture_output=True, text=True)
    assert said.stdout.splitlines()[-1:] == ["0 []"], said.stderr
    small = pd.read_csv(tmp_path / "prices.csv")["new_price"]
    workflows.use_form(compressed, "original")
    try:
        again = workflows.load_run(compressed)
        assert not np.array_equal(again.rows.response.intercept, stored.intercept)
        targets = workflows.read_targets(compressed, trained.files / "targets.csv").frame
        large = workflows.price(compressed, "personalized", targets=targets).prices.price
        assert 0 < np.mean(np.abs(small / large - 1)) < 0.005
    finally:
        workflows.use_form(compressed, "int8")


def test_a_form_that_is_not_there_is_refused(compressed: Workspace, trained_copy: Workspace) -> None:
    with pytest.raises(ConfigError, match="no form named 'tiny'"):
        workflows.use_form(compressed, "tiny")
    with pytest.raises(ConfigError, match="Compress the run first"):
        workflows.use_form(trained_copy, "int8")
    if find_spec("ai_edge_litert") is None:
        with pytest.raises(MissingDependencyError, match=r"pip install -r requirements/export\.txt"):
            workflows.use_form(compressed, "litert")


@pytest.fixture
def trained_copy(trained, tmp_path: Path) -> Workspace:
    """The trained shop with a run that was never compressed."""
    folder = tmp_path / "plain"
    shutil.copytree(trained.workspace, folder)
    return Workspace.open(folder)


def test_many_pairs_at_once_are_answered_like_each_alone(trained) -> None:
    run = workflows.load_run(Workspace.open(trained.workspace))
    model, dataset = run.model, run.dataset
    people = [*dataset.offers["customer_id"].astype(str).unique()[:40], "never seen"]
    goods = [*dataset.offers["product_id"].astype(str).unique(), "new product"]
    at = dataset.offers["offered_at"].max() + pd.Timedelta(seconds=1)
    customer, product = np.divmod(np.arange(len(people) * len(goods)), len(goods))
    offers = pd.DataFrame(
        {"customer_id": np.array(people)[customer], "product_id": np.array(goods)[product], "offered_at": at}
    )
    if not PriceServer.suits(model, offers):
        pytest.skip("the model that was chosen is no network")
    fast = PriceServer(model, dataset, people, goods, at).rows(customer, product)
    plain = model.rows(dataset, model.encode(dataset, offers))
    for name in (
        "current_price",
        "list_price",
        "unit_cost",
        "competitor_price",
        "support_low",
        "support_high",
        "stock",
    ):
        np.testing.assert_allclose(getattr(fast, name), getattr(plain, name), rtol=1e-9)
    for name in ("customer_id", "product_id", "category", "customer_fold", "evidence", "cost_assumed"):
        np.testing.assert_array_equal(getattr(fast, name), getattr(plain, name))
    np.testing.assert_allclose(fast.response.intercept, plain.response.intercept, atol=1e-4)
    np.testing.assert_allclose(fast.response.sensitivity, plain.response.sensitivity, atol=1e-4)
    assert list(fast.labels) == list(plain.labels) and list(fast.numbers) == list(plain.numbers)
    for name in fast.labels:
        np.testing.assert_array_equal(fast.labels[name], plain.labels[name])
