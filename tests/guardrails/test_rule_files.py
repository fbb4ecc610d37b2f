"""Rules for parts of the shop as configuration: what is refused and how, and the way to a file and back."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pricing_core.errors import ConfigError
from pricing_core.guardrails import KINDS, Guardrails, PriceRange, Rule, Scope

FULL = """
margin_floor = 0.1

[[rules]]
kind = "margin_floor"
value = 0.25
scope = "category"
in = ["wine", "beer"]
hard = false
priority = 10

[[rules]]
kind = "endings"
ranges = [{to = 10, endings = [49, 99]}, {from = 10, endings = [0], rounding = "down"}]

[[rules]]
kind = "price_order"
value = 0.5
lower = "small"
higher = "large"
name = "pack sizes"

[[rules]]
kind = "max_changes"
value = 20
level = "row"
"""


def test_a_file_reads_as_the_rules_it_says() -> None:
    rules = Guardrails.from_toml(FULL)
    assert rules.margin_floor == 0.1
    assert rules.rules == (
        Rule("margin_floor", 0.25, Scope("category", ("wine", "beer")), hard=False, priority=10),
        Rule("endings", ranges=(PriceRange(0, 10, endings=(49, 99)), PriceRange(10, endings=(0,), rounding="down"))),
        Rule("price_order", 0.5, lower="small", higher="large", name="pack sizes"),
        Rule("max_changes", 20, level="row"),
    )
    assert [rule.label for rule in rules.rules] == [
        "margin floor 25% for category wine or beer",
        "price endings (below 10: .49 or .99 / from 10: .00 rounded down)",
        "pack sizes",
        "maximum number of changes 20",
    ]


def test_rules_may_stand_beside_or_inside_the_table_of_guardrails() -> None:
    one = '[[rules]]\nkind = "discount_only"\nscope = "brand"\nin = ["Acme"]\n'
    expected = (Rule("discount_only", scope=Scope("brand", ("Acme",))),)
    assert Guardrails.from_toml(one).rules == expected
    assert Guardrails.from_toml("[guardrails]\nmargin_floor = 0.2\n" + one).rules == expected
    assert Guardrails.from_toml(one.replace("[[rules]]", "[[guardrails.rules]]")).rules == expected
    with pytest.raises(ConfigError, match="rules is given twice"):
        Guardrails.from_toml(one.replace("[[rules]]", "[[guardrails.rules]]") + one)


TEXT = st.text(st.characters(exclude_categories=("Cs",), exclude_characters=";"), min_size=1, max_size=8).filter(
    str.strip
)
SCOPES = st.one_of(
    st.just(Scope()),
    st.builds(
        Scope,
        st.sampled_from(["category", "brand", "product", "segment", "customers: tier"]),
        st.lists(TEXT, min_size=1, max_size=3).map(tuple),
    ),
)
RATE = st.floats(0, 0.9, allow_nan=False)
AMOUNT = st.floats(0.01, 1e6, allow_nan=False)
ENDINGS = st.lists(st.integers(0, 99), min_size=1, max_size=4).map(tuple)


@st.composite
def some_ranges(draw: Any, *, endings: bool) -> tuple[PriceRange, ...]:
    cuts = sorted(draw(st.lists(st.integers(1, 100), min_size=0, max_size=2, unique=True)))
    edges = [0, *cuts, None]
    found = []
    for start, end in pairwise(edges):
        direction = draw(st.sampled_from(["nearest", "down", "up"]))
        if endings or draw(st.booleans()):
            found.append(PriceRange(start, end, endings=draw(ENDINGS), rounding=direction))
        else:
            found.append(PriceRange(start, end, step=draw(AMOUNT), rounding=direction))
    return tuple(found)


@st.composite
def some_rule(draw: Any) -> Rule:
    kind = draw(st.sampled_from(sorted(KINDS)))
    about, extra = KINDS[kind], {}
    if about.unit == "rate":
        extra["value"] = draw(RATE)
    elif about.unit == "count":
        extra["value"] = draw(st.integers(0, 10_000))
    elif about.unit != "none":
        extra["value"] = draw(st.one_of(AMOUNT, st.none()) if about.optional else AMOUNT)
    if "ranges" in about.needs:
        extra["ranges"] = draw(some_ranges(endings=kind == "endings"))
    if "low_rate" in about.needs:
        low = draw(RATE)
        extra |= {"low_rate": low, "high_rate": low + draw(st.floats(0.01, 1))}
    if "group" in about.needs:
        extra["group"] = draw(TEXT)
    if "lower" in about.needs:
        extra |= dict(zip(("lower", "higher"), draw(st.lists(TEXT, min_size=2, max_size=2, unique=True)), strict=True))
    if "level" in about.takes:
        extra["level"] = draw(st.sampled_from(["product", "row"]))
    return Rule(
        kind, scope=draw(SCOPES), hard=draw(st.booleans()), priority=draw(st.integers(1, 999)),
        name=draw(st.one_of(st.just(""), TEXT)), **extra,
    )  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(rule=some_rule())
def test_any_rule_comes_back_exactly_from_toml_and_from_json(rule: Rule) -> None:
    rules = Guardrails(margin_floor=None, rules=(rule,))
    assert Guardrails.from_toml(rules.to_toml()) == rules
    assert Guardrails.from_mapping(json.loads(json.dumps(rules.to_mapping()))) == rules


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"kind": "margin"}, r"Rule 1 of 1: There is no rule 'margin'\. Rules are margin_floor, price_floor"),
        ({"value": 0.1}, r"A rule has no kind\. Kinds are margin_floor"),
        ({"kind": "margin_floor", "value": 1}, r"value of the rule margin_floor is 1\. It must be a share below 1"),
        ({"kind": "margin_floor"}, r"value of the rule margin_floor is None\. It must be a share below 1"),
        ({"kind": "max_changes", "value": 2.5}, r"is 2\.5\. It must be a whole number of at least 0"),
        ({"kind": "discount_only", "value": 1}, r"The rule discount_only has a value 1\. It takes none"),
        ({"kind": "margin_floor", "value": 0.1, "group": "brand"}, r"margin_floor has group 'brand'\. It takes none"),
        ({"kind": "margin_floor", "value": 0.1, "scop": "brand"}, r"Unknown in a rule: scop\. Allowed are kind, value"),
        ({"kind": "margin_floor", "value": 0.1, "scope": "brand"}, r"The scope 'brand' has no values"),
        ({"kind": "margin_floor", "value": 0.1, "in": ["x"]}, r"A rule for all rows has values in its scope"),
        ({"kind": "margin_floor", "value": 0.1, "scope": "brand", "in": [3]}, r"values of the scope are \(3,\)"),
        (
            {"kind": "price_floor", "value": 1, "scope": "protected: gender", "in": ["f"]},
            r"scope is the protected attribute 'protected: gender'\. Protected attributes never set a price",
        ),
        ({"kind": "competitor_band", "low_rate": 1.1, "high_rate": 0.9}, r"competitor band goes from 1\.1 to 0\.9"),
        ({"kind": "competitor_band", "low_rate": 0.9}, r"high_rate of the rule competitor_band is None"),
        ({"kind": "endings"}, r"ranges of the rule endings is \(\)\. It must be at least one price range"),
        ({"kind": "endings", "ranges": [{"step": 1}]}, r"The rule endings has a price range without endings"),
        ({"kind": "price_ladder", "ranges": [{"step": 1, "endings": [9]}]}, r"gives endings and step\. Give one of"),
        ({"kind": "price_ladder", "ranges": [{"step": 0}]}, r"step is 0\. It must be an amount above 0"),
        ({"kind": "price_ladder", "ranges": [{"points": [5, -1]}]}, r"points is \(5, -1\)\. Give amounts above 0"),
        (
            {"kind": "endings", "ranges": [{"to": 10, "endings": [9]}, {"from": 5, "endings": [9]}]},
            r"Price ranges overlap: one goes from 0 to 10, the next starts from 5",
        ),
        (
            {"kind": "endings", "ranges": [{"from": 9, "to": 3, "endings": [9]}]},
            r"from 9 to 3\. It must end above",
        ),
        (
            {"kind": "endings", "ranges": [{"endings": [9], "rounding": "off"}]},
            r"rounding is 'off'\. It must be",
        ),
        ({"kind": "equal_price"}, r"group of the rule equal_price is ''\. It must be the name of a label"),
        ({"kind": "price_order", "lower": "a"}, r"higher of the rule price_order is ''\. It must be a product_id"),
        ({"kind": "price_order", "lower": "a", "higher": "a"}, r"The price order compares 'a' with itself"),
        ({"kind": "max_changes", "value": 2, "level": "shop"}, r"level of the rule max_changes is 'shop'"),
        ({"kind": "price_floor", "value": 2, "hard": 1}, r"hard of the rule price_floor is 1\. It must be true or"),
        ({"kind": "price_floor", "value": 2, "name": "a; b"}, r"is 'a; b'\. It must be text without a semicolon"),
        ({"kind": "price_floor", "value": 2, "priority": 0}, r"priority of the rule price_floor is 0"),
        ({"kind": "min_conversion_rate", "value": 1.5}, r"is 1\.5\. It must be a share between 0 and 1"),
    ],
)
def test_what_is_not_allowed_is_named_with_what_is(table: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        Guardrails.from_mapping({"rules": [table]})


def test_the_message_says_which_of_the_rules_is_wrong() -> None:
    good, bad = {"kind": "price_floor", "value": 2}, {"kind": "price_floor", "value": -2}
    with pytest.raises(ConfigError, match=r"Rule 2 of 2: value of the rule price_floor is -2"):
        Guardrails.from_mapping({"rules": [good, bad]})


def test_two_rules_cannot_have_one_name() -> None:
    with pytest.raises(ConfigError, match=r"Two rules are called 'price floor 2'\. Give each rule its own name"):
        Guardrails(rules=(Rule("price_floor", 2), Rule("price_floor", 2, hard=False)))
    with pytest.raises(ConfigError, match="Two rules are called 'margin floor'"):
        Guardrails(margin_floor=0.1, rules=(Rule("price_floor", 2, name="margin floor"),))
    assert Guardrails(margin_floor=None, rules=(Rule("price_floor", 2, name="margin floor"),)).rules
