"""Files of boosted trees: what was written answers as before, and damage never reaches LightGBM."""

from __future__ import annotations

from pathlib import Path

import lightgbm as lgb
import numpy as np
import pytest

from pricing_core.errors import ModelError
from pricing_core.models.tree_files import read_booster, write_booster

X = np.random.default_rng(0).normal(size=(300, 4))


@pytest.fixture(scope="module")
def booster() -> lgb.Booster:
    y = X[:, 0] + X[:, 1] * X[:, 2]
    parameters = {"num_leaves": 7, "verbosity": -1, "num_threads": 1, "deterministic": True}
    return lgb.train(parameters, lgb.Dataset(X, y), num_boost_round=12)


def test_trees_answer_as_before_and_lightgbm_reads_the_file(booster: lgb.Booster, tmp_path: Path) -> None:
    write_booster(booster, tmp_path / "trees.txt")
    wanted = booster.predict(X)
    assert np.array_equal(read_booster(tmp_path / "trees.txt").predict(X), wanted)
    assert np.array_equal(lgb.Booster(model_file=str(tmp_path / "trees.txt")).predict(X), wanted)


def test_a_file_without_a_mark_is_read(booster: lgb.Booster, tmp_path: Path) -> None:
    booster.save_model(str(tmp_path / "trees.txt"))
    assert np.array_equal(read_booster(tmp_path / "trees.txt").predict(X), booster.predict(X))


@pytest.mark.parametrize("marked", [True, False])
def test_a_file_that_is_cut_off_is_refused(booster: lgb.Booster, tmp_path: Path, marked: bool) -> None:
    path = tmp_path / "trees.txt"
    if marked:
        write_booster(booster, path)
    else:
        booster.save_model(str(path))
    whole = path.read_bytes()
    for kept in range(0, len(whole) - 100, len(whole) // 40):
        path.write_bytes(whole[:kept])
        with pytest.raises(ModelError, match=r"trees\.txt cannot be read: it is damaged or cut off\. Train again"):
            read_booster(path)


def test_any_changed_byte_is_found(booster: lgb.Booster, tmp_path: Path) -> None:
    path = tmp_path / "trees.txt"
    write_booster(booster, path)
    whole = path.read_bytes()
    for at in range(0, len(whole) - 1, max(1, len(whole) // 60)):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 0x15]) + whole[at + 1 :])
        with pytest.raises(ModelError, match=r"trees\.txt cannot be read"):
            read_booster(path)


def test_a_file_that_is_gone_or_is_no_text_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"none\.txt cannot be read: .*No such file"):
        read_booster(tmp_path / "none.txt")
    (tmp_path / "bytes.txt").write_bytes(bytes(range(128, 256)))
    with pytest.raises(ModelError, match=r"bytes\.txt cannot be read: .*codec"):
        read_booster(tmp_path / "bytes.txt")
