"""What a trial of a tuning is worth: forecast error, reaction to price, and the profit of the prices it would set."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

import numpy as np

from pricing_core.evaluate.calibration import price_band_calibration
from pricing_core.evaluate.logged_offers import LoggedOffers
from pricing_core.evaluate.metrics import SMALLEST_PROBABILITY, evaluate_probabilities
from pricing_core.evaluate.paired import GROUPS, group_sums
from pricing_core.evaluate.policy_value import HEADLINE, PolicyValueConfig, policy_value
from pricing_core.guardrails.rules import NO_GUARDRAILS
from pricing_core.models.demand_model import DemandModel
from pricing_core.models.search import Judged, Pruned, Report
from pricing_core.models.search_space import PRICING_MODEL
from pricing_core.models.time_folds import TimeFold, customer_group
from pricing_core.models.tuning import TuningData, base_loss, fitted_folds, price_errors
from pricing_core.optimize.strategies import price_strategy
from pricing_core.progress import Progress
from pricing_core.workflows.runs import usual_prices, with_margin

PRICE_ERROR: Final = "price_error"
CRITERIA: Final = {
    "log_loss": "Forecast error (log loss)",
    "price_reaction": "Forecast error and price reaction",
    "policy_value": "Profit, by past offers",
    PRICE_ERROR: "Error of the going price",
}
"""What can count as better. Every trial shows all figures, whichever of them decides."""

SLOPE_WEIGHT: Final = 0.05
"""What a price reaction that is off by all of itself costs, as a share of a constant forecast's log loss."""


def judged_by(
    data: TuningData, family: str, criterion: str, progress: Progress
) -> Callable[[dict[str, Any], Report], Judged]:
    """Return the function that fits and judges a trial's settings."""
    if family == PRICING_MODEL:
        return lambda settings, report: _judged_prices(data, settings, report, progress)
    usual = usual_prices(data.dataset)

    def judge(settings: dict[str, Any], report: Report) -> Judged:
        offers, bases, lengths = [], [], []
        for fold, model in fitted_folds(data, family, settings, report, progress):
            offers.append(_logged(data, fold, model, usual))
            bases.append(base_loss(data.rows.take(fold.learn), data.rows.take(fold.judge)) * len(fold.judge))
            lengths.append(float(model.epochs_))
        pooled = _joined(offers)
        figures = {**_figures(pooled, sum(bases) / pooled.n, data.config.seed), "length": float(np.mean(lengths))}
        return Judged(score_of(figures, criterion), figures, _parts(pooled))

    return judge


def score_of(figures: dict[str, float], criterion: str) -> float:
    """Number that is to be low: a criterion's figures as one score.

    ``price_reaction`` is the log loss as a share of a constant forecast's, plus :data:`SLOPE_WEIGHT` times how far the
    observed change of conversion between price bands is from the forecast one; a model that sees no reaction at all is
    off by one.

    Raises
    ------
    Pruned
        If the profit decides and the past offers cannot tell it.
    """
    if criterion == "log_loss":
        return figures["log_loss"]
    if criterion == "price_reaction":
        slope = figures["price_slope"]
        return figures["log_loss"] / figures["base_log_loss"] + SLOPE_WEIGHT * (
            abs(slope - 1) if math.isfinite(slope) else 1.0
        )
    if criterion == "policy_value":
        if not figures["policy_reliable"]:
            raise Pruned("Too few past offers were near the prices that these settings lead to.")
        return -figures["policy_value"]
    return figures[criterion]


def _judged_prices(data: TuningData, settings: dict[str, Any], report: Report, progress: Progress) -> Judged:
    found = price_errors(data, settings, report, progress)
    error, usual = (float(np.average(each, weights=found.weight)) for each in (found.error, found.usual))
    figures = {PRICE_ERROR: error, "usual_price_error": usual, "offers": float(len(found.error))}
    parts = group_sums(customer_group(found.customers, GROUPS), found.error, found.weight)
    return Judged(error, figures, parts)


def _logged(data: TuningData, fold: TimeFold, model: DemandModel, usual: dict[str, float]) -> LoggedOffers:
    """Judged offers of one fold with the prices that its model would have set."""
    at = fold.judge
    encoded, rows = data.encoded_at(at), data.rows.take(at)
    going = encoded.going
    price = rows.x * going.reference
    found = replace(
        data.shop_model(model).rows(data.dataset, encoded),
        # A target may not depend on the price that was then charged.
        current_price=going.reference * going.expected,
    )
    found = with_margin(found, data.dataset.manifest.margin_assumption, usual)
    target = price_strategy("personalized", found, NO_GUARDRAILS).price
    return LoggedOffers(
        price=price,
        target_price=target,
        unit_cost=found.unit_cost,
        reference_price=going.reference,
        purchased=rows.y,
        logged_density=data.pricing.density(going, rows.x),
        probability_logged=found.response.probability(price),
        probability_target=found.response.probability(target),
        customer_id=found.customer_id,
        weight=rows.weight,
    )


def _parts(offers: LoggedOffers) -> dict[str, list[float]]:
    """Sums of the log loss by group of customers."""
    chance = np.clip(offers.probability_logged, SMALLEST_PROBABILITY, 1 - SMALLEST_PROBABILITY)
    loss = -np.where(offers.purchased == 1, np.log(chance), np.log1p(-chance))
    customer = np.arange(offers.n) if offers.customer_id is None else offers.customer_id
    weight = np.ones(offers.n) if offers.weight is None else offers.weight
    return group_sums(customer_group(customer, GROUPS), loss, weight)


def _joined(parts: list[LoggedOffers]) -> LoggedOffers:
    names = LoggedOffers.__dataclass_fields__
    return LoggedOffers(**{name: np.concatenate([getattr(part, name) for part in parts]) for name in names})


def _figures(offers: LoggedOffers, base: float, seed: int) -> dict[str, float]:
    quality = evaluate_probabilities(offers.purchased, offers.probability_logged, offers.weight)
    relative = offers.price / offers.reference_price
    bands = price_band_calibration(relative, offers.purchased, offers.probability_logged, offers.weight)
    value = policy_value(offers, PolicyValueConfig(n_bootstrap=100, random_state=seed))
    headline = value.table[value.table["estimator"] == HEADLINE].to_dict("records")[0]
    return {
        "log_loss": quality.log_loss,
        "base_log_loss": base,
        "auc": quality.auc,
        "price_slope": bands.slope,
        "price_slope_low": bands.slope_low,
        "price_slope_high": bands.slope_high,
        "policy_value": float(headline["value"]),
        "policy_low": float(headline["low"]),
        "policy_high": float(headline["high"]),
        "policy_reliable": float(value.reliable),
        "offers": float(offers.n),
    }
