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
    from importlinter.cli import EXIT_STATUS_SUCCESS, lint_imports

    assert lint_imports(no_cache=True) == EXIT_STATUS_SUCCESS
