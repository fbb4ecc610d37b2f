"""Whatever stands in the cells: no row disappears, what is kept fits the schema, and errors are for people."""

from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pricing_core.data.importing import ImportBlocked, import_tables
from pricing_core.data.options import CleaningOptions
from pricing_core.data.validate import validate_table

_CELLS = st.one_of(
    st.none(),
    st.sampled_from(["", "1", "0", "-1", "1,5", "1.234,5", "NaN", "inf", "1e999", "=1+1", "007", "yes", "2025-01-01",
                     "31/12/2024", "2025-02-30", "1735776000", "9" * 30, "{x}", "99/99/9999", "0001-01-01"]),
    st.text(max_size=6),
    st.integers(-5, 10**12),
    st.floats(),
    st.booleans(),
    st.datetimes(),
)  # fmt: skip
_COLUMNS = ["customer_id", "product_id", "offered_at", "price", "purchased", "list_price", "promotion", "extra"]


_SPOILED = st.lists(st.tuples(st.integers(0, 119), st.sampled_from(_COLUMNS), _CELLS), max_size=30)
_SETTINGS = settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@settings(_SETTINGS, max_examples=25)
@given(spoiled=_SPOILED)
def test_every_row_is_kept_or_set_aside_with_a_reason(
    offers: pd.DataFrame, spoiled: list[tuple[int, str, object]]
) -> None:
    _check(offers, spoiled)


@pytest.mark.extra
@settings(_SETTINGS, max_examples=200)
@given(spoiled=_SPOILED)
def test_many_more_rows_are_kept_or_set_aside_with_a_reason(
    offers: pd.DataFrame, spoiled: list[tuple[int, str, object]]
) -> None:
    _check(offers, spoiled)


def _check(offers: pd.DataFrame, spoiled: list[tuple[int, str, object]]) -> None:
    frame = offers.assign(list_price="9.99", promotion="", extra="x").astype(object)
    for row, column, cell in spoiled:
        frame.at[row, column] = cell
    try:
        outcome = import_tables({"offers": frame}, options=CleaningOptions(date_order="day_first", decimal="point"))
    except ImportBlocked as blocked:
        report, set_aside = blocked.report, blocked.set_aside
    else:
        report, set_aside = outcome.report, outcome.set_aside
        validate_table("offers", outcome.dataset.offers)
    assert report.rows_in == {"offers": 120}
    assert report.rows_kept["offers"] + report.rows_set_aside["offers"] == 120
    assert len(set_aside) == report.rows_set_aside["offers"]
    assert set_aside["reason"].str.len().gt(0).all()
    assert set_aside["row_number"].between(2, 121).all()
    assert set_aside["row_number"].is_unique
