"""Which columns become features: by type, unless they leak, are protected, or were excluded."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from pricing_core.data.columns import ColumnUse, classify_columns
from pricing_core.data.dataset import Dataset, DatasetManifest
from pricing_core.data.leaks import auc, leak_by_content
from pricing_core.data.personal import personal_data, stands_in_for

ROWS = 4000


@pytest.fixture(scope="module")
def uses() -> dict[str, ColumnUse]:
    rng = np.random.default_rng(0)
    bought = (rng.random(ROWS) < 0.1).astype("int8")
    offers = pd.DataFrame(
        {
            "customer_id": [f"c{i % 400}" for i in range(ROWS)],
            "product_id": [f"p{i % 5}" for i in range(ROWS)],
            "offered_at": pd.date_range("2025-01-01", periods=ROWS, freq="h", tz="UTC").as_unit("us"),
            "price": rng.uniform(1, 2, ROWS),
            "purchased": bought,
            "quantity": bought * 2.0,
            "competitor_price": rng.uniform(1, 2, ROWS),
            "basket_value": rng.uniform(1, 2, ROWS),
            "feedback": np.where(bought == 1, rng.uniform(1, 5, ROWS), np.nan),
            "label": np.where(bought == 1, "thanks", "bye"),
            "source": np.where((bought == 1) | (rng.random(ROWS) < 0.2), "till", "guess"),
            "week": np.arange(ROWS) // 168,
            "device": rng.choice(["phone", "desktop"], ROWS),
            "session_id": [f"s{i}" for i in range(ROWS)],
            "weekend": rng.integers(0, 2, ROWS),
            "shop": "one",
            "unwanted": rng.random(ROWS),
        }
    )
    kind = rng.choice(["f", "m"], 400)
    customers = pd.DataFrame(
        {
            "customer_id": [f"c{i}" for i in range(400)],
            "gender": kind,
            "salutation": np.where(kind == "f", "Ms", "Mr"),
            "AgeGroup": rng.choice(["18-30", "31-60"], 400),
            "contact": [f"person{i}@example.org" for i in range(400)],
            "tier": rng.choice(["gold", "none"], 400),
            "package": rng.choice(["basic", "plus"], 400),
        }
    )
    products = pd.DataFrame(
        {"product_id": [f"p{i}" for i in range(5)], "title": list("abcde"), "gender": list("ffmmm")}
    )
    manifest = DatasetManifest("x", "y", excluded={"offers.unwanted": "looked odd"})
    found = classify_columns(Dataset(offers, customers, products, None, None, manifest))
    return {f"{use.table}.{use.column}": use for use in found}


@pytest.mark.parametrize(
    ("column", "kind"),
    [
        ("offers.competitor_price", "number"),
        ("offers.device", "category"),
        ("offers.weekend", "flag"),
        ("customers.tier", "category"),
        ("customers.package", "category"),
        ("products.gender", "category"),
    ],
)
def test_honest_columns_are_used_by_their_type(uses: dict[str, ColumnUse], column: str, kind: str) -> None:
    assert (uses[column].used, uses[column].kind, uses[column].role) == (True, kind, "feature")


@pytest.mark.parametrize(
    ("column", "reason"),
    [
        ("offers.quantity", "known only after the customer decided"),
        ("offers.basket_value", "known only after the customer decided"),
        ("offers.feedback", "gives the outcome away: never bought where it is missing"),
        ("offers.label", "separates purchases from refusals almost perfectly"),
        ("offers.source", "gives the outcome away: never bought where it is 'guess'"),
        ("offers.week", "repeats the date of the offer"),
        ("offers.session_id", "identifier (4,000 different values)"),
        ("offers.shop", "the same in every row"),
        ("offers.unwanted", "excluded: looked odd"),
        ("customers.gender", "protected attribute (gender)"),
        ("customers.AgeGroup", "protected attribute (age)"),
        ("customers.salutation", "stands in for the protected column gender (tells 100% of it)"),
        ("customers.contact", "personal data (e-mail addresses)"),
        ("products.title", "different in every row of products"),
    ],
)
def test_other_columns_are_not_used_and_say_why(uses: dict[str, ColumnUse], column: str, reason: str) -> None:
    assert not uses[column].used
    assert reason in uses[column].reason
    assert uses[column].role == "unused"


def test_price_and_outcome_are_structure_not_features(uses: dict[str, ColumnUse]) -> None:
    for column in ("customer_id", "product_id", "offered_at", "price", "purchased"):
        assert (uses[f"offers.{column}"].used, uses[f"offers.{column}"].role) == (False, "structure")


def test_area_under_the_curve_equals_scikit_learn() -> None:
    rng = np.random.default_rng(1)
    score = rng.integers(0, 20, 500).astype(float)
    outcome = (rng.random(500) < score / 25).astype(float)
    assert auc(score, outcome) == pytest.approx(roc_auc_score(outcome, score), abs=1e-12)


def test_a_strong_but_honest_predictor_is_not_a_leak() -> None:
    rng = np.random.default_rng(2)
    score = rng.normal(size=20_000)
    outcome = (rng.random(20_000) < 1 / (1 + np.exp(-4 * score))).astype(float)
    assert roc_auc_score(outcome, score) > 0.9
    assert leak_by_content(pd.Series(score), outcome) is None


def test_few_outcomes_accuse_no_column() -> None:
    outcome = np.array([1.0] * 10 + [0.0] * 500)
    assert leak_by_content(pd.Series(outcome), outcome) is None


@pytest.mark.parametrize(
    ("values", "found"),
    [
        (["4111 1111 1111 1111", "5500-0000-0000-0004"], "card numbers"),
        (["+49 170 1234567", "(030) 123-45678"], "phone numbers"),
        (["2024-01-01", "2024-01-02"], None),
        (["1234567890123", "1234567890124"], None),
        (["red", "blue"], None),
    ],
)
def test_personal_data_are_recognized_by_content(values: list[str], found: str | None) -> None:
    assert personal_data("extra", pd.Series(values, dtype="str")) == found


def test_unrelated_column_does_not_stand_in() -> None:
    rng = np.random.default_rng(3)
    one, two = pd.Series(rng.choice(["a", "b"], 1000)), pd.Series(rng.choice(["x", "y"], 1000))
    assert stands_in_for(one, two) < 0.05
