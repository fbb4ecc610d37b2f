"""Explanations on the encoded rows that the models really read."""

from __future__ import annotations

import numpy as np
import pytest

from pricing_core.explain.lime import LimeConfig, lime_explanation
from pricing_core.explain.shapley import shap_values
from pricing_core.features.batch import EncodedBatch

GROUPS = (
    ("loyalty tier", "customer", (0, 1)),
    ("nickname", "customer", ()),  # a text column in which nothing was known
    ("rating", "product", (0,)),
    ("season", "market", (0,)),
    ("product identity", "product_code", ()),
    ("recent events", "sequence", ()),
    ("usual price here", "expected_price", ()),
)


def _batch(n: int, seed: int) -> EncodedBatch:
    rng = np.random.default_rng(seed)

    def numbers(*shape: int) -> np.ndarray:
        return rng.normal(size=shape).astype(np.float32)

    return EncodedBatch(
        customer=numbers(n, 2),
        product=numbers(n, 1),
        market=numbers(n, 1),
        product_code=rng.integers(1, 9, n).astype(np.int32),
        sequence=numbers(n, 3, 2),
        sequence_item=rng.integers(1, 9, (n, 3)).astype(np.int32),
        sequence_mask=np.ones((n, 3), dtype=np.float32),
        expected_price=numbers(n),
        groups=GROUPS,
    )


def _parts(batch: EncodedBatch) -> np.ndarray:
    """One addend per feature, so that its Shapley value is its distance from the background's mean."""
    return np.column_stack(
        [
            batch.customer.sum(axis=1),
            np.zeros(batch.n),
            batch.product[:, 0],
            batch.market[:, 0],
            batch.product_code,
            batch.sequence.sum(axis=(1, 2)) + batch.sequence_item.sum(axis=1),
            batch.expected_price,
        ]
    ).astype(float)


def _sum(batch: EncodedBatch) -> np.ndarray:
    return _parts(batch).sum(axis=1)


def test_each_feature_gets_its_own_addend_and_an_empty_one_gets_nothing() -> None:
    rows, background = _batch(3, 0), _batch(6, 1)
    found = shap_values(_sum, rows, background, n_permutations=1)
    assert found.values == pytest.approx(_parts(rows) - _parts(background).mean(axis=0), abs=1e-5)
    assert found.additivity_error < 1e-9


def test_lime_finds_the_same_addends() -> None:
    rows, background = _batch(1, 2), _batch(12, 3)
    found = lime_explanation(_sum, rows, background, LimeConfig(n_replacements=background.n))
    expected = _parts(rows)[0] - _parts(background).mean(axis=0)
    assert found.r2 > 0.98
    assert found.coefficients == pytest.approx(expected, abs=0.05 * np.abs(expected).max())
