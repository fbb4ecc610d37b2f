r"""What coupled rules ask of prices, as numbers: the groups they form, what they measure, and by how much they fail.

Totals are expected over the rows' weight *w*, scaled to ``horizon_offers`` where that is given. With the posterior mean
chance of a purchase *P*:

===================== ==============================================================================================
maximum dispersion    highest price of a product over its lowest, less 1
equal price           highest less lowest price of a group, money
price order           gap + highest price of the lower product − lowest price of the higher product, money
number of changes     products (rows) whose price differs from today's by half a minor unit or more
discount budget       :math:`\sum w\,P\,\max(\mathrm{list} - p, 0)`; today's price where the list price is unknown
capacity, units       :math:`\sum w\,P`
conversion            :math:`\sum w\,P / \sum w`
parity                highest price level of a group over the lowest, less 1; level :math:`\sum w\,p / \sum w\,b` with
                      *b* the product's mean price today, so that groups that buy other products compare fairly
===================== ==============================================================================================
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pricing_core.guardrails.kinds import (
    CAPACITY,
    DISCOUNT_BUDGET,
    EQUAL_PRICE,
    MAX_CHANGES,
    MAX_DISPERSION,
    MIN_CHANGES,
    MIN_CONVERSION,
    MIN_UNITS,
    PARITY,
    PRICE_ORDER,
)
from pricing_core.guardrails.rule import Rule
from pricing_core.guardrails.rules import Guardrails
from pricing_core.guardrails.scope import codes_of
from pricing_core.guardrails.selection import coupled_rules
from pricing_core.response import PriceResponse, PricingRows

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]

_SLACK: Final = 1e-9
_ABOUT_PRODUCTS: Final = ("brand", "category", "product")
AT_LEAST: Final = (MIN_CHANGES, MIN_CONVERSION, MIN_UNITS)
"""Kinds whose measure must not be below the limit; all others must not be above."""
TOTALS: Final = (DISCOUNT_BUDGET, CAPACITY, MIN_UNITS, MIN_CONVERSION)
"""Kinds that add up expected sales."""
OVER_HORIZON: Final = (DISCOUNT_BUDGET, CAPACITY, MIN_UNITS)
"""Those whose number is for all of the horizon."""


@dataclass(frozen=True, eq=False)
class Measure:
    """One comparison of a coupled rule with prices.

    Attributes
    ----------
    rule
        The rule.
    part
        What the number is about where a rule compares several things, such as one product; else empty.
    value, limit
        What the prices amount to, and what is allowed.
    rows
        Indices of the rows that count.
    """

    rule: Rule
    part: str
    value: float
    limit: float
    rows: Ints = field(repr=False)

    @property
    def kept(self) -> bool:
        """Whether the rule holds (up to rounding of binary fractions)."""
        slack = _SLACK * max(1.0, abs(self.limit))
        if self.rule.kind in AT_LEAST:
            return self.value >= self.limit - slack
        return self.value <= self.limit + slack


def horizon_scale(rows: PricingRows, guardrails: Guardrails) -> float:
    """Factor from the rows' own weight to the offers of the horizon."""
    return 1.0 if guardrails.horizon_offers is None else guardrails.horizon_offers / float(rows.weight.sum())


def group_codes(rule: Rule, rows: PricingRows) -> Ints:
    """Code (n,) of the group whose rows must have one price; −1 outside of the scope or where the label is unknown.

    A label of products (``product``, ``brand``, ``category``, ``products: …``) groups across products; by any other
    label each product has its own groups.

    Raises
    ------
    DataError
        If the rows do not carry the label.
    """
    label, _ = codes_of(rows.label(rule.group))
    inside = rule.scope.mask(rows) & (label >= 0)
    if not (rule.group in _ABOUT_PRODUCTS or rule.group.startswith("products:")):
        product, names = codes_of(rows.product_id)
        label = label * max(len(names), 1) + product
    out = np.full(rows.n, -1, dtype=np.int64)
    out[inside] = pd.factorize(label[inside], sort=True)[0]
    return out


def parity_groups(rule: Rule, rows: PricingRows) -> tuple[Ints, list[str], Floats]:
    """Group code (n,) of each row (−1: none), the groups' names, and the base price (n,) of each row's product."""
    code, names = codes_of(rows.label(rule.group))
    code = np.where(rule.scope.mask(rows), code, -1)
    product, ids = codes_of(rows.product_id)
    weight = np.bincount(product, rows.weight, len(ids))
    usual = np.bincount(product, rows.weight * rows.current_price, len(ids)) / np.maximum(weight, 1e-300)
    return code, names, usual[product]


def public_price(rows: PricingRows) -> Floats:
    """Price from which discounts count: the list price, or today's where that is unknown; (n,)."""
    return np.where(np.isfinite(rows.list_price), rows.list_price, rows.current_price)


def measures(
    rows: PricingRows, guardrails: Guardrails, price: Floats, response: PriceResponse | None = None
) -> tuple[Measure, ...]:
    """Compare prices (n,) with every coupled rule.

    Parameters
    ----------
    response
        Demand by which units count; default: the rows' own.

    Raises
    ------
    DataError
        If the rows do not carry a label that a rule names.
    """
    demand = rows.response if response is None else response
    found: list[Measure] = []
    chance: Floats | None = None
    for rule in coupled_rules(guardrails):
        if rule.kind in TOTALS and chance is None:
            chance = demand.probability(price)
        task = _Task(rule, rows, guardrails, price, chance if chance is not None else price)
        found += _MEASURES[rule.kind](task)
    return tuple(found)


@dataclass(frozen=True, eq=False)
class _Task:
    rule: Rule
    rows: PricingRows
    guardrails: Guardrails
    price: Floats
    chance: Floats

    @property
    def limit(self) -> float:
        return float(self.rule.value or 0.0)

    def inside(self) -> Ints:
        return np.flatnonzero(self.rule.scope.mask(self.rows))


def _by_group(task: _Task, code: Ints, limit: float, *, relative: bool, names: list[str]) -> list[Measure]:
    """Compare the spread of prices in each group (code ≥ 0) with a limit."""
    members = np.flatnonzero(code >= 0)
    if not members.size:
        return []
    order = members[np.argsort(code[members], kind="stable")]
    numbers, starts = np.unique(code[order], return_index=True)
    out = []
    for number, rows in zip(numbers, np.split(order, starts[1:]), strict=True):
        low, high = float(task.price[rows].min()), float(task.price[rows].max())
        out.append(Measure(task.rule, names[int(number)], high / low - 1 if relative else high - low, limit, rows))
    return out


def _dispersion(task: _Task) -> list[Measure]:
    code, names = codes_of(task.rows.product_id)
    code = np.where(task.rule.scope.mask(task.rows), code, -1)
    return _by_group(task, code, task.limit, relative=True, names=names)


def _equal(task: _Task) -> list[Measure]:
    code = group_codes(task.rule, task.rows)
    label = task.rows.label(task.rule.group)
    first = {int(c): str(label[i]) for i, c in reversed(list(enumerate(code))) if c >= 0}
    names = [first[c] for c in range(len(first))]
    half = 0.5 * 10.0**-task.guardrails.decimals
    return _by_group(task, code, half, relative=False, names=names)


def order_rows(rule: Rule, rows: PricingRows) -> tuple[Ints, Ints]:
    """Indices of the rows of the lower and of the higher product of a price order, within its scope."""
    inside = rule.scope.mask(rows)
    lower, higher = (np.flatnonzero(inside & (rows.product_id == name)) for name in (rule.lower, rule.higher))
    return lower, higher


def _order(task: _Task) -> list[Measure]:
    lower, higher = order_rows(task.rule, task.rows)
    if not lower.size or not higher.size:
        return []
    gap = float(task.price[lower].max() - task.price[higher].min()) + task.limit
    return [Measure(task.rule, "", gap, 0.0, np.concatenate([lower, higher]))]


def changed(rows: PricingRows, price: Floats, decimals: int) -> Mask:
    """(n,) flag: the price differs from today's by half a minor unit or more."""
    return np.asarray(np.abs(price - rows.current_price) >= 0.5 * 10.0**-decimals * (1 - _SLACK))


def _changes(task: _Task) -> list[Measure]:
    inside = task.inside()
    moved = inside[changed(task.rows, task.price, task.guardrails.decimals)[inside]]
    count = len(pd.unique(task.rows.product_id[moved])) if task.rule.level == "product" else len(moved)
    return [Measure(task.rule, "", float(count), task.limit, inside)]


def _budget(task: _Task) -> list[Measure]:
    inside, rows = task.inside(), task.rows
    depth = np.maximum(public_price(rows)[inside] - task.price[inside], 0.0)
    spent = float(rows.sales_weight[inside] @ (task.chance[inside] * depth)) * horizon_scale(rows, task.guardrails)
    return [Measure(task.rule, "", spent, task.limit, inside)]


def _units(task: _Task) -> list[Measure]:
    inside = task.inside()
    units = float(task.rows.sales_weight[inside] @ task.chance[inside]) * horizon_scale(task.rows, task.guardrails)
    return [Measure(task.rule, "", units, task.limit, inside)]


def capacity_limits(rule: Rule, rows: PricingRows) -> list[tuple[str, float, Ints]]:
    """What a capacity rule limits: (product or empty, units, row indices). Products without known stock are not."""
    inside = rule.scope.mask(rows)
    if rule.value is not None:
        return [("", rule.value, np.flatnonzero(inside))]
    known = np.flatnonzero(inside & np.isfinite(rows.stock))
    groups = pd.Series(rows.stock[known]).groupby(rows.product_id[known])
    return [(str(name), float(rows.stock[known[index]].max()), known[index]) for name, index in groups.indices.items()]


def _capacity(task: _Task) -> list[Measure]:
    scale, rows = horizon_scale(task.rows, task.guardrails), task.rows
    return [
        Measure(task.rule, part, float(rows.sales_weight[index] @ task.chance[index]) * scale, limit, index)
        for part, limit, index in capacity_limits(task.rule, rows)
    ]


def _conversion(task: _Task) -> list[Measure]:
    inside = task.inside()
    weight = task.rows.weight[inside]
    rate = float(weight @ task.chance[inside] / weight.sum()) if inside.size else task.limit
    return [Measure(task.rule, "", rate, task.limit, inside)]


def price_levels(rule: Rule, rows: PricingRows, price: Floats) -> tuple[Floats, list[str], Ints]:
    """Price level of each group of a parity rule (NaN without rows), their names, and the group code (n,) of rows."""
    code, names, base = parity_groups(rule, rows)
    known = code >= 0
    paid = np.bincount(code[known], (rows.weight * price)[known], len(names))
    usual = np.bincount(code[known], (rows.weight * base)[known], len(names))
    return np.divide(paid, usual, out=np.full(len(names), np.nan), where=usual > 0), names, code


def _parity(task: _Task) -> list[Measure]:
    level, names, code = price_levels(task.rule, task.rows, task.price)
    rows = np.flatnonzero(code >= 0)
    if np.isfinite(level).sum() < 2:
        return [Measure(task.rule, "", 0.0, task.limit, rows)]
    part = f"{names[int(np.nanargmax(level))]} against {names[int(np.nanargmin(level))]}"
    return [Measure(task.rule, part, float(np.nanmax(level) / np.nanmin(level) - 1), task.limit, rows)]


_MEASURES: Final[dict[str, Callable[[_Task], list[Measure]]]] = {
    MAX_DISPERSION: _dispersion,
    EQUAL_PRICE: _equal,
    PRICE_ORDER: _order,
    MIN_CHANGES: _changes,
    MAX_CHANGES: _changes,
    DISCOUNT_BUDGET: _budget,
    CAPACITY: _capacity,
    MIN_UNITS: _units,
    MIN_CONVERSION: _conversion,
    PARITY: _parity,
}
