"""Prices whose judge had no part in choosing them.

A model that picks the best of many prices picks its own errors as well, and then overstates what they earn.
Therefore every price that is judged by the draws of one fold was chosen with the draws of the other, which learned
from other customers; and a price or a rule that rows share (one change for all, a product's price, the leaves of a
segment tree, a markdown) was chosen on the rows of other customers than those whom it is judged on.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pricing_core.guardrails import Guardrails
from pricing_core.optimize.objectives import Objective
from pricing_core.optimize.registry import is_shared
from pricing_core.optimize.settings import StrategySettings
from pricing_core.optimize.strategies import StrategyPrices, price_strategy
from pricing_core.response import PricingRows

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Choice:
    """How strategies choose: rules, settings, and what is maximized (None: profit)."""

    guardrails: Guardrails
    settings: StrategySettings
    objective: Objective | None = None

    def prices(
        self,
        name: str,
        rows: PricingRows,
        *,
        learn: Mask | None = None,
        draws: Mask | None = None,
        with_reasons: bool = True,
    ) -> StrategyPrices:
        """Prices of a strategy, chosen on the ``learn`` rows (n,) and by the ``draws`` (D,); None: all."""
        aim: dict[str, Any] = {} if self.objective is None else {"objective": self.objective}
        return price_strategy(
            name,
            rows,
            self.guardrails,
            learn_rows=learn,
            draws=draws,
            settings=self.settings,
            with_reasons=with_reasons,
            **aim,
        )


@dataclass(frozen=True, eq=False)
class Judgment:
    """Prices (n,) and the draws (D,) flag that may judge them."""

    price: Floats
    judges: Mask


def cross_fitted_judgments(name: str, rows: PricingRows, choice: Choice) -> list[Judgment]:
    """Return one judgment per fold of draws; one for all draws if there is only one fold."""
    fold = rows.response.draw_fold
    if not is_cross_fitted(rows):
        price = choice.prices(name, rows, with_reasons=False).price
        return [Judgment(price, np.ones(fold.size, dtype=bool))]
    return [Judgment(_chosen_without(name, rows, choice, fold != judge), fold == judge) for judge in (0, 1)]


def is_cross_fitted(rows: PricingRows) -> bool:
    """Whether the draws learned from two different halves of the customers."""
    return bool(np.unique(rows.response.draw_fold).size > 1)


def _chosen_without(name: str, rows: PricingRows, choice: Choice, draws: Mask) -> Floats:
    def chosen(learn: Mask | None) -> Floats:
        return choice.prices(name, rows, learn=learn, draws=draws, with_reasons=False).price

    sides = np.unique(rows.customer_fold)
    if not is_shared(name) or sides.size < 2:
        return chosen(None)
    price = np.empty(rows.n)
    for side in sides:
        mine = rows.customer_fold == side
        price[mine] = chosen(~mine)[mine]
    return price
