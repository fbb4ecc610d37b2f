'''The contract of a pricing strategy: what it is told, what it answers, and the words it goes by.

A strategy is a small class. It reads a :class:`Task` and answers with a :class:`Proposal`; guardrails, price endings,
rules that tie prices together, status and reasons are taken care of outside it.

A shop can add its own: a file in the folder ``strategies`` of its workspace, such as ``strategies/weekend.py``::

    import numpy as np


    class Weekend:
        """Ten percent off for whoever is offered something on a weekend."""

        name = "weekend"
        label = "Weekend prices"
        personal = False

        def propose(self, task):
            rows = task.rows
            weekend = rows.label("offers: weekday") == "weekend"
            return task.propose(np.where(weekend, 0.9, 1.0) * rows.current_price, "weekend price")

The file runs with the rights of the server: only its operator can put it there, never an upload. A file that fails is
left out, and one sentence says which and why.
'''

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from pricing_core.errors import DataError
from pricing_core.guardrails import AllowedRange, Guardrails
from pricing_core.guardrails.price_points import PricePoints, price_points
from pricing_core.optimize.objectives import DEFAULT_OBJECTIVE, Objective
from pricing_core.optimize.snapping import Snapped, snap
from pricing_core.response import PriceResponse, PricingRows

if TYPE_CHECKING:
    from pricing_core.optimize.settings import StrategySettings

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]
Texts = NDArray[np.object_]


@dataclass(frozen=True, eq=False)
class Task:
    """What a strategy is told.

    Attributes
    ----------
    name
        The strategy's own name.
    rows
        What is to be priced.
    response
        Demand curves with the draws that the choice may use.
    learn
        (n,) flag: rows whose profit prices that rows share are chosen for.
    bounds
        What guardrails and past data leave to each row.
    guardrails, settings, objective
        As asked for.
    """

    name: str
    rows: PricingRows
    response: PriceResponse
    learn: Mask
    bounds: AllowedRange
    guardrails: Guardrails
    settings: StrategySettings
    objective: Objective = DEFAULT_OBJECTIVE

    @cached_property
    def points(self) -> PricePoints:
        """Amounts that ladders and endings allow each row."""
        return price_points(self.rows, self.guardrails, self.bounds)

    def propose(self, wanted: Floats, why: str, *, segment: Texts | None = None) -> Proposal:
        """Proposal of prices (n,) before rules; each is moved into its row's range and to a price that can be charged.

        Parameters
        ----------
        wanted
            (n,) money; NaN leaves a row at its current price.
        why
            Reason in a few words, such as ``90% of the competitor price``.
        segment
            (n,) name of the segment of each row, for strategies that form segments.

        Raises
        ------
        DataError
            If ``wanted`` has another length than the rows.
        """
        wanted = np.array(wanted, dtype=float)
        if wanted.shape != (self.rows.n,):
            raise DataError(f"The strategy {self.name} gave prices of the shape {wanted.shape} for {self.rows.n} rows.")
        start = np.where(np.isfinite(wanted), wanted, self.rows.current_price)
        clipped = np.clip(start, self.bounds.low, self.bounds.high)
        price = snap(clipped, self.bounds.low, self.bounds.high, self.points)
        return self.within(wanted, price, why, segment=segment)

    def within(self, wanted: Floats, price: Snapped, why: str, *, segment: Texts | None = None) -> Proposal:
        """Proposal of prices that are chargeable already, within the rows' own ranges."""
        bounds = self.bounds
        return Proposal(
            wanted,
            price,
            bounds.low,
            bounds.high,
            bounds.low_rule,
            bounds.high_rule,
            bounds.conflict.copy(),
            why,
            segment=segment,
        )


@dataclass(frozen=True, eq=False)
class Proposal:
    """What a strategy answers.

    Attributes
    ----------
    wanted
        (n,) money: the price before rules; NaN for none.
    price
        (n,) where it can be charged, and where no chargeable price fits.
    low, high, low_rule, high_rule
        (n,) range within which the price was chosen, and what sets its ends.
    conflict
        (n,) text: why a row has no price; empty where it has one.
    why
        Reason in a few words.
    segment
        (n,) name of the row's segment; None without segments.
    row_why
        (n,) reason of each row, where it differs; None without.
    notes
        What the user should know about all of it, in sentences.
    details
        Whatever explains the choice, such as the tree of segments; by name.
    as_is
        The prices stand whatever rules say, as today's prices do.
    """

    wanted: Floats
    price: Snapped
    low: Floats
    high: Floats
    low_rule: Texts
    high_rule: Texts
    conflict: Texts
    why: str
    segment: Texts | None = None
    row_why: Texts | None = None
    notes: tuple[str, ...] = ()
    details: dict[str, Any] = field(default_factory=dict)
    as_is: bool = False


@runtime_checkable
class Strategy(Protocol):
    """A way to set all prices.

    Attributes
    ----------
    name
        Lower-case letters, digits and underscores; how commands and files call it.
    label
        How pages call it.
    personal
        Whether a price depends on who the customer is; then every price carries a disclosure.

    Notes
    -----
    Two attributes may be left out: ``shared`` (one price for many rows, chosen on ``task.learn`` and judged on other
    customers; taken to be the opposite of ``personal``) and ``coupled`` (``"row"`` or ``"product"``: rules that tie
    prices together may move its prices row by row, or product by product; without it they leave them alone).
    """

    name: str
    label: str
    personal: bool

    def propose(self, task: Task) -> Proposal:
        """Prices for the rows of the task."""
        ...
