"""Rows to be priced: shapes, allowed values, and what comes back from disk."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pricing_core.errors import DataError, ModelError
from pricing_core.response import PriceResponse, PricingRows


def make_rows(n: int = 5) -> PricingRows:
    price = np.linspace(5, 9, n)
    return PricingRows(
        customer_id=np.array([f"00{i}" for i in range(n)], dtype=object),
        product_id=np.array(["A", "B"] * n, dtype=object)[:n],
        category=np.full(n, "tea", dtype=object),
        current_price=price,
        list_price=np.where(np.arange(n) == 1, np.nan, price + 1),
        unit_cost=price / 2,
        competitor_price=np.full(n, np.nan),
        support_low=price * 0.7,
        support_high=price * 1.3,
        customer_fold=np.arange(n) % 2,
        evidence=np.full(n, "measured", dtype=object),
        weight=np.ones(n),
        response=PriceResponse(price, np.ones((n, 2)), np.full((n, 2), 3.0)),
        stock=np.where(np.arange(n) == 2, np.nan, 10.0),
        labels={"brand": np.array(["", "Oak", "Elm"] * n, dtype=object)[:n]},
        numbers={"visits": np.arange(n, dtype=float)},
    )


def test_rows_come_back_from_disk_as_they_were(tmp_path: Path) -> None:
    rows = make_rows()
    rows.save(tmp_path)
    loaded = PricingRows.load(tmp_path)
    assert loaded.to_frame().equals(rows.to_frame())
    assert loaded.customer_id[0] == "000"
    np.testing.assert_array_equal(loaded.response.sensitivity, rows.response.sensitivity)


def test_take_keeps_rows_and_response_together() -> None:
    rows = make_rows().take(np.array([3, 1]))
    assert rows.customer_id.tolist() == ["003", "001"]
    np.testing.assert_array_equal(rows.response.reference_price, rows.current_price)
    assert rows.label("brand").tolist() == ["", "Oak"]
    assert rows.numbers["visits"].tolist() == [3.0, 1.0]
    assert rows.stock.tolist() == [10.0, 10.0]


def test_an_unknown_label_is_refused_by_the_names_there_are() -> None:
    message = "The rows carry no label 'color'. There are: product, category, customer, brand."
    with pytest.raises(DataError, match=re.escape(message)):
        make_rows().label("color")


def test_rows_of_an_earlier_version_have_no_stock_and_no_labels(tmp_path: Path) -> None:
    rows = make_rows()
    rows.save(tmp_path)
    path = tmp_path / "pricing_rows.parquet"
    pd.read_parquet(path).drop(columns=["stock", "label: brand", "number: visits"]).to_parquet(path)
    loaded = PricingRows.load(tmp_path)
    assert np.isnan(loaded.stock).all()
    assert loaded.labels == {} and loaded.numbers == {}


def test_labels_of_another_length_are_refused() -> None:
    with pytest.raises(DataError, match="brand has the shape"):
        replace(make_rows(), labels={"brand": np.array(["Oak"], dtype=object)})


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"price_response\.npz cannot be read"):
        PricingRows.load(tmp_path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"unit_cost": np.full(5, np.nan)},
            "unit_cost is unknown in 5 of 5 rows. Give unit costs or a margin assumption.",
        ),
        ({"current_price": np.zeros(5)}, "current_price must be above zero; 5 of 5 rows are not."),
        ({"support_low": np.full(5, 99.0)}, "support_low is above support_high in 5 of 5 rows."),
        ({"weight": np.zeros(5)}, "weight must be finite and above zero in every row."),
        ({"weight": np.ones(4)}, r"weight has the shape \(4,\); the price response holds 5 rows."),
        ({"evidence": np.full(5, "guess", dtype=object)}, "received 'guess'"),
        ({"customer_fold": np.full(5, 2)}, "customer_fold must be 0 or 1 in every row."),
    ],
)
def test_values_that_are_not_allowed_are_named(change: dict[str, np.ndarray], message: str) -> None:
    with pytest.raises(DataError, match=message):
        replace(make_rows(), **change)
