"""What lies behind the prices of a strategy, where there is more to see than the prices: segments, markdowns."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pricing_core.guardrails.rules import Guardrails

from . import markdowns, segments
from .state import PageState

if TYPE_CHECKING:
    from pricing_core.workflows import PricedTable


def show(state: PageState, rules: Guardrails, priced: PricedTable) -> None:
    """Show the segments or the markdown plans of priced offers; nothing for other strategies."""
    if "segments" in priced.prices.details:
        segments.show(state, rules, priced)
    elif "markdowns" in priced.prices.details:
        markdowns.show(state, priced)
