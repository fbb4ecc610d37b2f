"""Large files of orders become the same occasions, findings and rows set aside as small ones."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pricing_core import workflows
from pricing_core.data.occasion_rule import OccasionRule
from pricing_core.data.options import CleaningOptions
from pricing_core.errors import JobCancelled
from pricing_core.store import datasets
from pricing_core.store.workspace import Workspace
from pricing_core.trust.pseudonyms import Pseudonymizer
from tests.engines.messy_shop import as_csv
from tests.engines.paths import TINY, assert_same
from tests.order_shop import dirty_orders

RULES = [
    OccasionRule(bestsellers=3),
    OccasionRule(5, "shop", "median", max_age_days=10, bestsellers=2),
    OccasionRule(9, "category", "latest", bestsellers=4),
    OccasionRule(bestsellers=3, max_occasions=500),
    OccasionRule(3, "shop", bestsellers=2, max_occasions=300),
]
IDS = ["usual", "shop and median", "latest", "thinned", "shop thinned"]


def orders(seed: int = 0, n: int = 1_500) -> pd.DataFrame:
    """Order lines of two stores with gaps, cancellations, amounts in place of prices, and quantity discounts."""
    rng = np.random.default_rng(seed)
    product = rng.integers(0, 14, n)
    units = rng.integers(1, 6, n)
    day = np.sort(rng.integers(0, 90 * 86_400, n))
    price = np.round((4 + product) * (1 + 0.1 * ((product + day // 604_800) % 3)) * units**-0.2, 2)
    known = rng.random(n) < 0.6
    frame = pd.DataFrame(
        {
            "customer_id": [f"C{k:03d}" for k in rng.integers(0, 60, n)],
            "product_id": [f"P{k}" for k in product],
            "ordered_at": (pd.Timestamp("2025-01-06") + pd.to_timedelta(day, "s")).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "quantity": np.where(rng.random(n) < 0.05, "", units.astype(str)),
            "unit_price": np.where(known, price.astype(str), ""),
            "amount": np.where(rng.random(n) < 0.9, np.round(price * units, 2).astype(str), ""),
            "order_id": [f"R{k:05d}" for k in rng.permutation(n)],
            "store": rng.choice(["north", "south", ""], n, p=[0.6, 0.3, 0.1]),
            "category": np.where(rng.random(n) < 0.1, "", np.char.add("group ", (product % 3).astype(str))),
            "contact": [f"person{k}@example.org" for k in rng.integers(0, 60, n)],
        }
    )
    back = frame.iloc[rng.choice(n, 80, replace=False)].copy()
    back["order_id"] = "C" + back["order_id"].str[1:]
    back.iloc[:30, 3] = "-1"
    back.iloc[30:33, 0] = "nobody else"
    frame = pd.concat([frame, back, frame.iloc[:9]], ignore_index=True)
    frame.loc[3, "ordered_at"], frame.loc[5, "customer_id"], frame.loc[7, "quantity"] = "soon", "", "0"
    frame.loc[[11, 12], ["unit_price", "amount"]] = ["0", ""]
    frame.loc[40, "unit_price"] = "9000"
    return frame


def tables_beside(seed: int = 1) -> dict[str, pd.DataFrame]:
    """Customers, products and events of the same shop; the events hold no purchases."""
    rng = np.random.default_rng(seed)
    when = pd.Timestamp("2025-01-01") + pd.to_timedelta(rng.integers(0, 100 * 86_400, 400), "s")
    return {
        "customers": pd.DataFrame({"customer_id": [f"C{k:03d}" for k in range(55)], "age": rng.integers(20, 70, 55)}),
        "products": pd.DataFrame(
            {"product_id": [f"P{k}" for k in range(13)], "unit_cost": "2.5", "category": ["a", "b", "", *"abcdeabcde"]}
        ),
        "events": pd.DataFrame(
            {
                "customer_id": [f"C{k:03d}" for k in rng.integers(0, 70, 400)],
                "occurred_at": when.strftime("%Y-%m-%d %H:%M:%S"),
                "event_type": rng.choice(["view", "cart", "review"], 400),
                "product_id": [f"P{k}" for k in rng.integers(0, 16, 400)],
                "rating": rng.choice(["", "4"], 400),
                "clicks": rng.integers(1, 5, 400),
            }
        ),
    }


@pytest.mark.parametrize("rule", [RULES[0], *(pytest.param(rule, marks=pytest.mark.extra) for rule in RULES[1:])],
                         ids=IDS)  # fmt: skip
def test_orders_come_out_the_same(rule: OccasionRule) -> None:
    rename = Pseudonymizer(b"a key for this test").apply
    outcome = assert_same(
        {"orders": (as_csv(orders()), "orders.csv")}, TINY, occasions=rule, pseudonymize=rename, margin_assumption=0.3
    )
    assert outcome is not None
    messages = " ".join(finding.message for finding in outcome.report.findings)
    for words in ("reduced by a later cancellation", "cancels an order that is not in the file", "quantity is zero",
                  "computed as amount over quantity", "twice the units", "contact (e-mail addresses)",
                  "three times above or below"):  # fmt: skip
        assert words in messages
    assert ("fell to thinning" in messages) == (rule.max_occasions < 1_000)
    assert sum(outcome.report.rows_set_aside.values()) > 80


@pytest.mark.extra
@pytest.mark.parametrize("given", [("events",), ("customers", "products"), ("customers", "products", "events")])
@pytest.mark.parametrize("store", [True, False], ids=["stores", "one shop"])
def test_orders_with_other_tables_come_out_the_same(given: tuple[str, ...], store: bool) -> None:
    lines = orders(2) if store else orders(2).drop(columns=["store", "category"])
    beside = tables_beside()
    sources = {"orders": lines, **{table: beside[table] for table in given}}
    files = {table: (as_csv(frame), f"{table}.csv") for table, frame in sources.items()}
    outcome = assert_same(files, TINY, occasions=OccasionRule(bestsellers=3), excluded={"orders.contact": "no"})
    assert outcome is not None
    kinds = outcome.dataset.events["event_type"].value_counts()  # type: ignore[index]
    assert kinds["purchase"] == outcome.report.rows_kept["orders"]


@pytest.mark.extra
def test_events_that_hold_purchases_stay_as_they_are() -> None:
    beside = tables_beside()
    events = beside["events"].assign(event_type=["purchase", "view"] * 200)
    files = {"orders": (as_csv(orders(3, 600)), "orders.csv"), "events": (as_csv(events), "events.csv")}
    outcome = assert_same(files, TINY, occasions=OccasionRule(bestsellers=3))
    assert outcome is not None and len(outcome.dataset.events) < 401  # type: ignore[arg-type]


@pytest.mark.extra
def test_a_dirty_export_comes_out_the_same() -> None:
    made = dirty_orders(n_customers=60, n_weeks=12)
    assert_same({"orders": (made.content, "export.csv")}, TINY, occasions=OccasionRule(bestsellers=3))


@pytest.mark.extra
def test_orders_without_a_usable_line_or_price_are_refused_the_same() -> None:
    lines = orders(4, 200)
    assert assert_same({"orders": (as_csv(lines.assign(quantity="0")), "orders.csv")}, TINY) is None
    one = lines.assign(customer_id="C1", order_id="", quantity="1")
    assert assert_same({"orders": (as_csv(one.head(1)), "orders.csv")}, TINY) is None
    asked = lines.assign(unit_price=[f"1.{k:03d}" for k in range(len(lines))])
    assert assert_same({"orders": (as_csv(asked), "orders.csv")}, TINY, options=CleaningOptions()) is None


class Stopping:
    """Progress that asks to stop from a stage on."""

    def __init__(self, stage: str) -> None:
        self.stop_at = stage

    def stage(self, name: str, fraction: float, message: str = "") -> None:
        assert 0.0 <= fraction <= 1.0
        if name == self.stop_at:
            raise JobCancelled("The job was stopped at your request.")

    def metric(self, name: str, step: int, value: float) -> None:
        pass


def test_large_orders_are_stored_by_the_same_call_and_can_be_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PRICING_LARGE_MB", "0")
    monkeypatch.setenv("PRICING_ENGINE_MEMORY_MB", "200")
    ws, file = Workspace.open(tmp_path / "shop"), tmp_path / "orders.csv"
    file.write_bytes(as_csv(orders(5, 400)))
    for stage in ("Reading", "Building occasions", "Storing"):
        with pytest.raises(JobCancelled):
            workflows.import_files(ws, {"orders": file}, progress=Stopping(stage))
    assert datasets.latest_dataset_id(ws) is None
    assert not list(ws.temp_dir.iterdir())
    stored = workflows.import_files(ws, {"orders": file}, occasions=OccasionRule(bestsellers=2))
    assert not list(ws.temp_dir.iterdir())
    dataset = datasets.load_dataset(ws, stored.dataset_id)
    assert dataset.offers["customer_id"].str.match("c_").all()
    counts = dataset.manifest.evidence["counts"]
    assert counts["occasions"] == len(dataset.offers) and counts["lines"] == stored.report.rows_kept["orders"]


def test_cancellations_in_a_column_that_is_not_recognized_are_pointed_out_the_same() -> None:
    lines = orders(5, 700).drop(columns=["contact", "amount"]).assign(quantity="1")
    back = lines["order_id"].str.startswith("C")
    lines["Vorgang"] = ("1" + lines["order_id"].str[1:]).where(~back, lines["order_id"])
    outcome = assert_same({"orders": (as_csv(lines.drop(columns="order_id")), "orders.csv")}, TINY)
    assert outcome is not None
    told = [finding for finding in outcome.report.findings if finding.column == "Vorgang"]
    kept = ~np.isin(np.arange(len(lines)) + 2, outcome.set_aside["row_number"])
    count = lines["Vorgang"][back & kept].nunique()
    assert [finding.severity for finding in told] == ["warning"] and told[0].count == count > 9
    assert f"{count} different numbers start with C" in told[0].message and "Map it as order_id" in told[0].message
    few = lines.assign(Vorgang=lines["Vorgang"].where(~back | (np.arange(len(lines)) % 40 == 0), "77"))
    outcome = assert_same({"orders": (as_csv(few.drop(columns="order_id")), "orders.csv")}, TINY)
    assert outcome is not None
    messages = [finding.message for finding in outcome.report.findings]
    assert any("Map it as order_id" in message for message in messages)
    assert not any("unlike the others" in message for message in messages)
    mapped = assert_same({"orders": (as_csv(lines), "orders.csv")}, TINY)
    assert mapped is not None and not any("Map it" in finding.message for finding in mapped.report.findings)


def test_rows_that_share_their_keys_are_counted_after_cancellations_the_same() -> None:
    lines = orders(6, 700).drop(columns=["order_id", "contact"])
    lines = lines[lines["quantity"].ne("0") & lines["ordered_at"].ne("soon") & lines["customer_id"].ne("")]
    again = lines.iloc[100:104].assign(quantity="3")  # of one moment, and no copies
    back = lines.iloc[200:220].assign(quantity="-9")
    outcome = assert_same({"orders": (as_csv(pd.concat([lines, again, back])), "orders.csv")}, TINY)
    assert outcome is not None
    told = [each for each in outcome.report.findings if "ordered_at of another row" in each.message]
    whole = pd.concat([lines, again, back], ignore_index=True)
    kept = whole[~np.isin(np.arange(len(whole)) + 2, outcome.set_aside["row_number"])]
    keys = kept[["customer_id", "product_id", "ordered_at"]]
    assert [each.count for each in told] == [int(keys.duplicated(keep=False).sum())]
    assert 0 < told[0].count <= 2 * len(again)
