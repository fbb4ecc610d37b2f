"""From dirty files to clean tables: every spoiled input gives its clear message, and no row disappears."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from pricing_core import schema
from pricing_core.data.importing import ImportBlocked, ImportOutcome, import_tables
from pricing_core.data.options import CleaningOptions
from pricing_core.errors import ConfigError, DataError, MappingError

AsCsv = Callable[..., tuple[bytes, str]]


def _messages(outcome: ImportOutcome) -> str:
    return "\n".join(outcome.report.to_frame()["message"])


def _balanced(outcome: ImportOutcome) -> None:
    report = outcome.report
    for table, rows in report.rows_in.items():
        assert rows == report.rows_kept[table] + report.rows_set_aside[table]
        assert report.rows_kept[table] == len(outcome.dataset.tables()[table])
    assert len(outcome.set_aside) == sum(report.rows_set_aside.values())


def test_clean_shop_is_imported_whole_with_canonical_types(offers: pd.DataFrame, as_csv: AsCsv) -> None:
    outcome = import_tables({"offers": as_csv(offers)}, name="small")
    frame = outcome.dataset.offers
    assert len(frame) == 120
    assert outcome.set_aside.empty
    assert str(frame["offered_at"].dtype) == "datetime64[us, UTC]"
    assert frame["purchased"].dtype == np.int8
    assert frame["price"].tolist()[:2] == [4.0, 5.0]
    assert frame["customer_id"].tolist()[:2] == ["000", "001"]
    purchases, variation = (finding.message for finding in outcome.report.findings)
    assert purchases == "Only 60 purchases."
    assert variation.startswith("6 of 6 products have too few offers or too little price variation")
    assert outcome.dataset.manifest.margin_assumption is None
    _balanced(outcome)


@pytest.mark.parametrize(
    ("column", "cell", "reason"),
    [
        ("price", "twelve", "price is not a number: 'twelve'"),
        ("price", "-3.50", "price is negative: '-3.50'"),
        ("price", "0", "price is zero"),
        ("price", "", "price is missing"),
        ("purchased", "maybe", "purchased is not yes or no (1 or 0): 'maybe'"),
        ("offered_at", "soon", "offered_at is not a time: 'soon'"),
        ("customer_id", " ", "customer_id is missing"),
    ],
)
def test_bad_cell_sets_the_row_aside_with_number_and_reason(
    offers: pd.DataFrame, as_csv: AsCsv, column: str, cell: str, reason: str
) -> None:
    offers.loc[6, column] = cell
    outcome = import_tables({"offers": as_csv(offers)})
    assert outcome.set_aside["row_number"].tolist() == [8]
    assert outcome.set_aside["reason"].tolist() == [reason]
    assert outcome.set_aside["product_id"].tolist() == ["p0"]
    finding = outcome.report.findings[0]
    assert (finding.severity, finding.column, finding.rows) == ("warning", column, (8,))
    assert "1 row was set aside: " in finding.message
    _balanced(outcome)


def test_several_reasons_of_one_row_are_all_named(offers: pd.DataFrame) -> None:
    offers.loc[0, ["price", "purchased"]] = ["x", "q"]
    outcome = import_tables({"offers": offers})
    assert outcome.set_aside["reason"].tolist() == [
        "price is not a number: 'x'; purchased is not yes or no (1 or 0): 'q'"
    ]
    assert outcome.report.rows_set_aside == {"offers": 1}


def test_duplicate_rows_are_set_aside_or_kept_by_choice(offers: pd.DataFrame, as_csv: AsCsv) -> None:
    doubled = pd.concat([offers, offers.iloc[[3, 5]]], ignore_index=True)
    outcome = import_tables({"offers": as_csv(doubled)})
    assert outcome.set_aside["row_number"].tolist() == [122, 123]
    assert outcome.set_aside["reason"].tolist() == ["repeats row 5", "repeats row 7"]
    assert "2 rows were set aside as duplicates: row 122 repeats row 5." in _messages(outcome)
    _balanced(outcome)
    kept = import_tables({"offers": as_csv(doubled)}, options=CleaningOptions(duplicates="keep"))
    assert len(kept.dataset.offers) == 122


def test_dates_without_zone_are_reported_and_follow_the_option(offers: pd.DataFrame) -> None:
    offers["offered_at"] = offers["offered_at"].str.replace("Z", "")
    outcome = import_tables({"offers": offers})
    assert "120 cells: times without a zone taken as UTC." in _messages(outcome)
    berlin = import_tables({"offers": offers}, options=CleaningOptions(timezone="Europe/Berlin"))
    shift = outcome.dataset.offers["offered_at"] - berlin.dataset.offers["offered_at"]
    assert set(shift) == {pd.Timedelta(hours=1)}


def test_formula_in_an_id_is_kept_as_text_and_reported(offers: pd.DataFrame, as_csv: AsCsv) -> None:
    offers["product_id"] = offers["product_id"].replace("p0", '=HYPERLINK("http://x";"y")')
    outcome = import_tables({"offers": as_csv(offers)})
    assert '=HYPERLINK("http://x";"y")' in set(outcome.dataset.offers["product_id"])
    assert "20 ids were kept as text though looking like a spreadsheet formula: '=HYPERLINK" in _messages(outcome)
    assert outcome.report.findings[0].rows[:2] == (2, 8)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        ({"purchased": "0"}, "None of the 120 offers was purchased."),
        (
            {"purchased": "1"},
            "Every one of the 120 offers was purchased: offers that were declined are missing.",
        ),
        ({"customer_id": "me"}, "All 120 offers went to one customer."),
        ({"price": "-1"}, "No usable rows are left in offers."),
        (
            {"price": "1,234"},
            "offers.price can be read in two ways: '1,234' can mean 1.234 or 1234. Choose the decimal sign.",
        ),
        (
            {"offered_at": "03/04/2025"},
            "can be read day first or month first. Choose the order of day and month.",
        ),
    ],
)
def test_useless_data_are_blocked_with_report(offers: pd.DataFrame, spoil: dict[str, str], message: str) -> None:
    with pytest.raises(ImportBlocked) as caught:
        import_tables({"offers": offers.assign(**spoil)})
    assert message in str(caught.value)
    assert isinstance(caught.value, DataError)
    assert len(caught.value.report.blocking) >= 1


def test_no_price_variation_blocks_and_all_blocking_messages_are_named(offers: pd.DataFrame) -> None:
    offers["price"] = offers["product_id"].str[1:].astype(int) + 1
    offers["customer_id"] = "me"
    with pytest.raises(ImportBlocked) as caught:
        import_tables({"offers": offers})
    assert "The price never varies: each of the 6 products was offered at one price only." in str(caught.value)
    assert "All 120 offers went to one customer." in str(caught.value)


def test_missing_column_names_file_and_columns(offers: pd.DataFrame, as_csv: AsCsv) -> None:
    with pytest.raises(MappingError) as caught:
        import_tables({"offers": as_csv(offers.drop(columns="price"))})
    assert str(caught.value).startswith(
        "offers.csv: the required column is missing: price. Columns found: customer_id,"
    )


def test_offers_are_required(offers: pd.DataFrame) -> None:
    with pytest.raises(MappingError, match="There is no offers table"):
        import_tables({"customers": offers})


def test_unknown_cost_needs_a_stated_margin(offers: pd.DataFrame) -> None:
    outcome = import_tables({"offers": offers.drop(columns="unit_cost")})
    assert outcome.dataset.manifest.margin_assumption == 0.30
    assert "a margin of 30% of the usual price is assumed for them." in _messages(outcome)
    products = pd.DataFrame({"product_id": [f"p{i}" for i in range(6)], "unit_cost": [1, 2, 3, 4, 5, None]})
    outcome = import_tables({"offers": offers.drop(columns="unit_cost"), "products": products}, margin_assumption=0.4)
    assert outcome.dataset.manifest.margin_assumption == 0.4
    assert "unknown for 20 of 120 offers; a margin of 40%" in _messages(outcome)
    with pytest.raises(ConfigError, match=r"The margin assumption is 1\.2"):
        import_tables({"offers": offers}, margin_assumption=1.2)


def test_outliers_follow_the_option(offers: pd.DataFrame) -> None:
    offers.loc[12, "price"] = "450"
    assert "1 price is more than three times" in _messages(import_tables({"offers": offers}))
    aside = import_tables({"offers": offers}, options=CleaningOptions(outliers="set_aside"))
    assert aside.set_aside["reason"].tolist() == ["price is far from the usual price of the product: '450.0'"]
    keep = import_tables({"offers": offers}, options=CleaningOptions(outliers="keep"))
    assert len(keep.dataset.offers) == 120
    assert "three times" not in _messages(keep)


def test_missing_numbers_follow_the_option(offers: pd.DataFrame) -> None:
    offers["list_price"] = [str(10 + row % 6) for row in range(120)]
    offers.loc[[0, 1], "list_price"] = ""
    kept = import_tables({"offers": offers}).dataset.offers
    assert kept["list_price"].isna().sum() == 2
    filled = import_tables({"offers": offers}, options=CleaningOptions(missing_numeric="median")).dataset.offers
    assert filled["list_price"].tolist()[:2] == [10.0, 11.0]
    aside = import_tables({"offers": offers}, options=CleaningOptions(missing_numeric="set_aside"))
    assert aside.set_aside["reason"].tolist() == ["list_price is missing"] * 2


def test_impossible_optional_values_become_missing_and_are_reported(offers: pd.DataFrame) -> None:
    offers["competitor_price"] = "5"
    offers.loc[[2, 3], "competitor_price"] = ["-1", "cheap"]
    outcome = import_tables({"offers": offers})
    assert outcome.dataset.offers["competitor_price"].isna().sum() == 2
    assert "1 value of competitor_price is zero or negative; taken as missing." in _messages(outcome)
    assert "not a number (such as 'cheap'); taken as missing." in _messages(outcome)
    assert len(outcome.dataset.offers) == 120


def test_an_instrument_may_be_any_number(offers: pd.DataFrame) -> None:
    offers["instrument"] = "0.5"
    offers.loc[[2, 3], "instrument"] = ["-1.25", "0"]
    outcome = import_tables({"offers": offers})
    assert outcome.dataset.offers["instrument"].iloc[[2, 3]].tolist() == [-1.25, 0.0]
    assert "negative" not in _messages(outcome)


def test_double_clicks_are_set_aside_and_purchases_are_not(offers: pd.DataFrame) -> None:
    events = pd.DataFrame(
        {
            "customer_id": ["000"] * 6,
            "occurred_at": pd.to_datetime(
                [f"2025-01-01T00:00:{s}Z" for s in ("00", "00.5", "05", "10", "10.4", "30")], format="ISO8601"
            ),
            "event_type": ["page_view", "view", "view", "purchase", "buy", "telepathy"],
            "product_id": ["p1"] * 6,
        }
    )
    outcome = import_tables({"offers": offers, "events": events})
    assert outcome.dataset.events is not None
    assert outcome.dataset.events["event_type"].tolist() == ["view", "view", "purchase", "purchase"]
    assert outcome.set_aside["reason"].tolist() == [
        "repeats the same event within 1 s",
        "event_type is not a known event: 'telepathy'",
    ]
    kept = import_tables({"offers": offers, "events": events}, options=CleaningOptions(noise="keep"))
    assert kept.report.rows_kept["events"] == 5


def test_rows_of_a_product_must_be_unique(offers: pd.DataFrame) -> None:
    products = pd.DataFrame({"product_id": ["p0", "p1", "p0"], "category": ["a", "b", "c"]})
    outcome = import_tables({"offers": offers, "products": products})
    assert outcome.set_aside["reason"].tolist() == ["repeats the product_id of row 2"]
    assert outcome.set_aside["row_number"].tolist() == [4]
    assert "4 products of offers are not in the products table." in _messages(outcome)
    _balanced(outcome)


def test_more_than_one_currency_is_blocked(offers: pd.DataFrame) -> None:
    offers["currency"] = ["USD", "EUR"] * 60
    with pytest.raises(ImportBlocked, match="more than one currency: EUR, USD"):
        import_tables({"offers": offers})


def test_malformed_rows_are_in_the_file_and_in_the_count(offers: pd.DataFrame) -> None:
    lines = offers.to_csv(index=False).splitlines()
    lines.insert(3, "too,short")
    outcome = import_tables({"offers": ("\n".join(lines).encode(), "o.csv")})
    assert outcome.set_aside[["row_number", "reason"]].values.tolist() == [[4, "has 2 cells where the header has 6"]]
    assert outcome.report.rows_in == {"offers": 121}
    _balanced(outcome)


def test_customer_ids_are_replaced_in_every_table_and_handed_back_in_the_rows_to_mend(offers: pd.DataFrame) -> None:
    def pseudonymize(ids: pd.Series) -> pd.Series:
        return ids.map(lambda text: "h" + hashlib.sha256(text.encode()).hexdigest()[:8])

    offers["customer_id"] = "secret" + offers["customer_id"]
    offers.loc[3, "price"] = "x"
    customers = pd.DataFrame({"customer_id": offers["customer_id"].unique(), "city": "Bonn"})
    outcome = import_tables({"offers": offers, "customers": customers}, pseudonymize=pseudonymize)
    assert "secret" not in "".join(frame.to_csv() for frame in outcome.dataset.tables().values())
    assert outcome.set_aside["customer_id"].tolist() == ["secret003"]
    assert outcome.dataset.customers is not None
    assert set(outcome.dataset.offers["customer_id"]) == set(outcome.dataset.customers["customer_id"])
    assert outcome.dataset.manifest.pseudonymized


def test_exclusions_are_checked_and_kept_under_canonical_names(offers: pd.DataFrame) -> None:
    offers = offers.rename(columns={"unit_cost": "cost"}).assign(region="north")
    outcome = import_tables({"offers": offers}, excluded={"offers.cost": "old", "offers.region": "not wanted"})
    assert outcome.dataset.manifest.excluded == {"offers.unit_cost": "old", "offers.region": "not wanted"}
    with pytest.raises(MappingError, match="offers has no column 'colour' to exclude"):
        import_tables({"offers": offers}, excluded={"offers.colour": "x"})


def test_further_columns_keep_their_name_and_get_a_type(offers: pd.DataFrame, as_csv: AsCsv) -> None:
    offers["visits"] = [str(row % 7) for row in range(120)]
    offers["zip"] = "01234"
    offers["since"] = "2024-05-06"
    offers["member"] = ["true", "false"] * 60
    offers["size"] = ["1", "2", "3+"] * 40
    frame = import_tables({"offers": as_csv(offers)}).dataset.offers
    assert frame["visits"].dtype == np.float64
    assert frame["zip"].tolist()[0] == "01234"
    assert str(frame["since"].dtype) == "datetime64[us, UTC]"
    assert frame["member"].tolist()[:2] == [1, 0]
    assert frame["size"].tolist()[2] == "3+"


def test_csv_and_frame_give_the_same_tables(offers: pd.DataFrame, as_csv: AsCsv) -> None:
    from_csv = import_tables({"offers": as_csv(offers, sep=";", encoding="utf-16")}).dataset.offers
    from_frame = import_tables({"offers": offers}).dataset.offers
    pd.testing.assert_frame_equal(from_csv, from_frame)


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"duplicates": "drop"}, "duplicates is 'drop'. Allowed are set_aside, keep."),
        ({"timezone": "Mars/Base"}, "The time zone is 'Mars/Base'."),
        ({"noise_seconds": -1.0}, "noise_seconds is -1.0."),
    ],
)
def test_wrong_option_is_named(setting: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        CleaningOptions(**setting)  # type: ignore[arg-type]
    assert message in str(caught.value)


def test_every_required_field_is_described() -> None:
    for table, fields in schema.FIELDS.items():
        names = [field.name for field in fields]
        assert len(set(names)) == len(names), table
        assert all(field.meaning.endswith(".") for field in fields)
