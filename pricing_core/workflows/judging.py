"""Judge a training on later data, and find what drives it: composition of evaluate and explain."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from pricing_core.evaluate.calibration import calibration_table, price_band_calibration
from pricing_core.evaluate.metrics import evaluate_probabilities
from pricing_core.explain.shapley import shap_values
from pricing_core.guardrails.rules import NO_GUARDRAILS
from pricing_core.models.shop_model import EncodedOffers, ShopModel
from pricing_core.models.training import TrainingConfig, TrainingResult
from pricing_core.optimize.strategies import price_strategy
from pricing_core.workflows.outcomes import OUTCOMES, outcome_function


def evaluate_run(result: TrainingResult, config: TrainingConfig) -> dict[str, Any]:
    """Figures on held-out time for the behavior model, the baselines, and the pricing model; JSON-able."""
    from dataclasses import asdict

    held = result.held_out
    figures = asdict(evaluate_probabilities(held.purchased, held.probability, held.weight))
    bands = price_band_calibration(
        held.price / held.encoded.going.reference, held.purchased, held.probability, held.weight
    )
    figures["baselines"] = {
        name: asdict(evaluate_probabilities(held.purchased, p, held.weight)) for name, p in held.baselines.items()
    }
    figures["calibration"] = calibration_table(held.purchased, held.probability, held.weight).to_dict("list")
    figures["price_bands"] = bands.table.to_dict("list")
    figures["price_band_slope"] = [bands.slope, bands.slope_low, bands.slope_high]
    figures["pricing_model"] = result.model.pricing.metrics_
    figures["policy_value"] = _policy_values(result, config)
    figures["held_out_from"] = held.encoded.table.offers["offered_at"].min().isoformat()
    return figures


def _policy_values(result: TrainingResult, config: TrainingConfig) -> dict[str, Any]:
    """Off-policy value of prices that the earlier model would have set, from what later customers really did."""
    from pricing_core.evaluate.policy_value import LoggedOffers, policy_value

    held = result.held_out
    rows = held.model.rows(_no_log(result), held.encoded)
    going = held.encoded.going
    logged = LoggedOffers(
        price=held.price / going.reference,
        purchased=held.purchased,
        reward_per_sale=None,
        unit_cost=rows.unit_cost / going.reference,
        scale=going.reference,
        weight=held.weight,
    )
    found = {}
    for name in ("status_quo", "uniform", "product", "personalized"):
        target = price_strategy(name, rows, NO_GUARDRAILS).price
        found[name] = policy_value(logged, target / going.reference, random_state=config.seed).to_dict()
    return found


def _no_log(result: TrainingResult) -> Any:
    return None


def global_importance(model: ShopModel, encoded: EncodedOffers, config: TrainingConfig) -> pd.DataFrame:
    """Mean absolute Shapley value of each feature for each outcome over a sample of recent offers."""
    rng = np.random.default_rng(config.seed)
    n_rows, n_background = (60, 20) if config.quick else (200, 30)
    pick = rng.permutation(encoded.batch.n)[: n_rows + n_background]
    rows, background = encoded.batch.take(pick[:n_rows]), encoded.batch.take(pick[n_rows:])
    parts = []
    for outcome in OUTCOMES:
        function = outcome_function(model, outcome, encoded, pick[:n_rows])
        found = shap_values(function, rows, background, random_state=config.seed)
        parts.append(
            pd.DataFrame(
                {
                    "outcome": outcome,
                    "feature": found.feature_names,
                    "mean_abs": np.abs(found.values).mean(axis=0),
                    "additivity_error": found.additivity_error,
                }
            )
        )
    return pd.concat(parts, ignore_index=True)
