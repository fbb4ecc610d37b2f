"""Order lines that write or name a category otherwise than most lines of their product are counted."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from pricing_core.data.order_categories import commonest, merged_categories
from tests.engines.messy_shop import as_csv
from tests.engines.paths import TINY, assert_same


def pairs(*rows: tuple[str, str, int]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["product_id", "category", "count"])


def test_spellings_and_other_categories_are_counted_apart() -> None:
    given = pairs(
        ("P1", "Tea", 40), ("P1", "tea", 7), ("P1", "Tea ", 1), ("P1", "Coffee", 2), ("P2", "tea", 5), ("P2", "Tea", 5),
        ("P3", "Cocoa", 9),
    )  # fmt: skip
    assert commonest(given).to_dict() == {"P1": "Tea", "P2": "Tea", "P3": "Cocoa"}
    spelled, other = merged_categories(given)
    assert (spelled.severity, spelled.count, spelled.column) == ("info", 13, "category")
    assert spelled.message == (
        "13 order lines spell the category of their product in another way than most: 'tea' as 'Tea' (12 order lines); "
        "'Tea␣' as 'Tea' (1 order line)."
    )
    assert (other.severity, other.count) == ("warning", 2)
    assert other.message == (
        "2 order lines of 1 product name another category than most lines of the product: 2 order lines of P1 have "
        "'Coffee' beside 'Tea'."
    )


def test_one_line_has_its_verb_and_one_category_is_no_finding() -> None:
    [found] = merged_categories(pairs(("P1", "Tea", 2), ("P1", "TEA", 1)))
    assert found.message.startswith("1 order line spells the category of its product in another way than most: ")
    assert merged_categories(pairs(("P1", "Tea", 2), ("P2", "Coffee", 1))) == []


@pytest.mark.parametrize("own", [False, True])
def test_files_of_orders_tell_it_alike_whatever_their_size(own: bool) -> None:
    rng, n = np.random.default_rng(0), 600
    product = rng.integers(0, 6, n)
    lines = pd.DataFrame(
        {
            "customer_id": [f"C{k:02d}" for k in rng.integers(0, 25, n)],
            "product_id": [f"P{k}" for k in product],
            "ordered_at": (pd.Timestamp("2025-01-06") + pd.to_timedelta(np.sort(rng.integers(0, 60, n)), "D")).strftime(
                "%Y-%m-%d"
            ),
            "unit_price": np.round(4 + product + 0.1 * rng.integers(0, 4, n), 2).astype(str),
            "category": np.where(product < 3, "Tea", "Coffee"),
        }
    )
    lines.loc[lines.index[::20], "category"] = lines["category"].str.upper()
    lines.loc[7, "category"] = "Tea" if product[7] >= 3 else "Coffee"
    sources = {"orders": (as_csv(lines), "orders.csv")}
    if own:
        shop = pd.DataFrame({"product_id": [f"P{k}" for k in range(6)], "category": "Drinks"})
        sources["products"] = (as_csv(shop), "products.csv")
    outcome = assert_same(sources, TINY)
    assert outcome is not None
    told = {each.severity: each for each in outcome.report.findings if each.column == "category"}
    if own:  # the shop's own table says the category, whatever the orders say
        assert not told
        return
    assert told["info"].count == 30 and told["warning"].count == 1
    assert set(outcome.dataset.products["category"]) == {"Tea", "Coffee"}  # type: ignore[index]
