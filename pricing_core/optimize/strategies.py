"""Prices of a strategy for given rows, with status, binding rule and reason of each."""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from pricing_core.errors import ConfigError, DataError, PricingError
from pricing_core.guardrails import Guardrails, allowed_range
from pricing_core.guardrails.units import in_units
from pricing_core.optimize.contract import Proposal, Task
from pricing_core.optimize.objectives import DEFAULT_OBJECTIVE, Objective
from pricing_core.optimize.reasons import PRICE_ENDING, reason_texts, statuses
from pricing_core.optimize.registry import find, is_own, is_personal
from pricing_core.optimize.settings import StrategySettings
from pricing_core.optimize.tying import TIED, Tied, tie_prices
from pricing_core.response import PricingRows

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]
Texts = NDArray[np.object_]

_NO_TEXTS: Final[Texts] = np.empty(0, dtype=object)


@dataclass(frozen=True, eq=False)
class StrategyPrices:
    """What a strategy asks for each row.

    Attributes
    ----------
    strategy
        Its name.
    price
        (n,) money, in whole minor units unless the current price is kept.
    change_rate
        (n,) change against the current price.
    status
        (n,) ``raise``, ``cut``, ``keep`` (the strategy asks for the current price) or ``hold`` (no price is allowed).
    binding
        (n,) rule that stopped the price; empty where none did.
    reason
        (n,) plain words; empty if they were not asked for.
    held
        (n,) flag: no price is allowed, the current one stays.
    low, high
        (n,) money: the allowed range; NaN where it is empty.
    segment
        (n,) name of the row's segment; empty where the strategy forms none.
    relaxed
        (n,) soft rules that gave way for the row; empty where none did.
    duals
        Rule → money that one more unit of it would be worth, for rules that tie prices together.
    gap_rate
        How far the objective may lie below the best that these rules allow, as a share; 0 without such rules.
    notes
        Sentences that the user should know.
    details
        Whatever explains the choice, by name: ``tree`` of segments, ``plan`` of markdowns.
    """

    strategy: str
    price: Floats
    change_rate: Floats
    status: Texts
    binding: Texts
    reason: Texts
    held: Mask
    low: Floats
    high: Floats
    segment: Texts = field(default_factory=lambda: _NO_TEXTS)
    relaxed: Texts = field(default_factory=lambda: _NO_TEXTS)
    duals: dict[str, float] = field(default_factory=dict)
    gap_rate: float = 0.0
    notes: tuple[str, ...] = ()
    details: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in ("segment", "relaxed"):
            if not getattr(self, name).size:
                object.__setattr__(self, name, np.full(len(self.price), "", dtype=object))

    @property
    def by_segment(self) -> bool:
        """Whether prices are those of segments."""
        return bool((self.segment != "").any())

    @property
    def personal(self) -> bool:
        """Whether a price depends on who the customer is, by itself or by a segment that asks about the customer."""
        segments = self.details.get("segments")
        return is_personal(self.strategy) if segments is None else bool(segments.personal)

    def take(self, rows: Ints | Mask) -> StrategyPrices:
        """Rows by index or mask."""
        values = {f.name: getattr(self, f.name) for f in fields(self)}
        arrays: dict[str, Any] = {name: v[rows] for name, v in values.items() if isinstance(v, np.ndarray)}
        return replace(self, **arrays)


def price_strategy(
    name: str,
    rows: PricingRows,
    guardrails: Guardrails,
    *,
    learn_rows: Mask | None = None,
    draws: Mask | None = None,
    settings: StrategySettings | None = None,
    objective: Objective | None = None,
    with_reasons: bool = True,
) -> StrategyPrices:
    """Price rows by a strategy within the guardrails and the supported prices.

    Parameters
    ----------
    name
        One of :func:`~pricing_core.optimize.registry.strategies`.
    rows
        What is to be priced.
    guardrails
        Rules; :data:`~pricing_core.guardrails.NO_GUARDRAILS` leaves only the supported prices.
    learn_rows
        (n,) flag: rows whose profit shared prices (uniform, product, segment) are chosen for. Default: all.
    draws
        (D,) flag: posterior draws that the choice may use. Default: all.
    settings
        Of the rules of thumb, of segments and of markdowns.
    objective
        What to maximize. Default: profit.
    with_reasons
        Whether to write a reason for each row.

    Raises
    ------
    ConfigError
        If there is no such strategy, or one of the shop's own fails or gives prices that cannot be used.
    DataError
        If ``learn_rows`` has another length than the rows.
    """
    task = make_task(name, rows, guardrails, learn_rows=learn_rows, draws=draws, settings=settings, objective=objective)
    proposal = _proposal_of_own(task) if is_own(name) else find(name).propose(task)
    if proposal.as_is:
        return _as_they_are(task, proposal, with_reasons)
    return _finish(task, proposal, with_reasons)


def make_task(
    name: str,
    rows: PricingRows,
    guardrails: Guardrails,
    *,
    learn_rows: Mask | None = None,
    draws: Mask | None = None,
    settings: StrategySettings | None = None,
    objective: Objective | None = None,
) -> Task:
    """What :func:`price_strategy` tells a strategy; arguments and errors as there."""
    find(name)
    learn = np.ones(rows.n, dtype=bool) if learn_rows is None else np.asarray(learn_rows, dtype=bool)
    if learn.shape != (rows.n,):
        raise DataError(f"learn_rows has the shape {learn.shape}; there are {rows.n} rows to price.")
    rows, guardrails = in_units(rows, guardrails)
    response = rows.response if draws is None else rows.response.with_draws(draws)
    bounds = allowed_range(rows, guardrails, name)
    chosen = objective or DEFAULT_OBJECTIVE
    return Task(name, rows, response, learn, bounds, guardrails, settings or StrategySettings(), chosen)


def _proposal_of_own(task: Task) -> Proposal:
    """Ask a strategy from a file of the shop; whatever goes wrong in it is said in one sentence."""
    try:
        proposal = find(task.name).propose(task)
    except PricingError:
        raise
    except Exception as error:  # code of the shop may fail in any way
        text = " ".join(str(error).split())
        raise ConfigError(
            f"The shop's own strategy {task.name!r} failed: {type(error).__name__}: {text}.",
            fix="Correct its file in the folder strategies, or choose another strategy.",
        ) from error
    if not isinstance(proposal, Proposal):
        raise ConfigError(
            f"The shop's own strategy {task.name!r} answered with {type(proposal).__name__}.",
            fix="Its propose must return task.propose(prices, reason).",
        )
    price, n = proposal.price.price, task.rows.n
    open_rows = proposal.conflict == ""
    if price.shape != (n,) or not (np.isfinite(price[open_rows]) & (price[open_rows] > 0)).all():
        raise ConfigError(
            f"The shop's own strategy {task.name!r} gave prices that cannot be charged.",
            fix=f"Give {n} amounts above zero; task.propose(prices, reason) takes care of the rules.",
        )
    return proposal


def _as_they_are(task: Task, proposal: Proposal, with_reasons: bool) -> StrategyPrices:
    rows, empty = task.rows, np.full(task.rows.n, "", dtype=object)
    reason = empty if proposal.row_why is None or not with_reasons else proposal.row_why
    return StrategyPrices(
        task.name,
        proposal.price.price.copy(),
        np.zeros(rows.n),
        np.full(rows.n, "keep", dtype=object),
        empty,
        reason,
        np.zeros(rows.n, dtype=bool),
        *_open_range(proposal.low, proposal.high, task.bounds.feasible),
    )


def _open_range(low: Floats, high: Floats, feasible: Mask) -> tuple[Floats, Floats]:
    return np.where(feasible, low, np.nan), np.where(feasible, high, np.nan)


def _finish(task: Task, proposal: Proposal, with_reasons: bool) -> StrategyPrices:
    rows, digits = task.rows, task.guardrails.decimals
    tied = tie_prices(task, proposal)
    proposal = tied.proposal
    conflict = _conflicts(proposal, digits)
    held = conflict != ""
    price = np.where(held, rows.current_price, proposal.price.price)
    half = 0.5 * 10.0**-digits
    binding = _binding(task, tied, price, half)
    binding[held] = ""
    status = statuses(price, rows.current_price, held, half)
    reason = np.full(rows.n, "", dtype=object)
    if with_reasons:
        why = proposal.why if proposal.row_why is None else proposal.row_why
        reason = reason_texts(task.name, rows, price, status, binding, conflict, why, digits)
    low, high = _open_range(proposal.low, proposal.high, ~(proposal.low > proposal.high))
    relaxed = _relaxed(task)
    return StrategyPrices(
        task.name,
        price,
        price / rows.current_price - 1.0,
        status,
        binding,
        reason,
        held,
        low,
        high,
        segment=_NO_TEXTS if proposal.segment is None else proposal.segment,
        relaxed=relaxed,
        duals=tied.duals,
        gap_rate=tied.gap_rate,
        notes=(*proposal.notes, *task.bounds.notes, *_given_up(relaxed)),
        details=proposal.details,
    )


def _conflicts(proposal: Proposal, digits: int) -> Texts:
    conflict = proposal.conflict
    for i in np.flatnonzero((conflict == "") & ~proposal.price.fits):
        conflict[i] = (
            f"no price with an allowed ending fits between {proposal.low[i]:.{digits}f} "
            f"and {proposal.high[i]:.{digits}f}"
        )
    return conflict


def _binding(task: Task, tied: Tied, price: Floats, half: float) -> Texts:
    proposal = tied.proposal
    binding = np.full(task.rows.n, "", dtype=object)
    binding[(np.abs(price - proposal.wanted) > half) & task.points.restricted] = PRICE_ENDING
    at_low, at_high = proposal.wanted <= proposal.low + half, proposal.wanted >= proposal.high - half
    binding[at_high] = proposal.high_rule[at_high]
    binding[at_low] = proposal.low_rule[at_low]
    binding[tied.moved] = TIED
    return binding


def _relaxed(task: Task) -> Texts:
    """Soft rules that gave way, from ranges and from price points."""
    ranges, points = task.bounds.relaxed, task.points.relaxed
    both = (ranges != "") & (points != "")
    out = np.where(ranges != "", ranges, points).astype(object)
    out[both] = ranges[both] + "; " + points[both]
    return out


def _given_up(relaxed: Texts) -> tuple[str, ...]:
    """Say which soft rules gave way in how many rows."""
    count: dict[str, int] = {}
    for text, rows in zip(*np.unique(relaxed.astype(str), return_counts=True), strict=True):
        for rule in filter(None, text.split("; ")):
            count[rule] = count.get(rule, 0) + int(rows)
    return tuple(f"The soft rule “{rule}” gave way for {rows:,} rows." for rule, rows in count.items())
