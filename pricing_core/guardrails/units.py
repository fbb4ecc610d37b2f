"""Rows and limits counted in units where a purchase has more than one."""

from __future__ import annotations

from dataclasses import replace

from pricing_core.guardrails.rules import Guardrails
from pricing_core.response import PricingRows


def in_units(rows: PricingRows, guardrails: Guardrails) -> tuple[PricingRows, Guardrails]:
    """Rows that count units instead of purchases, and guardrails whose horizon is counted the same way."""
    counted = rows.counted_in_units()
    if counted is rows or guardrails.horizon_offers is None:
        return counted, guardrails
    more = float(counted.weight.sum() / rows.weight.sum())
    return counted, replace(guardrails, horizon_offers=more * guardrails.horizon_offers)
