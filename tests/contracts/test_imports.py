"""Who may import whom, and what importing a room may cost."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = ("tensorflow", "keras", "shap", "lightgbm", "streamlit", "pandera")


@pytest.mark.parametrize("module", ["pricing_core", "pricing_core.workflows", "pricing_core.cli", "pricing_core.jobs"])
def test_importing_a_room_imports_no_learner(module):
    script = f"import sys, {module}; print([m for m in {HEAVY!r} if m in sys.modules])"
    found = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


def test_rooms_import_downwards_only():
    # In a process of its own: the linter sets up logging for the whole process.
    script = "import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports(no_cache=True))"
    found = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert found.returncode == 0, found.stdout
    assert "3 kept, 0 broken" in found.stdout
