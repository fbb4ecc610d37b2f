"""LIME against scikit-learn's ridge, on models where the right line is known, and on ones that no line fits."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pytest
from sklearn.linear_model import Ridge

from pricing_core.errors import ConfigError, DataError
from pricing_core.explain import lime
from pricing_core.explain.lime import LimeConfig, lime_explanation, lime_outcomes


@dataclass(frozen=True)
class Table:
    """Plain batch: one column per feature."""

    x: np.ndarray

    @property
    def n(self) -> int:
        return len(self.x)

    @property
    def feature_names(self) -> tuple[str, ...]:
        return tuple(f"feature {k}" for k in range(self.x.shape[1]))

    def take(self, rows: np.ndarray) -> Table:
        return Table(self.x[rows])

    def mix(self, other: Table, mask: np.ndarray) -> Table:
        return Table(np.where(mask, self.x, other.x))


WEIGHT = np.array([3.0, -2.0, 0.0, 1.0, 0.5])


def _linear(batch: Table) -> np.ndarray:
    return batch.x @ WEIGHT


def _row_and_background(seed: int = 0) -> tuple[Table, Table]:
    rng = np.random.default_rng(seed)
    return Table(rng.normal(1, 1, (1, 5))), Table(rng.normal(size=(40, 5)))


def test_a_linear_model_is_found_again_with_full_fidelity() -> None:
    row, background = _row_and_background()
    found = lime_explanation(_linear, row, background, LimeConfig(ridge=0.0, n_replacements=40))
    expected = WEIGHT * (row.x[0] - background.x.mean(axis=0))
    assert found.coefficients == pytest.approx(expected, abs=1e-6)
    assert found.r2 == pytest.approx(1, abs=1e-9)
    assert found.line_prediction == pytest.approx(found.prediction, abs=1e-6)
    assert found.stability == pytest.approx(1, abs=1e-9)
    assert found.top_overlap == 1


def test_the_fit_is_the_ridge_regression_of_scikit_learn() -> None:
    rng = np.random.default_rng(1)
    kept, value, weight = rng.integers(0, 2, (200, 6)).astype(float), rng.normal(size=200), rng.random(200)
    ours = lime._fit(kept, value, weight, 0.01)
    theirs = Ridge(alpha=0.01).fit(kept, value, sample_weight=weight / weight.sum())
    assert ours == pytest.approx(np.concatenate([[theirs.intercept_], theirs.coef_]), abs=1e-9)


def test_fidelity_is_low_where_no_line_fits_and_is_measured_on_other_combinations() -> None:
    row, background = Table(np.ones((1, 8))), Table(-np.ones((1, 8)))

    def parity(batch: Table) -> np.ndarray:
        return np.prod(batch.x, axis=1)

    found = lime_explanation(parity, row, background, LimeConfig(kernel_width=10.0, n_samples=60))
    assert found.r2 < 0.1
    # Sixty samples and nine parameters: on its own samples the line would look better than it is.
    config, rng = LimeConfig(kernel_width=10.0, n_samples=60), np.random.default_rng(0)
    kept, values = lime._sample(parity, row, background, 8, config, rng)
    value = values[:, 0]
    weight = lime._weights(kept, config)
    assert lime._fidelity(lime._fit(kept, value, weight, config.ridge), kept, value, weight) > found.r2


def test_a_narrow_kernel_describes_the_neighborhood_better_than_a_wide_one() -> None:
    rng = np.random.default_rng(2)
    row, background = Table(rng.normal(size=(1, 12)) + 1), Table(rng.normal(size=(30, 12)))

    def saturating(batch: Table) -> np.ndarray:
        return 1 / (1 + np.exp(-2 * batch.x.sum(axis=1)))

    narrow = lime_explanation(saturating, row, background, LimeConfig(kernel_width=0.2))
    wide = lime_explanation(saturating, row, background, LimeConfig(kernel_width=3.0))
    assert abs(narrow.line_prediction - narrow.prediction) < abs(wide.line_prediction - wide.prediction)


def test_what_is_additive_is_a_line_exactly_since_every_combination_meets_the_same_typical_offers() -> None:
    row, background = _row_and_background(3)

    def additive(batch: Table) -> np.ndarray:
        return np.tanh(3 * batch.x).sum(axis=1)

    found = lime_explanation(additive, row, background, LimeConfig(n_replacements=3, ridge=0.0))
    assert found.r2 == pytest.approx(1, abs=1e-9)
    typical = np.tanh(3 * background.x[:3]).mean(axis=0)
    assert found.coefficients == pytest.approx(np.tanh(3 * row.x[0]) - typical, abs=1e-9)


def test_several_outcomes_of_one_call_are_those_of_one_call_each() -> None:
    row, background = _row_and_background(6)

    def both(batch: Table) -> np.ndarray:
        return np.column_stack([_linear(batch), np.cos(batch.x).prod(axis=1)])

    found = lime_outcomes(both, row, background, outcomes=("line", "wave"))
    alone = lime_explanation(lambda batch: both(batch)[:, 1], row, background)
    assert found["wave"].coefficients == pytest.approx(alone.coefficients)
    assert found["wave"].r2 == pytest.approx(alone.r2) and found["wave"].r2 < found["line"].r2
    with pytest.raises(DataError, match="2 answers per row for 1 outcomes"):
        lime_outcomes(both, row, background, outcomes=("line",))


def test_the_same_seed_gives_the_same_line_and_the_table_is_sorted() -> None:
    row, background = _row_and_background(4)
    first = lime_explanation(_linear, row, background, LimeConfig(random_state=7))
    again = lime_explanation(_linear, row, background, LimeConfig(random_state=7))
    assert np.array_equal(first.coefficients, again.coefficients)
    assert first.to_frame()["coefficient"].abs().is_monotonic_decreasing
    assert len(first.r2_by_seed) == LimeConfig().n_seeds


def test_a_model_that_never_changes_has_no_fidelity_to_speak_of() -> None:
    row, background = _row_and_background(5)
    found = lime_explanation(lambda b: np.full(b.n, 0.3), row, background)
    assert np.allclose(found.coefficients, 0)
    assert math.isnan(found.stability) and math.isnan(found.r2)


def test_bad_input_is_refused() -> None:
    row, background = _row_and_background(6)
    with pytest.raises(ConfigError, match="one offer at a time; 40 were given"):
        lime_explanation(_linear, background, background)
    with pytest.raises(DataError, match="no background rows"):
        lime_explanation(_linear, row, background.take(np.array([], dtype=int)))
    for settings, message in (
        ({"n_samples": 3}, "n_samples is 3; it must be at least 20"),
        ({"n_seeds": 1}, "n_seeds is 1"),
        ({"kernel_width": 0}, "kernel_width is 0"),
        ({"ridge": -1}, "ridge is -1"),
    ):
        with pytest.raises(ConfigError, match=message):
            LimeConfig(**settings)  # type: ignore[arg-type]
