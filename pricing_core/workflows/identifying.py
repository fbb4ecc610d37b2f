"""What a run knows of unseen demand: its instrument, or how large a shock would change its decision."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

import numpy as np

from pricing_core.data.dataset import Dataset
from pricing_core.evaluate.endogeneity import shock_sensitivity
from pricing_core.guardrails.rules import NO_GUARDRAILS
from pricing_core.models.training import TrainingResult
from pricing_core.optimize.strategies import price_strategy
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

_ROWS = 4_000


def endogeneity_figures(dataset: Dataset, result: TrainingResult, seed: int = 0) -> dict[str, Any]:
    """Instrument, benchmarks, and profit under unseen shocks on held-out offers; JSON-able.

    Returns
    -------
    dict
        What :func:`~pricing_core.models.identification.identification` says, with ``shock`` (table and tipping points
        of :class:`~pricing_core.evaluate.endogeneity.ShockSensitivity`), ``sensitivity`` (mean of the measured one) and
        ``warning`` (a sentence, or None where an instrument is used).
    """
    known = result.identification
    held = result.held_out
    pick = np.sort(np.random.default_rng([seed, 47]).permutation(held.encoded.table.n)[:_ROWS])
    going = held.encoded.going
    usual = going.reference * going.expected
    found = replace(held.model.rows(dataset, held.encoded), current_price=usual, weight=np.asarray(held.weight, float))
    rows = with_margin(found, dataset.manifest.margin_assumption, usual_prices(dataset)).take(pick)
    prices = {name: price_strategy(name, rows, NO_GUARDRAILS).price for name in (CHOSEN, *RIVALS)}
    shock = shock_sensitivity(rows, prices, usual[pick], float(known["price_sd"]), chosen=CHOSEN)
    return {
        **known,
        "shock": shock.to_dict(),
        "sensitivity": float(np.average(rows.response.sensitivity.mean(axis=1), weights=rows.weight)),
        "warning": _warning(known),
    }


def _warning(known: dict[str, Any]) -> str | None:
    if known["used"]:
        return None
    if known["instrument"] is None:
        return NO_INSTRUMENT
    return WEAK_INSTRUMENT.format(f=known["instrument"]["f_statistic"])
