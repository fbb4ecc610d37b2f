"""From a sample shop to a price list in one go."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pricing_core.drafts import draft_path
from pricing_core.models.training import TrainingConfig
from pricing_core.pricelist.export import to_import_csv
from pricing_core.progress import Progress, SilentProgress, SubProgress
from pricing_core.store import pricelists, runs
from pricing_core.store.workspace import Workspace
from pricing_core.workflows.importing import import_sample, own_customer_ids
from pricing_core.workflows.lists import make_price_list
from pricing_core.workflows.pricing import simulate
from pricing_core.workflows.training import train

DEMO_STRATEGIES = ("status_quo", "uniform", "product", "personalized_discount")


@dataclass(frozen=True)
class DemoOutcome:
    """What a demo made: ids, the sentence that sums it up, and where everything is."""

    dataset_id: str
    run_id: str
    price_list_id: str
    sentence: str
    paths: dict[str, Path] = field(default_factory=dict)


def demo(
    ws: Workspace, sample: str = "demo_shop", *, quick: bool = False, seed: int = 0, progress: Progress | None = None
) -> DemoOutcome:
    """Load a sample, train, compare strategies, and write a price list."""
    progress = progress or SilentProgress()
    dataset_id = import_sample(ws, sample, SubProgress(progress, 0.0, 0.05))
    config = TrainingConfig(seed=seed, quick=quick)
    run_id = train(ws, dataset_id, config=config, progress=SubProgress(progress, 0.05, 0.9))
    progress.stage("Simulation", 0.91, "Comparing strategies")
    result = simulate(ws, DEMO_STRATEGIES, run_id=run_id)
    progress.stage("Price list", 0.95, "Writing the price list")
    price_list_id = make_price_list(ws, "personalized_discount", run_id=run_id)
    stored = pricelists.load_price_list(ws, price_list_id)
    table = ws.exports_dir / f"strategies_{run_id}.csv"
    csv = ws.exports_dir / f"price_list_{price_list_id}.csv"
    _write(table, result.table.to_csv(index=False).encode())
    _write(csv, to_import_csv(own_customer_ids(ws, stored.current)))
    progress.stage("Done", 1.0, "The price list is ready")
    paths = {"price list": csv, "strategies": table, "models": runs.run_dir(ws, run_id), "workspace": ws.root}
    return DemoOutcome(dataset_id, run_id, price_list_id, str(stored.summary["sentence"]), paths)


def demo_job(ws: Workspace, params: dict[str, Any], progress: Progress) -> dict[str, Any]:
    """Background form of :func:`demo`."""
    made = demo(
        ws,
        params.get("sample", "demo_shop"),
        quick=bool(params.get("quick", True)),
        seed=int(params.get("seed", 0)),
        progress=progress,
    )
    return {"dataset_id": made.dataset_id, "run_id": made.run_id, "price_list_id": made.price_list_id}


def _write(path: Path, content: bytes) -> None:
    draft = draft_path(path)
    draft.write_bytes(content)
    draft.replace(path)
