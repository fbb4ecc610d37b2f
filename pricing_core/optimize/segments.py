"""Prices by segment: a small tree of rules about customers, products and occasions, grown on the profit of every offer.

A segment's price of a product is one change against the product's best single price (or its list price or current
price), the same change for all products, within what the segment's offers of the product allow in common.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pricing_core.guardrails.allowed_range import allowed_range
from pricing_core.optimize.contract import Proposal, Task
from pricing_core.optimize.medians import grouped_median
from pricing_core.optimize.objectives import group_total, objective_function
from pricing_core.optimize.pooled import common_ranges, product_prices
from pricing_core.optimize.registry import register
from pricing_core.optimize.segment_features import Proxy, proxies, segment_features
from pricing_core.optimize.segment_tree import PrescriptionTree, grow_tree
from pricing_core.optimize.segment_words import BASE_WORDS, change_words, rule_words
from pricing_core.optimize.settings import SEGMENT, SegmentSettings
from pricing_core.optimize.snapping import Snapped, snap
from pricing_core.optimize.tree_growth import TreeConfig

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Texts = NDArray[np.object_]

NO_FEATURES: Final = "These offers carry no attribute to form segments by: one segment holds them all."


@dataclass(frozen=True, eq=False)
class Segments:
    """A fitted set of segments.

    Attributes
    ----------
    tree
        Rules; its candidates are :attr:`changes`.
    changes
        (K,) change against the base that each candidate stands for.
    settings
        As asked for.
    proxies
        Features in use that go along with a protected attribute.
    base
        Price that segments change of each product that they were formed on: index product, values money.
    """

    tree: PrescriptionTree
    changes: Floats
    settings: SegmentSettings
    proxies: tuple[Proxy, ...] = ()
    base: pd.Series = field(default_factory=lambda: pd.Series(dtype=float))

    @property
    def names(self) -> dict[int, str]:
        """Leaf of the tree → name of the segment: S1, S2, … from left to right."""
        return {leaf: f"S{k}" for k, leaf in enumerate(self.tree.leaves(), start=1)}

    @property
    def personal(self) -> bool:
        """Whether a price depends on who the customer is."""
        return any(not name.startswith(("products: ", "offers: ")) and name not in _NOT_PEOPLE for name in self.asked)

    @property
    def asked(self) -> tuple[str, ...]:
        """Features that the rules ask about."""
        return self.tree.asked()

    def assign(self, features: pd.DataFrame) -> Texts:
        """Name of the segment of each offer, (n,)."""
        leaf = self.tree.assign(features)
        out = np.empty(len(leaf), dtype=object)
        for at, name in self.names.items():
            out[leaf == at] = name
        return out

    def to_frame(self) -> pd.DataFrame:
        """One row per segment: ``segment, rule, change_rate, words, rows, share``."""
        nodes = self.tree.nodes
        records = [
            {
                "segment": name,
                "rule": rule_words(self.tree.path(leaf)),
                "change_rate": float(self.changes[nodes[leaf].choice]),
                "words": change_words(float(self.changes[nodes[leaf].choice]), BASE_WORDS[self.settings.base]),
                "rows": nodes[leaf].rows,
                "share": nodes[leaf].rows / nodes[0].rows,
            }
            for leaf, name in self.names.items()
        ]
        return pd.DataFrame(records)


_NOT_PEOPLE: Final = ("category", "brand", "product")


class SegmentPrices:
    """One price for each segment and product."""

    name, label = SEGMENT, "Prices by segment"
    personal, shared, place = True, True, 3

    def propose(self, task: Task) -> Proposal:
        """Grow the tree on the learning rows and propose each segment's change of each product's base price.

        Segments that were formed on other rows are taken as they are, with the base prices of their products.
        """
        formed, base = task.settings.formed, base_price(task)
        if formed is not None:
            known = formed.base.reindex(task.rows.product_id).to_numpy(dtype=float)
            base = np.where(np.isfinite(known), known, base)
            return segment_proposal(task, base, formed, segment_features(task.rows, keep=formed.asked))
        features = segment_features(task.rows, task.settings.segments.exclude)
        segments = fit_segments(task, base, features, [task.settings.segments.depth])[0]
        return segment_proposal(task, base, segments, features)


def prices_by_depth(task: Task, depths: Sequence[int]) -> dict[int, Floats]:
    """Prices (n,) of the tree of each depth; rows without a price keep today's."""
    base = base_price(task)
    features = segment_features(task.rows, task.settings.segments.exclude)
    out = {}
    for segments in fit_segments(task, base, features, depths):
        depth = segments.settings.depth
        found = segment_proposal(task, base, segments, features)
        open_rows = (found.conflict == "") & found.price.fits
        out[depth] = np.where(open_rows, found.price.price, task.rows.current_price)
    return out


def base_price(task: Task) -> Floats:
    """Price of each row's product that segments change, (n,), money; the same for all rows of a product."""
    rows, base = task.rows, task.settings.segments.base
    code, names = pd.factorize(pd.Series(rows.product_id), sort=True)
    usual = grouped_median(rows.current_price, rows.weight, code, len(names))[code]
    if base == "list":
        listed = np.where(np.isfinite(rows.list_price), rows.list_price, usual)
        return grouped_median(listed, rows.weight, code, len(names))[code]
    if base == "current":
        return usual
    found = product_prices(rows, task.response, task.learn, task.guardrails, objective=task.objective)
    return np.where(found.conflict == "", found.wanted, usual)


def fit_segments(task: Task, base: Floats, features: pd.DataFrame, depths: Sequence[int]) -> list[Segments]:
    """Trees of some depths, grown on the profit of the learning rows at every change of ``base`` (n,)."""
    settings = task.settings.segments
    count = round((settings.highest_rate - settings.lowest_rate) / settings.step_rate)
    changes = np.round(settings.lowest_rate + settings.step_rate * np.arange(count + 1), 6)
    learn = np.flatnonzero(task.learn & task.bounds.feasible)
    if not learn.size:
        learn = np.flatnonzero(task.bounds.feasible)
    if not learn.size:
        changes, learn, depths = np.zeros(1), np.arange(task.rows.n), [0] * len(depths)
    profit = teacher_profit(task, base, changes, learn)
    by_product = pd.Series(base, index=task.rows.product_id.astype(str)).groupby(level=0).first()
    out = []
    for depth in depths:
        config = TreeConfig(depth, settings.min_leaf_rows, settings.min_gain_rate, settings.breadth)
        tree = grow_tree(profit, features.iloc[learn], config)
        found = proxies(task.rows, features, tree.asked())
        out.append(Segments(tree, changes, replace(settings, depth=depth), found, by_product))
    return out


def teacher_profit(task: Task, base: Floats, changes: Floats, index: Ints) -> Floats:
    """Objective of some rows at every change of their base price, by weight, (m, K); within each row's own range."""
    rows = task.rows
    value = objective_function(task.response.take(index), rows.unit_cost[index], task.objective)
    low, high, weight = task.bounds.low[index], task.bounds.high[index], rows.weight[index]
    out = np.empty((len(index), len(changes)))
    for k, change in enumerate(changes):
        out[:, k] = weight * value(np.clip((1.0 + change) * base[index], low, high))
    return out


def segment_proposal(task: Task, base: Floats, segments: Segments, features: pd.DataFrame) -> Proposal:
    """One price per segment and product, in the range that the segment's offers of the product share."""
    rows = task.rows
    leaf = segments.tree.assign(features)
    choice = np.array([node.choice for node in segments.tree.nodes])[leaf]
    code, names = pd.factorize(pd.Series(leaf.astype(str)) + "|" + pd.Series(rows.product_id), sort=True)
    groups = len(names)
    usual = grouped_median(rows.current_price, rows.weight, code, groups)
    same = replace(rows, current_price=usual[code])
    bounds = allowed_range(same, task.guardrails, task.name)
    low, high, low_rule, high_rule, conflict = common_ranges(same, code, groups, bounds, task.guardrails, task.name)
    wanted = (1.0 + segments.changes[choice]) * base
    by_group = np.zeros(groups)
    by_group[code] = wanted
    snapped = _snapped(task, code, by_group, low, high, conflict)
    by_row = np.where(bounds.feasible, conflict[code], bounds.conflict).astype(object)
    return Proposal(
        wanted,
        Snapped(snapped.price[code], snapped.fits[code]),
        low[code],
        high[code],
        low_rule[code],
        high_rule[code],
        by_row,
        "",
        segment=segments.assign(features),
        row_why=_why(segments, leaf),
        notes=_notes(segments),
        details={"segments": segments},
    )


def _snapped(task: Task, code: Ints, wanted: Floats, low: Floats, high: Floats, conflict: Texts) -> Snapped:
    open_group = conflict == ""
    mine = np.flatnonzero(open_group[code] & task.learn)
    rows = task.rows
    total = group_total(
        task.response.take(mine), rows.unit_cost[mine], rows.weight[mine], code[mine], len(wanted), task.objective
    )
    safe_low, safe_high = np.where(open_group, low, 1.0), np.where(open_group, high, 1.0)
    points = task.points.by_group(code, len(wanted)).giving_way(safe_low, safe_high)
    return snap(np.clip(wanted, safe_low, safe_high), safe_low, safe_high, points, total)


def _why(segments: Segments, leaf: Ints) -> Texts:
    out = np.empty(len(leaf), dtype=object)
    for row, at in zip(segments.to_frame().to_dict("records"), segments.names, strict=True):
        out[leaf == at] = f"segment {row['segment']} ({row['rule']}), {row['words']}"
    return out


def _notes(segments: Segments) -> tuple[str, ...]:
    notes = [each.sentence() for each in segments.proxies]
    return (NO_FEATURES, *notes) if not segments.tree.features else tuple(notes)


register(SegmentPrices())
