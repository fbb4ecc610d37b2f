"""The real workflows, but with a smaller sample shop: what a journey shows is the same, in half the time."""

from __future__ import annotations

from typing import Any

from pricing_core.data.demo_shop import DemoShopConfig, simulate_demo_shop
from pricing_core.progress import Progress
from pricing_core.store.workspace import Workspace
from pricing_core.workflows import JOB_HANDLERS, import_files

SMALL = DemoShopConfig(n_customers=500, n_products=18, n_visits=4_000, n_target_visits=300)


def import_small_sample(ws: Workspace, params: dict[str, Any], progress: Progress) -> dict[str, Any]:
    """Import the shop that the sample comes from, with fewer customers, products and visits."""
    tables = simulate_demo_shop(SMALL).tables
    return {
        "dataset_id": import_files(ws, tables, name="Demo shop (small)", currency="USD", progress=progress).dataset_id
    }


HANDLERS = {**JOB_HANDLERS, "import_sample": import_small_sample}
