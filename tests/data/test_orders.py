"""Orders become choice occasions: against a naive rewriting of the rule, against known demand, without look-ahead."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pricing_core.data.importing import ImportBlocked, import_tables
from pricing_core.data.occasion_rule import OccasionRule
from pricing_core.data.occasions import build_occasions
from pricing_core.errors import ConfigError, DataError, MappingError

START = pd.Timestamp("2025-03-03", tz="UTC")
RULE = OccasionRule(period_days=7, max_age_days=14, bestsellers=2)


def order_lines(rows: list[tuple[str, str, float, float]], **columns: list[str]) -> pd.DataFrame:
    """Lines of (customer, product, day, price)."""
    customer, product, day, price = zip(*rows, strict=True)
    return pd.DataFrame(
        {
            "customer_id": pd.Series(customer, dtype="str"),
            "product_id": pd.Series(product, dtype="str"),
            "ordered_at": (START + pd.to_timedelta(day, unit="D")).astype("datetime64[us, UTC]"),
            "unit_price": np.array(price, dtype=float),
            "quantity": np.ones(len(rows)),
            **columns,
        }
    )


def by_the_book(lines: pd.DataFrame, rule: OccasionRule) -> set[tuple[str, str, float, float, int]]:
    """The rule once more, row by row and without any speed: (customer, product, day, price, purchased)."""
    lines = lines.assign(day=(lines["ordered_at"] - START).dt.total_seconds() / 86_400)
    lines["week"] = (lines["day"] // rule.period_days).astype(int)
    found = set()
    span = max(1, rule.max_age_days // rule.period_days)

    def price(rows: pd.DataFrame) -> float:
        count = Counter(rows["unit_price"])
        return min(p for p, n in count.items() if n == max(count.values()))

    for (customer, week), trip in lines.groupby(["customer_id", "week"]):
        earlier = lines[(lines["week"] < week) & (lines["week"] >= week - span)]
        now = lines[lines["week"] == week]
        on_offer = [
            p for p in sorted(lines["product_id"].unique())
            if now.loc[now["product_id"] == p, "customer_id"].nunique() >= 2 or (earlier["product_id"] == p).any()
        ]  # fmt: skip
        rank = sorted(on_offer, key=lambda p: (-int((earlier["product_id"] == p).sum()), p))[: rule.bestsellers]
        before = lines[(lines["week"] < week) & (lines["customer_id"] == customer)]["product_id"]
        for product in sorted(set(rank) | (set(before) & set(on_offer))):
            mine = trip["product_id"] == product
            others = now[(now["product_id"] == product) & (now["customer_id"] != customer)]
            if others.empty:
                same = earlier[earlier["product_id"] == product]
                if same.empty:
                    continue
                others = same[same["week"] == same["week"].max()]
            found.add((customer, product, float(trip["day"].min()), price(others), int(mine.any())))
    return found


def as_set(offers: pd.DataFrame) -> set[tuple[str, str, float, float, int]]:
    day = (offers["offered_at"] - START).dt.total_seconds() / 86_400
    return set(zip(offers["customer_id"], offers["product_id"], day, offers["price"], offers["purchased"], strict=True))


LINES = st.lists(
    st.tuples(
        st.sampled_from(["a", "b", "c", "d"]),
        st.sampled_from(["P", "Q", "R"]),
        st.integers(0, 34).map(float),
        st.sampled_from([4.0, 5.0, 6.0]),
    ),
    min_size=4,
    max_size=40,
)


Rows = list[tuple[str, str, float, float]]
FIRST = [("a", "P", 0.0, 4.0), ("b", "P", 0.0, 4.0), ("c", "P", 1.0, 5.0)]


def check_rule(rows: Rows) -> None:
    lines = order_lines([*FIRST, *rows])
    assert as_set(build_occasions(lines, RULE).offers) == by_the_book(lines, RULE)


def check_no_look_ahead(rows: Rows, weeks: int) -> None:
    lines, end = order_lines([*FIRST, *rows]), START + pd.Timedelta(days=7 * weeks)
    whole = build_occasions(lines, RULE).offers
    past = build_occasions(lines[lines["ordered_at"] < end], RULE).offers
    assert as_set(whole[whole["offered_at"] < end]) == as_set(past)


@settings(max_examples=20, deadline=None)
@given(LINES)
def test_the_rule_is_the_rule(rows: Rows) -> None:
    check_rule(rows)


@settings(max_examples=10, deadline=None)
@given(LINES, st.integers(1, 4))
def test_nothing_after_a_period_changes_its_occasions(rows: Rows, weeks: int) -> None:
    check_no_look_ahead(rows, weeks)


@pytest.mark.extra
@settings(max_examples=100, deadline=None)
@given(LINES, st.integers(1, 4))
def test_many_more_orders_follow_the_rule_and_look_at_nothing_later(rows: Rows, weeks: int) -> None:
    check_rule(rows)
    check_no_look_ahead(rows, weeks)


def test_the_price_leaves_out_the_own_lines_and_carries_the_last_known_one() -> None:
    lines = order_lines([("a", "P", 0, 4), ("b", "P", 1, 4), ("c", "P", 2, 6), ("c", "P", 3, 6), ("a", "P", 8, 9)])
    offers = build_occasions(lines, RULE).offers.set_index(["customer_id", "offered_at"])
    first = {customer: offers.loc[customer, "price"].iloc[0] for customer in "abc"}
    assert first == {"a": 6.0, "b": 6.0, "c": 4.0}
    later = offers.loc["a"].iloc[1]
    assert later["price"] == 4.0  # the commonest price of the week before; two lines at 6 are as many, 4 is lower
    assert (later["price_source"], later["price_age_days"]) == ("carried from an earlier period", 7.0)


def test_prices_and_choice_sets_stay_within_a_store_and_a_category() -> None:
    rows = [("a", "P", 0, 4), ("b", "P", 0, 4), ("a", "Q", 1, 7), ("b", "Q", 1, 7), ("c", "P", 2, 5), ("d", "P", 2, 5)]
    lines = order_lines(rows, store=["n", "n", "n", "n", "s", "s"], category=["x", "x", "y", "y", "x", "x"])
    offers = build_occasions(lines, RULE).offers
    north = offers[offers["store"] == "n"]
    assert set(north.loc[north["product_id"] == "P", "price"]) == {4.0}
    assert offers["purchased"].all()  # nobody was in the market of a category without buying its only product
    shop = build_occasions(lines, OccasionRule(period_days=7, scope="shop", bestsellers=2)).offers
    assert len(shop) == 6
    only_x = order_lines([*rows, ("e", "P", 3, 4)], store=["n"] * 4 + ["s"] * 2 + ["n"], category=[*"xxyyxx", "x"])
    wide = build_occasions(only_x, OccasionRule(period_days=7, scope="shop", bestsellers=2)).offers
    declined = wide[(wide["customer_id"] == "e") & (wide["purchased"] == 0)]
    assert declined["product_id"].tolist() == ["Q"]


def test_views_put_customers_into_the_market_too() -> None:
    lines = order_lines([("a", "P", 0, 4), ("b", "P", 0, 4), ("c", "P", 8, 4)])
    seen = pd.DataFrame(
        {
            "customer_id": ["c", "c", "x"],
            "product_id": ["P", "P", "P"],
            "event_type": ["view", "purchase", "view"],
            "occurred_at": START + pd.to_timedelta([2.0, 3.0, 2.0], unit="D"),
        }
    )
    offers = build_occasions(lines, RULE, visits=seen).offers
    declined = offers[offers["purchased"] == 0]
    assert declined["customer_id"].tolist() == ["c"]
    assert declined["offered_at"].iloc[0] == START + pd.Timedelta(days=2)


@pytest.fixture(scope="module")
def shop() -> tuple[pd.DataFrame, float]:
    """Orders of customers who see weekly shelf prices, and their true own-price elasticity at the usual price."""
    rng = np.random.default_rng(5)
    n_customers, n_weeks, products = 700, 40, [f"P{k}" for k in range(6)]
    usual = np.array([4.0, 5.0, 6.0, 7.0, 8.0, 9.0])
    price = np.round(usual * np.exp(rng.choice([-0.25, -0.1, 0.0, 0.1], (n_weeks, 6))), 2)
    slope, taste = 2.5, rng.normal(-0.8, 0.7, (n_customers, 6))
    rows = []
    for week in range(n_weeks):
        x = price[week] / usual
        buys = rng.random((n_customers, 6)) < 1 / (1 + np.exp(-(taste - slope * (x - 1))))
        for c, j in np.argwhere(buys):
            rows.append((f"c{c}", products[j], 7 * week + rng.integers(0, 7), price[week, j]))
    level = 1 / (1 + np.exp(-taste))
    return order_lines(rows), float(-slope * (level * (1 - level)).sum() / level.sum())


def test_the_reaction_to_shelf_prices_is_found_from_orders_alone(shop: tuple[pd.DataFrame, float]) -> None:
    lines, truth = shop
    outcome = import_tables({"orders": lines}, currency="USD")
    evidence = outcome.dataset.manifest.evidence
    found = evidence["sensitivity"][0]
    assert found["variant"] == "as chosen"
    # Shoppers who bought nothing at all in a week are not seen, which makes the reaction look a little weaker.
    assert truth * 1.15 < found["elasticity"] < truth * 0.75
    offers = outcome.dataset.offers
    assert offers["purchased"].mean() < 0.6
    personal = [f for f in outcome.report.findings if "prices look personal" in f.message]
    assert not personal
    assert outcome.dataset.events["event_type"].eq("purchase").all()
    assert len(outcome.dataset.events) == len(lines)


def test_how_a_price_was_found_never_becomes_a_feature(shop: tuple[pd.DataFrame, float]) -> None:
    from pricing_core.data.columns import classify_columns

    dataset = import_tables({"orders": shop[0]}, currency="USD").dataset
    used = {use.column for use in classify_columns(dataset) if use.used}
    assert not used & {"price_source", "price_age_days", "quantity"}


def test_personal_prices_are_pointed_out() -> None:
    rng = np.random.default_rng(1)
    rows = [(f"c{k % 40}", f"P{k % 3}", float(k % 28), float(np.round(rng.uniform(4, 6), 2))) for k in range(400)]
    found = import_tables({"orders": order_lines(rows)}, currency="USD").report.findings
    assert any("prices look personal" in finding.message for finding in found)


def raw_orders() -> pd.DataFrame:
    rows = [
        ("1001", "a", "P", "2025-03-03", "2", "8.00"),
        ("1002", "b", "P", "2025-03-03", "1", "4.00"),
        ("1003", "c", "P", "2025-03-04", "3", "12.00"),
        ("C1004", "c", "P", "2025-03-05", "-1", "-4.00"),
        ("1005", "d", "Q", "2025-03-05", "1", "5.00"),
        ("C1006", "d", "Q", "2025-03-06", "-1", "-5.00"),
        ("C1007", "e", "Q", "2025-03-06", "-1", "-5.00"),
        ("1008", "", "Q", "2025-03-06", "1", "5.00"),
        ("1009", "f", "Q", "2025-03-06", "0", "0"),
        ("1010", "g", "Q", "2025-03-06", "1", "5.50"),
        ("1011", "h", "Q", "2025-03-07", "1", "5.00"),
        ("1012", "a", "Q", "2025-03-07", "1", ""),
        ("1013", "a", "P", "2025-03-12", "1", "5.00"),
    ]
    return pd.DataFrame(rows, columns=["Invoice", "Customer", "SKU", "Date", "Qty", "Amount"])


def test_cancellations_net_out_their_orders_and_no_row_is_lost() -> None:
    outcome = import_tables({"orders": raw_orders()}, currency="USD")
    report = outcome.report
    assert report.rows_in["orders"] == 13
    assert report.rows_kept["orders"] + report.rows_set_aside["orders"] == 13
    reasons = outcome.set_aside.set_index("row_number")["reason"].to_dict()
    assert reasons == {
        5: "cancels an earlier order, which was reduced by it",
        6: "the order was cancelled later",
        7: "cancels an earlier order, which was reduced by it",
        8: "cancels an order that is not in the file",
        9: "customer_id is missing",
        10: "quantity is zero; neither unit_price nor amount is given",
        13: "neither unit_price nor amount is given",
    }
    offers = outcome.dataset.offers
    bought = offers[offers["purchased"] == 1].set_index(["customer_id", "product_id"])
    assert bought.loc[[("c", "P")], "quantity"].tolist() == [2.0]
    assert "d" not in set(offers["customer_id"])
    assert bought.loc[[("a", "P")], "price"].tolist() == [4.0, 4.0]  # the second week has nobody else: carried


def test_orders_and_offers_exclude_each_other() -> None:
    with pytest.raises(MappingError, match="Both offers and orders were given"):
        import_tables({"orders": raw_orders(), "offers": raw_orders()})
    with pytest.raises(MappingError, match="or the shop's orders"):
        import_tables({"customers": pd.DataFrame({"customer_id": ["a"]})})


def test_orders_of_one_customer_say_what_is_missing() -> None:
    with pytest.raises(DataError, match="no product has a price that is known from another customer"):
        import_tables({"orders": raw_orders().head(1)})
    with pytest.raises(ImportBlocked, match="offers went to one customer"):
        import_tables({"orders": raw_orders().assign(Customer="a", Invoice="1")})


def test_quantity_discounts_are_pointed_out() -> None:
    rng = np.random.default_rng(2)
    quantity = rng.integers(1, 20, 300)
    frame = pd.DataFrame(
        {
            "customer_id": [f"c{k % 50}" for k in range(300)],
            "product_id": [f"P{k % 4}" for k in range(300)],
            "date": (START + pd.to_timedelta(np.arange(300) % 60, unit="D")).strftime("%Y-%m-%d"),
            "quantity": quantity.astype(str),
            "unit_price": [f"{10 * q**-0.2:.2f}" for q in quantity],
        }
    )
    found = import_tables({"orders": frame}, currency="USD").report.findings
    message = next(f.message for f in found if "falls with the quantity" in f.message)
    assert message.startswith("The price per unit falls with the quantity: twice the units, -13%")


def test_thinning_keeps_whole_trips_and_never_looks_at_the_outcome(shop: tuple[pd.DataFrame, float]) -> None:
    lines, _ = shop
    whole = build_occasions(lines, OccasionRule(bestsellers=6))
    thin = build_occasions(lines, OccasionRule(bestsellers=6, max_occasions=20_000))
    assert 15_000 < len(thin.offers) < 1.1 * 20_000 < len(whole.offers)
    assert as_set(thin.offers) <= as_set(whole.offers)
    rate, all_rate = thin.offers["purchased"].mean(), whole.offers["purchased"].mean()
    assert abs(rate - all_rate) < 4 * np.sqrt(all_rate * (1 - all_rate) / len(thin.offers))
    assert thin.counts["lines_thinned"] > 0


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"period_days": 0}, "period_days is 0. It must be a whole number of at least 1."),
        ({"scope": "store"}, "scope is 'store'. Allowed are category, shop."),
        ({"price_source": "mean"}, "price_source is 'mean'. Allowed are modal, median, latest."),
    ],
)
def test_assumptions_are_validated(change: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError) as refused:
        OccasionRule(**change)
    assert str(refused.value) == message
