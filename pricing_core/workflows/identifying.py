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

TOO_FLAT: Final = (
    " For {share:.0%} of the offers the model recommends the highest price that the data support. Buyers who seem to"
    " bear any price are how unseen demand shows itself that raised prices: test prices before you follow them."
)

_ROWS = 4_000
_NEAR = 0.99  # of the highest supported price
_MOST = 0.8


def endogeneity_figures(dataset: Dataset, result: TrainingResult, seed: int = 0) -> dict[str, Any]:
    """Instrument, benchmarks, and profit under unseen shocks on held-out offers; JSON-able.

    Returns
    -------
    dict
        What :func:`~pricing_core.models.identification.identification` says, with ``shock`` (table and tipping points
        of :class:`~pricing_core.evaluate.endogeneity.ShockSensitivity`), ``sensitivity`` (mean of the measured one),
        ``share_at_top`` (share of recommendations at the highest supported price) and ``warning`` (a sentence, or None
        where an instrument is used).
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
    if known["used"]:
        return None
    stage = known["instrument"]
    text = NO_INSTRUMENT if stage is None else WEAK_INSTRUMENT.format(f=stage["f_statistic"])
    return text if at_top < _MOST else text + TOO_FLAT.format(share=at_top)
