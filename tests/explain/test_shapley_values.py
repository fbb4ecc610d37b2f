"""Shapley values against the definition, against the shap package, and against LightGBM's own sums."""

from __future__ import annotations

import itertools
import math
import warnings
from dataclasses import dataclass

import lightgbm as lgb
import numpy as np
import pandas as pd
import pytest

from pricing_core.errors import ConfigError, DataError
from pricing_core.explain.shapley import shap_outcomes, shap_values, tree_shap_values


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


def _batch(n: int, g: int, seed: int) -> Table:
    return Table(np.random.default_rng(seed).normal(size=(n, g)))


def _curved(batch: Table) -> np.ndarray:
    x = batch.x
    return 1 / (1 + np.exp(-(x[:, 0] * x[:, 1] + np.sin(2 * x[:, 2]) - 0.5 * x[:, 3] ** 2 + x[:, 0])))


def _by_definition(f, row: np.ndarray, background: np.ndarray) -> np.ndarray:  # type: ignore[no-untyped-def]
    g = len(row)

    def worth(kept: tuple[int, ...]) -> float:
        mixed = background.copy()
        mixed[:, list(kept)] = row[list(kept)]
        return float(f(Table(mixed)).mean())

    out = np.zeros(g)
    for i in range(g):
        rest = [k for k in range(g) if k != i]
        for size in range(g):
            share = math.factorial(size) * math.factorial(g - size - 1) / math.factorial(g)
            for kept in itertools.combinations(rest, size):
                out[i] += share * (worth((*kept, i)) - worth(kept))
    return out


def test_values_agree_with_the_definition_within_their_stated_sampling_error() -> None:
    batch, background = _batch(3, 5, 0), _batch(20, 5, 1)
    found = shap_values(_curved, batch, background, n_permutations=20)
    for i in range(3):
        exact = _by_definition(_curved, batch.x[i], background.x)
        assert np.all(np.abs(found.values[i] - exact) <= 4 * found.standard_error[i] + 1e-12)
        assert found.values[i] == pytest.approx(exact, abs=0.02)
        assert exact[4] == 0 and found.values[i, 4] == 0  # a feature that the model ignores gets nothing


@pytest.mark.extra
def test_values_agree_with_the_shap_package_on_coalitions() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import shap

        batch, background = _batch(1, 6, 2), _batch(15, 6, 3)

        def coalition(kept: np.ndarray) -> np.ndarray:
            mixed = [Table(np.where(k.astype(bool), batch.x, background.x)) for k in kept]
            return np.array([_curved(m).mean() for m in mixed])

        explainer = shap.explainers.Exact(coalition, shap.maskers.Independent(np.zeros((1, 6))))
        theirs = explainer(np.ones((1, 6)))
    ours = shap_values(_curved, batch, background, n_permutations=100)
    assert ours.base_value == pytest.approx(float(np.ravel(theirs.base_values)[0]), abs=1e-12)
    assert ours.values[0] == pytest.approx(theirs.values[0], abs=0.01)


@pytest.mark.parametrize("seed", range(5))
def test_shares_add_up_exactly_whatever_the_number_of_orders(seed: int) -> None:
    batch, background = _batch(4, 7, seed), _batch(3, 7, seed + 50)
    found = shap_values(_curved, batch, background, n_permutations=1, random_state=seed)
    assert found.additivity_error < 1e-12
    assert found.base_value + found.values.sum(axis=1) == pytest.approx(_curved(batch), abs=1e-12)


def test_a_linear_model_gets_its_textbook_values_from_a_single_order() -> None:
    weight = np.array([2.0, -1.0, 0.5])
    batch, background = _batch(5, 3, 4), _batch(8, 3, 5)
    found = shap_values(lambda b: b.x @ weight, batch, background, n_permutations=1)
    assert found.values == pytest.approx(weight * (batch.x - background.x.mean(axis=0)), abs=1e-12)


def test_pairs_of_reversed_orders_are_exact_where_features_interact_only_in_pairs() -> None:
    batch, background = _batch(2, 4, 6), _batch(5, 4, 7)

    def product(b: Table) -> np.ndarray:
        return b.x[:, 0] * b.x[:, 1] + b.x[:, 2] * b.x[:, 3]

    found = shap_values(product, batch, background, n_permutations=1)
    for i in range(2):
        assert found.values[i] == pytest.approx(_by_definition(product, batch.x[i], background.x), abs=1e-12)


def test_several_outcomes_at_once_are_the_same_as_one_after_the_other() -> None:
    batch, background = _batch(3, 5, 8), _batch(6, 5, 9)

    def both(b: Table) -> np.ndarray:
        return np.column_stack([_curved(b), b.x.sum(axis=1)])

    found = shap_outcomes(both, batch, background, outcomes=("probability", "sensitivity"), random_state=3)
    alone = shap_values(_curved, batch, background, random_state=3)
    assert np.array_equal(found["probability"].values, alone.values)
    assert found["sensitivity"].values == pytest.approx(batch.x - background.x.mean(axis=0), abs=1e-12)


def test_the_same_seed_gives_the_same_values_and_permuting_rows_keeps_the_sum() -> None:
    batch, background = _batch(2, 5, 10), _batch(4, 5, 11)
    first = shap_values(_curved, batch, background, random_state=1)
    assert np.array_equal(first.values, shap_values(_curved, batch, background, random_state=1).values)
    assert not np.array_equal(first.values, shap_values(_curved, batch, background, random_state=2).values)


def test_importance_and_the_row_table_are_sorted_by_size() -> None:
    batch, background = _batch(30, 5, 12), _batch(5, 5, 13)
    shown = pd.DataFrame(batch.x, columns=list(batch.feature_names)).assign(**{"feature 1": "gold"})
    shown.loc[0, "feature 2"] = np.nan
    found = shap_values(_curved, batch, background, displayed=shown)
    importance = found.importance()
    assert importance["mean_abs"].is_monotonic_decreasing
    assert importance["share"].sum() == pytest.approx(1)
    assert importance.set_index("feature")["mean_abs"]["feature 0"] == pytest.approx(np.abs(found.values[:, 0]).mean())
    row = found.to_frame(0).set_index("feature")
    assert row["contribution"].abs().is_monotonic_decreasing
    assert (row["displayed"]["feature 1"], row["displayed"]["feature 2"]) == ("gold", "unknown")


def test_trees_add_up_and_grouped_columns_are_summed() -> None:
    rng = np.random.default_rng(14)
    x = rng.normal(size=(600, 4))
    y = x[:, 0] + 2 * x[:, 1] * (x[:, 2] > 0)
    booster = lgb.train({"verbosity": -1, "num_leaves": 7, "num_threads": 1}, lgb.Dataset(x, y), num_boost_round=20)
    single = tree_shap_values(booster, x[:50], {name: [k] for k, name in enumerate("abcd")})
    grouped = tree_shap_values(booster, x[:50], {"a": [0], "b and c": [1, 2], "d": [3]})
    assert single.additivity_error < 1e-9
    assert grouped.values[:, 1] == pytest.approx(single.values[:, 1] + single.values[:, 2])
    assert grouped.base_value + grouped.values.sum(axis=1) == pytest.approx(booster.predict(x[:50]), abs=1e-9)
    with pytest.raises(DataError, match="hold 3 columns where the model has 4"):
        tree_shap_values(booster, x, {"a": [0], "b": [1], "c": [2]})


def test_bad_input_is_refused() -> None:
    batch, background = _batch(2, 3, 15), _batch(2, 3, 16)
    with pytest.raises(ConfigError, match="n_permutations is 0"):
        shap_values(_curved, batch, background, n_permutations=0)
    with pytest.raises(DataError, match="no background rows"):
        shap_values(_curved, batch, _batch(0, 3, 0))
    with pytest.raises(DataError, match="no row to explain"):
        shap_values(_curved, _batch(0, 3, 0), background)
    with pytest.raises(DataError, match="different features"):
        shap_values(_curved, batch, _batch(2, 4, 0))
    with pytest.raises(DataError, match="2 answers that are not finite"):
        shap_values(lambda b: np.full(b.n, np.nan), batch, background)
    with pytest.raises(DataError, match="1 answers per row for 2 outcomes"):
        shap_outcomes(lambda b: b.x[:, 0], batch, background, outcomes=("a", "b"))
