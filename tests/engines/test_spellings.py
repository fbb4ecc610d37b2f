"""One category in several spellings is pointed out, in small and large files alike."""

from __future__ import annotations

import numpy as np
import pytest

from pricing_core.data.spellings import spelled_alike
from pricing_core.engines.limits import Limits
from tests.data.test_checks import shelf_offers
from tests.engines.messy_shop import as_csv
from tests.engines.paths import DATABASE, TINY, USUAL, assert_same


@pytest.mark.parametrize("limits", [TINY, USUAL, DATABASE], ids=["tiny", "usual", "database"])
def test_spellings_of_a_category_are_counted_the_same(limits: Limits) -> None:
    offers, rng = shelf_offers(), np.random.default_rng(0)
    offers["till kind"] = rng.choice(["web", "WEB", "shop", "shop floor", ""], len(offers))
    offers["note"] = [f"Note {k}" if k % 2 else f"note {k - 1}" for k in range(1, len(offers) + 1)]  # no category
    customers = offers[["customer_id"]].drop_duplicates()
    customers["region"] = np.where(np.arange(len(customers)) % 9 == 0, "NORTH  east", "North East")
    sources = {"offers": (as_csv(offers), "offers.csv"), "customers": (as_csv(customers), "customers.csv")}
    outcome = assert_same(sources, limits)
    assert outcome is not None
    told = {f"{each.table}.{each.column}": each for each in outcome.report.findings if "spelled" in each.message}
    assert set(told) == {"offers.till kind", "customers.region"}
    counts = offers["till kind"].value_counts()
    found = told["offers.till kind"]
    assert found.severity == "warning" and found.count == counts["web"] + counts["WEB"]
    assert f"'WEB' ({counts['WEB']:,} rows) and 'web' ({counts['web']:,} rows)" in found.message
    assert "'shop" not in found.message


def test_texts_that_differ_in_more_than_letters_and_spaces_are_no_spellings() -> None:
    assert spelled_alike(["web", "Web ", "WEB", "web shop", "webshop"]) == [["WEB", "Web ", "web"]]
    assert spelled_alike(["Straße", "STRASSE", "Strasse 1"]) == [["STRASSE", "Straße"]]
    assert spelled_alike(["a", "b", "a"]) == []
