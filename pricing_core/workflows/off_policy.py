"""What past offers say about a strategy: prices chosen by what half of the customers taught, judged on the others."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pricing_core.errors import DataError
from pricing_core.evaluate.logged_offers import LoggedOffers
from pricing_core.evaluate.policy_value import PolicyValue, PolicyValueConfig, policy_value
from pricing_core.guardrails.rules import Guardrails
from pricing_core.models.shop_model import EncodedOffers
from pricing_core.optimize.objectives import Objective
from pricing_core.optimize.registry import is_shared
from pricing_core.optimize.settings import StrategySettings
from pricing_core.optimize.strategies import price_strategy
from pricing_core.response.pricing_rows import PricingRows
from pricing_core.store.workspace import Workspace
from pricing_core.workflows.objectives import chosen_objective
from pricing_core.workflows.pricing import rules_for
from pricing_core.workflows.runs import TrainedRun, load_run
from pricing_core.workflows.strategies import settings_for

Floats = NDArray[np.float64]

MOST_OFFERS = 12_000


@dataclass(frozen=True)
class PastVerdict:
    """Value of a strategy by past offers.

    ``value`` holds the figures, ``start`` and ``end`` the times (UTC) of the first and last offer looked at,
    ``n_offers`` and ``n_period`` the offers looked at and those of the period, ``logged`` what was judged.
    """

    strategy: str
    value: PolicyValue
    start: pd.Timestamp
    end: pd.Timestamp
    n_offers: int
    n_period: int
    logged: LoggedOffers


def judge_on_past(
    ws: Workspace,
    strategy: str,
    *,
    guardrails: Guardrails | None = None,
    settings: StrategySettings | None = None,
    objective: Objective | None = None,
    run_id: str | None = None,
    every_offer: bool = False,
    most: int = MOST_OFFERS,
    config: PolicyValueConfig | None = None,
) -> PastVerdict:
    """Judge a strategy on the offers of the test period (the latest ones, on which the models were compared).

    The models in use have learned from this period as well, half of the customers each. A customer's offers are
    therefore priced by the half that never saw that customer, and that half also supplies the forecast that the doubly
    robust estimates correct. At most ``most`` offers are taken, evenly over the period.

    Parameters
    ----------
    every_offer
        Take the whole log instead of the test period.

    Raises
    ------
    DataError
        If the period holds no offers.
    """
    run = load_run(ws, run_id)
    log = run.dataset.offers
    start = pd.Timestamp(run.metrics["held_out_from"])
    period = log if every_offer else log[log["offered_at"] >= start]
    period = period.sort_values("offered_at", kind="stable")
    if period.empty:
        raise DataError("The test period holds no offers.", fix="Train again.")
    pick = np.unique(np.linspace(0, len(period) - 1, min(most, len(period))).astype(int))
    offers = period.iloc[pick].reset_index(drop=True)
    encoded = run.model.encode(run.dataset, offers)  # prices and outcomes are not looked at
    aim = objective or chosen_objective(ws)
    chosen = _Chosen(rules_for(run, guardrails), settings_for(run, [strategy], settings), aim)
    logged = _logged(run, strategy, encoded, chosen)
    ends = offers["offered_at"].iloc[[0, -1]]
    found = policy_value(logged, config)
    return PastVerdict(strategy, found, ends.iloc[0], ends.iloc[1], len(offers), len(period), logged)


@dataclass(frozen=True)
class _Chosen:
    guardrails: Guardrails
    settings: StrategySettings
    objective: Objective | None


def _logged(run: TrainedRun, strategy: str, encoded: EncodedOffers, chosen: _Chosen) -> LoggedOffers:
    going, offers = encoded.going, encoded.table.offers
    price = offers["price"].to_numpy(dtype=float)
    # A target may not depend on the price that was then charged: "today's price" is what the habit would have set.
    found = replace(run.model.rows(run.dataset, encoded), current_price=going.reference * going.expected)
    rows = run.with_margin(found)
    target, at_logged, at_target = _crossed(strategy, rows, price, chosen)
    return LoggedOffers(
        price=price,
        target_price=target,
        unit_cost=rows.unit_cost,
        reference_price=going.reference,
        purchased=encoded.table.offers["purchased"].to_numpy(dtype=float),
        logged_density=run.model.pricing.density(going, price / going.reference),
        probability_logged=at_logged,
        probability_target=at_target,
        customer_id=rows.customer_id,
    )


def _crossed(strategy: str, rows: PricingRows, price: Floats, chosen: _Chosen) -> tuple[Floats, Floats, Floats]:
    """Target price, and chances at logged and target price, of each row by draws that never saw its customer."""
    target, at_logged, at_target = np.empty(rows.n), np.empty(rows.n), np.empty(rows.n)
    fold = rows.response.draw_fold
    folds = np.unique(fold)
    for side in np.unique(rows.customer_fold):
        mine = rows.customer_fold == side
        draws = fold != side if folds.size > 1 else np.ones(fold.size, dtype=bool)
        learn = ~mine if is_shared(strategy) and not mine.all() else None
        found = price_strategy(
            strategy, rows, chosen.guardrails, learn_rows=learn, draws=draws, settings=chosen.settings,
            with_reasons=False, objective=chosen.objective,
        ).price  # fmt: skip
        unseen = rows.response.with_draws(draws)
        target[mine] = found[mine]
        at_logged[mine], at_target[mine] = unseen.probability(price)[mine], unseen.probability(found)[mine]
    return target, at_logged, at_target
