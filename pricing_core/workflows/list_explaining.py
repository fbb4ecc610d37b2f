"""Explanations of every row of a price list: made in the background, stored beside it, exported with it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pricing_core.guardrails.rules import Guardrails
from pricing_core.optimize.objectives import Objective
from pricing_core.optimize.reasons import statuses
from pricing_core.optimize.strategies import StrategyPrices, price_strategy
from pricing_core.progress import Progress, SilentProgress
from pricing_core.response.pricing_rows import PricingRows
from pricing_core.simulate.scenario import Scenario
from pricing_core.store import explanations, pricelists
from pricing_core.store.pricelists import StoredPriceList
from pricing_core.store.workspace import Workspace
from pricing_core.workflows.explained_offers import background_of, ready_offers
from pricing_core.workflows.pricing import rows_for, rules_for
from pricing_core.workflows.reasoning import list_reasons
from pricing_core.workflows.runs import load_run
from pricing_core.workflows.strategies import settings_for

Ints = NDArray[np.int64]

KEYS = ("product_id", "segment_id", "customer_id", "current_price", "new_price")


def explain_list(ws: Workspace, price_list_id: str, *, progress: Progress | None = None) -> pd.DataFrame:
    """Explain all proposals of a price list under its own rules and scenario, and store the explanations beside it.

    Returns
    -------
    DataFrame
        One row per row of the list, in its order: what identifies it, what moves the price that earns most
        (``driver_1`` …), its nearest flip point, and its reason in English and Chinese.
    """
    progress = progress or SilentProgress()
    progress.stage("Opening", 0.0, "Reading the price list and the models")
    stored = pricelists.load_price_list(ws, price_list_id)
    run = load_run(ws, stored.run_id)
    rules = rules_for(run, Guardrails.from_toml(str(stored.summary["guardrails"])))
    scenario = Scenario.from_mapping(stored.summary.get("scenario") or {})
    rows, encoded = rows_for(run, scenario=scenario)
    changed = scenario.apply(rows)
    ready = ready_offers(run, run.encoded if encoded is None else encoded, changed)
    aim = Objective.from_mapping(stored.summary.get("objective") or {})
    settings = settings_for(run, [stored.strategy])
    prices = price_strategy(stored.strategy, changed, rules, settings=settings, objective=aim)
    at = list_rows(stored.frame, changed, prices)
    background = ready.batch.take(background_of(ready))
    listed = _as_listed(stored, changed, prices, at, rules)
    found = list_reasons(ready, at, listed, rules, background, objective=aim, progress=progress)
    keys = stored.frame[[name for name in KEYS if name in stored.frame.columns]].reset_index(drop=True)
    frame = pd.concat([keys, found], axis=1)
    explanations.save_explanations(ws, price_list_id, frame)
    progress.stage("Done", 1.0, f"{len(frame):,} prices explained")
    return frame


def list_explanations(ws: Workspace, price_list_id: str) -> pd.DataFrame | None:
    """Return the stored explanations of a price list; None where they have not been made."""
    return explanations.load_explanations(ws, price_list_id)


def explain_list_job(ws: Workspace, params: dict[str, Any], progress: Progress) -> dict[str, Any]:
    """Background form of :func:`explain_list`."""
    frame = explain_list(ws, str(params["price_list_id"]), progress=progress)
    return {"price_list_id": str(params["price_list_id"]), "rows": len(frame)}


def list_rows(frame: pd.DataFrame, rows: PricingRows, prices: StrategyPrices) -> Ints:
    """Row of the run that stands for each row of a price list (n,).

    A personal price is its customer's latest offer of the product; another price is the offer of its product (and
    segment) whose current price is nearest to the list's.
    """
    known = pd.DataFrame(
        {"product": rows.product_id.astype(str), "customer": rows.customer_id.astype(str), "segment": prices.segment}
    )
    latest = {key: k for k, key in enumerate(zip(known["product"], known["customer"], strict=True))}
    groups = known.groupby(["product", "segment"]).indices
    every = known.groupby("product").indices
    asked = frame[["product_id", "segment_id", "customer_id"]].astype(object)
    keys = asked.where(asked.notna(), "").astype(str).to_numpy()
    found = []
    for (product, segment, customer), price in zip(keys, frame["current_price"].to_numpy(dtype=float), strict=True):
        if customer:
            found.append(latest[product, customer])
            continue
        members = np.asarray(groups.get((product, segment), every[product]))
        found.append(int(members[np.argmin(np.abs(rows.current_price[members] - price))]))
    return np.array(found, dtype=np.int64)


def _as_listed(
    stored: StoredPriceList, rows: PricingRows, prices: StrategyPrices, at: Ints, rules: Guardrails
) -> StrategyPrices:
    """Prices as the list proposes them, which is what its explanations speak of."""
    price = prices.price.copy()
    price[at] = stored.frame["new_price"].to_numpy(dtype=float)
    status = statuses(price, rows.current_price, prices.held, 0.5 * 10.0**-rules.decimals)
    return replace(prices, price=price, status=status, change_rate=price / rows.current_price - 1)
