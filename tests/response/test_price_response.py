"""The price response against plain Python arithmetic."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from pricing_core.errors import DataError, ModelError
from pricing_core.response import PriceResponse


def make_response(n: int = 7, draws: int = 4, seed: int = 0) -> PriceResponse:
    rng = np.random.default_rng(seed)
    sensitivity = np.exp(rng.normal(1.5, 0.4, (n, draws)))
    return PriceResponse(
        reference_price=rng.uniform(2, 20, n),
        intercept=sensitivity + rng.normal(-1.5, 0.7, (n, draws)),
        sensitivity=sensitivity,
        draw_fold=np.arange(draws) % 2,
        draw_member=np.arange(draws) // 2,
    )


def chance(response: PriceResponse, i: int, d: int, price: float) -> float:
    z = response.intercept[i, d] - response.sensitivity[i, d] * price / response.reference_price[i]
    return 1 / (1 + math.exp(-z))


def test_probability_is_the_average_over_draws_of_the_logistic_curve() -> None:
    response = make_response()
    price = np.linspace(1, 25, response.n)
    expected = [
        sum(chance(response, i, d, price[i]) for d in range(response.draws)) / response.draws for i in range(response.n)
    ]
    np.testing.assert_allclose(response.probability(price), expected, rtol=1e-12)


def test_probability_of_a_price_table_equals_its_columns_one_by_one() -> None:
    response = make_response()
    table = response.reference_price[:, None] * np.array([0.5, 1.0, 1.7])
    columns = np.column_stack([response.probability(table[:, j]) for j in range(3)])
    np.testing.assert_allclose(response.probability(table), columns, rtol=1e-12)


def test_probability_draws_average_to_the_posterior_mean() -> None:
    response = make_response()
    price = response.reference_price
    np.testing.assert_allclose(response.probability_draws(price).mean(axis=1), response.probability(price), rtol=1e-12)


def test_elasticity_matches_a_finite_difference_of_log_demand() -> None:
    response = make_response()
    price = response.reference_price * 1.1
    step = 1e-5
    up, down = (
        np.log(response.probability(price * (1 + step))),
        np.log(response.probability(price * (1 - step))),
    )
    slope = (up - down) / (np.log1p(step) - np.log1p(-step))
    np.testing.assert_allclose(response.elasticity(price), slope, rtol=1e-6)
    assert (response.elasticity(price) < 0).all()


def test_elasticity_stays_finite_where_nobody_buys_any_more() -> None:
    response = PriceResponse(np.array([1.0]), np.array([[0.0]]), np.array([[5.0]]))
    assert response.elasticity(np.array([1e6]))[0] == pytest.approx(-5e6)


def test_take_with_draws_and_concat_keep_rows_and_labels() -> None:
    response = make_response()
    again = PriceResponse.concat([response.take(np.arange(3)), response.take(np.arange(3, 7))])
    np.testing.assert_array_equal(again.intercept, response.intercept)
    half = response.with_draws(response.draw_fold == 1)
    assert half.draws == 2
    np.testing.assert_array_equal(half.draw_member, [0, 1])
    np.testing.assert_array_equal(half.sensitivity, response.sensitivity[:, 1::2])


def test_concat_refuses_different_draws() -> None:
    with pytest.raises(DataError, match="different posterior draws"):
        PriceResponse.concat([make_response(draws=4), make_response(draws=2)])


def test_shifting_the_intercept_by_log_two_doubles_the_odds() -> None:
    response = make_response()
    price = response.reference_price
    before, after = (
        response.probability_draws(price),
        response.shift_intercept(math.log(2)).probability_draws(price),
    )
    np.testing.assert_allclose(after / (1 - after), 2 * before / (1 - before), rtol=1e-10)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_load_returns_exactly_what_was_saved(tmp_path: Path, dtype: type) -> None:
    made = make_response()
    response = PriceResponse(
        made.reference_price,
        made.intercept.astype(dtype),
        made.sensitivity.astype(dtype),
        made.draw_fold,
        made.draw_member,
    )
    response.save(tmp_path / "response.npz")
    loaded = PriceResponse.load(tmp_path / "response.npz")
    for name in ("reference_price", "intercept", "sensitivity", "draw_fold", "draw_member"):
        np.testing.assert_array_equal(getattr(loaded, name), getattr(response, name))
    assert loaded.intercept.dtype == dtype
    assert [p.name for p in tmp_path.iterdir()] == ["response.npz"]


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "response.npz").write_bytes(b"not an archive")
    with pytest.raises(ModelError, match=r"The price response response\.npz cannot be read"):
        PriceResponse.load(tmp_path / "response.npz")


def test_defaults_take_each_draw_for_its_own_member_of_one_fold() -> None:
    response = PriceResponse(np.ones(2), np.zeros((2, 3)), np.ones((2, 3)))
    np.testing.assert_array_equal(response.draw_fold, [0, 0, 0])
    np.testing.assert_array_equal(response.draw_member, [0, 1, 2])


def test_wrong_shapes_and_signs_are_refused() -> None:
    with pytest.raises(DataError, match=r"sensitivity must be finite and above zero; 1 of 2 values are not"):
        PriceResponse(np.ones(1), np.zeros((1, 2)), np.array([[1.0, 0.0]]))
    with pytest.raises(DataError, match=r"reference_price has the shape \(3,\)"):
        PriceResponse(np.ones(3), np.zeros((1, 2)), np.ones((1, 2)))
    with pytest.raises(DataError, match=r"Prices have the shape \(3,\); this price response holds 7 offers"):
        make_response().probability(np.ones(3))
    with pytest.raises(DataError, match="No posterior draw is left"):
        make_response().with_draws(np.zeros(4, dtype=bool))
