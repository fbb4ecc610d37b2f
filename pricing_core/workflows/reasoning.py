"""Reasons in words for many recommendations at once: drivers of the price, flip points, templates."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pricing_core.explain.flip import FlipPoints
from pricing_core.explain.readable import chinese_names
from pricing_core.explain.reasons import Driver, FlipFact, ReasonFacts, driver_text, reason
from pricing_core.guardrails.money import minor_unit_digits
from pricing_core.guardrails.rules import Guardrails
from pricing_core.models.surface import CostedBatch
from pricing_core.optimize.objectives import Objective
from pricing_core.optimize.strategies import StrategyPrices
from pricing_core.progress import Progress, SilentProgress
from pricing_core.workflows.attribution import attributed
from pricing_core.workflows.explained_offers import ReadyOffers, background_of, recent_offers, surface
from pricing_core.workflows.flipping import COMPETITOR_PRICE, COST, flips
from pricing_core.workflows.pricing import rules_for
from pricing_core.workflows.runs import TrainedRun

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

N_DRIVERS = 3
_POINTS = 5
_BLOCK = 2_000


@dataclass(frozen=True, eq=False)
class PriceDrivers:
    """What moves the price that earns most, before any limit: contributions (n, G) and both levels (n,), in money."""

    values: Floats
    typical: Floats
    wanted: Floats
    additivity_error: float


def price_drivers(
    ready: ReadyOffers, at: Ints, background: CostedBatch, progress: Progress | None = None
) -> PriceDrivers:
    """Contributions of every feature to the best price of rows ``at``."""
    progress = progress or SilentProgress()
    asked, parts = surface(ready.run, outcomes=("price",)), []
    for first in range(0, len(at), _BLOCK):
        progress.stage("Explaining", 0.6 * first / len(at), f"{first:,} of {len(at):,} prices taken apart")
        block = ready.batch.take(at[first : first + _BLOCK])
        parts.append(attributed(asked, block, background, n_points=_POINTS)["price"])
    reference = ready.rows.response.reference_price[at]
    return PriceDrivers(
        values=np.concatenate([part.values for part in parts]) * reference[:, None],
        typical=parts[0].base_value * reference,
        wanted=np.concatenate([part.prediction for part in parts]) * reference,
        additivity_error=max(part.additivity_error for part in parts),
    )


def list_reasons(
    ready: ReadyOffers,
    at: Ints,
    prices: StrategyPrices,
    rules: Guardrails,
    background: CostedBatch,
    *,
    objective: Objective | None = None,
    languages: tuple[str, ...] = ("en", "zh"),
    progress: Progress | None = None,
) -> pd.DataFrame:
    """Reasons of rows ``at``, in order.

    Parameters
    ----------
    objective
        What the prices are chosen for; default: what the workspace's user last chose.

    Returns
    -------
    DataFrame
        ``typical_price, wanted_price`` (money), ``driver_1`` … ``driver_3`` with value and effect, the nearest flip
        point (``flip_circumstance, flip_value, flip_change_rate, flip_decision``), and ``reason_<language>``.
    """
    progress = progress or SilentProgress()
    drivers = price_drivers(ready, at, background, progress)
    progress.stage("Flip points", 0.65, "Searching what would change the decisions")
    found = flips(
        ready, at, prices.strategy, rules, objective=objective, circumstances=(COST, COMPETITOR_PRICE),
        coarse=len(at) > 100,
    )  # fmt: skip
    progress.stage("Reasons", 0.9, "Writing the reasons")
    facts = _facts(ready, at, prices, drivers, [nearest_flip(found, k) for k in range(len(at))])
    columns: dict[str, Any] = {"typical_price": drivers.typical, "wanted_price": drivers.wanted}
    for k in range(N_DRIVERS):
        told = [(each, each.drivers[k : k + 1]) for each in facts]
        columns[f"driver_{k + 1}"] = [
            driver_text(one[0], each.currency, each.decimals) if one else "" for each, one in told
        ]
    for name, blank in (("circumstance", ""), ("value", math.nan), ("change_rate", math.nan), ("decision", "")):
        columns[f"flip_{name}"] = [blank if each.flip is None else getattr(each.flip, name) for each in facts]
    columns |= {f"reason_{language}": [reason(each, language) for each in facts] for language in languages}
    return pd.DataFrame(columns)


def reason_of(run: TrainedRun, index: int, prices: StrategyPrices, guardrails: Guardrails, language: str) -> str:
    """Reason of one of the run's recent offers, given the prices of all of them."""
    ready, at = recent_offers(run), np.array([index])
    background = ready.batch.take(background_of(ready, without=index))
    found = list_reasons(ready, at, prices, rules_for(run, guardrails), background, languages=(language,))
    return str(found[f"reason_{language}"].iloc[0])


def nearest_flip(found: list[FlipPoints], row: int) -> FlipFact | None:
    """Nearest flip point of one row over all circumstances, as a relative change; None where there is none."""
    near = [(abs(float(each.nearest[row])), each) for each in found if math.isfinite(each.nearest[row])]
    if not near:
        return None
    each = min(near, key=lambda pair: pair[0])[1]
    change = float(each.nearest[row])
    decision = (each.up_decision if change > 0 else each.down_decision)[row]
    return FlipFact(each.circumstance, float(each.value[row]) * (1 + change), change, str(decision))


def _facts(
    ready: ReadyOffers, at: Ints, prices: StrategyPrices, drivers: PriceDrivers, found: list[FlipFact | None]
) -> list[ReasonFacts]:
    labels, chinese = ready.labels, chinese_names(ready.names)
    shown = {language: ready.written(at, language).to_numpy(dtype=object) for language in ("en", "zh")}
    top = np.argsort(-np.abs(drivers.values), axis=1, kind="stable")[:, :N_DRIVERS]
    digits, rows = minor_unit_digits(ready.currency), ready.rows
    facts = []
    for k, row in enumerate(at):
        moving = tuple(
            Driver(labels[g], chinese[labels[g]], shown["en"][k, g], shown["zh"][k, g], float(drivers.values[k, g]))
            for g in top[k]
            if drivers.values[k, g] != 0
        )
        facts.append(
            ReasonFacts(
                product_id=str(rows.product_id[row]),
                currency=ready.currency,
                decimals=digits,
                status=str(prices.status[row]),
                current_price=float(rows.current_price[row]),
                new_price=float(prices.price[row]),
                typical_price=float(drivers.typical[k]),
                wanted_price=float(drivers.wanted[k]),
                drivers=moving,
                rule=str(prices.binding[row]),
                evidence=str(rows.evidence[row]),
                flip=found[k],
            )
        )
    return facts
