"""Errors by group of offers: category, price band, amount of history."""

from __future__ import annotations

import numpy as np
import pytest

from pricing_core.errors import DataError
from pricing_core.evaluate.group_errors import OTHERS, group_errors, history_band, price_bands


def test_history_is_named_by_how_much_there_is() -> None:
    assert history_band([0, 1, 4, 5, 19, 20, 500]).tolist() == [
        "none", "1–4", "1–4", "5–19", "5–19", "20 or more", "20 or more",
    ]  # fmt: skip


def test_price_bands_hold_equally_many_offers_and_every_offer_has_one() -> None:
    band, order = price_bands(np.linspace(0.8, 1.2, 1_001))
    assert order == ["below 88%", "88–96%", "96–104%", "104–112%", "112% or more"]
    assert [int((band == name).sum()) for name in order] == pytest.approx([200] * 5, abs=2)
    assert price_bands(np.ones(5))[1] == ["below 100%", "100% or more"]
    assert set(price_bands(np.ones(5))[0]) == {"100% or more"}


def test_error_and_its_standard_error_are_those_of_the_forecast() -> None:
    y, p = np.array([1.0, 0, 0, 0]), np.full(4, 0.5)
    row = group_errors(y, p, ["a"] * 4).iloc[0]
    assert (row["n"], row["purchases"], row["predicted_rate"], row["observed_rate"]) == (4, 1, 0.5, 0.25)
    assert row["error"] == 0.25 and row["error_se"] == pytest.approx(0.25)
    assert row["log_loss"] == pytest.approx(np.log(2)) and row["log_loss_se"] == pytest.approx(0.0)
    assert row["verdict"] == "too few"


def test_true_chances_are_found_right_and_wrong_ones_wrong() -> None:
    rng = np.random.default_rng(3)
    p = rng.uniform(0.1, 0.5, 8_000)
    y = (rng.random(8_000) < p).astype(float)
    group = np.where(np.arange(8_000) % 2 == 0, "right", "wrong")
    table = group_errors(y, np.where(group == "wrong", p + 0.1, p), group).set_index("group")
    assert table.loc["right", "verdict"] == "as forecast"
    assert table.loc["wrong", "verdict"] == "too high"
    assert table.loc["wrong", "error"] == pytest.approx(0.1, abs=4 * table.loc["wrong", "error_se"])


def test_a_weight_counts_a_row_as_that_many_but_does_not_make_it_surer() -> None:
    y, p, group = np.array([1.0, 0, 1, 0]), np.array([0.6, 0.2, 0.3, 0.5]), ["a", "a", "b", "b"]
    once, threefold = (group_errors(y, p, group, np.full(4, w)) for w in (1.0, 3.0))
    assert np.allclose(once["error"], threefold["error"])
    assert np.allclose(once["error_se"], threefold["error_se"])


def test_small_groups_are_taken_together_and_an_empty_name_is_unknown() -> None:
    names = np.array([f"g{k:02d}" for k in range(20) for _ in range(20 - k)] + [""], dtype=object)
    y, p = np.zeros(len(names)), np.full(len(names), 0.1)
    table = group_errors(y, p, names, most=5)
    assert table["group"].tolist() == ["g00", "g01", "g02", "g03", f"{OTHERS} (17)"]
    assert table["n"].sum() == len(names)
    assert "unknown" in group_errors(y, p, names, most=50)["group"].tolist()
    assert group_errors([0, 1], [0.2, 0.3], ["x", "z"], order=["y", "x"])["group"].tolist() == ["x", "z"]


def test_wrong_lengths_are_named() -> None:
    with pytest.raises(DataError, match="1 group names for 2 outcomes"):
        group_errors([0, 1], [0.2, 0.3], ["x"])
