"""Rehearse a test on past weeks in which nothing was changed: does it raise false alarms only as often as it should?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from pricing_core.errors import DataError
from pricing_core.evaluate.estimates import compare_arms
from pricing_core.evaluate.power import critical_value
from pricing_core.evaluate.sales import WEEK, complete_weeks
from pricing_core.evaluate.test_design import DesignConfig

_MOST_WORK: Final = 2_000_000
_FEWEST: Final = 40


@dataclass(frozen=True)
class Rehearsal:
    """Tests without any effect, replayed on the latest weeks of the log.

    Attributes
    ----------
    n_tests
        Random splits that were tried.
    false_alarm_rate
        Share of them whose range excluded zero; expected is 1 − confidence.
    spread
        Standard deviation of their differences, in money; what a design's standard error foretells.
    weeks
        Weeks of the log that served as the test.
    """

    n_tests: int
    false_alarm_rate: float
    spread: float
    weeks: int

    @property
    def noise(self) -> float:
        """Standard error of the false alarm rate."""
        return float(np.sqrt(self.false_alarm_rate * (1 - self.false_alarm_rate) / self.n_tests))


def rehearse(sales: pd.DataFrame, config: DesignConfig, *, n_tests: int = 400, seed: int = 0) -> Rehearsal:
    """Split the customers at random again and again over past weeks, and read each split as the test would be read.

    The latest ``config.weeks`` complete weeks (at most half of the log) are the test, those before them the weeks
    before. With very many customers fewer splits are tried.

    Raises
    ------
    DataError
        If the design does not split customers, or the log is too short.
    """
    if config.design != "customer":
        raise DataError("Only a split of customers is rehearsed.")
    recent = complete_weeks(sales)
    n_weeks = min(config.weeks, int((recent["week"].max() - recent["week"].min()) / WEEK + 1) // 2)
    if n_weeks < 1:
        raise DataError("The log has fewer than two complete weeks.", fix="Import a longer period.")
    start = recent["week"].max() - (n_weeks - 1) * WEEK
    during, before = recent["week"] >= start, recent["week"] >= start - config.before_weeks * WEEK
    now = recent[during].groupby("customer_id")[["offers", "profit"]].sum(skipna=False)
    past = recent[before & ~during].groupby("customer_id")[["offers", "profit"]].sum(skipna=False)
    per_customer = config.measure == "profit_per_customer"
    if per_customer:
        now = now.reindex(now.index.union(past.index), fill_value=0.0)
    past = past.reindex(now.index, fill_value=0.0)
    values = [frame[name].to_numpy(dtype=float) for frame in (now, past) for name in ("profit", "offers")]
    profit, offers, past_profit, past_offers = values
    if per_customer:
        offers = past_offers = np.ones(len(profit))
    rng = np.random.default_rng(seed)
    tests = max(min(n_tests, _MOST_WORK // max(len(profit), 1)), _FEWEST)
    alarms, differences = 0, []
    for _ in range(tests):
        in_test = rng.permutation(len(profit)) < config.test_share * len(profit)
        former = (past_profit, past_offers) if config.before_weeks else None
        found = compare_arms(profit, offers, in_test, before=former)
        alarms += abs(found.difference) > critical_value(config.confidence, found.df) * found.standard_error
        differences.append(found.difference)
    return Rehearsal(tests, alarms / tests, float(np.std(differences)), n_weeks)
