"""The lowest price of thirty days, false reductions, other violations, and the difference to the live list."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pandas as pd
import pytest

from pricing_core.pricelist import decisions, history, violations
from pricing_core.pricelist.difference import difference, kinds
from pricing_core.pricelist.products import product_facts
from pricing_core.pricelist.restore import restored
from tests.list_cases import price_frame, products_of

START = datetime(2030, 3, 31, tzinfo=UTC)


def _log(*rows: tuple[str, str, float]) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["product_id", "at", "price"])
    return frame.assign(at=pd.to_datetime(frame["at"], utc=True, format="ISO8601"))


def _lists(*rows: tuple[str, float, str, str | None]) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["product_id", "lowest_price", "start", "end"])
    return frame.assign(start=pd.to_datetime(frame["start"], utc=True), end=pd.to_datetime(frame["end"], utc=True))


def test_the_lowest_logged_price_within_thirty_days_counts() -> None:
    log = _log(
        ("tea", "2030-02-28", 5.0), ("tea", "2030-03-01", 8.0), ("tea", "2030-03-30", 9.0), ("cup", "2030-03-30", 3)
    )
    found = history.prior_prices(log, _lists(), START)
    assert found.to_dict() == {"tea": 8.0, "cup": 3.0}
    assert history.prior_prices(log, _lists(), START, days=31).to_dict() == {"tea": 5.0, "cup": 3.0}


def test_prices_on_the_day_itself_do_not_count() -> None:
    log = _log(("tea", "2030-03-30T23:59", 8.0), ("tea", "2030-03-31", 2.0))
    assert history.prior_prices(log, _lists(), START)["tea"] == 8.0


def test_lists_in_force_count_for_the_days_that_they_were_in_force() -> None:
    lists = _lists(
        ("tea", 6.0, "2030-02-01", "2030-03-01"),  # ended as the thirty days began
        ("tea", 7.0, "2030-03-01", "2030-03-10"),
        ("tea", 9.0, "2030-03-10", None),
        ("tea", 1.0, "2030-03-31", None),  # the new list itself
    )
    assert history.prior_prices(_log(), lists, START).to_dict() == {"tea": 7.0}


def test_the_price_that_the_log_ended_with_stays_until_a_list_takes_over() -> None:
    log = _log(("tea", "2029-11-01", 4.0), ("tea", "2029-12-20", 8.0), ("cup", "2030-01-05", 3.0))
    assert history.prior_prices(log, _lists(), START).to_dict() == {"tea": 8.0, "cup": 3.0}
    early = _lists(("tea", 9.0, "2030-02-01", None))  # covers all thirty days
    assert history.prior_prices(log, early, START).to_dict() == {"tea": 9.0, "cup": 3.0}
    late = _lists(("tea", 9.0, "2030-03-20", None))  # the log's price was in force for most of them
    assert history.prior_prices(log, late, START)["tea"] == 8.0


def test_a_reduction_from_more_than_the_lowest_price_is_false_and_named() -> None:
    frame = price_frame(4)  # today 10 20 30 40, new 11 18 33 36, lowest 9.5 19 28.5 38
    was = pd.Series([np.nan, 19.0, 28.51, 40.0])
    found = history.false_reductions(frame, was, "USD")
    assert found.to_dict("records") == [
        {"row": 2, "product_id": "p002", "new_price": 33.0, "was_price": 28.51, "prior_price_30d": 28.5},
        {"row": 3, "product_id": "p003", "new_price": 36.0, "was_price": 40.0, "prior_price_30d": 38.0},
    ]
    unknown = frame.assign(prior_price_30d=np.nan)
    assert history.false_reductions(unknown, was, "USD")["row"].tolist() == [1, 2, 3]


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("none", [None] * 4),
        ("current_price", [None, 20.0, None, 40.0]),  # only where it is above the new price
        ("list_price", [13.0, 26.0, 39.0, 52.0]),
        ("prior_price_30d", [None, 19.0, None, 38.0]),
    ],
)
def test_what_is_crossed_out(kind: str, expected: list[float | None]) -> None:
    frame = price_frame(4)
    found = history.was_price(frame, products_of(frame), kind)
    assert [None if pd.isna(value) else value for value in found] == expected
    if kind == "prior_price_30d":
        assert history.false_reductions(frame, found, "USD").empty
    assert history.was_price(frame, None, "list_price").isna().all()


def test_violations_are_found_after_the_decisions() -> None:
    frame = price_frame(5)
    change = decisions.changes([0, 1, 2], "overridden", [4.99, 15.99, 36.01], "trial")
    decided = decisions.merged(decisions.empty(), change, frame, actor=_maya(), now=START)
    review = decisions.applied(frame, decided)
    review.loc[4, "new_price"] = np.nan
    found = violations.find(review, history.was_price(review, None, "current_price"))
    assert found[["row", "kind", "blocking"]].values.tolist() == [
        [4, "no price", True],
        [0, "false reduction", True], [1, "false reduction", True], [3, "false reduction", True],
        [0, "below cost", False], [0, "below the allowed range", False], [1, "below the allowed range", False],
        [2, "above the allowed range", False],
    ]  # fmt: skip
    assert violations.counts(found) == {
        "no price": 1, "false reduction": 3, "below cost": 1, "below the allowed range": 2,
        "above the allowed range": 1,
    }  # fmt: skip
    exactly = frame.assign(new_price=frame["floor_price"] - 1e-9)
    assert violations.find(exactly, history.was_price(exactly, None, "none")).empty


def _maya():
    from tests.list_cases import MAYA

    return MAYA


def test_the_difference_to_the_live_list_is_by_product_segment_and_customer() -> None:
    live = price_frame(4, personal=True).iloc[[3, 0, 1]].reset_index(drop=True)
    here = price_frame(3, personal=True).iloc[[2, 1, 0]].reset_index(drop=True)
    here.loc[1, "new_price"] += 1.0
    found = difference(here, live)
    assert found[["product_id", "kind"]].values.tolist() == [
        ["p002", "only here"], ["p001", "raised"], ["p000", "unchanged"], ["p003", "only in the live list"],
    ]  # fmt: skip
    assert found["change"].tolist()[1] == pytest.approx(1.0)
    assert found["change_rate"].tolist()[1] == pytest.approx(1 / 18)
    assert kinds(found) == {"raised": 1, "unchanged": 1, "only here": 1, "only in the live list": 1}


def test_personal_prices_are_compared_with_the_live_price_for_everybody() -> None:
    here = price_frame(3, personal=True)
    live = price_frame(3).iloc[[0, 2]].assign(new_price=[11.0, 30.0])
    found = difference(here, live)
    assert found[["product_id", "kind"]].values.tolist() == [
        ["p000", "unchanged"], ["p001", "only here"], ["p002", "raised"],
    ]  # fmt: skip
    assert found["change"].tolist()[2] == pytest.approx(3.0)
    assert kinds(difference(live, here)) == {"only here": 2, "only in the live list": 3}


def test_prices_are_restored_against_what_is_live() -> None:
    earlier, live = price_frame(3), price_frame(2)
    live["new_price"] = [5.0, 6.0]
    found = restored(earlier, live, reason="Restores p0001")
    assert found["new_price"].tolist() == earlier["new_price"].tolist()
    assert found["current_price"].tolist() == [5.0, 6.0, 30.0]
    assert found["change_rate"].tolist() == pytest.approx([11 / 5 - 1, 18 / 6 - 1, 0.1])
    assert set(found["reason"]) == {"Restores p0001"}
    assert restored(earlier, None)["current_price"].tolist() == earlier["current_price"].tolist()


def test_what_is_known_of_products_comes_from_their_table_and_then_from_the_latest_offer() -> None:
    offers = pd.DataFrame(
        {
            "product_id": ["tea", "cup", "tea", "pot"],
            "offered_at": pd.to_datetime(["2030-01-03", "2030-01-01", "2030-01-02", "2030-01-01"], utc=True),
            "list_price": [12.0, 4.0, 11.0, np.nan],
            "category": ["drink", None, "drink", None],
        }
    )
    products = pd.DataFrame({"product_id": ["tea", "cup"], "list_price": [np.nan, 4.5], "brand": ["Grove", "Cedar"]})
    found = product_facts(offers, products).set_index("product_id")
    assert found["list_price"].to_dict() == pytest.approx({"tea": 12.0, "cup": 4.5, "pot": np.nan}, nan_ok=True)
    assert found.loc["tea", ["category", "brand"]].tolist() == ["drink", "Grove"]
    assert found.loc["pot", ["category", "brand"]].isna().all()
    assert product_facts(offers.drop(columns=["category", "list_price"]), None)["list_price"].isna().all()
