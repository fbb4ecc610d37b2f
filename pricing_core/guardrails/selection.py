"""All rules of a set as one list, and the set with one of them changed or left out."""

from __future__ import annotations

from typing import Any

from pricing_core.errors import ConfigError
from pricing_core.guardrails.kinds import DISCOUNT_ONLY, ENDINGS, POINT_KINDS, SHOP_WIDE
from pricing_core.guardrails.ranges import PriceRange
from pricing_core.guardrails.rule import Rule
from pricing_core.guardrails.rules import Guardrails


def shop_rules(guardrails: Guardrails) -> tuple[Rule, ...]:
    """Return the shop-wide settings that are on, as hard rules for all rows with short names."""
    found = []
    for kind, name in SHOP_WIDE.items():
        value = getattr(guardrails, kind)
        if value is None or value is False:
            continue
        if kind == ENDINGS:
            rounding = PriceRange(endings=value, rounding=guardrails.rounding)
            found.append(Rule(kind, ranges=(rounding,), name=name))
        else:
            found.append(Rule(kind, None if value is True else value, name=name))
    return tuple(found)


def all_rules(guardrails: Guardrails) -> tuple[Rule, ...]:
    """Return every rule: the shop-wide ones, then those for parts of the shop."""
    return (*shop_rules(guardrails), *guardrails.rules)


def row_rules(guardrails: Guardrails) -> tuple[Rule, ...]:
    """Return the rules that bound each row's price by itself, hard ones first, then soft ones by priority."""
    return in_order(rule for rule in all_rules(guardrails) if not rule.coupled and rule.kind not in POINT_KINDS)


def point_rules(guardrails: Guardrails) -> tuple[Rule, ...]:
    """Return ladders and endings, hard ones first, then soft ones by priority."""
    return in_order(rule for rule in all_rules(guardrails) if rule.kind in POINT_KINDS)


def coupled_rules(guardrails: Guardrails) -> tuple[Rule, ...]:
    """Return the rules that tie rows together, hard ones first, then soft ones by priority."""
    return in_order(rule for rule in guardrails.rules if rule.coupled)


def hard_only(guardrails: Guardrails) -> Guardrails:
    """Return the guardrails without their soft rules."""
    return guardrails.with_changes(rules=tuple(rule for rule in guardrails.rules if rule.hard))


def in_order(rules: Any) -> tuple[Rule, ...]:
    """Hard rules first, then soft ones by priority; otherwise as given."""
    return tuple(sorted(rules, key=lambda rule: 0 if rule.hard else rule.priority))


def without_rule(guardrails: Guardrails, name: str) -> Guardrails:
    """Return the set without the rule of this name (see :attr:`~pricing_core.guardrails.rule.Rule.label`).

    Raises
    ------
    ConfigError
        If there is no such rule.
    """
    for kind, own in SHOP_WIDE.items():
        if own == name and any(rule.label == name for rule in shop_rules(guardrails)):
            return guardrails.with_changes(**{kind: False if kind == DISCOUNT_ONLY else None})
    kept = tuple(rule for rule in guardrails.rules if rule.label != name)
    if len(kept) == len(guardrails.rules):
        names = ", ".join(rule.label for rule in all_rules(guardrails)) or "none"
        raise ConfigError(f"There is no rule called {name!r}.", fix=f"Rules are: {names}.")
    return guardrails.with_changes(rules=kept)


def with_rule(guardrails: Guardrails, name: str, **changes: Any) -> Guardrails:
    """Return the set with the rule of this name changed, such as ``with_rule(g, "margin floor", value=0.05)``.

    Raises
    ------
    ConfigError
        If there is no such rule or a value is not allowed.
    """
    for kind, own in SHOP_WIDE.items():
        if own == name and any(rule.label == name for rule in shop_rules(guardrails)):
            return guardrails.with_changes(**{kind: changes["value"]})
    if name not in {rule.label for rule in guardrails.rules}:
        without_rule(guardrails, name)
    changed = tuple(rule.with_changes(**changes) if rule.label == name else rule for rule in guardrails.rules)
    return guardrails.with_changes(rules=changed)
