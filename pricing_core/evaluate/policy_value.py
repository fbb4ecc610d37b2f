"""What other prices would have earned, judged from past offers alone.

Past offers show one price each, so a new price can only be judged on the offers whose logged price happened to be near
it. Kernel weights pick those out and divide by how likely the shop was to set that price
(the propensity); the model fills in the rest where a doubly robust estimator is asked for. Where few offers are near,
the effective sample size is small and no headline is given.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pricing_core.errors import ConfigError, DataError
from pricing_core.evaluate.logged_offers import LoggedOffers

Floats = NDArray[np.float64]

ESTIMATORS: Final = ("direct", "snips", "doubly_robust", "self_normalized_doubly_robust")
HEADLINE: Final = "self_normalized_doubly_robust"
MOST_OUTSIDE: Final = 0.05
_BLOCK: Final = 2_000_000
_NORMAL_MEDIAN_HEIGHT: Final = 0.3178  # φ(0.6745): half of a standard normal's draws have a higher density


@dataclass(frozen=True)
class PolicyValueConfig:
    """How target prices are judged.

    Parameters
    ----------
    bandwidth
        Width h of the Gaussian kernel in relative price; None takes 1.06 · s · n^(−1/5), where s is the spread of
        the normal density whose median height over its own draws is that of the logged density.
    sweep
        Multiples of the bandwidth at which the answer is repeated.
    least_effective_share
        Least effective sample size, as a share of the rows, for a headline.
    weight_cap
        Largest weight, as a multiple of the mean weight; None for no cap. Capped rows are counted in the result.
    n_bootstrap
        Repetitions of the bootstrap over customers.
    random_state
        Seed of the bootstrap.
    """

    bandwidth: float | None = None
    sweep: tuple[float, ...] = (0.5, 1.0, 2.0, 4.0)
    least_effective_share: float = 0.05
    weight_cap: float | None = None
    n_bootstrap: int = 400
    random_state: int = 0

    def __post_init__(self) -> None:
        if self.bandwidth is not None and not 0 < self.bandwidth < np.inf:
            raise ConfigError(f"bandwidth is {self.bandwidth}; it must be above 0, or None to have it chosen.")
        if not self.sweep or min(self.sweep) <= 0:
            raise ConfigError(f"sweep is {self.sweep}; give one or more multiples above 0.")
        if not 0 <= self.least_effective_share <= 1:
            raise ConfigError(f"least_effective_share is {self.least_effective_share}; it must be from 0 to 1.")
        if self.weight_cap is not None and self.weight_cap < 1:
            raise ConfigError(f"weight_cap is {self.weight_cap}; it must be at least 1, or None for no cap.")
        if self.n_bootstrap < 20:
            raise ConfigError(f"n_bootstrap is {self.n_bootstrap}; it must be at least 20.")


@dataclass(frozen=True)
class PolicyValue:
    """Profit per offer of the target prices.

    Attributes
    ----------
    table
        One row per estimator: ``estimator, value, low, high``, money per offer with 90% bootstrap range.
    sweep
        The same values by bandwidth: ``bandwidth``, each estimator, ``effective_sample_size, effective_share``.
    value, low, high
        The headline (self-normalized doubly robust); NaN where not reliable.
    logged_value
        What the logged prices earned per offer.
    uplift, uplift_low, uplift_high
        Headline minus ``logged_value``; NaN where not reliable.
    probability_loss
        Share of bootstrap repetitions in which the target prices earn less than the logged ones.
    effective_sample_size, effective_share
        (Σw)² / Σw², in rows and as a share of the rows.
    bandwidth
        Kernel width in relative price.
    n_capped
        Rows whose weight was capped.
    n_outside
        Rows without weight because the logged density is zero at their price.
    reliable, reason
        Whether a headline is given, and why not.
    """

    table: pd.DataFrame
    sweep: pd.DataFrame
    value: float
    low: float
    high: float
    logged_value: float
    uplift: float
    uplift_low: float
    uplift_high: float
    probability_loss: float
    effective_sample_size: float
    effective_share: float
    bandwidth: float
    n_capped: int
    n_outside: int
    reliable: bool
    reason: str

    def to_frame(self) -> pd.DataFrame:
        """One row per estimator, with 90% range."""
        return self.table.copy()

    def to_dict(self) -> dict[str, float | str | bool]:
        """Figures without the tables, and each estimator's value by name."""
        skipped = ("table", "sweep")
        figures = {name: getattr(self, name) for name in self.__dataclass_fields__ if name not in skipped}
        return {**figures, **dict(zip(self.table["estimator"], self.table["value"], strict=True))}


def policy_value(logged: LoggedOffers, config: PolicyValueConfig | None = None) -> PolicyValue:
    """Estimate the profit per offer of target prices from offers made at other prices.

    With m = target price − unit cost, outcome y, model p̂ and weights w = K((π − x) / h) / (h q(x | z)) for relative
    target price π and logged price x:

    * direct: mean of m p̂(π), the model's own claim;
    * SNIPS: Σ w m y / Σ w;
    * doubly robust: mean of m p̂(π) + w m (y − p̂(x));
    * self-normalized doubly robust: mean of m p̂(π), plus Σ w m (y − p̂(x)) / Σ w.

    The residual is taken at the logged price, so the model's slope bridges the distance to the target price and the
    kernel's bias is that of the model's error only. It fails where the logged density is wrong and the model is wrong
    too, and where something unrecorded drove both price and purchase.

    References
    ----------
    Kallus and Zhou (2018), Policy evaluation and optimization with continuous treatments. Swaminathan and Joachims
    (2015), The self-normalized estimator for counterfactual learning.
    """
    config = config or PolicyValueConfig()
    counts = np.ones(logged.n) if logged.weight is None else np.asarray(logged.weight, dtype=float)
    bandwidth = config.bandwidth or _bandwidth(logged.logged_density)
    terms, n_capped = _terms(logged, counts, bandwidth, config.weight_cap)
    values = _estimates(terms.sum(axis=0))
    draws = _bootstrap(terms, logged.customer_id, config)
    effective, share = _effective(terms[:, 3], counts)
    n_outside = int((logged.logged_density <= 0).sum())
    reason = _reason(logged.n, effective, share, n_outside, config)
    reliable = not reason
    logged_value, headline = float(values["logged"]), float(values[HEADLINE])
    uplift = draws[HEADLINE] - draws["logged"]
    blank = float("nan")
    low, high = (float(v) for v in np.nanquantile(draws[HEADLINE], [0.05, 0.95]))
    gain_low, gain_high = (float(v) for v in np.nanquantile(uplift, [0.05, 0.95]))
    return PolicyValue(
        table=_table(values, draws),
        sweep=_sweep(logged, counts, bandwidth, config),
        value=headline if reliable else blank,
        low=low if reliable else blank,
        high=high if reliable else blank,
        logged_value=logged_value,
        uplift=headline - logged_value if reliable else blank,
        uplift_low=gain_low if reliable else blank,
        uplift_high=gain_high if reliable else blank,
        probability_loss=float(np.mean(uplift < 0)) if reliable else blank,
        effective_sample_size=effective,
        effective_share=share,
        bandwidth=bandwidth,
        n_capped=n_capped,
        n_outside=n_outside,
        reliable=reliable,
        reason=reason,
    )


def kernel_weights(logged: LoggedOffers) -> tuple[Floats, float]:
    """Weight (n,) of each past offer near the target prices, and how many offers are in effect there."""
    counts = np.ones(logged.n) if logged.weight is None else np.asarray(logged.weight, dtype=float)
    weight = _terms(logged, counts, _bandwidth(logged.logged_density), None)[0][:, 3]
    return weight, _effective(weight, counts)[0]


def _bandwidth(density: Floats) -> float:
    positive = density[density > 0]
    if not len(positive):
        raise DataError("The logged density is zero in every row.", fix="Check the pricing model's price density.")
    spread = _NORMAL_MEDIAN_HEIGHT / np.median(positive)
    return float(1.06 * spread * len(density) ** -0.2)


def _terms(logged: LoggedOffers, counts: Floats, bandwidth: float, cap: float | None) -> tuple[Floats, int]:
    """Addends by row: count, logged profit, claim, weight, weighted margin × outcome, weighted margin × residual."""
    margin = logged.target_price - logged.unit_cost
    distance = (logged.target_price - logged.price) / logged.reference_price / bandwidth
    kernel = np.exp(-0.5 * distance**2) / np.sqrt(2 * np.pi) / bandwidth
    density = logged.logged_density
    weight = np.where(density > 0, kernel / np.where(density > 0, density, 1.0), 0.0)
    ceiling = np.inf if cap is None else cap * float(counts @ weight / counts.sum())
    n_capped = int((weight > ceiling).sum())
    weight = np.minimum(weight, ceiling)
    columns = [
        np.ones(logged.n),
        (logged.price - logged.unit_cost) * logged.purchased,
        margin * logged.probability_target,
        weight,
        weight * margin * logged.purchased,
        weight * margin * (logged.purchased - logged.probability_logged),
    ]
    return np.column_stack(columns) * counts[:, None], n_capped


def _estimates(sums: Floats) -> dict[str, Floats]:
    """Estimators from the summed terms; works on (6,) and on (repetitions, 6)."""
    total, earned, claim, weight, outcome, residual = np.moveaxis(np.asarray(sums), -1, 0)
    safe = np.where(weight > 0, weight, np.nan)
    return {
        "logged": earned / total,
        "direct": claim / total,
        "snips": outcome / safe,
        "doubly_robust": (claim + residual) / total,
        HEADLINE: claim / total + residual / safe,
    }


def _bootstrap(terms: Floats, customer_id: NDArray[np.object_] | None, config: PolicyValueConfig) -> dict[str, Floats]:
    """Estimators under exponential(1) weights per customer (Bayesian bootstrap), in blocks that fit the memory."""
    rng = np.random.default_rng(config.random_state)
    sums = terms
    if customer_id is not None:
        code, _ = pd.factorize(np.asarray(customer_id, dtype=object), use_na_sentinel=False)
        sums = np.column_stack([np.bincount(code, weights=column) for column in terms.T])
    block = max(1, _BLOCK // len(sums))
    parts = []
    for start in range(0, config.n_bootstrap, block):
        size = (min(block, config.n_bootstrap - start), len(sums))
        parts.append(rng.exponential(size=size) @ sums)
    return _estimates(np.vstack(parts))


def _effective(weight: Floats, counts: Floats) -> tuple[float, float]:
    """(Σw)² / Σw² in rows, and as a share of what the rows' own weights alone would leave."""
    alone = counts.sum() ** 2 / (counts**2).sum()
    squares = float((weight**2).sum())
    effective = float(weight.sum() ** 2 / squares) if squares > 0 else 0.0
    return effective, effective / alone


def _table(values: dict[str, Floats], draws: dict[str, Floats]) -> pd.DataFrame:
    rows = []
    for name in ESTIMATORS:
        low, high = np.quantile(draws[name], [0.05, 0.95])
        rows.append({"estimator": name, "value": float(values[name]), "low": float(low), "high": float(high)})
    return pd.DataFrame(rows)


def _sweep(logged: LoggedOffers, counts: Floats, bandwidth: float, config: PolicyValueConfig) -> pd.DataFrame:
    rows = []
    for multiple in sorted(config.sweep):
        terms, _ = _terms(logged, counts, multiple * bandwidth, config.weight_cap)
        values = _estimates(terms.sum(axis=0))
        effective, share = _effective(terms[:, 3], counts)
        row = {"bandwidth": multiple * bandwidth, **{name: float(values[name]) for name in ESTIMATORS}}
        rows.append({**row, "effective_sample_size": effective, "effective_share": share})
    return pd.DataFrame(rows)


def _reason(n: int, effective: float, share: float, n_outside: int, config: PolicyValueConfig) -> str:
    if share < config.least_effective_share:
        return (
            f"Only {effective:,.0f} of {n:,} past offers are in effect near the target prices ({share:.1%}; at least "
            f"{config.least_effective_share:.0%} is needed), so past data cannot say what these prices earn."
        )
    if n_outside > MOST_OUTSIDE * n:
        return (
            f"{n_outside:,} of {n:,} past offers were made at prices that the pricing model holds impossible (at most "
            f"{MOST_OUTSIDE:.0%} is allowed), so their weights mean nothing."
        )
    return ""
