"""Past weeks again: what the model predicts for them beside what happened, and what other prices would have earned."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import ndtri

from pricing_core.errors import DataError
from pricing_core.evaluate.calibration import wilson_interval
from pricing_core.evaluate.logged_offers import LoggedOffers
from pricing_core.evaluate.policy_value import PolicyValueConfig, policy_value

Floats = NDArray[np.float64]

COLUMNS: Final = (
    "week", "offers", "predicted_rate", "observed_rate", "observed_low", "observed_high", "predicted_profit",
    "observed_profit", "observed_profit_low", "observed_profit_high", "value", "value_low", "value_high",
    "effective_share", "reliable",
)  # fmt: skip
_Z90: Final = float(ndtri(0.95))
_FEWEST: Final = 30


@dataclass(frozen=True)
class Backtest:
    """Weeks of the past, judged.

    Attributes
    ----------
    table
        One row per week (:data:`COLUMNS`): conversion and profit per offer as predicted at the prices that were
        charged and as observed, with 90% ranges; ``value``, what the target prices would have earned per offer
        (doubly robust), NaN where too few offers are near them.
    n_covered
        Weeks whose range of observed conversion holds the prediction.
    uplift_rate, uplift_low, uplift_high
        Of the target prices over all weeks against the prices charged; NaN where not reliable.
    reason
        Why there is no uplift; empty if there is one.
    n_skipped
        Weeks with too few offers to say anything.
    """

    table: pd.DataFrame
    n_covered: int
    uplift_rate: float
    uplift_low: float
    uplift_high: float
    reason: str
    n_skipped: int

    def to_frame(self) -> pd.DataFrame:
        """One row per week."""
        return self.table.copy()

    def to_dict(self) -> dict[str, Any]:
        """Figures over all weeks; JSON values."""
        weights = self.table["offers"]
        means = {
            name: float(np.average(self.table[name], weights=weights))
            for name in ("predicted_rate", "observed_rate", "predicted_profit", "observed_profit")
        }
        kept = ("n_covered", "uplift_rate", "uplift_low", "uplift_high", "reason", "n_skipped")
        return {**means, **{name: getattr(self, name) for name in kept}, "n_weeks": len(self.table)}


def weekly_backtest(
    logged: LoggedOffers, week: pd.Series, *, config: PolicyValueConfig | None = None, fewest: int = _FEWEST
) -> Backtest:
    """Judge predictions and target prices week by week.

    Profit counts one unit per purchase, expected and observed alike. The range of the observed profit is that of a mean
    whose rows of one customer belong together; the value of target prices is that of
    :func:`~pricing_core.evaluate.policy_value.policy_value` within the week.

    Parameters
    ----------
    logged
        Past offers with the model's answers and the target prices.
    week
        Monday of each offer, (n,).
    fewest
        Offers below which a week is skipped and counted.

    Raises
    ------
    DataError
        If no week has enough offers.
    """
    config = config or PolicyValueConfig(n_bootstrap=100)
    whole = policy_value(logged, config)
    # One kernel width for all: a wider one in small weeks would claim an overlap that the whole does not have.
    config = replace(config, bandwidth=whole.bandwidth)
    weeks = week.to_numpy()
    rows, skipped = [], 0
    for monday in np.unique(weeks):
        mask = weeks == monday
        if mask.sum() < fewest:
            skipped += 1
            continue
        rows.append((pd.Timestamp(monday), *_week(_take(logged, mask), config)))
    if not rows:
        raise DataError(f"No week has {fewest} offers or more.", fix="Choose more weeks or more offers per week.")
    table = pd.DataFrame(rows, columns=list(COLUMNS))
    table["week"] = pd.to_datetime(table["week"], utc=True)
    covered = table["predicted_rate"].between(table["observed_low"], table["observed_high"])
    base = whole.logged_value
    share = 1 / base if base > 0 else float("nan")
    return Backtest(
        table=table,
        n_covered=int(covered.sum()),
        uplift_rate=whole.uplift * share,
        uplift_low=whole.uplift_low * share,
        uplift_high=whole.uplift_high * share,
        reason=whole.reason,
        n_skipped=skipped,
    )


def _week(logged: LoggedOffers, config: PolicyValueConfig) -> tuple[float | int | bool, ...]:
    weight = np.ones(logged.n) if logged.weight is None else logged.weight
    total = weight.sum()
    predicted, observed = (float(weight @ each / total) for each in (logged.probability_logged, logged.purchased))
    low, high = wilson_interval(observed, _effective_size(logged, weight, observed))
    margin = logged.price - logged.unit_cost
    earned = margin * logged.purchased
    profit = float(weight @ earned / total)
    error = _Z90 * _clustered_error(weight * (earned - profit), logged.customer_id) / total
    try:
        value = policy_value(logged, config)
        answer = (value.value, value.low, value.high, value.effective_share, value.reliable)
    except DataError:
        answer = (float("nan"), float("nan"), float("nan"), 0.0, False)
    claimed = float(weight @ (margin * logged.probability_logged) / total)
    observation = (observed, float(low), float(high))
    return (logged.n, predicted, *observation, claimed, profit, profit - error, profit + error, *answer)


def _effective_size(logged: LoggedOffers, weight: Floats, rate: float) -> float:
    """Independent offers that would know the rate as well: fewer than there are where customers buy alike."""
    total = weight.sum()
    plain = total**2 / float(weight @ weight)
    error = _clustered_error(weight * (logged.purchased - rate), logged.customer_id) / total
    return min(plain, rate * (1 - rate) / error**2) if error > 0 else plain


def _clustered_error(residual: Floats, customer_id: NDArray[np.object_] | None) -> float:
    """Root of the summed squares of the customers' summed residuals."""
    if customer_id is None:
        return float(np.sqrt(residual @ residual))
    code, _ = pd.factorize(np.asarray(customer_id, dtype=object), use_na_sentinel=False)
    sums = np.bincount(code, residual)
    return float(np.sqrt(sums @ sums))


def _take(logged: LoggedOffers, mask: NDArray[np.bool_]) -> LoggedOffers:
    fields = logged.__dataclass_fields__
    return replace(
        logged,
        **{name: getattr(logged, name)[mask] for name in fields if getattr(logged, name) is not None},
    )
