"""Optimize: objective, frontier, substitutes and held rows of a shop with trained models."""

from __future__ import annotations

import re
from types import SimpleNamespace

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from pages.components import pricing
from pricing_core import workflows
from pricing_core.guardrails import Guardrails, Rule
from pricing_core.optimize.objectives import Objective
from pricing_core.store import settings
from pricing_core.store.workspace import Workspace

from .conftest import OpenPage


def labels(page: object) -> dict[str, str]:
    return {metric.label: metric.value for metric in page.metric}  # type: ignore[attr-defined]


def test_the_objective_of_the_form_is_kept_and_moves_prices(trained: Workspace, open_page: OpenPage) -> None:
    page = open_page("optimize")
    plain = labels(page)["Conversion"]
    page.selectbox(key="objective_kind").set_value("units")
    next(button for button in page.button if button.label == "Run").click().run()
    assert not page.exception and not page.error
    assert workflows.chosen_objective(trained).kind == "units"
    assert float(labels(page)["Conversion"].rstrip("%")) > float(plain.rstrip("%"))
    assert any("Prices are chosen for most units" in caption.value for caption in page.caption)
    priced = workflows.price(trained, "personalized_discount")
    assert (priced.prices.price <= priced.rows.current_price + 1e-9).mean() > 0.5


def test_opening_the_page_does_not_undo_the_choice_of_another_session(trained: Workspace, open_page: OpenPage) -> None:
    page = open_page("optimize")
    workflows.choose_objective(trained, Objective("revenue"))
    page.run()
    assert workflows.chosen_objective(trained).kind == "revenue"


def test_frontier_and_substitutes_are_there_without_a_click(trained: Workspace, open_page: OpenPage) -> None:
    page = open_page("optimize")
    names = [tab.label for tab in page.tabs]
    assert {"Frontier", "Substitutes", "Held rows"} <= set(names)
    assert any("An assumption, not a measurement." in text.value for text in page.markdown)
    found = labels(page)
    independent, shared = found["These prices, if independent"], found["These prices, if 30% stays"]
    assert re.fullmatch(r"[+−]?[$€][\d.,]+[kM]?", independent) and independent != shared
    page.slider(key="similarity").set_value(0).run()
    assert labels(page)["These prices, if 0% stays"] == labels(page)["These prices, if independent"]


def test_rules_for_several_prices_tell_how_good_the_prices_are(trained: Workspace, open_page: OpenPage) -> None:
    priced = workflows.price(trained, "personalized_discount")
    units = float(priced.frame["expected_conversion_rate"].sum())
    rules = Guardrails(rules=(Rule("capacity", 0.95 * units),), horizon_offers=float(len(priced.frame)))
    settings.set(trained, "guardrails", rules.to_mapping())
    page = open_page("optimize")
    assert any("Rules for several prices are met" in caption.value for caption in page.caption)


@pytest.mark.parametrize("place", ["offers", "products", None])
def test_discounts_without_any_list_price_say_that_no_price_can_rise(
    monkeypatch: pytest.MonkeyPatch, place: str | None
) -> None:
    bare = pd.DataFrame({"product_id": ["tea"]})
    tables = {name: bare.assign(list_price=9.0) if name == place else bare for name in ("offers", "products")}
    monkeypatch.setattr(pricing.cache, "dataset", lambda ws, dataset_id: SimpleNamespace(market=None, **tables))
    known = pricing.list_price_known(SimpleNamespace(ws=None, basis_id="d0001"))  # type: ignore[arg-type]
    assert known == (place is not None)

    def note(known: bool) -> None:
        from pages.components import pricing

        pricing.discounts_note(pricing.DISCOUNTS, list_price_known=known)

    page = AppTest.from_function(note, args=(known,)).run()
    assert any("none can rise" in info.value for info in page.info) == (place is None)
    assert any("smaller discount than today" in caption.value for caption in page.caption) == (place is not None)
