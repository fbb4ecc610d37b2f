"""Off-policy values on a market whose truth is known, against estimators that are deliberately naive."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from pricing_core.errors import ConfigError, DataError
from pricing_core.evaluate.logged_offers import LoggedOffers
from pricing_core.evaluate.policy_value import PolicyValueConfig, policy_value

REFERENCE = 20.0


def _purchase(taste: np.ndarray, x: np.ndarray, sensitivity: float = 4.0) -> np.ndarray:
    return 1 / (1 + np.exp(-(taste + 3.5 - sensitivity * x)))


def _market(seed: int, n: int = 6_000, model_sensitivity: float = 4.0) -> tuple[LoggedOffers, float]:
    """Prices rise with taste, as real ones do; returns the log, targets 8% below habit, their true value."""
    rng = np.random.default_rng(seed)
    taste = rng.normal(0, 1, n)
    habit = 1 + 0.08 * taste
    x = habit + rng.normal(0, 0.1, n)
    target = habit - 0.08
    cost = rng.uniform(8, 12, n)
    truth = _purchase(taste, target)
    logged = LoggedOffers(
        price=REFERENCE * x,
        target_price=REFERENCE * target,
        unit_cost=cost,
        reference_price=np.full(n, REFERENCE),
        purchased=(rng.random(n) < _purchase(taste, x)).astype(float),
        logged_density=np.exp(-0.5 * ((x - habit) / 0.1) ** 2) / 0.1 / np.sqrt(2 * np.pi),
        probability_logged=_purchase(taste, x, model_sensitivity),
        probability_target=_purchase(taste, target, model_sensitivity),
    )
    return logged, float(np.mean((REFERENCE * target - cost) * truth))


def test_with_a_wrong_model_weighting_beats_the_models_own_claim_and_the_unweighted_mean() -> None:
    errors: dict[str, list[float]] = {}
    for seed in range(20):
        logged, truth = _market(seed, model_sensitivity=5.5)
        found = policy_value(logged, PolicyValueConfig(n_bootstrap=20))
        for name, value in zip(found.table["estimator"], found.table["value"], strict=True):
            errors.setdefault(name, []).append(value - truth)
        near = np.abs(logged.target_price - logged.price) < 0.1 * REFERENCE
        margin = (logged.target_price - logged.unit_cost)[near]
        errors.setdefault("unweighted", []).append(float(np.mean(margin * logged.purchased[near])) - truth)
    size = {name: math.sqrt(np.mean(np.square(values))) for name, values in errors.items()}
    for weighted in ("self_normalized_doubly_robust", "snips"):
        assert size[weighted] < min(size["direct"], size["unweighted"]), size
    assert size["doubly_robust"] < 0.1 * size["direct"], size


def test_with_the_right_model_the_robust_estimators_are_unbiased_and_tighter_than_weighting_alone() -> None:
    robust, weighted = [], []
    for seed in range(20):
        logged, truth = _market(100 + seed)
        table = policy_value(logged, PolicyValueConfig(n_bootstrap=20)).table.set_index("estimator")["value"]
        robust.append(table["self_normalized_doubly_robust"] - truth)
        weighted.append(table["snips"] - truth)
    assert abs(np.mean(robust)) < 3 * np.std(robust) / math.sqrt(20)
    assert np.std(robust) < np.std(weighted)


def test_the_ranges_cover_the_truth_at_about_their_rate() -> None:
    covered = 0
    for seed in range(60):
        logged, truth = _market(200 + seed, n=2_000)
        found = policy_value(logged, PolicyValueConfig(n_bootstrap=200, random_state=seed))
        covered += found.low <= truth <= found.high
    assert 47 <= covered <= 60  # 54 expected, three standard errors


def test_the_uplift_is_against_what_the_logged_prices_earned() -> None:
    logged, truth = _market(3)
    found = policy_value(logged)
    earned = float(np.mean((logged.price - logged.unit_cost) * logged.purchased))
    assert found.logged_value == pytest.approx(earned, rel=1e-12)
    assert found.uplift == pytest.approx(found.value - earned)
    assert found.uplift_low < truth - earned < found.uplift_high


def test_no_headline_where_hardly_any_offer_is_near_the_target_price() -> None:
    logged, _ = _market(4)
    found = policy_value(replace(logged, target_price=logged.price * 0.4 + 0.1 * REFERENCE))
    assert not found.reliable
    assert math.isnan(found.value) and math.isnan(found.uplift) and math.isnan(found.probability_loss)
    assert "of 6,000 past offers are in effect near the target prices" in found.reason
    assert found.effective_share < 0.05
    assert np.isfinite(found.table["value"]).all()  # the analyst still sees the figures


def test_prices_that_the_density_holds_impossible_are_counted_and_too_many_block_the_headline() -> None:
    logged, _ = _market(5)
    density = logged.logged_density.copy()
    density[:60] = 0
    few = policy_value(replace(logged, logged_density=density))
    assert (few.n_outside, few.reliable) == (60, True)
    density[:600] = 0
    many = policy_value(replace(logged, logged_density=density))
    assert "600 of 6,000 past offers were made at prices that the pricing model holds impossible" in many.reason


def test_the_effective_sample_size_is_that_of_the_weights() -> None:
    logged, _ = _market(6, n=500)
    found = policy_value(logged, PolicyValueConfig(bandwidth=0.05))
    w = [
        math.exp(-0.5 * ((t - p) / REFERENCE / 0.05) ** 2) / q
        for t, p, q in zip(logged.target_price, logged.price, logged.logged_density, strict=True)
    ]
    assert found.effective_sample_size == pytest.approx(sum(w) ** 2 / sum(v * v for v in w))
    assert found.effective_share == pytest.approx(found.effective_sample_size / 500)


def test_row_weights_count_like_repeated_rows() -> None:
    logged, _ = _market(7, n=400)
    times = np.random.default_rng(0).integers(1, 4, 400)
    repeated = LoggedOffers(
        **{
            name: np.repeat(getattr(logged, name), times)
            for name in logged.__dataclass_fields__
            if getattr(logged, name) is not None
        }
    )
    config = PolicyValueConfig(bandwidth=0.05)
    first = policy_value(replace(logged, weight=times.astype(float)), config)
    assert first.table["value"].to_numpy() == pytest.approx(policy_value(repeated, config).table["value"].to_numpy())


def test_rows_of_one_customer_widen_the_range() -> None:
    logged, _ = _market(8, n=1_000)
    copies = LoggedOffers(
        **{
            name: np.repeat(getattr(logged, name), 4)
            for name in logged.__dataclass_fields__
            if getattr(logged, name) is not None
        }
    )
    alone = policy_value(copies, PolicyValueConfig(bandwidth=0.05))
    customers = np.repeat([f"c{k}" for k in range(1_000)], 4).astype(object)
    together = policy_value(replace(copies, customer_id=customers), PolicyValueConfig(bandwidth=0.05))
    assert together.high - together.low == pytest.approx(2 * (alone.high - alone.low), rel=0.25)


def test_a_wider_kernel_leaves_more_offers_and_the_sweep_says_so() -> None:
    logged, _ = _market(9)
    sweep = policy_value(logged, PolicyValueConfig(bandwidth=0.02, sweep=(4.0, 1.0, 0.5))).sweep
    assert sweep["bandwidth"].tolist() == pytest.approx([0.01, 0.02, 0.08])
    assert sweep["effective_share"].is_monotonic_increasing


def test_a_cap_on_weights_is_counted() -> None:
    logged, _ = _market(10)
    assert policy_value(logged).n_capped == 0
    assert policy_value(logged, PolicyValueConfig(weight_cap=2.0)).n_capped > 100


def test_the_same_seed_gives_the_same_range() -> None:
    logged, _ = _market(11, n=500)
    assert policy_value(logged).table.equals(policy_value(logged).table)


def test_bad_input_is_refused() -> None:
    logged, _ = _market(12, n=10)
    with pytest.raises(DataError, match="purchased has 9 rows where price has 10"):
        replace(logged, purchased=logged.purchased[:9])
    with pytest.raises(DataError, match=r"unit_cost is missing in 2 of 10 rows\. Leave those rows out"):
        replace(logged, unit_cost=np.array([np.nan] * 2 + [1.0] * 8))
    with pytest.raises(DataError, match="zero in every row"):
        policy_value(replace(logged, logged_density=np.zeros(10)))
    with pytest.raises(ConfigError, match="bandwidth is -1"):
        PolicyValueConfig(bandwidth=-1)
    with pytest.raises(ConfigError, match="n_bootstrap is 5"):
        PolicyValueConfig(n_bootstrap=5)
