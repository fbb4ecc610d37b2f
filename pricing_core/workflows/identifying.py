"""What a run knows of unseen demand: its instrument, what a shock would change, and the price level that it holds."""

from __future__ import annotations

import copy
import math
from dataclasses import replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from pricing_core.data.dataset import Dataset
from pricing_core.evaluate.endogeneity import shock_sensitivity
from pricing_core.evaluate.supply_side import supply_side_shift
from pricing_core.guardrails.rules import NO_GUARDRAILS
from pricing_core.models.held_out import HeldOut
from pricing_core.models.held_out import table_rows as rows_of_table
from pricing_core.models.pricing_model import GoingPrice
from pricing_core.models.shop_model import EncodedOffers, ShopModel
from pricing_core.models.training import TrainingConfig, TrainingResult
from pricing_core.models.turned import turned
from pricing_core.optimize.strategies import price_strategy
from pricing_core.response.pricing_rows import PricingRows
from pricing_core.workflows.runs import usual_prices, with_margin

CHOSEN: Final = "personalized"
RIVALS: Final = ("status_quo", "uniform")
NO_INSTRUMENT: Final = (
    "No column is an instrument, so the effect of the price rests on price changes that no feature explains. Whether"
    " something unseen moved them together with demand cannot be known from these data."
)
WEAK_INSTRUMENT: Final = (
    "The instrument hardly moves the price (F = {f:.1f}; 10 is needed), so it is not used. The effect of the price"
    " rests on price changes that no feature explains."
)

TOO_FLAT: Final = (
    " For {share:.0%} of the offers the model recommends the highest price that the data support. Buyers who seem to"
    " bear any price are how unseen demand shows itself that raised prices: test prices before you follow them."
)

LEVEL_HELD: Final = (
    " As measured, the highest price that the data support would be best for {share:.0%} of the offers. Buyers who seem"
    " to bear any price are how unseen demand shows itself that raised prices. So the price level is held: buyers are"
    " taken to react so strongly that a common change of the shop's usual prices would not pay, and prices differ from"
    " one customer to another by what the data say of them. If prices were varied at random, as in a price test, say so"
    " when you train."
)

_ROWS = 4_000
_NEAR = 0.99  # of the highest supported price
_MOST = 0.8
_TURNS = 4
_CLOSE = 1e-3  # a shift of the sensitivities that moves no price


def hold_level(dataset: Dataset, result: TrainingResult, config: TrainingConfig) -> TrainingResult:
    """Turn the curves so far that the shop's usual price level is sensible, where nothing bounds prices otherwise.

    That is where no instrument is used, nobody said that prices were varied at random, and the highest supported price
    is the best for four fifths of the held-out offers and more. Elsewhere the result is returned as it is. Forecasts
    of what happens at the prices that the shop itself sets are left as they were measured: those prices come along
    with what raised them. See :mod:`pricing_core.evaluate.supply_side`.
    """
    known = {**result.identification, "at_random": config.random_prices}
    if known["used"] or config.random_prices:
        return replace(result, identification=known)
    rows, _ = _held_rows(dataset, result.held_out, result.held_out.model, config.seed)
    share = _share_at_top(rows)
    if share < _MOST:
        return replace(result, identification=known)
    judge, shift = _turned_model(dataset, result, result.held_out.model, config.seed)
    final, last = _turned_model(dataset, result, result.model, config.seed)
    if not (shift > 0 and last > 0):
        return replace(result, identification=known)
    known["level_held"] = {"share_at_top": share, "slope_shift": last}
    held = replace(result.held_out, pricer=judge)
    return replace(result, model=final, held_out=held, identification=known)


def _turned_model(dataset: Dataset, result: TrainingResult, model: ShopModel, seed: int) -> tuple[ShopModel, float]:
    """Return a model with the curves turned, and the shift that it took; zero where they are as they were."""
    total, found = 0.0, model
    for _ in range(_TURNS):  # curves that a family holds at its smallest sensitivity take more than one
        rows, usual = _held_rows(dataset, result.held_out, found, seed)
        step = supply_side_shift(rows.response, usual, rows.unit_cost, rows.weight)
        if not math.isfinite(step) or abs(step) < _CLOSE or (found is model and step < 0):
            break
        total += step
        found = copy.copy(model)
        found.behavior = turned(model.behavior, total)
    return found, total


def _held_rows(
    dataset: Dataset, held: HeldOut, model: ShopModel, seed: int
) -> tuple[PricingRows, NDArray[np.float64]]:
    """Some held-out offers as the optimizer sees them, at their usual prices (n,)."""
    pick = np.sort(np.random.default_rng([seed, 47]).permutation(held.encoded.table.n)[:_ROWS])
    going = GoingPrice(*(getattr(held.encoded.going, n)[pick] for n in ("reference", "expected", "spread")))
    encoded = EncodedOffers(rows_of_table(held.encoded.table, pick), held.encoded.batch.take(pick), going)
    usual = going.reference * going.expected
    weight = np.asarray(held.weight, dtype=float)[pick]
    rows = replace(model.rows(dataset, encoded), current_price=usual, weight=weight)
    return with_margin(rows, dataset.manifest.margin_assumption, usual_prices(dataset)), usual


def _share_at_top(rows: PricingRows) -> float:
    best = price_strategy(CHOSEN, rows, NO_GUARDRAILS).price
    return float(np.average(best >= _NEAR * rows.support_high, weights=rows.weight))


def endogeneity_figures(dataset: Dataset, result: TrainingResult, seed: int = 0) -> dict[str, Any]:
    """Instrument, benchmarks, and profit under unseen shocks on held-out offers; JSON-able.

    Returns
    -------
    dict
        What :func:`~pricing_core.models.identification.identification` says, with ``shock`` (table and tipping points
        of :class:`~pricing_core.evaluate.endogeneity.ShockSensitivity`), ``sensitivity`` (mean of the one that prices
        are set by), ``share_at_top`` (share of recommendations at the highest supported price), ``level_held`` (what
        :func:`hold_level` did, or None) and ``warning`` (a sentence, or None where an instrument is used).
    """
    known = {"at_random": False, "level_held": None, **result.identification}
    rows, usual = _held_rows(dataset, result.held_out, result.held_out.pricing_model, seed)
    prices = {name: price_strategy(name, rows, NO_GUARDRAILS).price for name in (CHOSEN, *RIVALS)}
    shock = shock_sensitivity(rows, prices, usual, float(known["price_sd"]), chosen=CHOSEN)
    at_top = float(np.average(prices[CHOSEN] >= _NEAR * rows.support_high, weights=rows.weight))
    return {
        **known,
        "shock": shock.to_dict(),
        "sensitivity": float(np.average(rows.response.sensitivity.mean(axis=1), weights=rows.weight)),
        "share_at_top": at_top,
        "warning": warning_of(known, at_top),
    }


def warning_of(known: dict[str, Any], at_top: float) -> str | None:
    """What to be told where no instrument is used; more where most recommendations are the highest supported prices."""
    if known["used"] or known.get("at_random"):
        return None
    stage = known["instrument"]
    text = NO_INSTRUMENT if stage is None else WEAK_INSTRUMENT.format(f=stage["f_statistic"])
    if known.get("level_held"):
        return text + LEVEL_HELD.format(share=known["level_held"]["share_at_top"])
    return text if at_top < _MOST else text + TOO_FLAT.format(share=at_top)
