"""Reasons in two languages say the same numbers, and every word comes from a template."""

from __future__ import annotations

import re
import string
from dataclasses import replace
from importlib import import_module

import pytest

from pricing_core.errors import ConfigError
from pricing_core.explain.readable import chinese_names, in_chinese, readable, readable_groups, written
from pricing_core.explain.reasons import _WORDS, LANGUAGES, TEMPLATES, Driver, FlipFact, ReasonFacts, reason

FACTS = ReasonFacts(
    product_id="TEA-044", currency="USD", decimals=2, status="cut", current_price=12.99, new_price=11.49,
    typical_price=12.4, wanted_price=11.52,
    drivers=(
        Driver("loyalty tier", "会员等级", "gold", "gold", -0.62),
        Driver("unit cost", "单位成本", "58% of the going price", "现行价的58%", 0.2),
        Driver("organic", "有机", "no", "否", 0.001),
    ),
    rule="margin floor", evidence="measured", flip=FlipFact("unit cost", 7.4, 0.12, "raise"),
)  # fmt: skip


def test_the_english_reason_is_word_for_word() -> None:
    assert reason(FACTS) == (
        "TEA-044: cut from 12.99 USD to 11.49 USD (−11.5%). Before any rule, the price that earns most is below that "
        "of a typical offer (12.40 USD): 11.52 USD. What moves it most: loyalty tier = gold (−0.62 USD), unit cost = "
        "58% of the going price (+0.20 USD). It was stopped by: margin floor. The decision becomes “raise” if the unit "
        "cost rises to 7.40 USD (+12.0%). Evidence: "
        "measured; this product was offered often enough at different prices."
    )


def test_the_chinese_reason_is_word_for_word() -> None:
    assert reason(FACTS, "zh") == (
        "TEA-044：价格由 12.99 USD 降到 11.49 USD（−11.5%）。"
        "不考虑规则时，利润最高的价格低于典型报价（12.40 USD），为 11.52 USD。"
        "主要影响因素：会员等级为gold（−0.62 USD）、单位成本为现行价的58%（+0.20 USD）。"
        "受以下规则限制：最低毛利率。"
        "如果单位成本升至 7.40 USD（+12.0%），决定将变为“涨价”。"
        "依据：实测；该商品在不同价格上有足够的记录。"
    )


@pytest.mark.parametrize("status", ["raise", "cut", "keep", "hold"])
@pytest.mark.parametrize("evidence", ["measured", "borrowed", "extrapolated"])
@pytest.mark.parametrize("wanted", [10.0, 12.4, 14.0, float("nan")])
@pytest.mark.parametrize("rule", ["", "price ending", "supported prices"])
def test_both_languages_hold_the_same_numbers(status: str, evidence: str, wanted: float, rule: str) -> None:
    facts = replace(FACTS, status=status, evidence=evidence, wanted_price=wanted, rule=rule, flip=None)
    found = [re.findall(r"[+−]?\d[\d.,]*%?", reason(facts, language)) for language in LANGUAGES]
    assert found[0] == found[1] and found[0]


def test_every_template_has_both_languages_and_the_same_blanks() -> None:
    for name, texts in TEMPLATES.items():
        assert set(texts) == set(LANGUAGES), name
        parsed = [string.Formatter().parse(text) for text in texts.values()]
        blanks = [sorted(field for _, field, _, _ in parts if field) for parts in parsed]
        assert blanks[0] == blanks[1], name


def test_the_names_of_the_rules_are_known_in_chinese() -> None:
    bounds = vars(import_module("pricing_core.guardrails.allowed_range"))
    names = [value for name, value in bounds.items() if name.isupper() and isinstance(value, str)]
    kinds = vars(import_module("pricing_core.guardrails.kinds"))["KINDS"]
    told = [name for name in names if "_" not in name] + [kind.words for kind in kinds.values()]
    assert len(told) > 15
    assert not [name for name in told if name not in _WORDS["zh"]]


def test_of_a_rule_with_numbers_the_kind_is_translated() -> None:
    told = reason(replace(FACTS, rule="price endings (to 10: 49, 99) for category wine"), "zh")
    assert "受以下规则限制：价格尾数 (to 10: 49, 99) for category wine。" in told
    assert "受以下规则限制：house rule。" in reason(replace(FACTS, rule="house rule"), "zh")


def test_a_language_that_is_not_there_is_refused() -> None:
    with pytest.raises(ConfigError, match="no language 'fr'"):
        reason(FACTS, "fr")


def test_logarithms_become_counts_days_and_money() -> None:
    import numpy as np

    assert written("views in 30 days", readable("views in 30 days").turn(np.log1p([7.0]))[0]) == "7"
    assert written("days since last purchase", 729.9) == "never"
    assert written("days since signed up at", readable("days since signed up at").turn(np.log1p([1.0]))[0]) == "1 day"
    assert written("price level (log)", readable("price level (log)").turn(np.log([5.69]))[0], "EUR") == "5.69 EUR"
    assert written("competitor gap", readable("competitor gap").turn(np.log([0.96]))[0]) == "−4.0%"
    assert written("purchase rate", 0.856) == "0.86×"
    assert written("viewed this product today", 1.0) == "yes"
    assert written("household size", float("nan")) == "unknown"
    assert written("region", "north") == "north"


def test_values_are_told_in_chinese_and_the_shops_own_words_stay() -> None:
    told = {"yes": "是", "never": "从未", "12 days": "12天", "−1.6 points": "−1.6个百分点", "0.86×": "0.86倍",
            "Tuesday": "星期二", "November": "11月", "58% of the going price": "现行价的58%", "north": "north",
            "3 days of May days": "3 days of May days", "5.69 EUR": "5.69 EUR"}  # fmt: skip
    assert {text: in_chinese(text) for text in told} == told


def test_columns_that_belong_together_are_one_feature() -> None:
    groups, names = readable_groups(
        (
            ("season (cosine)", "market", (1,)),
            ("season (sine)", "market", (2,)),
            ("own column", "customer", (0,)),
            ("half-year (cosine)", "market", (4,)),
        )
    )
    assert groups == (("time of year", "market", (1, 2, 4)), ("own column", "customer", (0,)))
    assert names == ("time of year", "own column")
    assert chinese_names(names) == {"time of year": "时节", "own column": "own column"}
