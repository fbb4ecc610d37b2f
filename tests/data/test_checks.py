"""What the quality report finds in a shop that was spoiled one way at a time, and what the repairs do about it."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from pricing_core.data.importing import ImportOutcome, import_tables
from pricing_core.data.quality import Finding
from pricing_core.data.repairs import apply_repairs
from pricing_core.errors import DataError


def shelf_offers(days: int = 84, per_day: int = 12, seed: int = 4) -> pd.DataFrame:
    """Offers of three products whose shelf prices change on Mondays; 2025-01-06 is a Monday."""
    rng = np.random.default_rng(seed)
    rows = []
    price = {"P0": 5.0, "P1": 8.0, "P2": 12.0}
    for day in range(days):
        if day % 7 == 0:
            price = {name: float(np.round(base * rng.choice([0.85, 0.95, 1.05, 1.15]), 2)) for name, base in
                     (("P0", 5), ("P1", 8), ("P2", 12))}  # fmt: skip
        for k in range(per_day):
            product = f"P{k % 3}"
            time = pd.Timestamp("2025-01-06", tz="UTC") + pd.Timedelta(days=day, hours=8 + k)
            rows.append((f"c{rng.integers(0, 40)}", product, time, price[product], int(rng.random() < 0.3)))
    return pd.DataFrame(rows, columns=["customer_id", "product_id", "offered_at", "price", "purchased"])


def imported(offers: pd.DataFrame, **tables: pd.DataFrame) -> ImportOutcome:
    return import_tables({"offers": offers, **tables}, currency="USD")


def finding(outcome: ImportOutcome, words: str) -> Finding:
    """The one finding whose message has these words."""
    found = [each for each in outcome.report.findings if words in each.message]
    assert len(found) == 1, [each.message for each in outcome.report.findings]
    return found[0]


def silent(outcome: ImportOutcome, words: str) -> bool:
    return not any(words in each.message for each in outcome.report.findings)


def test_a_clean_shop_raises_no_suspicion() -> None:
    outcome = imported(shelf_offers())
    kinds = ("or below the usual", "below unit cost", "for a moment", "out of stock", "No offers for", "another day")
    for words in kinds:
        assert silent(outcome, words)
    assert all(not each.repair for each in outcome.report.findings)


def test_prices_below_cost_are_counted_with_their_rows_and_can_be_set_aside() -> None:
    offers = shelf_offers().assign(unit_cost=2.0)
    offers.loc[[3, 10], "unit_cost"] = 50.0
    outcome = imported(offers)
    found = finding(outcome, "below unit cost")
    assert (found.count, found.rows, found.repair) == (2, (5, 12), "below_cost")
    repaired = apply_repairs(outcome.dataset, ["below_cost"])
    assert len(repaired.dataset.offers) == len(offers) - 2
    assert repaired.set_aside["row_number"].tolist() == [5, 12]
    assert set(repaired.set_aside["reason"]) == {"set aside: price below unit cost"}
    assert repaired.dataset.manifest.repairs == ["below_cost"]


def test_costs_of_the_products_table_count_too() -> None:
    products = pd.DataFrame({"product_id": ["P0", "P1", "P2"], "unit_cost": [1.0, 100.0, 1.0]})
    outcome = imported(shelf_offers(), products=products)
    assert finding(outcome, "below unit cost").count == (shelf_offers()["product_id"] == "P1").sum()


def test_a_momentary_price_is_found_and_a_lasting_one_is_not() -> None:
    offers = shelf_offers()
    slips = offers.index[(offers["product_id"] == "P2")][100:102]
    offers.loc[slips, "price"] = 1.2
    outcome = imported(offers)
    assert finding(outcome, "lasted for a moment").count == 2
    lasting = shelf_offers()
    lasting.loc[lasting.index[(lasting["product_id"] == "P2")][100:140], "price"] = 1.2
    assert silent(imported(lasting), "lasted for a moment")


def test_refusals_without_stock_are_found_and_purchases_are_not() -> None:
    offers = shelf_offers().assign(stock=5)
    offers.loc[:19, "stock"] = 0
    outcome = imported(offers)
    declined = int((offers.loc[:19, "purchased"] == 0).sum())
    assert finding(outcome, "out of stock").count == declined
    assert len(apply_repairs(outcome.dataset, ["out_of_stock"]).dataset.offers) == len(offers) - declined


def test_gaps_in_time_name_the_longest() -> None:
    offers = shelf_offers()
    day = offers["offered_at"].dt.floor("D")
    hole = offers[~day.between("2025-02-01", "2025-02-12")]
    message = finding(imported(hole), "No offers for more").message
    assert message == (
        "No offers for more than 7 days, once; the longest gap is from 2025-01-31 to 2025-02-13 (13 days)."
    )


@pytest.mark.parametrize(("days", "told"), [(100, False), (364, True), (600, False)])
def test_a_log_too_short_for_seasons_is_told_where_one_would_expect_them(days: int, told: bool) -> None:
    outcome = imported(shelf_offers(days=days, per_day=1))
    found = [each for each in outcome.report.findings if "the time of year is learned" in each.message]
    assert len(found) == told
    if told:
        assert found[0].severity == "info"
        assert found[0].message == "The log covers 363 days; the time of year is learned from 430 days on."


def test_a_change_of_price_on_an_odd_day_is_named() -> None:
    offers = shelf_offers(days=140)
    day = offers["offered_at"].dt.floor("D")
    odd = (offers["product_id"] == "P1") & day.between("2025-03-06", "2025-03-09")
    offers.loc[odd, "price"] = 7.77
    message = finding(imported(offers), "another day than").message
    assert "than Monday, when this shop changes its prices (such as P1 on 2025-03-06)" in message


def test_a_product_that_teaches_too_little_says_how_much_would_be_enough() -> None:
    offers = shelf_offers(days=280, per_day=60)
    few = shelf_offers(days=21, per_day=3, seed=9).assign(product_id="rare")
    outcome = imported(pd.concat([offers, few], ignore_index=True))
    message = finding(outcome, "to tell their own reaction").message
    own = few["purchased"].sum() + 0.3
    rate, variance = own / (len(few) + 1), np.log(few["price"]).var()
    needed = (1 - rate) / (rate * variance * 0.25)
    said = int(message.split(" offers would be enough")[0].split()[-1].replace(",", ""))
    assert said == pytest.approx(needed, rel=0.03)
    assert "rare has 63 offers" in message


def test_personal_columns_can_be_taken_out_and_protected_ones_are_named() -> None:
    customers = pd.DataFrame(
        {
            "customer_id": [f"c{k}" for k in range(40)],
            "email": [f"k{k}@shop.example" for k in range(40)],
            "gender": ["f", "m"] * 20,
            "city": ["Ulm", "Bonn"] * 20,
        }
    )
    outcome = imported(shelf_offers(), customers=customers)
    found = finding(outcome, "e-mail addresses")
    assert found.repair == "drop customers.email"
    assert finding(outcome, "protected attribute").message == "gender is a protected attribute of people."
    repaired = apply_repairs(outcome.dataset, [found.repair]).dataset
    assert repaired.customers is not None and "email" not in repaired.customers.columns
    assert len(repaired.offers) == len(outcome.dataset.offers)
    assert "email" in outcome.dataset.customers.columns  # the version as imported stays


def test_repairs_do_not_depend_on_their_order() -> None:
    offers = shelf_offers().assign(unit_cost=2.0, stock=3)
    offers.loc[:9, "unit_cost"] = 50.0
    offers.loc[5:14, "stock"] = 0
    dataset = imported(offers).dataset
    one = apply_repairs(dataset, ["below_cost", "out_of_stock"]).dataset.offers
    two = apply_repairs(dataset, ["out_of_stock", "below_cost"]).dataset.offers
    pd.testing.assert_frame_equal(one, two)


def test_a_repair_that_leaves_nothing_is_refused() -> None:
    dataset = imported(shelf_offers().assign(unit_cost=1000.0)).dataset
    with pytest.raises(DataError, match="After this repair no prices could be learned: No usable rows"):
        apply_repairs(dataset, ["below_cost"])
    with pytest.raises(DataError, match="There is no repair 'wash'"):
        apply_repairs(dataset, ["wash"])
