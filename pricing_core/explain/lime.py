"""LIME: a straight line around one offer, with how well it fits and how stable it is.

Some features of the offer are kept, the others are replaced by those of typical offers, and a weighted ridge regression
of the model's answers on "kept or replaced" gives each feature a coefficient. Offers of which more is kept count more.
A line is only as good as its fit, so the fit is measured on replacements that the line was not fitted to, and the whole
is repeated with other random replacements to see whether the coefficients stay.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Final

import numpy as np
import pandas as pd

from pricing_core.errors import ConfigError, DataError
from pricing_core.explain.mixing import FeatureBatch, Floats, Outcome, answers, checked_pair

TOP: Final = 5


@dataclass(frozen=True)
class LimeConfig:
    """How the line is fitted.

    Parameters
    ----------
    n_samples
        Combinations of kept and replaced features per fit.
    n_replacements
        Typical offers, the first of the background, over which the answer to each combination is averaged.
    kernel_width
        Width of the weight exp(−(d / width)²), d being the share of features replaced. Small widths describe only the
        nearest combinations; large ones give every combination a say, as Shapley values do.
    ridge
        Penalty on squared coefficients, relative to the total weight of the samples.
    n_seeds
        Fits, each with its own random combinations; at least 2.
    random_state
        Seed.
    """

    n_samples: int = 400
    n_replacements: int = 10
    kernel_width: float = 0.25
    ridge: float = 1e-3
    n_seeds: int = 4
    random_state: int = 0

    def __post_init__(self) -> None:
        for name, least in (("n_samples", 20), ("n_replacements", 1), ("n_seeds", 2)):
            if getattr(self, name) < least:
                raise ConfigError(f"{name} is {getattr(self, name)}; it must be at least {least}.")
        if not self.kernel_width > 0:
            raise ConfigError(f"kernel_width is {self.kernel_width}; it must be above 0.")
        if not self.ridge >= 0:
            raise ConfigError(f"ridge is {self.ridge}; it must be at least 0.")


@dataclass(frozen=True)
class LimeResult:
    """Line around one offer.

    Attributes
    ----------
    feature_names
        Readable names, G of them.
    coefficients, coefficient_spread
        Change of the answer when the offer keeps the feature, against a typical one, mean and standard deviation over
        the fits, shape (G,).
    intercept
        The line's answer where every feature is typical.
    prediction, line_prediction
        The model's answer for the offer and the line's.
    r2, r2_by_seed
        Fidelity: weighted share of the variance of the model's answers that the line explains on combinations it was
        not fitted to; 1 is perfect, 0 is no better than their mean.
    stability
        Mean correlation between the coefficients of two fits; 1 is fully stable. NaN where nothing has an effect.
    top_overlap
        Mean share of the five largest features that two fits have in common.
    """

    feature_names: tuple[str, ...]
    coefficients: Floats
    coefficient_spread: Floats
    intercept: float
    prediction: float
    line_prediction: float
    r2: float
    r2_by_seed: Floats
    stability: float
    top_overlap: float

    def scaled(self, factor: float) -> LimeResult:
        """The same answer in another unit: every number times ``factor``; fidelity and stability stay."""
        return replace(
            self,
            coefficients=self.coefficients * factor,
            coefficient_spread=self.coefficient_spread * abs(factor),
            intercept=self.intercept * factor,
            prediction=self.prediction * factor,
            line_prediction=self.line_prediction * factor,
        )

    def to_frame(self) -> pd.DataFrame:
        """Features by size of coefficient: ``feature, coefficient, spread``."""
        table = pd.DataFrame(
            {
                "feature": list(self.feature_names),
                "coefficient": self.coefficients,
                "spread": self.coefficient_spread,
            }
        )
        order = np.argsort(-np.abs(self.coefficients), kind="stable")
        return table.iloc[order].reset_index(drop=True)


def lime_explanation(
    f: Outcome, row: FeatureBatch, background: FeatureBatch, config: LimeConfig | None = None
) -> LimeResult:
    """Fit a line around one offer.

    Parameters
    ----------
    f
        Answer for each row of a batch, shape (n,).
    row
        The offer, a batch of one row.
    background
        Typical offers from which replaced features are taken.

    Raises
    ------
    ConfigError
        If ``row`` holds another number of rows than one.
    DataError
        If the batches do not match or the model's answers are not finite.

    References
    ----------
    Ribeiro, Singh and Guestrin (2016), "Why should I trust you?"
    """
    return lime_outcomes(f, row, background, outcomes=("answer",), config=config)["answer"]


def lime_outcomes(
    f: Outcome,
    row: FeatureBatch,
    background: FeatureBatch,
    *,
    outcomes: Sequence[str],
    config: LimeConfig | None = None,
) -> dict[str, LimeResult]:
    """Fit a line per outcome that one call of the model answers, as (n, K) with K = len(outcomes).

    Asking for all at once costs as much as asking for one; see :func:`lime_explanation`.
    """
    config = config or LimeConfig()
    names = checked_pair(row, background)
    if row.n != 1:
        raise ConfigError(f"LIME explains one offer at a time; {row.n} were given.")
    prediction = answers(f, row)[0]
    if len(prediction) != len(outcomes):
        raise DataError(f"The model gave {len(prediction)} answers per row for {len(outcomes)} outcomes.")
    rng = np.random.default_rng(config.random_state)
    drawn = [_sample(f, row, background, len(names), config, rng) for _ in range(config.n_seeds)]
    return {
        name: _line(names, float(prediction[k]), [(kept, value[:, k]) for kept, value in drawn], config)
        for k, name in enumerate(outcomes)
    }


def _line(
    names: tuple[str, ...], prediction: float, samples: list[tuple[Floats, Floats]], config: LimeConfig
) -> LimeResult:
    fits = np.array([_fit(kept, value, _weights(kept, config), config.ridge) for kept, value in samples])
    fidelity = [
        _fidelity(fit, kept, value, _weights(kept, config))
        for fit, (kept, value) in zip(fits, samples[1:] + samples[:1], strict=True)
    ]
    mean = fits.mean(axis=0)
    return LimeResult(
        feature_names=names,
        coefficients=mean[1:],
        coefficient_spread=fits[:, 1:].std(axis=0, ddof=1),
        intercept=float(mean[0]),
        prediction=prediction,
        line_prediction=float(mean.sum()),
        r2=float(np.mean(fidelity)),
        r2_by_seed=np.array(fidelity),
        stability=_stability(fits[:, 1:]),
        top_overlap=_overlap(fits[:, 1:]),
    )


def _sample(
    f: Outcome, row: FeatureBatch, background: FeatureBatch, g: int, config: LimeConfig, rng: np.random.Generator
) -> tuple[Floats, Floats]:
    """Draw combinations (samples, G) of ones for kept features, and the model's mean answers to each, (samples, K)."""
    # The number of replaced features is uniform, so that near and far combinations are both present.
    n_replaced = rng.integers(0, g + 1, config.n_samples)
    place = rng.permuted(np.tile(np.arange(g), (config.n_samples, 1)), axis=1)
    kept = place >= n_replaced[:, None]
    # The same typical offers for every combination: with others each time, chance would pass for misfit.
    times = min(config.n_replacements, background.n)
    theirs = background.take(np.tile(np.arange(times), config.n_samples))
    mine = row.take(np.zeros(config.n_samples * times, dtype=np.int64))
    value = answers(f, mine.mix(theirs, np.repeat(kept, times, axis=0)))
    return kept.astype(float), value.reshape(config.n_samples, times, -1).mean(axis=1)


def _weights(kept: Floats, config: LimeConfig) -> Floats:
    return np.exp(-(((1 - kept.mean(axis=1)) / config.kernel_width) ** 2))


def _fit(kept: Floats, value: Floats, weight: Floats, ridge: float) -> Floats:
    """Intercept and coefficients (G + 1,) of the weighted ridge regression; the intercept is not penalized."""
    share = weight / weight.sum()
    center, middle = share @ kept, float(share @ value)
    design = kept - center
    gram = (design * share[:, None]).T @ design + ridge * np.eye(kept.shape[1])
    slope = np.linalg.solve(gram, design.T @ (share * (value - middle)))
    return np.concatenate([[middle - center @ slope], slope])


def _fidelity(fit: Floats, kept: Floats, value: Floats, weight: Floats) -> float:
    share = weight / weight.sum()
    residual = value - fit[0] - kept @ fit[1:]
    variance = float(share @ (value - share @ value) ** 2)
    return 1 - float(share @ residual**2) / variance if variance > 0 else float("nan")


def _stability(coefficients: Floats) -> float:
    if coefficients.shape[1] < 2 or (coefficients.std(axis=1) < 1e-15).any():
        return float("nan")
    correlation = np.asarray(np.corrcoef(coefficients))
    return float(correlation[np.triu_indices(len(coefficients), 1)].mean())


def _overlap(coefficients: Floats) -> float:
    top: list[set[int]] = [set(np.argsort(-np.abs(c), kind="stable")[:TOP].tolist()) for c in coefficients]
    shared = [len(a & b) / min(TOP, coefficients.shape[1]) for a, b in pairwise([*top, top[0]])]
    return float(np.mean(shared))
