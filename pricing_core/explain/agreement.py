"""Where two explanations of one answer disagree: the direction of an effect, and which features matter most."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from pricing_core.errors import DataError
from pricing_core.explain.lime import LimeResult
from pricing_core.explain.shapley import ShapResult

TOP: Final = 5
_NOISE: Final = 2.0  # a coefficient within two standard deviations of zero has no sure sign
_SLIGHT: Final = 0.05  # of the largest effect; smaller ones are not worth a contradiction


@dataclass(frozen=True)
class Agreement:
    """Shapley values and LIME of one offer side by side.

    Attributes
    ----------
    compared
        The features that matter most by Shapley values, largest first.
    opposed
        Those of either method's top whose effects have different signs, neither of them slight or unsure.
    only_shap, only_lime
        Top features of one method that are not in the other's top.
    """

    compared: tuple[str, ...]
    opposed: tuple[str, ...]
    only_shap: tuple[str, ...]
    only_lime: tuple[str, ...]

    @property
    def agrees(self) -> bool:
        """Whether no effect is opposed, and at most one of the top features differs."""
        return not self.opposed and len(self.only_shap) <= 1

    @property
    def sentence(self) -> str:
        """What a reader has to know of it."""
        n, shared = len(self.compared), len(self.compared) - len(self.only_shap)
        text = f"SHAP and LIME name {shared} of the same {n} top drivers"
        if self.opposed:
            return f"{text}, and disagree on the direction of {', '.join(self.opposed)}: do not build on these."
        text += " and agree on their direction"
        if self.agrees:
            return f"{text}."
        return f"{text}; only SHAP has {', '.join(self.only_shap)}, only LIME has {', '.join(self.only_lime)}."


def agreement(shap: ShapResult, lime: LimeResult, *, row: int = 0, top: int = TOP) -> Agreement:
    """Compare the largest effects of both methods.

    Raises
    ------
    DataError
        If the two explain different features.
    """
    if shap.feature_names != lime.feature_names:
        raise DataError("SHAP and LIME explain different features.", fix="Explain one batch with both.")
    values, line = shap.values[row], lime.coefficients
    first, second = _top(values, top), _top(line, top)
    sure_shap = np.abs(values) > np.maximum(_NOISE * shap.standard_error[row], _SLIGHT * np.abs(values).max())
    sure_lime = np.abs(line) > np.maximum(_NOISE * lime.coefficient_spread, _SLIGHT * np.abs(line).max())
    opposed = [g for g in dict.fromkeys([*first, *second]) if values[g] * line[g] < 0 and sure_shap[g] and sure_lime[g]]

    def named(features: list[int]) -> tuple[str, ...]:
        return tuple(shap.feature_names[g] for g in features)

    return Agreement(
        compared=named(first),
        opposed=named(opposed),
        only_shap=named([g for g in first if g not in second]),
        only_lime=named([g for g in second if g not in first]),
    )


def _top(values: np.ndarray, most: int) -> list[int]:
    order = np.argsort(-np.abs(values), kind="stable")[:most]
    return [int(g) for g in order if values[g] != 0]
