"""Guardrails: rules that no recommended price may break, and the range of prices that they leave to each row.

>>> from pricing_core.guardrails import Guardrails
>>> rules = Guardrails(margin_floor=0.1, max_change_rate=0.2, endings=(49, 99))

Even without any rule a price stays among those that past data support (:data:`NO_GUARDRAILS`).
"""

from pricing_core.guardrails.allowed_range import AllowedRange, allowed_range
from pricing_core.guardrails.rules import NO_GUARDRAILS, Guardrails

__all__ = ["NO_GUARDRAILS", "AllowedRange", "Guardrails", "allowed_range"]
