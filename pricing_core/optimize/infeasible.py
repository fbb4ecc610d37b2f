"""Rules that contradict each other, found before any price is computed, with the smallest relaxation that works."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pricing_core.guardrails import AllowedRange, Guardrails, Rule, Scope, allowed_range, price_points
from pricing_core.guardrails.allowed_range import BELOW_CURRENT, BELOW_LIST
from pricing_core.guardrails.kinds import COMPETITOR_BAND, DISCOUNT_ONLY, POINT_KINDS, SHOP_WIDE
from pricing_core.guardrails.money import round_down, round_up
from pricing_core.guardrails.row_bounds import row_bound
from pricing_core.guardrails.selection import all_rules, hard_only
from pricing_core.optimize.no_price import COST, RULES, causes, loss_words, support_words
from pricing_core.optimize.relaxing import Change, Relaxation, leaving_out, rule_called, smallest_change
from pricing_core.optimize.settings import PRODUCT
from pricing_core.response import PricingRows

Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]
Texts = NDArray[np.object_]

_MOST_CHANGES: Final = 6
_MOST_ROUNDS: Final = 20


@dataclass(frozen=True, eq=False)
class Conflict:
    """Rules that cannot all be kept.

    Attributes
    ----------
    rules
        Names of the rules.
    message
        What contradicts what, where, and the smallest relaxations that are enough, in words.
    relaxations
        Each of them is enough.
    rows
        Indices of the rows that have no price, or that the rules speak of.
    products
        Their products.
    holds_rows
        True: the rows stay at today's price and all others are priced. False: the rules fail as a whole.
    cause
        What is really the matter: ``cost``, ``support`` or ``rules`` (see :mod:`~pricing_core.optimize.no_price`).
    """

    rules: tuple[str, ...]
    message: str
    relaxations: tuple[Relaxation, ...]
    rows: Ints = field(repr=False)
    products: tuple[str, ...] = field(repr=False)
    holds_rows: bool = True
    cause: str = RULES


def find_conflicts(rows: PricingRows, guardrails: Guardrails, strategy: str) -> tuple[Conflict, ...]:
    """Find all contradictions between hard rules: row by row, then between rules that tie rows together.

    Soft rules never contradict; they give way. Supported prices count as a rule that never does.

    Parameters
    ----------
    rows
        What is to be priced.
    guardrails
        The rules.
    strategy
        Name of the pricing strategy; with one price per product, the rules of all rows of a product count together.

    Returns
    -------
    The conflicts, those with most rows first.

    Raises
    ------
    DataError
        If the rows do not carry a label that a rule names.
    """
    from pricing_core.optimize.infeasible_coupled import coupled_conflicts
    from pricing_core.optimize.infeasible_products import product_conflicts, with_one_price_today

    hard = hard_only(guardrails)
    if strategy == PRODUCT:
        rows = with_one_price_today(rows)
    bounds = allowed_range(rows, hard, strategy)
    found = _row_conflicts(rows, hard, strategy, bounds)
    if strategy == PRODUCT:
        found += product_conflicts(rows, hard, bounds)
    tied = coupled_conflicts(rows, hard, strategy, bounds)
    return (*sorted(found, key=lambda each: -len(each.rows)), *tied)


def relax_until_possible(
    rows: PricingRows, guardrails: Guardrails, strategy: str
) -> tuple[Guardrails, tuple[str, ...], tuple[Conflict, ...]]:
    """Apply the first relaxation of one conflict after another until none is left that has one.

    Where costs are above every price, nothing is relaxed: that would be a decision to sell at a loss.

    Returns
    -------
    The relaxed guardrails, what was done in words, and the conflicts that remain.
    """
    done: list[str] = []
    for _ in range(_MOST_ROUNDS):
        found = find_conflicts(rows, guardrails, strategy)
        usable = [each for each in found if each.relaxations and each.cause != COST]
        if not usable:
            return guardrails, tuple(done), found
        relaxation = usable[0].relaxations[0]
        guardrails = relaxation.apply(guardrails)
        done.append(relaxation.words)
    return guardrails, tuple(done), find_conflicts(rows, guardrails, strategy)


def _row_conflicts(rows: PricingRows, guardrails: Guardrails, strategy: str, bounds: AllowedRange) -> list[Conflict]:
    landed = price_points(rows, guardrails).fits(bounds.low, bounds.high)
    cause = causes(rows, guardrails, bounds)
    groups: dict[tuple[str, str, bool, str], list[int]] = {}
    for i in np.flatnonzero(~bounds.feasible | ~landed):
        key = (bounds.low_rule[i], bounds.high_rule[i], bool(bounds.feasible[i]), str(cause[i]))
        groups.setdefault(key, []).append(int(i))
    out = []
    for (low, high, pointless, why), index in groups.items():
        members = np.array(index, dtype=np.int64)
        search = _Search(rows, strategy, members)
        named = rules_between(guardrails, rows, members, low, high, pointless)
        moves = [(rule, name) for rule in named for name in fields_to_move(rule, low, high)]
        singles = [smallest_change(guardrails, rule, name, members, search.fits) for rule, name in moves]
        relaxations = [Relaxation((each,)) for each in singles if each is not None]
        if not relaxations:
            relaxations = [each for side in ("low", "high") if (each := search.together(guardrails, side)) is not None]
        words = [rule_in_words(guardrails, low), rule_in_words(guardrails, high)]
        if why == RULES:
            words += [rule.words for rule in named if rule.kind in POINT_KINDS]
            out.append(range_conflict(rows, members, tuple(dict.fromkeys(words)), relaxations, named))
            continue
        if why == COST:
            text = loss_words(rows, guardrails, members, bounds)
            text += f"; to sell at a loss, {relaxation_words(relaxations)}" if relaxations else ""
        else:
            text = support_words(rows, guardrails, members, bounds, (words[0], words[1]))
            text += f": {relaxation_words(relaxations)}" if relaxations else ""
        products = tuple(dict.fromkeys(str(name) for name in rows.product_id[members]))
        labels = tuple(rule.label for rule in named)
        out.append(Conflict(labels, f"{text}.", tuple(relaxations), members, products, cause=why))
    return out


@dataclass(frozen=True, eq=False)
class _Search:
    """Rows without a price, and what would give them one."""

    rows: PricingRows
    strategy: str
    members: Ints

    def fits(self, guardrails: Guardrails, index: Ints) -> Mask:
        """Whether each row has a price."""
        part = self.rows.take(index)
        ends = allowed_range(part, guardrails, self.strategy)
        return ends.feasible & price_points(part, guardrails).fits(ends.low, ends.high)

    def together(self, guardrails: Guardrails, side: str) -> Relaxation | None:
        """Relax the rules of one side one after another, each as little as the rules of the other side need.

        None if a rule on the way cannot be relaxed.
        """
        changes: list[Change] = []
        for _ in range(_MOST_CHANGES):
            left = self.members[~self.fits(guardrails, self.members)]
            if not left.size:
                return Relaxation(tuple(changes)) if changes else None
            ends = allowed_range(self.rows.take(left), guardrails, self.strategy)
            if ends.feasible.all():
                new = self._without_points(guardrails, left)
            else:
                first = int(np.flatnonzero(~ends.feasible)[0])
                rule = rule_called(guardrails, _own_name(getattr(ends, f"{side}_rule")[first]))
                new = None if rule is None else self._out_of_the_way(guardrails, rule, side, left, ends)
            if new is None or new.rule in {each.rule for each in changes}:
                return None
            changes.append(new)
            guardrails = new.apply(guardrails)
        return None

    def _without_points(self, guardrails: Guardrails, left: Ints) -> Change | None:
        """Leave out the first ladder or set of endings that holds for rows whose range has no allowed amount."""
        part = self.rows.take(left)
        found = [rule for rule in all_rules(guardrails) if rule.kind in POINT_KINDS and rule.scope.mask(part).any()]
        return leaving_out(found[0]) if found else None

    def _out_of_the_way(
        self, guardrails: Guardrails, rule: Rule, side: str, left: Ints, ends: AllowedRange
    ) -> Change | None:
        """Smallest change of a rule after which it no longer contradicts the other end of any of the rows."""
        name, place = (
            fields_to_move(rule, rule.label, rule.label)[0 if side == "low" else -1],
            all_rules(guardrails).index(rule),
        )
        other = dict(zip(left.tolist(), ends.high if side == "low" else ends.low, strict=True))
        digits = guardrails.decimals

        def aside(changed: Guardrails, index: Ints) -> Mask:
            if len(all_rules(changed)) < len(all_rules(guardrails)):
                return np.ones(len(index), dtype=bool)
            part = self.rows.take(index)
            bound = row_bound(all_rules(changed)[place].with_changes(scope=Scope()), part)
            end = np.array([other[i] for i in index.tolist()])
            if side == "low":
                return np.asarray(round_up(np.asarray(bound.low, dtype=float), digits) <= end + 1e-9)
            return np.asarray(round_down(np.asarray(bound.high, dtype=float), digits) >= end - 1e-9)

        return smallest_change(guardrails, rule, name, left[self._inside(rule, left)], aside)

    def _inside(self, rule: Rule, index: Ints) -> Mask:
        return rule.scope.mask(self.rows.take(index))


def rules_between(
    guardrails: Guardrails, rows: PricingRows, members: Ints, low: str, high: str, pointless: bool
) -> list[Rule]:
    """Rules that set the two ends, and ladders and endings where no amount lies between."""
    names = dict.fromkeys([low, _own_name(high)])
    found = [rule for name in names if (rule := rule_called(guardrails, name)) is not None]
    if pointless:
        part = rows.take(members)
        found += [rule for rule in all_rules(guardrails) if rule.kind in POINT_KINDS and rule.scope.mask(part).any()]
    return found


def _own_name(rule: str) -> str:
    return SHOP_WIDE[DISCOUNT_ONLY] if rule in (BELOW_LIST, BELOW_CURRENT) else rule


def fields_to_move(rule: Rule, low: str, high: str) -> list[str]:
    """Numbers of a rule whose relaxation could help; the empty text stands for leaving it out."""
    if rule.kind == COMPETITOR_BAND:
        return [name for name, end in (("low_rate", low), ("high_rate", high)) if end == rule.label]
    return ["value"] if rule.about.loosen else [""]


def rule_in_words(guardrails: Guardrails, name: str) -> str:
    """Write a rule that sets an end, with its number."""
    rule = rule_called(guardrails, _own_name(name))
    if rule is None or rule.kind == DISCOUNT_ONLY:
        return name
    return rule.words if not rule.name or rule.name in SHOP_WIDE.values() else f"{rule.name} ({rule.words})"


def range_conflict(
    rows: PricingRows,
    members: Ints,
    words: tuple[str, ...],
    relaxations: list[Relaxation],
    named: list[Rule],
    verb: str = "contradict each other for",
) -> Conflict:
    """Contradiction of ranges in words: which rules, for what, and what is enough."""
    products = tuple(dict.fromkeys(str(name) for name in rows.product_id[members]))
    where = f"{_count(len(products), 'product')} ({_count(len(members), 'row')})"
    text = (
        f"{words[0]} leaves no amount that can be charged for {where}"
        if len(words) == 1
        else f"{', '.join(words[:-1])} and {words[-1]} {verb} {where}"
    )
    return Conflict(
        tuple(rule.label for rule in named), f"{text}: {relaxation_words(relaxations)}.", tuple(relaxations), members,
        products,
    )  # fmt: skip


def relaxation_words(relaxations: list[Relaxation]) -> str:
    """Say which relaxations are enough: ``lowering … to 31.2% is enough, or raising … to 11.49``."""
    if not relaxations:
        return "no change of these rules is enough"
    first, *others = [each.words for each in relaxations]
    return f"{first} is enough" + "".join(f", or {each}" for each in others)


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" + ("" if number == 1 else "s")
