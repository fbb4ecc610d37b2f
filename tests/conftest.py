"""Settings for every test: few threads, since several test processes share the cores."""

from __future__ import annotations

import os

import pytest

# Before LightGBM and TensorFlow are imported by anything.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ.setdefault("TF_NUM_INTRAOP_THREADS", "1")
os.environ.setdefault("TF_NUM_INTEROP_THREADS", "1")

# The longest test, and the modules that make the shops that others copy: whoever came later would wait for them.
FIRST = ("tests/browser/test_journey.py", "tests/workflows/test_command_line.py", "tests/pages/test_filled.py")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Bring these modules to the front; all others keep their order."""
    place = {name: at for at, name in enumerate(FIRST)}
    items.sort(key=lambda item: place.get(item.nodeid.partition("::")[0], len(FIRST)))
