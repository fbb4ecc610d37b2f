"""Guardrails in the words of a pricing manager, with the currency of the shop."""

from __future__ import annotations

from pricing_core.guardrails import KINDS, Guardrails, Rule
from pricing_core.guardrails.kinds import COMPETITOR_BAND, ENDINGS, PRICE_ORDER

from .words import count, money, number, percent

ALL = "all"
PLACES = {
    ALL: "Whole shop", "category": "Category", "brand": "Brand", "product": "Product", "segment": "Segment",
}  # fmt: skip
LIMITS = {
    "margin_floor": "margin at least {}", "price_floor": "never below {}", "price_ceiling": "never above {}",
    "max_change_rate": "change at most ±{}", "max_list_change_rate": "within ±{} of the list price",
    "max_dispersion_rate": "highest price at most {} above the lowest", "min_changes": "at least {} change",
    "max_changes": "at most {} change", "discount_budget": "discounts cost at most {}",
    "capacity": "at most {} are sold", "min_conversion_rate": "at least {} of offers sell",
    "min_units": "at least {} are sold", "parity": "price levels differ by at most {}",
}  # fmt: skip


def kind_name(kind: str) -> str:
    """Return the words for a kind of rule."""
    words = KINDS[kind].words
    return words[0].upper() + words[1:]


def place_name(by: str) -> str:
    """Return the words for what a scope goes by."""
    return PLACES.get(by, by.split(": ", 1)[-1].replace("_", " ").capitalize())


def where_words(rule: Rule) -> str:
    """Say for which part of the shop a rule holds."""
    scope = rule.scope
    return PLACES[ALL] if scope.by == ALL else f"{place_name(scope.by)}: {', '.join(scope.values)}"


def limit_words(rule: Rule, currency: str) -> str:
    """Say what a rule allows."""
    if rule.kind == COMPETITOR_BAND:
        return f"{share(rule.low_rate)} to {share(rule.high_rate)} of the competitor's price"
    if rule.kind == PRICE_ORDER:
        gap = f" by {money(rule.value, currency)}" if rule.value else ""
        return f"{rule.lower} below {rule.higher}{gap}"
    if rule.ranges:
        alone = rule.ranges[0].start == 0 and rule.ranges[0].end is None
        start = "prices end in " if alone else "endings "
        return (start if rule.kind == ENDINGS else "price points ") + "; ".join(each.words for each in rule.ranges)
    if rule.kind == "discount_only":
        return "never above the list price"
    if rule.kind == "equal_price":
        return f"one price per {place_name(rule.group).lower()}"
    if rule.kind == "capacity" and rule.value is None:
        return "no product sells more than its stock"
    by = f" by {place_name(rule.group).lower()}" if rule.group else ""
    return LIMITS[rule.kind].format(amount(rule, rule.value, currency)) + by


def amount(rule: Rule, value: float | None, currency: str) -> str:
    """Write a number of a rule with its unit."""
    unit = rule.about.unit
    if unit == "rate":
        return share(value)
    if unit == "money":
        return money(value, currency)
    if unit == "count":
        return f"{count(value)} {'products' if rule.level == 'product' else 'offers'}"
    return f"{number(value, digits=0 if float(value or 0).is_integer() else 2)} units"


def share(rate: float | None) -> str:
    """Write a share with as many digits as it has: ``5%``, ``2.5%``."""
    return percent(rate, digits=0 if float(100 * (rate or 0)).is_integer() else 1)


def rule_words(rule: Rule, currency: str) -> str:
    """Say what a rule allows, where, and how strictly."""
    where = "" if rule.scope.by == ALL else f" ({where_words(rule)})"
    soft = "" if rule.hard else ", if possible"
    return f"{limit_words(rule, currency)}{where}{soft}"


def in_words(rules: Guardrails, currency: str) -> str:
    """List the active guardrails in one line."""
    parts = [
        (rules.margin_floor, f"margin at least {share(rules.margin_floor)}"),
        (rules.max_change_rate, f"change at most ±{share(rules.max_change_rate)}"),
        (rules.price_floor, f"never below {money(rules.price_floor, currency)}"),
        (rules.price_ceiling, f"never above {money(rules.price_ceiling, currency)}"),
        (rules.endings, f"prices end in {endings_words(rules.endings)}"),
        (rules.discount_only or None, "never above the list price"),
    ]
    named = [words for value, words in parts if value is not None]
    return ", ".join([*named, *(rule_words(rule, currency) for rule in rules.rules)]) or "none"


def endings_words(endings: tuple[int, ...] | None) -> str:
    """Write price endings: ``.49 or .99``."""
    return " or ".join(f".{each:02d}" for each in endings or ())
