"""Accept, hold, override, and what follows from it."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pandas as pd
import pytest

from pricing_core.errors import ConfigError, PriceListError
from pricing_core.pricelist import decisions, filtering, table_edits
from pricing_core.pricelist.effects import MEASURES, EffectGrid
from pricing_core.pricelist.filtering import ListFilter
from tests.list_cases import MAYA, effect_grid, price_frame, products_of

NOW = datetime(2030, 3, 1, tzinfo=UTC)
NAN = float("nan")


def _decided(frame: pd.DataFrame, *args: object, **kwargs: object) -> pd.DataFrame:
    change = decisions.changes(*args, **kwargs)  # type: ignore[arg-type]
    return decisions.merged(decisions.empty(), change, frame, actor=MAYA, now=NOW)


def test_held_accepted_and_overridden_prices_and_what_follows_from_them() -> None:
    frame = price_frame(4)  # today 10 20 30 40, proposed 11 18 33 36
    decided = _decided(frame, [0, 2, 3], ["held", "accepted", "overridden"], [NAN, NAN, 42.5], ["", "", "rival left"])
    review = decisions.applied(frame, decided, effect_grid(frame))
    assert review["new_price"].tolist() == [10.0, 18.0, 33.0, 42.5]
    assert review["proposed_price"].tolist() == [11.0, 18.0, 33.0, 36.0]
    assert review["decision"].tolist() == ["held", "proposed", "accepted", "overridden"]
    assert review["change_rate"].tolist() == pytest.approx([0.0, -0.1, 0.1, 0.0625])
    assert review["margin_rate"].tolist() == pytest.approx([0.5, 1 - 10 / 18, 1 - 15 / 33, 1 - 20 / 42.5])
    assert review["expected_conversion_rate"].tolist() == pytest.approx([0.3, 0.3, 0.3, 0.6 - 0.3 * 1.0625])
    assert review["reason"].tolist() == [
        "Held at today's price by Maya (self-declared)", "best single price", "best single price",
        "Set by hand by Maya (self-declared): rival left",
    ]  # fmt: skip
    assert frame["new_price"].tolist() == [11.0, 18.0, 33.0, 36.0]
    assert decisions.counts(review) == {"proposed": 1, "accepted": 1, "held": 1, "overridden": 1}


def test_the_effect_of_a_price_outside_of_what_was_computed_is_unknown() -> None:
    frame = price_frame(2)
    decided = _decided(frame, [0], "overridden", 99.0, "trial")
    for effects in (effect_grid(frame), None):
        review = decisions.applied(frame, decided, effects)
        assert review[list(MEASURES)].iloc[0].isna().all()
        assert review[list(MEASURES)].iloc[1].tolist() == frame[list(MEASURES)].iloc[1].tolist()


def test_a_later_decision_replaces_an_earlier_one_and_can_be_taken_back() -> None:
    frame = price_frame(3)
    first = _decided(frame, [0, 1], "held")
    second = decisions.merged(
        first, decisions.changes([1, 2], ["overridden", "accepted"], [19.0, NAN], ["x", ""]), frame, actor=MAYA, now=NOW
    )
    assert second[["row", "decision"]].values.tolist() == [[0, "held"], [1, "overridden"], [2, "accepted"]]
    third = decisions.merged(second, decisions.changes([0, 1], "proposed"), frame, actor=MAYA, now=NOW)
    assert third[["row", "decision"]].values.tolist() == [[2, "accepted"]]
    none = decisions.merged(third, decisions.changes([2], "proposed"), frame, actor=MAYA, now=NOW)
    pd.testing.assert_frame_equal(none, decisions.empty())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (([1], "overridden", 5.0, "  "), r"An overridden price needs a reason: p001\. Write why, and save again\."),
        (([1], "overridden", 0.0, "x"), r"An overridden price is above zero: p001\."),
        (([1], "overridden", NAN, "x"), r"An overridden price is above zero: p001\."),
        (
            ([1], "overridden", 1e300, "x"),
            r"An overridden price is below 1,000,000,000,000 USD: p001\. Check the price",
        ),
        (([1], "overridden", 5.123, "x"), r"A price in USD has at most 2 decimals: p001\. Round the price\."),
        (([2], "held"), r"Today's price is not known and cannot be held: p002\. Accept the proposal or set a price\."),
        (([7], "held"), r"The list has 3 prices, and row 8 is asked for\."),
        (([-1], "held"), r"row 0 is asked for"),
        (([1, 1], "held"), "The same price is changed twice at once"),
        (([1], "keep"), r"A decision is one of proposed, accepted, held, overridden; received 'keep'\."),
        (([1], "accepted", NAN, "x" * 501), "A reason has at most 500 characters: p001"),
    ],
)
def test_a_change_that_cannot_be_made_names_the_product(change: tuple[object, ...], message: str) -> None:
    frame = price_frame(3)
    frame.loc[2, "current_price"] = np.nan
    with pytest.raises(PriceListError, match=message):
        _decided(frame, *change)


def test_many_products_are_named_by_the_first_five() -> None:
    with pytest.raises(PriceListError, match=r"p000 for c000, p001 for c001, .*p004 for c004 and 15 more\."):
        _decided(price_frame(20, personal=True), np.arange(20), "overridden", 5.0)


def test_yen_have_no_decimals() -> None:
    frame = price_frame(2, currency="JPY")
    assert _decided(frame, [0], "overridden", 9.0, "x")["price"].tolist() == [9.0]
    with pytest.raises(PriceListError, match="A price in JPY has at most 0 decimals"):
        _decided(frame, [0], "overridden", 9.5, "x")


def test_effects_between_the_tabulated_prices_are_read_off_a_straight_line() -> None:
    price = np.array([[1.0, 2.0, 4.0], [1.0, 1.0, 1.0]])
    grid = EffectGrid(price, {name: np.array([[0.0, 10.0, 0.0], [7.0, 7.0, 7.0]]) for name in MEASURES})
    rows = np.zeros(6, dtype=np.int64)
    found = grid.at(rows, np.array([1.0, 1.5, 2.0, 3.0, 4.0, 4.1]))["profit_low"]
    assert found.tolist()[:5] == [0.0, 5.0, 10.0, 5.0, 0.0] and np.isnan(found[5])
    assert grid.at(np.array([1]), np.array([1.0]))["profit_low"].tolist() == [7.0]
    again = EffectGrid.from_frame(grid.to_frame())
    assert again.price.tolist() == price.tolist() and again.values["profit_low"].tolist() == [[0, 10, 0], [7, 7, 7]]


def test_what_was_edited_in_the_table_becomes_changes() -> None:
    review = decisions.applied(price_frame(5), decisions.empty())
    review.index = pd.Index([4, 0, 2, 3, 1])
    after = review.copy()
    after.loc[0, "new_price"] = 12.5
    after.loc[0, "decision_reason"] = "rival"
    after.loc[2, "decision"] = "held"
    after.loc[3, ["decision", "decision_reason"]] = ["accepted", "agreed"]
    found = table_edits.edits(review, after)
    assert found[["row", "decision", "reason"]].values.tolist() == [
        [0, "overridden", "rival"], [2, "held", ""], [3, "accepted", "agreed"],
    ]  # fmt: skip
    assert found["price"].tolist()[0] == 12.5
    assert table_edits.edits(review, review.copy()).empty


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        ({"new_price": 12.5, "decision": "held"}, "p000 has another price and is to be held. Choose one"),
        ({"decision_reason": "because"}, "p000 has a reason and no decision. Accept, hold or override"),
    ],
)
def test_a_row_that_says_two_things_is_refused(cells: dict[str, object], message: str) -> None:
    review = decisions.applied(price_frame(2), decisions.empty())
    after = review.copy()
    for name, value in cells.items():
        after.loc[0, name] = value
    with pytest.raises(PriceListError, match=message):
        table_edits.edits(review, after)


def test_bulk_overrides_are_in_whole_cents_of_todays_price() -> None:
    review = decisions.applied(price_frame(4), decisions.empty())
    found = table_edits.in_bulk(review, np.array([1, 3]), "overridden", change=0.0333, reason="sale")
    assert found["price"].tolist() == [20.67, 41.33] and found["reason"].tolist() == ["sale", "sale"]
    assert table_edits.in_bulk(review, np.array([1]), "held")["decision"].tolist() == ["held"]


def test_filters_find_rows_and_sort_them() -> None:
    frame = price_frame(6)
    review = decisions.applied(frame, _decided(frame, [0, 1], "held"))
    facts = products_of(frame).set_index("product_id")["category"]
    category = review["product_id"].map(facts)

    def rows(**wanted: object) -> list[int]:
        found = filtering.matching(review, ListFilter(**wanted), category=category, violating=np.array([5]))  # type: ignore[arg-type]
        return [int(row) for row in found]

    assert rows() == [0, 1, 2, 3, 4, 5]
    assert rows(direction="raise") == [2, 4] and rows(direction="cut") == [3, 5] and rows(direction="keep") == [0, 1]
    assert rows(smallest_change=0.1) == [2, 3, 4, 5] and rows(smallest_change=0.11) == []
    assert rows(categories=("cup",)) == [1, 3, 5]
    assert rows(decisions=("held",), evidence=("measured",)) == [0]
    assert rows(only_violations=True) == [5]
    assert rows(text="P003") == [3] and rows(text="held at today") == [0, 1] and rows(text="[") == []
    assert rows(sort="deepest cut")[:2] == [3, 5] and rows(sort="highest raise")[:2] == [2, 4]
    assert rows(sort="lowest margin")[:2] == [3, 5]
    assert [int(row) for row in filtering.matching(review, ListFilter(categories=("cup",)))] == []
    for wrong in ({"direction": "up"}, {"sort": "x"}, {"decisions": ("x",)}, {"smallest_change": -1.0}):
        with pytest.raises(ConfigError):
            ListFilter(**wrong)  # type: ignore[arg-type]


def test_a_screen_shows_some_rows_and_says_where_it_is() -> None:
    rows = np.arange(250)
    page = filtering.screen(rows, 3, 100)
    assert (page.rows.tolist(), page.number, page.pages, page.matching) == (list(range(200, 250)), 3, 3, 250)
    assert filtering.screen(rows, 99, 100).number == 3
    empty = filtering.screen(rows[:0], 1, 100)
    assert (len(empty.rows), empty.pages) == (0, 1)
