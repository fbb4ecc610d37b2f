"""Unseen shocks: what they would do to the response and to the decision, against simulated truth."""

from __future__ import annotations

import numpy as np
import pytest

from pricing_core.charts.endogeneity import shock_data, shock_figure
from pricing_core.errors import DataError
from pricing_core.evaluate.endogeneity import shifted_response, shock_sensitivity
from pricing_core.features import EncodedBatch
from pricing_core.models.identification import LOGISTIC_SD, identification, observed_strengths, slope_shift
from pricing_core.models.learning_rows import LearningRows
from pricing_core.response.price_response import PriceResponse
from pricing_core.workflows.identifying import warning_of
from tests.pricing_cases import make_rows


def confounded_rows(n: int, seed: int = 0) -> tuple[LearningRows, float, float]:
    """One feature that explains a known share of price and demand; rows, and both shares."""
    rng = np.random.default_rng(seed)
    features = rng.standard_normal((n, 2))
    x = 1 + 0.05 * features[:, 0] + 0.10 * rng.standard_normal(n)
    logit = -1 + 0.6 * features[:, 0] - 4 * (x - 1)
    empty = np.zeros((n, 1), dtype=np.float32)
    batch = EncodedBatch(
        customer=features.astype(np.float32),
        product=empty,
        market=empty,
        product_code=np.ones(n, dtype=np.int32),
        sequence=np.zeros((n, 1, 8), dtype=np.float32),
        sequence_item=np.zeros((n, 1), dtype=np.int32),
        sequence_mask=empty,
        expected_price=(1 + 0.05 * features[:, 0]).astype(np.float32),
        groups=(("mood", "customer", (0,)), ("noise", "customer", (1,))),
        n_products=1,
    )
    y = (rng.random(n) < 1 / (1 + np.exp(-logit))).astype(float)
    labels = np.arange(n).astype(str).astype(object)
    # Demand at the usual price: the feature's own part is 0.6 less what the expected price takes away of it.
    taste = 0.6 - 4 * 0.05
    return LearningRows(batch, x, y, labels, np.ones(n)), 0.2, taste**2 / (taste**2 + LOGISTIC_SD**2)


def test_the_strength_of_an_observed_feature_is_what_it_was_made() -> None:
    rows, price_share, demand_share = confounded_rows(40_000)
    strongest, other = observed_strengths(rows)
    assert strongest["feature"] == "mood" and other["feature"] == "noise"
    assert strongest["price_share"] == pytest.approx(price_share, abs=0.01)
    assert strongest["demand_share"] == pytest.approx(demand_share, rel=0.2)
    assert other["price_share"] < 0.001 and other["slope_shift"] < 0.1 * strongest["slope_shift"]
    facts = identification(rows, None)
    assert facts["price_sd"] == pytest.approx(0.10, rel=0.02) and facts["instrument"] is None and not facts["used"]


def test_a_shock_of_known_strength_bends_a_logit_as_computed() -> None:
    rng = np.random.default_rng(0)
    n, price_share, s = 400_000, 0.1, 0.5
    shock = rng.standard_normal(n)
    left = 0.1 * (np.sqrt(price_share) * shock + np.sqrt(1 - price_share) * rng.standard_normal(n))
    y = rng.random(n) < 1 / (1 + np.exp(-(-1.5 + s * shock - 5 * left)))
    theta = np.zeros(2)
    design = np.column_stack([np.ones(n), -left])
    for _ in range(12):
        p = 1 / (1 + np.exp(-design @ theta))
        theta += np.linalg.solve((design * (p * (1 - p))[:, None]).T @ design, design.T @ (y - p))
    shift = float(slope_shift(price_share, s**2 / (s**2 + LOGISTIC_SD**2), 0.1))
    assert shift == pytest.approx(s * np.sqrt(price_share) / 0.1)
    # The shock's own spread flattens a logit by a few percent beside that.
    assert theta[1] == pytest.approx(5 - shift, rel=0.06)


def test_curves_turn_around_the_usual_price() -> None:
    response = PriceResponse(np.full(3, 10.0), np.full((3, 2), 2.0), np.array([[3.0, 4.0]] * 3))
    usual = np.array([0.9, 1.0, 1.1])
    bent = shifted_response(response, usual, 1.5)
    np.testing.assert_allclose(bent.probability(10 * usual), response.probability(10 * usual))
    np.testing.assert_allclose(bent.sensitivity, response.sensitivity + 1.5)
    assert (shifted_response(response, usual, -99.0).sensitivity > 0).all()


def test_the_strength_at_which_the_decision_tips_is_where_the_profits_meet() -> None:
    rows = make_rows(60, draws=4, seed=2)
    reference = rows.response.reference_price
    prices = {"personalized": 1.2 * reference, "status_quo": reference.copy()}
    found = shock_sensitivity(rows, prices, reference, 0.1, chosen="personalized")
    lead = found.table["personalized"] - found.table["status_quo"]
    tip = found.tipping["status_quo"]
    if lead.iloc[0] <= 0:
        assert tip == 0.0
    else:
        assert tip is not None and 0 < tip < 0.5
        exact = shock_sensitivity(rows, prices, reference, 0.1, chosen="personalized", strengths=(0.0, tip))
        part = exact.table[exact.table["strength"] == tip]
        assert (part["personalized"] - part["status_quo"]).abs().min() < 0.15 * abs(lead.iloc[0])
    with pytest.raises(DataError, match="no prices called 'x'"):
        shock_sensitivity(rows, prices, reference, 0.1, chosen="x")


def test_what_is_warned_of() -> None:
    none: dict[str, object] = {"used": False, "instrument": None}
    assert warning_of({"used": True, "instrument": {}}, 0.9) is None
    assert "cannot be known from these data" in str(warning_of(none, 0.1))
    assert "highest price" not in str(warning_of(none, 0.1)) and "For 90% of the offers" in str(warning_of(none, 0.9))
    weak = {"used": False, "instrument": {"f_statistic": 3.2}}
    assert "F = 3.2; 10 is needed" in str(warning_of(weak, 0.0))


def test_the_chart_says_what_the_table_says() -> None:
    rows = make_rows(60, draws=4, seed=2)
    reference = rows.response.reference_price
    prices = {"personalized": 0.97 * reference, "status_quo": reference.copy(), "uniform": 1.05 * reference}
    found = shock_sensitivity(rows, prices, reference, 0.1, chosen="personalized")
    benchmarks = [{"feature": "mood", "price_share": 0.1, "demand_share": 0.05, "slope_shift": 0.5}]
    data = shock_data({"endogeneity": {"shock": found.to_dict(), "benchmarks": benchmarks}})
    assert data.table["status_quo"].iloc[0] == pytest.approx(1_000 * found.table["status_quo"].iloc[0])
    strength = float(data.benchmarks["strength"].iloc[0])
    assert float(slope_shift(strength, strength, 0.1)) == pytest.approx(0.5, rel=0.1)
    assert len(shock_figure(data, "USD").data) == 3 and "than measured" in data.direction
    held = {"shock": found.to_dict(), "benchmarks": benchmarks, "level_held": {"share_at_top": 0.9}}
    assert "where the price level is held" in shock_data({"endogeneity": held}).direction
    with pytest.raises(DataError, match="Train again"):
        shock_data({})


def test_the_chart_draws_the_direction_in_which_the_lead_is_lost_first() -> None:
    # Where prices followed demand the lead is lost late and by much, where they went against it soon and by little.
    earned = {"followed": ((9.0, 5.0, 3.0), (4.0, 4.0, 6.0)), "opposed": ((9.0, 6.0, 5.0), (4.0, 6.1, 4.0))}
    columns: dict[str, list[object]] = {
        "direction": [name for name in earned for _ in range(3)],
        "strength": [0.0, 0.1, 0.2] * 2,
        "slope_shift": [0.0, 0.1, 0.2] * 2,
        "personalized": [value for own, _ in earned.values() for value in own],
        "uniform": [value for _, rival in earned.values() for value in rival],
    }
    shock = {"table": columns, "tipping": {"uniform": 0.098}}
    data = shock_data({"endogeneity": {"shock": shock, "benchmarks": []}})
    assert data.table["uniform"].tolist() == [4_000.0, 6_100.0, 4_000.0]
    assert "explains 9.8% of price changes and demand" in data.finding
