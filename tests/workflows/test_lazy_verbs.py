"""Verbs and commands are loaded when they are asked for, and all of them are still there."""

from __future__ import annotations

import argparse
import ast
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

from pricing_core import commands, workflows
from pricing_core.cli import main


def test_every_verb_is_found_where_type_checkers_see_it():
    tree = ast.parse(Path(str(workflows.__file__)).read_text(encoding="utf-8"))
    seen = {
        name.name: node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.level == 0
        for name in node.names if node.module and node.module.startswith("pricing_core.")
    }  # fmt: skip
    assert seen == workflows._HOME_OF and set(seen) == set(workflows.__all__) <= set(dir(workflows))
    for name, home in seen.items():
        assert getattr(workflows, name) is getattr(import_module(str(home)), name), name
    with pytest.raises(AttributeError, match="no_verb"):
        workflows.no_verb  # noqa: B018


def test_no_module_of_the_verbs_hides_a_verb():
    folder = Path(str(workflows.__file__)).parent
    assert not {path.stem for path in folder.glob("*.py")} & set(workflows.__all__)


def test_every_area_adds_the_commands_it_is_listed_with(capsys: pytest.CaptureFixture[str]):
    for area, listed in commands.AREAS.items():
        added: list[str] = []
        import_module(f"pricing_core.commands.{area}").add(
            lambda name, run, text, added=added: added.append(name) or argparse.ArgumentParser()
        )
        assert tuple(added) == listed, area
    with pytest.raises(SystemExit):
        main(["--help"])
    shown = capsys.readouterr().out
    assert all(name in shown for names in commands.AREAS.values() for name in names)
    assert main(["imprt"]) == 2
    assert "'import'" in capsys.readouterr().err


def test_a_command_loads_no_other_area():
    script = (
        "import sys; from pricing_core import workflows; from pricing_core.cli import main\n"
        "try: main(['import', '--help'])\n"
        "finally: print([m for m in ('scipy', 'pandas', 'pricing_core.commands.pricing') if m in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert found.stdout.splitlines()[-1] == "[]"
