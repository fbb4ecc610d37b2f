"""A price test from design to result, with the shop's own ids and files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pricing_core import workflows
from pricing_core.cli import main
from pricing_core.errors import ConfigError, DataError, MappingError, WorkspaceError
from pricing_core.evaluate.test_design import DesignConfig
from pricing_core.store import datasets, measurements
from pricing_core.store.workspace import Workspace
from pricing_core.workflows import drifting, following_up, measuring

START = pd.Timestamp("2025-01-06", tz="UTC")


def offers(weeks: range, *, per_week: int = 300, seed: int = 0) -> pd.DataFrame:
    """Offers of 150 customers in two regions, as a shop's file has them; half of them are accepted."""
    rng = np.random.default_rng(seed)
    n = per_week * len(weeks)
    customer = rng.integers(0, 150, n)
    day = 7 * np.repeat(np.array(list(weeks)), per_week) + np.tile(np.arange(per_week) % 7, len(weeks))
    return pd.DataFrame(
        {
            "Customer": [f"{k:04d}" for k in customer],
            "SKU": "tea",
            "Time": (START + pd.to_timedelta(day * 86_400 + np.arange(n) % 80_000, unit="s")).strftime(
                "%Y-%m-%dT%H:%M:%SZ"
            ),
            "Price": 9.5 + 0.5 * (np.arange(n) % 3),
            "Bought": (rng.random(n) < 0.5).astype(int),
            "Cost": 6.0,
        }
    )


MAPPING = {"customer_id": "Customer", "product_id": "SKU", "offered_at": "Time", "price": "Price",
           "purchased": "Bought", "unit_cost": "Cost"}  # fmt: skip


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A workspace with twenty weeks of a small shop, and a test that begins after sixteen."""
    ws = Workspace(tmp_path_factory.mktemp("measure") / "shop")
    ids = [f"{k:04d}" for k in range(150)]
    customers = pd.DataFrame({"customer_id": ids, "region": [f"r{k % 5}" for k in range(150)]})
    sources = {"offers": offers(range(20)).astype(str), "customers": customers}
    workflows.import_files(ws, sources, mapping={"offers": MAPPING})
    measuring.save_design(ws, "Spring", DesignConfig(weeks=4), starts_on=START + pd.Timedelta(weeks=16), seed=1)
    return ws


def test_the_assignment_file_has_the_shops_own_ids_and_the_store_has_pseudonyms(shop: Workspace) -> None:
    design = measuring.load_design(shop, "Spring")
    file = measuring.assignment_file(shop, design)
    assert list(file.columns) == ["customer_id", "arm"]
    assert set(file["customer_id"]) == {f"{k:04d}" for k in range(150)}
    assert file["arm"].value_counts().to_dict() == {"test": 75, "control": 75}
    assert design.assignment["unit"].str.startswith("c_").all()
    assert design.config == DesignConfig(weeks=4)
    assert design.record["n_test"] == 75 and 0 <= design.record["p_value"] <= 1


def test_a_lift_in_an_uploaded_file_is_found_and_kept(shop: Workspace, tmp_path: Path) -> None:
    design = measuring.load_design(shop, "Spring")
    arm = measuring.assignment_file(shop, design).set_index("customer_id")["arm"]
    later = offers(range(16, 20), seed=9)
    later.loc[later["Customer"].map(arm) == "test", "Price"] += 2.0  # a margin of 6 instead of 4
    later.loc[len(later)] = ["0001", "tea", "no time", 10.0, 1, 6.0]
    later.loc[len(later)] = ["9999", "tea", "2025-05-01T10:00:00Z", 10.0, 1, 6.0]
    path = tmp_path / "outcomes.csv"
    later.to_csv(path, index=False, sep=";")
    outcomes = measuring.read_outcomes(shop, path)
    assert outcomes.rows_in == len(later) and len(outcomes.offers) + len(outcomes.set_aside) == len(later)
    assert outcomes.set_aside["reason"].tolist() == ["offered_at is not a time: 'no time'"]
    kept, found = measuring.read_result(shop, outcomes, design=design)
    assert found.left_out == {"not in the assignment (or in a washout)": 1}
    low, high = found.profit.rate_interval(0.999)  # the draw follows the pseudonyms, which differ from run to run
    assert low < 0.5 < high and found.profit.probability_loss < 0.01
    record = measurements.load_measurement(Workspace(shop.root), kept).record
    assert record["sentence"] == found.sentence and record["design"] == "Spring" and record["set_aside"] == 1


def test_outcomes_of_newer_data_and_of_a_file_with_arms_give_the_same_result(shop: Workspace, tmp_path: Path) -> None:
    design = measuring.load_design(shop, "Spring")
    stored = measuring.later_outcomes(shop, None, design.starts_on)
    _, from_data = measuring.read_result(shop, stored, design=design, name="from data")
    arm = measuring.assignment_file(shop, design).set_index("customer_id")["arm"]
    file = offers(range(20))
    file = file[pd.to_datetime(file["Time"]) >= design.starts_on]
    path = tmp_path / "with_arms.parquet"
    file.assign(Group=file["Customer"].map(arm).map({"test": "B", "control": "A"})).to_parquet(path)
    _, from_file = measuring.read_result(shop, measuring.read_outcomes(shop, path), name="from file")
    assert from_file.profit.difference == pytest.approx(from_data.profit.difference)
    assert from_file.profit.standard_error == pytest.approx(from_data.profit.standard_error)


def test_a_test_is_unread_from_its_planned_end_until_it_is_read(tmp_path: Path) -> None:
    ws = Workspace(tmp_path / "fresh")
    workflows.import_files(ws, {"offers": offers(range(20)).astype(str)}, mapping={"offers": MAPPING})
    measuring.save_design(ws, "Spring", DesignConfig(weeks=4), starts_on=START + pd.Timedelta(weeks=16))
    last = START + pd.Timedelta(weeks=20) - pd.Timedelta(days=1)
    assert measuring.unread_tests(ws, last) == []
    assert measuring.unread_tests(ws, last + pd.Timedelta(days=1)) == [("Spring", last)]
    design = measuring.load_design(ws, "Spring")
    measuring.read_result(ws, measuring.later_outcomes(ws, None, design.starts_on), design=design)
    assert measuring.unread_tests(ws, last + pd.Timedelta(days=1)) == []


def test_outcomes_that_cannot_be_used_say_why(shop: Workspace, tmp_path: Path) -> None:
    path = tmp_path / "bad.csv"
    offers(range(1)).drop(columns="Bought").to_csv(path, index=False)
    with pytest.raises(MappingError, match=r"bad\.csv: the required column is missing: purchased"):
        measuring.read_outcomes(shop, path)
    offers(range(1)).assign(Time="never").to_csv(path, index=False)
    with pytest.raises(DataError, match=r"bad\.csv: no row can be used; the first is out because offered_at is not a"):
        measuring.read_outcomes(shop, path)
    offers(range(1)).assign(Time="03/04/2025").to_csv(path, index=False)
    with pytest.raises(DataError, match=r"can be read in two ways: .* Choose how to read such cells and try again\."):
        measuring.read_outcomes(shop, path)
    with pytest.raises(DataError, match=r"The data d0001 end on 2025-05-25, before the test began on 2026-01-05\."):
        measuring.later_outcomes(shop, None, pd.Timestamp("2026-01-05", tz="UTC"))
    with pytest.raises(WorkspaceError, match=r"There is no design called 'Winter'\. Saved so far: Spring"):
        measuring.load_design(shop, "Winter")
    with pytest.raises(ConfigError, match=r"'soon' is no day\."):
        measuring.day("soon")


def test_the_command_line_designs_assigns_and_reads(
    shop: Workspace, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    at = ["--workspace", str(shop.root)]
    assert main(["design", *at, "--promised", "3", "--out", str(tmp_path / "curve.csv")]) == 0
    shown = capsys.readouterr().out
    assert shown.startswith("In 6 weeks you can see a profit change of ±")
    assert "your plan promises +3.0%" in shown
    curve = pd.read_csv(tmp_path / "curve.csv")
    assert list(curve.columns) == ["weeks", "standard_error", "df", "detectable_rate", "power"] and len(curve) == 104
    switch = ["--design", "label_switchback", "--label", "customers: region", "--weeks", "4"]
    drawn = ["--name", "By region", "--starts-on", "2025-04-28", "--out", str(tmp_path / "plan.csv")]
    assert main(["assign", *at, *switch, *drawn]) == 0
    plan = pd.read_csv(tmp_path / "plan.csv")
    assert list(plan.columns) == ["region", "block", "week_start", "week_end", "counted_from", "arm"]
    assert len(plan) == 20
    assert main(["readout", *at, "--test", "By region", "--out", str(tmp_path / "result.csv")]) == 0
    assert "The new prices moved profit per offer by" in capsys.readouterr().out
    assert len(pd.read_csv(tmp_path / "result.csv")) == 4
    assert main(["readout", *at, "--arms-in-file"]) == 2
    assert "--arms-in-file needs a file. Name it with --outcomes." in capsys.readouterr().err
    assert main(["design", *at, "--design", "label", "--label", "customers: shoe"]) == 2
    assert "The data have no group 'customers: shoe'. Groups there are: customers: region." in capsys.readouterr().err


def test_a_backtest_marks_what_the_model_has_seen_and_the_run_keeps_weeks_it_had_not(own_shop: Workspace) -> None:
    ws = own_shop
    run = workflows.load_run(ws)
    kept = measurements.load_measurement(ws, following_up.backtest(ws, "product", weeks=6))
    assert len(kept.frame) == 6 and set(kept.frame["seen"]) == {"learned from"}
    assert kept.record["sentence"].endswith("(it had learned from all of these weeks, so this is its easy side).")
    assert kept.frame["predicted_rate"].between(0, 1).all()
    unseen = following_up.held_out_weeks(run)
    assert set(unseen["seen"]) == {"not seen"}
    assert unseen["week"].min() >= pd.Timestamp(run.metrics["held_out_from"]) - pd.Timedelta(days=7)
    assert abs(np.average(unseen["observed_rate"], weights=unseen["offers"]) - run.metrics["base_rate"]) < 0.01


def test_a_ledger_follows_a_price_list_and_drift_compares_recent_weeks(own_shop: Workspace) -> None:
    ws = own_shop
    price_list_id = workflows.make_price_list(ws, "product")
    found = following_up.ledger(ws, price_list_id)
    assert found.n_applied == 0 and not found.measurable
    assert found.total["status"].startswith("not yet measurable: needs ")
    drift = drifting.data_drift(ws, workflows.load_run(ws))
    table = drift.table
    assert "the latest 4 weeks against the weeks before" in drift.words and not drift.unseen
    assert {"product mix", "price against the usual price"} <= set(table["column"])
    assert (table["index"] >= 0).all()
    assert datasets.latest_dataset_id(ws) == "d0001"
