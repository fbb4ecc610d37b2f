"""The command of trained models, and two models side by side."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pandas as pd
import pytest

from pricing_core import workflows
from pricing_core.cli import main
from pricing_core.errors import ConfigError
from pricing_core.store import runs
from pricing_core.store.workspace import Workspace
from pricing_core.workflows.comparing_runs import compare_runs
from pricing_core.workflows.run_words import kind_words, origin_words, settings_in_words


@pytest.fixture
def ws(trained, tmp_path) -> Workspace:
    """A copy of the trained shop with a second run, whose response is a little stronger."""
    shutil.copytree(trained.workspace, tmp_path / "shop")
    ws = Workspace.open(tmp_path / "shop")
    first = runs.run_dir(ws)
    draft = runs.new_run_dir(ws)
    for path in first.iterdir():
        if path.name != "record.json":
            shutil.copy(path, draft / path.name)
    with np.load(draft / "price_response.npz") as stored:
        arrays = {name: stored[name] for name in stored.files}
    arrays["sensitivity"] = arrays["sensitivity"] * 1.3
    np.savez(draft / "price_response.npz", **arrays)
    manifest = json.loads((draft / "manifest.json").read_text())
    manifest["behavior"]["learning_rate"] = 0.5
    (draft / "manifest.json").write_text(json.dumps(manifest))
    runs.commit_run(ws, draft, dataset_id="d0001", summary={"auc": 0.7, "log_loss": 0.4}, promote=False)
    return ws


@pytest.fixture
def run(ws, capsys):
    def call(*arguments: str, code: int = 0) -> str:
        capsys.readouterr()
        assert main(["runs", *arguments, "--workspace", str(ws.root)]) == code
        said = capsys.readouterr()
        return said.err if code == 2 else said.out

    return call


def test_runs_are_listed_used_noted_taken_back_and_deleted(ws, run):
    assert [line.split()[0] for line in run().splitlines()] == ["r0002", "r0001"]
    assert run("--use", "r0002") == "in use: r0002\n"
    assert run("--note", "r0002", "stronger \x1b[2J response") == "r0002: noted\n"
    listed = run()
    assert "in use  note: stronger" in listed.splitlines()[0] and "\x1b" not in listed
    assert run("--delete", "r0002", code=2).startswith("error: The model stays: r0002 is in use.")
    assert run("--roll-back", "--as", "Ann") == "in use: r0001\n"
    history = run("--history").splitlines()
    assert history[0].endswith("r0001  rolled back by Ann (self-declared)") and history[-1].endswith("r0001  trained")
    assert "r0002  chosen by" in history[1] and len(history) == 3
    assert run("--delete", "r0002") == "deleted: r0002\n"
    assert len(run().splitlines()) == 1
    assert "holds no trained model 'r0002'" in run("--use", "r0002", code=2)


def test_two_models_side_by_side(ws, run):
    said = run("--compare", "r0001", "r0002")
    assert "Behavior model: learning rate" in said and "log_loss" in said
    assert "prices of r0002 against r0001 for the same" in said and "move by more than 1%" in said
    assert "judged on different offers" not in said
    assert "--strategy belongs to --compare" in run("--strategy", "product", code=2)
    assert "1 runs are to be compared" in run("--compare", "r0001", code=2)


def test_settings_and_origins_are_told_in_words():
    origin = {"network": {"study": "spring", "trial": 3}, "pricing_model": {"study": "going", "trial": 1}}
    config = {"quick": True, "family": "l1_logit", "settings": {"steps": 3}, "seed": 2, "origin": origin}
    manifest = {"family": "l1_logit", "config": config, "behavior": {"weight_decay": 0.0011961308606153204, "steps": 3}}
    tuned = "tuned: spring, trial 3, going price tuned: going, trial 1"
    assert kind_words(manifest) == f"L1 logit, quick, {tuned}"
    assert kind_words({}) == "–" and kind_words({"family": "network"}) == "Deep behavior model"
    assert origin_words({"file": "best.toml"}) == "settings of best.toml"
    assert settings_in_words(manifest) == {
        "Training": "quick", "Kind asked for": "L1 logit", "Seed": "2", "Settings from": tuned,
        "Behavior model: weight decay": "0.0012", "Behavior model: penalties tried": "3",
    }  # fmt: skip


def test_a_stronger_reaction_to_price_lowers_prices_and_a_run_equals_itself(ws):
    found = compare_runs(ws, ["r0001", "r0002"], strategy="personalized")
    assert found.settings["setting"].tolist() == ["Behavior model: learning rate"]
    assert found.settings.loc[0, ["r0001", "r0002"]].tolist() == ["0.006", "0.5"]
    moves = found.prices.iloc[0]
    assert moves["mean_change"] < 0 < moves["moved_share"] and moves["down_share"] > moves["up_share"]
    assert found.same_offers
    figures = found.figures.set_index("figure")
    assert figures.loc["log_loss", "r0001"] == figures.loc["log_loss", "r0002"]
    quick = compare_runs(ws, ["r0001", "r0002"], strategy=None)
    assert isinstance(quick.prices, pd.DataFrame) and quick.prices.empty
    with pytest.raises(ConfigError, match="1 runs are to be compared"):
        compare_runs(ws, ["r0001", "r0001"])


def test_offers_of_another_data_set_are_priced_by_asking_the_model_anew(ws):
    """A run whose own recent offers are others prices those of the first run."""
    folder = runs.run_dir(ws, "r0002")
    other = pd.read_parquet(folder / "targets.parquet")
    other.iloc[::-1].to_parquet(folder / "targets.parquet", index=False)
    shutil.copy(runs.run_dir(ws, "r0001") / "price_response.npz", folder / "price_response.npz")
    moves = compare_runs(ws, ["r0001", "r0002"], strategy="personalized", most_offers=50).prices.iloc[0]
    assert moves["offers"] == 50
    # Asked anew, the same models give the same prices.
    assert moves["moved_share"] == 0
    assert workflows.load_run(ws, "r0002").run_id == "r0002"


@pytest.mark.parametrize("name", ["manifest.json", "metrics.json", "targets.parquet", "price_response.npz"])
def test_a_run_that_does_not_open_is_neither_used_nor_gone_back_to(ws, run, capsys, name):
    first = runs.run_dir(ws)
    draft = runs.new_run_dir(ws)
    for path in first.iterdir():
        if path.name != "record.json":
            shutil.copy(path, draft / path.name)
    third = runs.commit_run(ws, draft, dataset_id="d0001", summary={}, promote=False)
    assert run("--use", "r0002") == "in use: r0002\n" and run("--use", third) == f"in use: {third}\n"
    damaged = ws.runs_dir / "r0002" / name
    damaged.write_bytes(damaged.read_bytes()[:100])
    assert run("--use", "r0002", code=2).startswith("error: r0002 cannot be put in use: its ")
    assert runs.latest_run_id(ws) == third
    assert main(["runs", "--roll-back", "--workspace", str(ws.root)]) == 0
    said = capsys.readouterr()
    assert said.out == "in use: r0001\n" and "r0002 is passed over: its " in said.err
    assert "No other model has been in use before" in run("--roll-back", code=2)
