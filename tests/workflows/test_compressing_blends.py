"""The network of a blend is compressed while its other part answers on; a model without a network says so."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from pricing_core import workflows
from pricing_core.errors import ConfigError
from pricing_core.models.forms import INT8, ORIGINAL
from pricing_core.store import runs
from pricing_core.store.workspace import Workspace
from tests.blends import blended_run
from tests.tea_shop import shared_tea_shop


@pytest.fixture
def tea(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    shutil.copytree(shared_tea_shop(tmp_path_factory), tmp_path / "tea")
    return Workspace.open(tmp_path / "tea")


def test_the_network_of_a_blend_is_compressed_and_its_other_part_answers_on(tea: Workspace) -> None:
    run = workflows.load_run(tea, blended_run(tea))
    before = run.rows.response
    table = workflows.compress(tea, wanted=(INT8,)).set_index("form")
    assert table.loc[INT8, "size_share"] < 0.25 and table.loc[INT8, "price_change_mean"] < 0.005
    workflows.use_form(tea, INT8)
    small = workflows.load_run(tea)
    now = small.rows.response
    assert now.draws == before.draws
    moved = np.abs(now.intercept - before.intercept).max(axis=0) > 0
    network = small.model.behavior.parts_[0].respond(small.encoded.batch, small.encoded.going.reference).draws
    assert moved[:network].all() and not moved[network:].any()  # the draws of the other part are the same
    fresh = small.model.behavior.respond(small.encoded.batch, small.encoded.going.reference)
    np.testing.assert_allclose(now.intercept, fresh.intercept, atol=1e-4)
    workflows.use_form(tea, ORIGINAL)
    np.testing.assert_array_equal(workflows.load_run(tea).rows.response.intercept, before.intercept)


def test_a_model_without_a_network_is_named_and_left_alone(tea: Workspace) -> None:
    run_id = blended_run(tea, alone=True)
    with pytest.raises(ConfigError, match=r"run r0002 \(Bayes from counts\) has no network that could be compressed"):
        workflows.compress(tea)
    assert not workflows.has_network(workflows.load_run(tea, run_id)) and runs.latest_run_id(tea) == run_id
