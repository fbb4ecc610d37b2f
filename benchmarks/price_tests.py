"""Whether the result of a price test can be believed: coverage, false alarms, width of the range, planned power.

``python benchmarks/price_tests.py``; ``--quick`` takes a fifth of the runs. A shop is simulated whose customers differ
in how often they come and what they are worth, and whose weeks go up and down. What one would write without the
workbench is Welch's test over offers, as if they were independent of each other; it is run on the same tests.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import stats

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.tables import print_table
from pricing_core.evaluate.assignment import assign
from pricing_core.evaluate.readout import Readout, read_test
from pricing_core.evaluate.test_design import DesignConfig, design_test

CUSTOMERS, WEEKS, TEST_WEEKS = 1_500, 26, 6
START = pd.Timestamp("2025-01-06", tz="UTC")
BEGIN = START + pd.Timedelta(weeks=WEEKS - TEST_WEEKS)
GROUPS = 10
EFFECT = 0.10


def shop(seed: int) -> pd.DataFrame:
    """26 weeks of offers: customers come at their own pace and buy by their own taste; weeks move all of them."""
    rng = np.random.default_rng(seed)
    pace, taste = rng.gamma(1.5, 0.25, CUSTOMERS), rng.beta(2, 8, CUSTOMERS)
    visits = rng.poisson(np.repeat(pace[:, None], WEEKS, axis=1))
    who = np.repeat(np.arange(CUSTOMERS), visits.sum(axis=1))
    week = np.concatenate([np.repeat(np.arange(WEEKS), row) for row in visits])
    season = np.exp(rng.normal(0, 0.08, WEEKS))
    basket = rng.poisson(3, len(who)) + 1  # one visit shows several products
    who, week = np.repeat(who, basket), np.repeat(week, basket)
    bought = rng.random(len(who)) < np.clip(taste[who] * season[week], 0, 1)
    profit = bought * rng.gamma(4, 0.75, len(who))
    seconds = rng.integers(0, 7 * 86_400, len(who))
    seconds[:2] = (0, 7 * 86_400 - 1)
    at = START + pd.to_timedelta(week * 7 * 86_400 + seconds, unit="s")
    return pd.DataFrame({
        "customer_id": [f"c{k:05d}" for k in who], "product_id": "p", "offered_at": at,
        "week": START + pd.to_timedelta(7 * week, unit="D"), "offers": 1.0, "purchased": bought.astype(float),
        "price": 10.0, "unit_cost": 7.0, "revenue": 10.0 * bought, "profit": profit,
        "group": pd.Series(who % GROUPS).map("g{}".format).to_numpy(),
    })  # fmt: skip


def one(config: DesignConfig, seed: int) -> tuple[Readout, Readout, float, float]:
    """Readouts of one test with and without effect, the power that its design promised, and Welch's p without one."""
    sales = shop(seed)
    past, later = sales[sales["offered_at"] < BEGIN], sales[sales["offered_at"] >= BEGIN]
    plan = design_test(past, config, groups=past["group"], promised_rate=EFFECT)
    made = assign(sales, config, starts_on=BEGIN, groups=sales["group"], seed=seed).frame
    if config.switches:
        blocks = made.set_index(["unit", "week_start"])["arm"]
        unit = later["group"] if config.by_label else pd.Series("all", index=later.index)
        in_test = blocks.reindex(pd.MultiIndex.from_arrays([unit, later["week"]])).to_numpy() == "test"
    else:
        unit = later["group"] if config.by_label else later["customer_id"]
        in_test = (unit.map(made.set_index("unit")["arm"]) == "test").to_numpy()
    lifted = later.assign(profit=later["profit"] * np.where(in_test, 1 + EFFECT, 1.0))
    found, nothing = (
        read_test(each, config, assignment=made, unit=later["group"], before=past, before_unit=past["group"])
        for each in (lifted, later)
    )
    naive = stats.ttest_ind(later["profit"][in_test], later["profit"][~in_test], equal_var=False)
    return found, nothing, plan.power, float(naive.pvalue)


def row(name: str, config: DesignConfig, runs: int) -> list[str]:
    inside, seen, power, width, alarms, naive_alarms = [], [], [], [], [], []
    for seed in range(runs):
        found, nothing, planned, p = one(config, seed)
        low, high = found.profit.rate_interval(config.confidence)
        inside.append(low <= EFFECT <= high)
        seen.append(low > 0 or high < 0)
        power.append(planned)
        width.append((high - low) / 2)
        low, high = nothing.profit.rate_interval(config.confidence)
        alarms.append(low > 0 or high < 0)
        naive_alarms.append(p < 1 - config.confidence)
    shares = [np.mean(each) for each in (inside, alarms, naive_alarms, power, seen)]
    return [name, *(f"{share:.0%}" for share in shares), f"±{np.mean(width):.1%}"]


def main() -> None:
    runs = 40 if "--quick" in sys.argv[1:] else 200
    started = time.perf_counter()
    cases = {
        "split the customers": DesignConfig(before_weeks=0),
        "split the customers, with the weeks before (CUPED)": DesignConfig(before_weeks=20),
        "split ten groups, with the weeks before": DesignConfig(design="label", label="g", before_weeks=20),
        "switch the whole shop by week": DesignConfig(design="switchback"),
        "switch each of ten groups by week": DesignConfig(design="label_switchback", label="g"),
    }
    columns = ["design", "90% range holds the truth", "false alarms", "the same, Welch over offers",
               "power planned", "power found", "range"]  # fmt: skip
    rows = [row(name, config, runs) for name, config in cases.items()]
    error = np.sqrt(0.09 / runs)
    print_table(
        f"Price tests of {TEST_WEEKS} weeks with {CUSTOMERS:,} customers, true effect {EFFECT:+.0%}, {runs} runs "
        f"(wanted 90%, 10%; one standard error of a share is about {error:.1%})", columns, rows,
    )  # fmt: skip
    print(f"\n{time.perf_counter() - started:.0f} s")


if __name__ == "__main__":
    main()
