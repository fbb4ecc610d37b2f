"""The one-page report: complete, self-contained, and deaf to hostile names."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pandas as pd

from pricing_core.charts.bridge import bridge_data
from pricing_core.charts.report import ReportText, scenario_report
from pricing_core.simulate import simulate_strategies
from pricing_core.simulate.bridge import bridge
from tests.pricing_cases import make_rows

HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(2)>\"' & {{7*7}}"
VOID = {"meta", "br"}


class Balance(HTMLParser):
    """Remembers every tag, and fails on one that is closed in the wrong order."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[tuple[str, dict[str, str | None]]] = []
        self.words = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words += data


def made(name: str = "Tea shop") -> str:
    result = simulate_strategies(make_rows(60), ["status_quo", "product", "personalized"])
    table = result.table.assign(name=[f"{name} {each}" for each in result.table["strategy"]], satisfaction=name)
    steps = bridge_data(bridge(result.products("status_quo"), result.products("product")), name, name, currency="USD")
    text = ReportText(f"What if {name}?", f"{name} earns most", [name, "four weeks"], [name], f"Data {name}")
    return scenario_report(text, table, currency="USD", weeks=4, bridge=steps)


def parsed(page: str) -> Balance:
    found = Balance()
    found.feed(page)
    found.close()
    assert not found.open
    return found


def test_the_report_holds_every_strategy_its_range_and_the_bridge() -> None:
    found = parsed(made())
    for words in ("Tea shop status_quo", "Tea shop product", "Chance of a loss", "sales volume", "4 weeks"):
        assert words in found.words
    assert sum(tag == "svg" for tag, _ in found.seen) == 2
    assert sum(tag == "tr" for tag, _ in found.seen) == 1 + 4


def test_hostile_names_stay_text() -> None:
    found = parsed(made(HOSTILE))
    tags = {tag for tag, _ in found.seen}
    assert not tags & {"script", "img", "iframe", "link", "object", "a"}
    assert all(not any(name.startswith("on") for name in attributes) for _, attributes in found.seen)
    assert "<script>alert(1)</script>" in found.words


def test_the_report_fetches_nothing_and_forbids_scripts() -> None:
    page = made()
    assert not re.findall(r"(?:src|href)\s*=|url\(|@import|https?://", page)
    policy = next(a["content"] for tag, a in parsed(page).seen if a.get("http-equiv") == "Content-Security-Policy")
    assert policy is not None and policy.startswith("default-src 'none'")
    assert len(page) < 40_000


def test_a_report_without_a_range_or_a_bridge_is_complete() -> None:
    table = pd.DataFrame(
        [{"strategy": "status_quo", "name": "Today", "profit": 5.0, "profit_low": float("nan"),
          "profit_high": float("nan"), "profit_uplift_rate": 0.0, "profit_uplift_rate_low": float("nan"),
          "profit_uplift_rate_high": float("nan"), "probability_loss": float("nan"), "revenue": 9.0, "units": 2.0,
          "conversion_rate": 0.1, "average_price": 4.5, "margin_rate": 0.55}]
    )  # fmt: skip
    page = scenario_report(ReportText("t", "s", [], [], ""), table, currency="EUR", weeks=1)
    assert "not measured" in parsed(page).words and "€5.00" in page
