"""Guardrails: rules that no recommended price may break, and the range of prices that they leave to each row.

>>> from pricing_core.guardrails import Guardrails, Rule, Scope
>>> wine = Rule("margin_floor", 0.25, Scope("category", ("wine",)))
>>> few = Rule("max_changes", 20, hard=False, priority=10)
>>> guardrails = Guardrails(margin_floor=0.1, max_change_rate=0.2, endings=(49, 99), rules=(wine, few))

*Row rules* bound the price of each row by itself (:func:`allowed_range`) or allow only some amounts
(:func:`price_points`). *Coupled rules* tie rows together (:func:`coupled_rules`). A hard rule is never broken; a soft
one gives way, as far as needed, in the order of priority. Even without any rule a price stays among those that past
data support (:data:`NO_GUARDRAILS`).
"""

from pricing_core.guardrails.allowed_range import AllowedRange, allowed_range
from pricing_core.guardrails.kinds import KINDS, Kind
from pricing_core.guardrails.price_points import PricePoints, price_points
from pricing_core.guardrails.ranges import PriceRange
from pricing_core.guardrails.rule import Rule
from pricing_core.guardrails.rules import NO_GUARDRAILS, Guardrails
from pricing_core.guardrails.scope import Scope
from pricing_core.guardrails.selection import coupled_rules, row_rules, shop_rules, with_rule, without_rule

__all__ = [
    "KINDS",
    "NO_GUARDRAILS",
    "AllowedRange",
    "Guardrails",
    "Kind",
    "PricePoints",
    "PriceRange",
    "Rule",
    "Scope",
    "allowed_range",
    "coupled_rules",
    "price_points",
    "row_rules",
    "shop_rules",
    "with_rule",
    "without_rule",
]
