"""Guardrails saved by name: they come back exactly, outlast the process, and one write replaces another whole."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa

from pricing_core.errors import ConfigError, WorkspaceError
from pricing_core.guardrails import Guardrails, PriceRange, Rule, Scope
from pricing_core.store import database, guardrail_sets
from pricing_core.store.workspace import Workspace

RULES = Guardrails(
    margin_floor=0.1,
    endings=(49, 99),
    rules=(
        Rule("margin_floor", 0.25, Scope("category", ('wine "red"', "bière")), hard=False, priority=3),
        Rule("endings", ranges=(PriceRange(0, 10, endings=(99,)), PriceRange(10, endings=(0,), rounding="down"))),
        Rule("price_order", 0.5, lower="small", higher="large", name="pack sizes"),
    ),
)


def test_a_saved_set_comes_back_as_it_was_and_a_later_one_of_its_name_replaces_it(ws: Workspace) -> None:
    assert guardrail_sets.save(ws, "  Summer   sale ", Guardrails(), saved_by="Ann") == "Summer sale"
    guardrail_sets.save(ws, "Summer sale", RULES, saved_by="Bo")
    stored = guardrail_sets.load(ws, "Summer sale")
    assert stored.guardrails == RULES
    assert stored.saved_by == "Bo"
    assert guardrail_sets.names(ws) == ["Summer sale"]


def test_sets_are_listed_by_name_and_deleted_by_name(ws: Workspace) -> None:
    assert guardrail_sets.list_sets(ws).empty
    for name in ("winter", "Autumn", "spring"):
        guardrail_sets.save(ws, name, RULES)
    assert guardrail_sets.names(ws) == ["Autumn", "spring", "winter"]
    guardrail_sets.delete(ws, "spring")
    assert list(guardrail_sets.list_sets(ws)["name"]) == ["Autumn", "winter"]
    assert str(guardrail_sets.list_sets(ws)["saved_at"].dt.tz) == "UTC"


def test_names_that_do_not_exist_are_answered_with_those_that_do(ws: Workspace) -> None:
    with pytest.raises(WorkspaceError, match=r"There are no guardrails called 'x'\. Save a set first\."):
        guardrail_sets.load(ws, "x")
    guardrail_sets.save(ws, "Summer", RULES)
    with pytest.raises(WorkspaceError, match=r"There are no guardrails called 'x'\. Saved are: Summer\."):
        guardrail_sets.delete(ws, "x")


@pytest.mark.parametrize(("name", "message"), [("  ", "name of the guardrails is empty"), ("x" * 81, "has 81 char")])
def test_a_name_must_be_usable(ws: Workspace, name: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        guardrail_sets.save(ws, name, RULES)


def test_sets_outlast_the_process(ws: Workspace) -> None:
    guardrail_sets.save(ws, "Summer", RULES)
    code = (
        "import sys; from pricing_core.store import guardrail_sets; from pricing_core.store.workspace import Workspace;"
        "print(guardrail_sets.load(Workspace(sys.argv[1]), 'Summer').guardrails.to_toml(), end='')"
    )
    done = subprocess.run([sys.executable, "-c", code, str(ws.root)], capture_output=True, text=True, check=True)
    assert done.stdout == RULES.to_toml()


def test_of_many_writers_at_once_one_whole_set_remains(ws: Workspace) -> None:
    guardrail_sets.save(ws, "Summer", Guardrails())
    sets = [RULES.with_changes(price_ceiling=float(k)) for k in range(1, 13)]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda rules: guardrail_sets.save(ws, "Summer", rules), sets))
    assert guardrail_sets.load(ws, "Summer").guardrails in sets
    assert guardrail_sets.names(ws) == ["Summer"]


def test_a_workspace_from_before_named_sets_gets_the_place_for_them(file_ws: Workspace) -> None:
    with database.writing(file_ws) as connection:
        connection.execute(sa.text("DROP TABLE guardrail_sets"))
    database.get_engine(file_ws).dispose()
    database._engines.clear()
    guardrail_sets.save(file_ws, "Summer", RULES)
    assert guardrail_sets.load(file_ws, "Summer").guardrails == RULES
