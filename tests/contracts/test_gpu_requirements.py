"""The GPU's requirements are the runtime's, but for TensorFlow."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).parents[2]


def _packages(path: Path) -> set[str]:
    lines = {line.split(";")[0].strip() for line in path.read_text(encoding="utf-8").splitlines()}
    return {line for line in lines if line and not line.startswith("#") and not line.startswith("tensorflow")}


def test_both_lists_name_the_same_packages() -> None:
    ours, gpu = _packages(ROOT / "requirements.txt"), _packages(ROOT / "requirements" / "gpu.txt")
    assert ours == gpu, "bring requirements/gpu.txt into line with requirements.txt"
