"""One small shop, imported and trained once: files as a user has them, and the truth beside them."""

from __future__ import annotations

import hashlib
import os
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from pricing_core.cli import main
from pricing_core.data.demo_shop import DemoShop, DemoShopConfig, simulate_demo_shop
from pricing_core.store.workspace import Workspace

SMALL = DemoShopConfig(n_customers=500, n_products=18, n_weeks=64, n_visits=4_000, n_target_visits=300, random_state=3)


@dataclass(frozen=True)
class TrainedShop:
    """Workspace with a trained model, the files that it came from, and the truth."""

    workspace: Path
    files: Path
    shop: DemoShop


@pytest.fixture(scope="session")
def shop_files(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, DemoShop]:
    """Write a small demo shop as CSV files."""
    folder = tmp_path_factory.mktemp("files")
    shop = simulate_demo_shop(SMALL)
    for name, table in shop.tables.items():
        table.to_csv(folder / f"{name}.csv", index=False)
    shop.targets.to_csv(folder / "targets.csv", index=False)
    return folder, shop


@pytest.fixture(scope="session")
def trained(shop_files: tuple[Path, DemoShop], tmp_path_factory: pytest.TempPathFactory) -> TrainedShop:
    """Import and train through the command line, once for all test processes; each gets a copy, which none changes."""
    folder, shop = shop_files
    mine = tmp_path_factory.mktemp("copy") / "workspace"
    shutil.copytree(_trained_once(folder, tmp_path_factory), mine)
    _SHARED[mine] = _content(mine)
    return TrainedShop(mine, folder, shop)


@pytest.fixture
def own_shop(trained: TrainedShop, tmp_path: Path) -> Workspace:
    """A copy of the trained shop that a test may change."""
    shutil.copytree(trained.workspace, tmp_path / "own")
    return Workspace.open(tmp_path / "own")


@pytest.fixture(scope="module", autouse=True)
def _shared_shop_stays() -> Iterator[None]:
    """Fail the module that changed the shop which all modules share: their order must not matter."""
    yield
    for path, before in _SHARED.items():
        assert _content(path) == before, "a test of this module changed the shared shop; take own_shop"


_SHARED: dict[Path, dict[str, str]] = {}


def _content(workspace: Path) -> dict[str, str]:
    """What a workspace keeps: its data, runs, lists, measurements and tunings, without logs and index."""
    kept = [path for path in workspace.rglob("*") if path.is_file() and path.parent != workspace]
    names = {path.relative_to(workspace): path for path in kept}
    return {
        str(name): hashlib.sha256(path.read_bytes()).hexdigest()
        for name, path in names.items()
        if name.parts[0] not in ("logs", "temp", "exports")
    }


def _trained_once(folder: Path, factory: pytest.TempPathFactory) -> Path:
    base = factory.getbasetemp()
    shared = (base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base) / "trained_shop"
    outcome = shared.with_suffix(".outcome")
    try:
        shared.mkdir()
    except FileExistsError:
        for _ in range(3_000):
            if outcome.exists():
                break
            time.sleep(0.2)
    else:
        tables = ("offers", "customers", "products", "market", "events")
        files = [part for name in tables for part in (f"--{name}", str(folder / f"{name}.csv"))]
        codes = [main(["import", "--workspace", str(shared), *files])]
        codes.append(main(["train", "--workspace", str(shared), "--quick"]))
        outcome.write_text("trained" if codes == [0, 0] else "failed")
    assert outcome.read_text() == "trained"
    return shared
