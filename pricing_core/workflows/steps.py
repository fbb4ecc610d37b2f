"""The price step ladder of one recommendation, from prices computed with successively more known."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pricing_core.explain.price_steps import PriceLadder, price_ladder
from pricing_core.guardrails.money import minor_unit_digits
from pricing_core.guardrails.rules import Guardrails
from pricing_core.models.surface import CostedBatch
from pricing_core.optimize.objectives import Objective
from pricing_core.optimize.posterior import maximize_posterior_profit
from pricing_core.optimize.settings import PERSONAL
from pricing_core.optimize.strategies import StrategyPrices
from pricing_core.response.price_response import PriceResponse
from pricing_core.workflows.explained_offers import ReadyOffers

Floats = NDArray[np.float64]

_KNOWN = {"product": ("product",), "market": ("product", "market")}
_BLOCK_OF = {"product_code": "product", "sequence": "customer", "expected_price": "customer"}


def ladder_of(
    ready: ReadyOffers,
    index: int,
    background: CostedBatch,
    prices: StrategyPrices,
    rules: Guardrails,
    objective: Objective,
) -> PriceLadder:
    """Best prices within the supported range with successively more known, then what rules do to them.

    Known are first only the product, then also the market, the customer's taste, and the customer's sensitivity; what
    is not known is averaged over the background. They are the prices of most profit; where prices are chosen for
    something else, that is a step of its own.
    """
    at = np.array([index])
    row, price = ready.rows.take(at), prices.take(at)
    reference, final = float(row.response.reference_price[0]), float(price.price[0])
    cost, low, high = row.unit_cost, row.support_low, row.support_high
    digits = minor_unit_digits(ready.currency)
    steps: dict[str, Any] = {"reference": reference}
    market = row.response
    for name, blocks in _KNOWN.items():
        market = _partly_known(ready, index, background, blocks, reference)
        steps[name] = _best(market, cost, low, high)
    if price.held[0] or price.strategy == "status_quo":
        return price_ladder(steps | {"kept": final}, minor_units=digits)
    if price.strategy not in PERSONAL:  # one price for many: what is known of this customer plays no part
        return price_ladder(steps | {"shared": final}, minor_units=digits)
    steps["taste"] = _best(_with_taste(market, row.response), cost, low, high)
    steps["sensitivity"] = _best(row.response, cost, low, high)
    if objective.kind == "cautious":  # weighs the draws instead of averaging them: no price without rules to compare
        return price_ladder(steps | {"objective": final}, minor_units=digits)
    if objective.kind != "profit":
        cost = objective.effective_cost(row.unit_cost)
        steps["objective"] = _best(row.response, cost, low, high)
    allowed = _best(row.response, cost, price.low, price.high)
    if rules.endings is not None:
        return price_ladder(steps | {"guardrail": allowed, "ending": final}, minor_units=digits)
    if prices.duals:
        return price_ladder(steps | {"guardrail": allowed, "coupled": final}, minor_units=digits)
    return price_ladder(steps | {"guardrail": final}, minor_units=digits)


def _partly_known(
    ready: ReadyOffers, index: int, background: CostedBatch, blocks: tuple[str, ...], reference: float
) -> PriceResponse:
    """One row whose draws are those of all background rows with some of this row's features."""
    own = ready.batch.take(np.full(background.n, index))
    known = np.array([_BLOCK_OF.get(block, block) in blocks for _, block, _ in own.batch.groups])
    mixed = own.batch.mix(background.batch, np.tile(known, (background.n, 1)))
    response = ready.run.model.behavior.respond(mixed, np.full(background.n, reference))
    return PriceResponse(
        reference_price=response.reference_price[:1],
        intercept=response.intercept.reshape(1, -1),
        sensitivity=response.sensitivity.reshape(1, -1),
        draw_fold=np.tile(response.draw_fold, response.n),
        draw_member=np.tile(response.draw_member, response.n),
    )


def _with_taste(unknown: PriceResponse, own: PriceResponse) -> PriceResponse:
    """Own log-odds of a purchase at the going price, with the price sensitivity of who is not known."""
    taste = np.tile(own.intercept - own.sensitivity, unknown.draws // own.draws)
    return replace(unknown, intercept=taste + unknown.sensitivity)


def _best(response: PriceResponse, cost: Floats, low: Floats, high: Floats) -> float:
    return float(maximize_posterior_profit(response, cost, low, high)[0])
