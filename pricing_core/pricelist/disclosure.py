"""What has to be said beside a personalized price, by market, as dated data. Not legal advice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import pandas as pd

from pricing_core.errors import ConfigError
from pricing_core.pricelist.build import DISCLOSURE


@dataclass(frozen=True)
class DisclosureRule:
    """Duty to disclose of one market.

    Attributes
    ----------
    market
        Name of the market.
    text
        What customers must be told; ``exact`` says whether the law prescribes the words.
    source
        Where the rule stands, and since when.
    """

    market: str
    text: str
    exact: bool
    source: str


RULES: Final = {
    rule.market: rule
    for rule in (
        DisclosureRule(
            "European Union", DISCLOSURE, False, "Directive 2011/83/EU, Article 6(1)(ea), in force since 28 May 2022"
        ),
        DisclosureRule(
            "New York",
            "THIS PRICE WAS SET BY AN ALGORITHM USING YOUR PERSONAL DATA.",
            True,
            "General Business Law § 349-a, in force since 10 November 2025",
        ),
    )
}
"""Markets that prescribe a disclosure, by name."""


def disclosure_text(markets: Sequence[str]) -> str:
    """Text for the given markets, each once, in their order.

    Raises
    ------
    ConfigError
        If there is no rule for a market.
    """
    unknown = [repr(market) for market in markets if market not in RULES]
    if unknown:
        raise ConfigError(f"A market is one of {', '.join(RULES)}; received {', '.join(unknown)}.")
    return " ".join(dict.fromkeys(RULES[market].text for market in markets))


def with_disclosure(frame: pd.DataFrame, markets: Sequence[str]) -> pd.DataFrame:
    """Native price list whose rows that need a disclosure carry the text of the markets; without markets as it is."""
    if not markets:
        return frame
    needed = frame["disclosure_required"].fillna(False).astype(bool)
    text = pd.Series(disclosure_text(markets), index=frame.index, dtype=object).where(needed, None)
    return frame.assign(disclosure_text=text)
