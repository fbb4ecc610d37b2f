"""A run whose model is a blend: the trained network beside a second, cheaply fitted family."""

from __future__ import annotations

import copy
import json
import shutil

import numpy as np

from pricing_core import workflows
from pricing_core.models import forms
from pricing_core.models.blend import BlendedModel
from pricing_core.models.demand_model import FAMILIES
from pricing_core.models.learning_rows import LearningRows
from pricing_core.store import runs
from pricing_core.store.workspace import Workspace
from pricing_core.workflows.figures import write_json

OWN = ("behavior_", "demand_model.json", "record.json", "compressed")


def blended_run(ws: Workspace, *, alone: bool = False) -> str:
    """Put a blend of the run in use and Bayes from counts in use (or the latter alone); return the new run's id."""
    run = workflows.load_run(ws)
    offers = run.dataset.offers
    encoded = run.model.encode(run.dataset, offers)
    x = offers["price"].to_numpy(dtype=float) / encoded.going.reference
    bought = offers["purchased"].to_numpy(dtype=float)
    week = np.arange(len(offers)) * 20 // len(offers)
    customer = offers["customer_id"].astype(str).to_numpy(dtype=object)
    rows = LearningRows(encoded.batch, x, bought, customer, np.ones(len(offers)), week)
    part = FAMILIES["bayes"].new({"members": 2}, random_state=0).fit(rows, 1)
    model = copy.copy(run.model)
    model.behavior = part if alone else BlendedModel.of([run.model.behavior, part])
    draft = runs.new_run_dir(ws)
    for path in run.folder.iterdir():
        if path.is_file() and not path.name.startswith(OWN):
            shutil.copy(path, draft / path.name)
    model.save(draft)
    for path in [] if alone else run.folder.glob("*.keras"):  # only a model that has just learned writes them
        shutil.copy(path, draft / forms.PART / path.name)
    model.rows(run.dataset, run.encoded).save(draft)
    manifest = json.loads((draft / "manifest.json").read_text(encoding="utf-8"))
    write_json(draft / "manifest.json", {**manifest, "family": model.behavior.family})
    return runs.commit_run(ws, draft, dataset_id=run.dataset_id, summary={"family": model.behavior.family})
