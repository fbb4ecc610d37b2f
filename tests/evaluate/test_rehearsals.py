"""Rehearsed tests without an effect: false alarms as often as stated, and a spread as planned."""

from __future__ import annotations

import numpy as np
import pytest

from pricing_core.errors import DataError
from pricing_core.evaluate.replay import rehearse
from pricing_core.evaluate.test_design import DesignConfig, design_test

from .test_designs import shop


@pytest.mark.parametrize("measure", ["profit_per_offer", "profit_per_customer"])
def test_false_alarms_come_at_their_stated_rate_and_the_spread_is_the_planned_one(measure: str) -> None:
    sales = shop(units=300, weeks=20, between=1.5)
    config = DesignConfig(weeks=6, measure=measure)  # type: ignore[arg-type]
    found = rehearse(sales, config, n_tests=600)
    assert (found.n_tests, found.weeks) == (600, 6)
    assert abs(found.false_alarm_rate - 0.1) < 3 * np.sqrt(0.09 / 600)
    planned = design_test(sales, config).curve["standard_error"].iloc[5]
    weeks = 6 if measure == "profit_per_customer" else 1  # a total over the test, against money per week
    assert found.spread / weeks == pytest.approx(planned, rel=0.12)


def test_lumpy_profits_do_not_raise_more_alarms() -> None:
    rng = np.random.default_rng(3)
    sales = shop(units=500, weeks=12)
    sales = sales.assign(profit=rng.lognormal(0, 1.5, len(sales)) * (rng.random(len(sales)) < 0.1))
    assert rehearse(sales, DesignConfig(weeks=4), n_tests=600).false_alarm_rate < 0.1 + 3 * np.sqrt(0.09 / 600)


def test_only_what_can_be_rehearsed_is() -> None:
    with pytest.raises(DataError, match="Only a split of customers is rehearsed"):
        rehearse(shop(), DesignConfig(design="switchback"))
    assert rehearse(shop(weeks=8), DesignConfig(weeks=30)).weeks == 4, "at most half of the log"
    with pytest.raises(DataError, match="fewer than two complete weeks"):
        rehearse(shop(weeks=1), DesignConfig())
