"""Expected gradients against closed forms, finite differences, the shap package, and Shapley values of the network."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest

from pricing_core.errors import ConfigError, DataError
from pricing_core.explain.expected_gradients import additivity_share, expected_gradients


@dataclass(frozen=True)
class Table:
    """Plain batch: one column per feature."""

    x: np.ndarray
    names: tuple[str, ...] = ("a", "b", "c")

    @property
    def n(self) -> int:
        return len(self.x)

    @property
    def feature_names(self) -> tuple[str, ...]:
        return self.names

    def take(self, rows: np.ndarray) -> Table:
        return replace(self, x=self.x[rows])

    def mix(self, other: Table, mask: np.ndarray) -> Table:
        return replace(self, x=np.where(mask, self.x, other.x))


class Curve:
    """a·b + c³ and a plain sum; features own one column of the only input."""

    outcomes = ("curved", "sum")

    def inputs(self, batch: Table) -> dict[str, np.ndarray]:
        return {"x": batch.x}

    def parts(self, batch: Table) -> list[list[tuple[str, tuple[int, ...]]]]:
        return [[("x", (k,))] for k in range(3)]

    def answers(self, batch: Table) -> np.ndarray:
        a, b, c = batch.x.T
        return np.column_stack([a * b + c**3, a + b + c])

    def slopes(self, inputs: dict[str, np.ndarray]) -> list[dict[str, np.ndarray]]:
        a, b, c = inputs["x"].T
        return [{"x": np.column_stack([b, a, 3 * c**2])}, {"x": np.ones_like(inputs["x"])}]


def _table(n: int, seed: int) -> Table:
    return Table(np.random.default_rng(seed).normal(size=(n, 3)))


def test_credits_are_those_of_the_integral_in_closed_form() -> None:
    rows, background = _table(7, 0), _table(5, 1)
    found = expected_gradients(Curve(), rows, background, n_points=2)["curved"]
    x, z = rows.x[:, None], background.x[None]
    # On a straight line a·b credits each factor with its step times the other's mean; c³ all goes to c.
    wanted = np.stack(
        [
            (x[..., 0] - z[..., 0]) * (x[..., 1] + z[..., 1]) / 2,
            (x[..., 1] - z[..., 1]) * (x[..., 0] + z[..., 0]) / 2,
            x[..., 2] ** 3 - z[..., 2] ** 3,
        ],
        axis=-1,
    ).mean(axis=1)
    assert found.values == pytest.approx(wanted, abs=1e-6)
    assert found.base_value == pytest.approx(Curve().answers(background)[:, 0].mean())
    assert found.additivity_error < 1e-6 and additivity_share(found) < 1e-6


def test_one_point_is_not_enough_for_a_curve_and_the_error_says_so() -> None:
    rows, background = _table(20, 2), _table(9, 3)
    found = expected_gradients(Curve(), rows, background, n_points=1)
    x, z = rows.x[:, None, 2], background.x[None, :, 2]
    lacking = ((x - z) ** 3 / 4).mean(axis=1)  # the middle of a line against the integral of its cube
    assert found["curved"].additivity_error == pytest.approx(np.abs(lacking).max(), rel=1e-4)
    assert found["sum"].additivity_error < 1e-6


def test_the_standard_error_is_that_of_a_mean_over_background_rows() -> None:
    rows, background = _table(1, 4), _table(40, 5)
    found = expected_gradients(Curve(), rows, background)["sum"]
    wanted = background.x.std(axis=0, ddof=1) / np.sqrt(40)
    assert found.standard_error[0] == pytest.approx(wanted, rel=1e-4)


def test_blocks_of_rows_do_not_change_the_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    rows, background = _table(31, 6), _table(4, 7)
    whole = expected_gradients(Curve(), rows, background)["curved"].values
    monkeypatch.setattr("pricing_core.explain.expected_gradients._BLOCK", 13)
    assert np.array_equal(expected_gradients(Curve(), rows, background)["curved"].values, whole)


def test_what_cannot_be_explained_is_refused() -> None:
    rows, background = _table(2, 8), _table(2, 9)
    with pytest.raises(ConfigError, match="n_points is 0; it must be at least 1"):
        expected_gradients(Curve(), rows, background, n_points=0)
    with pytest.raises(DataError, match="different features"):
        expected_gradients(Curve(), rows, replace(background, names=("a", "b", "d")))
    broken = Table(np.full((1, 3), np.nan))
    with pytest.raises(DataError, match="not finite"):
        expected_gradients(Curve(), broken, background)


@pytest.mark.filterwarnings("ignore::UserWarning")  # shap calls the model with a list of its one input
def test_a_smooth_network_is_explained_as_by_the_shap_package() -> None:
    shap = pytest.importorskip("shap")
    keras = pytest.importorskip("keras")
    rng = np.random.default_rng(11)
    first, second = rng.normal(size=(3, 6)), rng.normal(size=(6, 1))
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(6, "tanh"), keras.layers.Dense(1)])
    model.set_weights([first, np.zeros(6), second, np.zeros(1)])

    class Smooth(Curve):
        outcomes = ("answer",)

        def answers(self, batch: Table) -> np.ndarray:
            return np.tanh(batch.x @ first) @ second

        def slopes(self, inputs: dict[str, np.ndarray]) -> list[dict[str, np.ndarray]]:
            return [{"x": ((1 - np.tanh(inputs["x"] @ first) ** 2) * second[:, 0]) @ first.T}]

    rows, background = _table(4, 12), _table(30, 13)
    ours = expected_gradients(Smooth(), rows, background, n_points=12)["answer"].values
    explainer = shap.GradientExplainer(model, background.x.astype(np.float32), local_smoothing=0)
    theirs = np.asarray(explainer.shap_values(rows.x.astype(np.float32), nsamples=1_200, rseed=0)).reshape(4, 3)
    assert theirs == pytest.approx(ours, abs=0.1 * np.abs(ours).max())
