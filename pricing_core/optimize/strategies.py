"""Prices of a strategy for given rows, with status, binding rule and reason of each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pricing_core.errors import DataError
from pricing_core.guardrails import AllowedRange, Guardrails, allowed_range
from pricing_core.optimize.pooled import product_prices, uniform_multiplier
from pricing_core.optimize.posterior import maximize_posterior_profit, posterior_profit
from pricing_core.optimize.reasons import PRICE_ENDING, reason_texts, statuses
from pricing_core.optimize.settings import (
    COMPETITOR,
    COST_PLUS,
    PERSONALIZED,
    PERSONALIZED_DISCOUNT,
    PRODUCT,
    STATUS_QUO,
    UNIFORM,
    StrategySettings,
    check_strategy,
    usual_markup,
)
from pricing_core.optimize.snapping import Snapped, snap
from pricing_core.response import PriceResponse, PricingRows

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]
Texts = NDArray[np.object_]


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


@dataclass(frozen=True, eq=False)
class _Task:
    name: str
    rows: PricingRows
    response: PriceResponse
    learn: Mask
    bounds: AllowedRange
    guardrails: Guardrails
    settings: StrategySettings


@dataclass(frozen=True, eq=False)
class _Proposal:
    """Price that a strategy wants before rules (NaN: none), its range, where it is charged exactly, and why."""

    wanted: Floats
    price: Snapped
    low: Floats
    high: Floats
    low_rule: Texts
    high_rule: Texts
    conflict: Texts
    why: str


def price_strategy(
    name: str,
    rows: PricingRows,
    guardrails: Guardrails,
    *,
    learn_rows: Mask | None = None,
    draws: Mask | None = None,
    settings: StrategySettings | None = None,
    with_reasons: bool = True,
) -> StrategyPrices:
    """Price rows by a strategy within the guardrails and the supported prices.

    Parameters
    ----------
    name
        One of :data:`~pricing_core.optimize.settings.STRATEGIES`.
    rows
        What is to be priced.
    guardrails
        Rules; :data:`~pricing_core.guardrails.NO_GUARDRAILS` leaves only the supported prices.
    learn_rows
        (n,) flag: rows whose profit shared prices (uniform, product) are chosen for. Default: all.
    draws
        (D,) flag: posterior draws that the choice may use. Default: all.
    settings
        Of the rules of thumb.
    with_reasons
        Whether to write a reason for each row.

    Raises
    ------
    ConfigError
        If there is no such strategy.
    DataError
        If ``learn_rows`` has another length than the rows.
    """
    check_strategy(name)
    learn = np.ones(rows.n, dtype=bool) if learn_rows is None else np.asarray(learn_rows, dtype=bool)
    if learn.shape != (rows.n,):
        raise DataError(f"learn_rows has the shape {learn.shape}; there are {rows.n} rows to price.")
    response = rows.response if draws is None else rows.response.with_draws(draws)
    bounds = allowed_range(rows, guardrails, name)
    task = _Task(name, rows, response, learn, bounds, guardrails, settings or StrategySettings())
    if name == STATUS_QUO:
        return _status_quo(task, with_reasons)
    return _finish(task, _PROPOSERS[name](task), with_reasons)


def _status_quo(task: _Task, with_reasons: bool) -> StrategyPrices:
    rows = task.rows
    outside = (rows.current_price < rows.support_low) | (rows.current_price > rows.support_high)
    text = np.where(outside, "current price kept, although outside the supported prices", "current price kept")
    empty = np.full(rows.n, "", dtype=object)
    low, high = _open_range(task.bounds.low, task.bounds.high, task.bounds.feasible)
    return StrategyPrices(
        STATUS_QUO,
        rows.current_price.copy(),
        np.zeros(rows.n),
        np.full(rows.n, "keep", dtype=object),
        empty,
        text.astype(object) if with_reasons else empty,
        np.zeros(rows.n, dtype=bool),
        low,
        high,
    )


def _open_range(low: Floats, high: Floats, feasible: Mask) -> tuple[Floats, Floats]:
    return np.where(feasible, low, np.nan), np.where(feasible, high, np.nan)


def _personalized(task: _Task) -> _Proposal:
    rows, bounds = task.rows, task.bounds
    wanted = rows.current_price.copy()
    open_rows = np.flatnonzero(bounds.feasible)
    fits = np.zeros(rows.n, dtype=bool)
    price = wanted.copy()
    if open_rows.size:
        demand, cost = task.response.take(open_rows), rows.unit_cost[open_rows]
        low, high = bounds.low[open_rows], bounds.high[open_rows]
        best = maximize_posterior_profit(demand, cost, low, high)
        snapped = snap(best, low, high, task.guardrails, lambda p: posterior_profit(demand, p, cost))
        wanted[open_rows], price[open_rows], fits[open_rows] = best, snapped.price, snapped.fits
    return _row_proposal(task, wanted, Snapped(price, fits), "")


def _uniform(task: _Task) -> _Proposal:
    multiplier = uniform_multiplier(task.rows, task.response, task.learn, task.bounds)
    why = f"one change of {100 * (multiplier - 1):+.1f}% for all prices"
    return _rule_of_thumb(task, multiplier * task.rows.current_price, why)


def _cost_plus(task: _Task) -> _Proposal:
    markup = task.settings.markup
    markup = usual_markup(task.rows) if markup is None else markup
    return _rule_of_thumb(task, (1 + markup) * task.rows.unit_cost, f"unit cost plus {100 * markup:.0f}%")


def _competitor(task: _Task) -> _Proposal:
    index = task.settings.competitor_index
    wanted = index * task.rows.competitor_price
    proposal = _rule_of_thumb(task, wanted, f"{100 * index:.0f}% of the competitor price")
    unknown = ~np.isfinite(wanted) & (proposal.conflict == "")
    proposal.conflict[unknown] = "no competitor price is known"
    return proposal


def _product(task: _Task) -> _Proposal:
    found = product_prices(task.rows, task.response, task.learn, task.guardrails)
    price = Snapped(found.price, np.ones(task.rows.n, dtype=bool))
    return _Proposal(
        found.wanted,
        price,
        found.low,
        found.high,
        found.low_rule,
        found.high_rule,
        found.conflict,
        "best single price for this product",
    )


def _rule_of_thumb(task: _Task, wanted: Floats, why: str) -> _Proposal:
    bounds = task.bounds
    clipped = np.clip(np.where(np.isfinite(wanted), wanted, task.rows.current_price), bounds.low, bounds.high)
    return _row_proposal(task, wanted, snap(clipped, bounds.low, bounds.high, task.guardrails), why)


def _row_proposal(task: _Task, wanted: Floats, price: Snapped, why: str) -> _Proposal:
    bounds = task.bounds
    return _Proposal(
        wanted, price, bounds.low, bounds.high, bounds.low_rule, bounds.high_rule, bounds.conflict.copy(), why
    )


_PROPOSERS: Final[dict[str, Callable[[_Task], _Proposal]]] = {
    COST_PLUS: _cost_plus,
    COMPETITOR: _competitor,
    UNIFORM: _uniform,
    PRODUCT: _product,
    PERSONALIZED: _personalized,
    PERSONALIZED_DISCOUNT: _personalized,
}


def _finish(task: _Task, proposal: _Proposal, with_reasons: bool) -> StrategyPrices:
    rows, conflict = task.rows, proposal.conflict
    unfit = (conflict == "") & ~proposal.price.fits
    for i in np.flatnonzero(unfit):
        conflict[i] = (
            f"no price with an allowed ending fits between {proposal.low[i]:.{task.guardrails.decimals}f} "
            f"and {proposal.high[i]:.{task.guardrails.decimals}f}"
        )
    held = conflict != ""
    price = np.where(held, rows.current_price, proposal.price.price)
    half = 0.5 * 10.0**-task.guardrails.decimals
    binding = np.full(rows.n, "", dtype=object)
    if task.guardrails.endings is not None:
        binding[np.abs(price - proposal.wanted) > half] = PRICE_ENDING
    at_low, at_high = proposal.wanted <= proposal.low + half, proposal.wanted >= proposal.high - half
    binding[at_high] = proposal.high_rule[at_high]
    binding[at_low] = proposal.low_rule[at_low]
    binding[held] = ""
    status = statuses(price, rows.current_price, held, half)
    reason = np.full(rows.n, "", dtype=object)
    if with_reasons:
        digits = task.guardrails.decimals
        reason = reason_texts(task.name, rows, price, status, binding, conflict, proposal.why, digits)
    low, high = _open_range(proposal.low, proposal.high, ~(proposal.low > proposal.high))
    return StrategyPrices(task.name, price, price / rows.current_price - 1.0, status, binding, reason, held, low, high)
