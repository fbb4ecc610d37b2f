"""Power and detectable effects against published tables and against simulated tests."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from pricing_core.errors import ConfigError
from pricing_core.evaluate.power import critical_value, detectable_effect, power_of


@pytest.mark.parametrize(("d", "n"), [(0.2, 393), (0.5, 64), (0.8, 26)])
def test_power_agrees_with_cohens_table_of_two_groups(d: float, n: int) -> None:
    # Cohen (1988), table 2.3.5: sizes of each group for power .80 at two-sided 5%.
    se = np.sqrt(2 / n)
    assert power_of(d, se, df=2 * n - 2, confidence=0.95) == pytest.approx(0.80, abs=0.01)
    assert detectable_effect(se, df=2 * n - 2, confidence=0.95) == pytest.approx(d, rel=0.01)


def test_large_samples_give_the_familiar_2_8_standard_errors() -> None:
    assert detectable_effect(1.0, confidence=0.95) == pytest.approx(1.959964 + 0.841621, abs=1e-4)
    assert detectable_effect(0.5, confidence=0.9) == pytest.approx(0.5 * (1.644854 + 0.841621), abs=1e-3)


@pytest.mark.parametrize("df", [1, 3, 10, 60])
def test_power_is_that_of_the_noncentral_t(df: int) -> None:
    critical = stats.t.ppf(0.95, df)
    expected = stats.nct.sf(critical, df, 2.0) + stats.nct.cdf(-critical, df, 2.0)
    assert power_of(2.0, 1.0, df=df, confidence=0.9) == pytest.approx(float(expected), abs=1e-6)
    assert power_of(-2.0, 1.0, df=df, confidence=0.9) == pytest.approx(float(expected), abs=1e-6)


def test_without_an_effect_the_power_is_the_rate_of_false_alarms() -> None:
    assert power_of(0.0, 1.0, df=12, confidence=0.9) == pytest.approx(0.1, abs=1e-9)


def test_power_comes_true_in_simulated_tests() -> None:
    rng = np.random.default_rng(1)
    n, runs, effect = 8, 20_000, 0.9
    test, control = rng.normal(effect, 1, (runs, n)), rng.normal(0, 1, (runs, n))
    pooled = np.sqrt((test.var(axis=1, ddof=1) + control.var(axis=1, ddof=1)) / n)
    seen = np.abs(test.mean(axis=1) - control.mean(axis=1)) > critical_value(0.9, 2 * n - 2) * pooled
    expected = power_of(effect, np.sqrt(2 / n), df=2 * n - 2, confidence=0.9)
    assert abs(seen.mean() - expected) < 3 * np.sqrt(expected * (1 - expected) / runs) + 0.003


def test_nothing_is_seen_without_a_degree_of_freedom() -> None:
    assert detectable_effect(1.0, df=0) == float("inf")
    assert power_of(5.0, 1.0, df=0) == 0.0


def test_impossible_settings_are_refused_with_the_value_received() -> None:
    with pytest.raises(ConfigError, match=r"The power is 1\.2; it must be above 0 and below 1"):
        detectable_effect(1.0, power=1.2)
    with pytest.raises(ConfigError, match=r"The power 0\.05 must be above 0\.1, the rate of false alarms"):
        detectable_effect(1.0, power=0.05, confidence=0.9)
    with pytest.raises(ConfigError, match="The standard error is -1"):
        power_of(1.0, -1.0)
