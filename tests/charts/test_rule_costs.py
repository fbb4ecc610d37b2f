"""The rule receipt as a figure: scaled to the period, the dearest rule named first."""

from __future__ import annotations

import numpy as np
import pytest

from pricing_core.charts.receipts import rule_cost_data, rule_cost_figure
from pricing_core.optimize.receipts import ALL_RULES, Receipt


def receipt(rule: str, cost: float, rows: int = 2, dual: float | None = None) -> Receipt:
    bound = np.arange(4) < rows
    return Receipt(rule, f"{rule} in words", cost, dual, rows, bound)


DEAR, CHEAP, FREE = receipt("change", 3.0, dual=0.5), receipt("endings", 0.25), receipt("floor", 0.0, 0)
TOGETHER = receipt(ALL_RULES, 4.0, 3)
TITLE = "All rules together cost $4,000.00 in 4 weeks; most of all “change in words”: $3,000.00"


def test_costs_are_stretched_to_the_period_and_the_title_names_the_dearest() -> None:
    found = rule_cost_data((DEAR, CHEAP, FREE, TOGETHER), scale=1000, period="4 weeks", currency="USD")
    assert found.table["cost"].tolist() == [3000.0, 250.0, 0.0]
    assert found.total == 4000.0
    assert found.table["share_bound"].tolist() == [0.5, 0.5, 0.0]
    assert found.finding == TITLE


def test_bars_show_what_costs_something_the_dearest_on_top() -> None:
    found = rule_cost_data((DEAR, CHEAP, FREE, TOGETHER), scale=1000, period="4 weeks", currency="USD")
    [bars] = rule_cost_figure(found, currency="USD", period="4 weeks").data
    assert list(bars.y) == ["endings in words", "change in words"]
    assert list(bars.x) == [250.0, 3000.0]
    assert list(bars.text) == ["$250.00", "$3,000.00"]


@pytest.mark.parametrize(
    ("receipts", "title"),
    [
        ((receipt("floor", 0.0), receipt(ALL_RULES, 0.0)),
         "The rules cost nothing: no price would be better without them"),
        ((receipt("a", 0.0), receipt("b", 0.0), receipt(ALL_RULES, 2.0)),
         "All rules together cost $2.00 in 4 weeks; leaving out a single one gains nothing"),
        ((receipt("a", 2.0), receipt(ALL_RULES, 2.0)), "The one rule costs $2.00 in 4 weeks"),
    ],
)  # fmt: skip
def test_the_title_says_when_there_is_little_to_say(receipts: tuple[Receipt, ...], title: str) -> None:
    assert rule_cost_data(receipts, scale=1, period="4 weeks", currency="USD").finding == title


def test_an_objective_of_units_is_told_in_purchases_and_words_of_the_shop_replace_names() -> None:
    found = rule_cost_data(
        (DEAR, CHEAP, TOGETHER), scale=10, period="4 weeks", currency="", words=["±5%", "ends in .99", "all"]
    )
    assert found.finding == "All rules together cost 40 purchases in 4 weeks; most of all “±5%”: 30 purchases"
    assert (
        rule_cost_figure(found, currency="", period="4 weeks").layout.xaxis.title.text
        == "Cost over 4 weeks (purchases)"
    )


def test_without_costs_the_figure_says_so() -> None:
    found = rule_cost_data((receipt("floor", 0.0), receipt(ALL_RULES, 0.0)), scale=1, period="4 weeks", currency="EUR")
    figure = rule_cost_figure(found, currency="EUR", period="4 weeks")
    assert figure.layout.annotations[0].text == "No rule costs anything."
