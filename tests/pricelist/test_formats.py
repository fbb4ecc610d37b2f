"""Each format against its platform's documented rules, read back by readers that share nothing with the writers."""

from __future__ import annotations

import io
import re
from decimal import Decimal

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
import pytest
from openpyxl import load_workbook

from pricing_core.errors import ConfigError, DataError
from pricing_core.pricelist.build import COLUMNS
from pricing_core.pricelist.formats import FORMATS, ExportOptions, write
from pricing_core.pricelist.preflight import counts, preflight
from pricing_core.pricelist.undo import undo_file

from .list_cases import catalog, price_list

TITLED = ExportOptions(catalog=catalog(title=["Green tea", "Mug, large", 'The "Pot"']))
SHOPS = ["shopify", "shopify_legacy", "woocommerce", "magento", "google_merchant"]
NATIVE = ["csv", "excel_csv", "xlsx", "parquet"]


def read(content: bytes, delimiter: str = ",") -> list[dict[str, str]]:
    """Rows of a delimited file, by Arrow's reader, every cell as text."""
    header = content.split(b"\r\n", 1)[0].removeprefix(b"\xef\xbb\xbf").decode().split(delimiter)
    table = pa.csv.read_csv(
        io.BytesIO(content),
        parse_options=pa.csv.ParseOptions(delimiter=delimiter, newlines_in_values=True),
        convert_options=pa.csv.ConvertOptions(
            column_types=dict.fromkeys(header, pa.string()), strings_can_be_null=False
        ),
    )
    return table.to_pylist()


def test_shopify_has_the_columns_of_its_product_file_and_no_cell_that_would_erase_something() -> None:
    file = write("shopify", price_list([9.5, 10.0, 11.25]), currency="USD", options=TITLED)
    assert file.data.decode("utf-8") == (
        "Title,URL handle,SKU,Option1 name,Option1 value,Price\r\n"
        "Green tea,a1,A1,Title,Default Title,9.50\r\n"
        '"Mug, large",a2,A2,Title,Default Title,10.00\r\n'
        '"The ""Pot""",a3,A3,Title,Default Title,11.25\r\n'
    )
    assert (file.name, file.mime, file.rows, file.left_out) == ("price_list_shopify.csv", "text/csv", 3, 0)
    assert "Compare-at prices stay as they are in your shop" in " ".join(file.notes)


def test_older_shopify_has_the_older_names() -> None:
    file = write("shopify_legacy", price_list([9.5, 10.0, 11.25]), currency="USD", options=TITLED)
    assert file.data.split(b"\r\n")[0] == b"Handle,Title,Option1 Name,Option1 Value,Variant SKU,Variant Price"
    assert [row["Variant Price"] for row in read(file.data)] == ["9.50", "10.00", "11.25"]


@pytest.mark.parametrize(
    ("format", "header"), [("shopify", "Compare-at price"), ("shopify_legacy", "Variant Compare At Price")]
)
def test_a_compare_at_price_is_the_lowest_of_thirty_days_or_none(format: str, header: str) -> None:
    listed = price_list([9.0, 9.0, 9.0], prior_price_30d=[9.5, 9.0, np.nan])
    options = ExportOptions(catalog=TITLED.catalog, announce_reductions=True)
    rows = read(write(format, listed, currency="USD", options=options).data)
    assert [row[header] for row in rows] == ["9.50", "", ""], "never the current price of 10.00"


def test_shopify_refuses_products_whose_title_is_not_known_unless_ids_may_stand_for_it() -> None:
    with pytest.raises(DataError, match="The title is not known, and Shopify requires it"):
        write("shopify", price_list([9.0]), currency="USD")
    file = write("shopify", price_list([9.0]), currency="USD", options=ExportOptions(id_as_title=True))
    assert read(file.data)[0]["Title"] == "A1"
    assert "importing them renames products" in " ".join(file.notes)


def test_woocommerce_sets_the_regular_price_and_leaves_no_old_sale_in_force() -> None:
    file = write("woocommerce", price_list([9.5, 10.0]), currency="USD")
    assert file.data == b"SKU,Sale price,Regular price\r\nA1,,9.50\r\nA2,,10.00\r\n"
    listed = price_list([9.0, 9.0], prior_price_30d=[9.5, 8.0])
    announced = write("woocommerce", listed, currency="USD", options=ExportOptions(announce_reductions=True))
    assert announced.data == b"SKU,Sale price,Regular price\r\nA1,9.00,9.50\r\nA2,,9.00\r\n"


def test_woocommerce_finds_skus_that_look_like_formulas_again() -> None:
    file = write("woocommerce", price_list([9.0], product_id=["=1+1"]), currency="USD")
    assert read(file.data)[0]["SKU"] == "'=1+1", "its importer takes away an apostrophe before = + - @"
    held = preflight("woocommerce", price_list([9.0], product_id=["'=1"]), currency="USD")
    assert "takes away the apostrophe" in held["problem"].iloc[0]


def test_magento_has_a_tier_price_for_each_customer_group() -> None:
    listed = price_list([9.0, 8.0, 9.5], product_id=["A1", "A1", "A2"], segment_id=["loyal", "new", None])
    options = ExportOptions(customer_groups={"loyal": "VIP", "new": "General"})
    file = write("magento", listed, currency="USD", options=options)
    assert file.data.decode() == (
        "sku,tier_price_website,tier_price_customer_group,tier_price_qty,tier_price,tier_price_value_type\r\n"
        "A1,All Websites [USD],VIP,1,9.00,Fixed\r\n"
        "A1,All Websites [USD],General,1,8.00,Fixed\r\n"
        "A2,All Websites [USD],ALL GROUPS,1,9.50,Fixed\r\n"
    )
    one = ExportOptions(customer_groups={"loyal": "VIP"}, website="base")
    partial = write("magento", listed, currency="USD", options=one)
    assert (partial.rows, partial.left_out) == (2, 1)
    assert {row["tier_price_website"] for row in read(partial.data)} == {"base"}
    found = preflight("magento", listed, currency="USD", options=one)
    assert found[["row_number", "column", "problem", "fix"]].to_dict("records") == [
        {
            "row_number": 3,
            "column": "tier_price_customer_group",
            "problem": "The segment has no customer group.",
            "fix": "Choose a customer group for the segment.",
        }
    ]


def test_magento_warns_that_a_tier_price_does_not_raise_a_price() -> None:
    found = preflight("magento", price_list([11.0, 9.0]), currency="USD")
    assert (found["row_number"].tolist(), found["severity"].tolist()) == ([2], ["warning"])


def test_google_prices_carry_their_currency() -> None:
    listed = price_list([9.5, 9.0], prior_price_30d=[np.nan, 9.75])
    assert write("google_merchant", listed, currency="USD").data == b"id\tprice\r\nA1\t9.50 USD\r\nA2\t9.00 USD\r\n"
    file = write("google_merchant", listed, currency="USD", options=ExportOptions(announce_reductions=True))
    rows = read(file.data, "\t")
    assert rows == [
        {"id": "A1", "price": "9.50 USD", "sale_price": ""},
        {"id": "A2", "price": "9.75 USD", "sale_price": "9.00 USD"},
    ]
    assert file.name == "price_list_google_merchant.tsv"


@pytest.mark.parametrize("format", ["shopify", "woocommerce", "google_merchant"])
@pytest.mark.parametrize("column", ["customer_id", "segment_id"])
def test_prices_that_are_not_for_everybody_are_refused_with_the_reason(format: str, column: str) -> None:
    listed = price_list([9.0, 9.0, 9.0], **{column: ["x", None, "y"]})
    found = preflight(format, listed, currency="USD", options=TITLED)
    who = column.removesuffix("_id")
    assert found["row_number"].tolist() == [2, 4]
    assert all(problem.startswith(f"The price is for one {who}. ") for problem in found["problem"])
    if format == "google_merchant":
        assert "it must be the one on the product's page" in found["problem"].iloc[0]
    with pytest.raises(DataError, match=f"take none of the 3 prices. The price is for one {who}"):
        write(format, price_list([9.0] * 3, **{column: "x"}), currency="USD", options=TITLED)


@pytest.mark.parametrize("format", SHOPS)
@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"new_price": [np.nan, 9.0, 9.0]}, "The price is unknown."),
        ({"new_price": [np.inf, 9.0, 9.0]}, "The price is unknown."),
        ({"new_price": [0.0, 9.0, 9.0]}, "The price is not above zero."),
        ({"new_price": [-1.0, 9.0, 9.0]}, "The price is not above zero."),
        ({"new_price": [1e300, 9.0, 9.0]}, "The price is larger than a shop can hold."),
        ({"new_price": [9.999, 9.0, 9.0]}, "The price has more than the 2 decimals that USD has."),
        ({"currency": ["EUR", "USD", "USD"]}, "The row is not in USD."),
        ({"product_id": ["", "A2", "A3"]}, "The (SKU|URL handle|id) is missing."),
        ({"product_id": ["x" * 300, "A2", "A3"]}, r"The (SKU|URL handle|id) is longer than \d+ characters."),
        ({"product_id": ["a\nb", "A2", "A3"]}, "invisible characters"),
        ({"product_id": ["a\u202eb", "A2", "A3"]}, "invisible characters"),
        ({"product_id": ["a\ud800", "A2", "A3"]}, "cannot be written in UTF-8"),
    ],
)
def test_rows_that_would_be_rejected_are_named_and_left_out(
    format: str, change: dict[str, list[object]], problem: str
) -> None:
    listed = price_list([9.0, 9.0, 9.0])
    kind = float if "new_price" in change else object
    listed = listed.assign(**{name: pd.Series(values, dtype=kind) for name, values in change.items()})
    options = ExportOptions(id_as_title=True)
    found = preflight(format, listed, currency="USD", options=options)
    blocked = found[found["severity"] == "blocking"]
    assert set(blocked["row_number"]) == {2}
    assert any(re.search(problem, text) for text in blocked["problem"])
    assert (blocked["fix"].str.len() > 0).all()
    assert counts(found) == {"blocking": 1, "warning": 0}
    file = write(format, listed, currency="USD", options=options)
    assert (file.rows, file.left_out) == (2, 1)
    assert "1 price is left out" in file.notes[0]


@pytest.mark.parametrize("format", SHOPS)
def test_rows_with_the_same_key_are_all_named(format: str) -> None:
    listed = price_list([9.0, 8.0, 7.0], product_id=["B", "C", "B"])
    found = preflight(format, listed, currency="USD", options=ExportOptions(id_as_title=True))
    assert found.loc[found["problem"].str.startswith("Several rows"), "row_number"].tolist() == [2, 4]


@pytest.mark.parametrize(("currency", "text"), [("JPY", "1200"), ("KWD", "1.125"), ("EUR", "19.90")])
@pytest.mark.parametrize("format", ["woocommerce", "magento"])
def test_prices_have_the_digits_of_their_currency(format: str, currency: str, text: str) -> None:
    listed = price_list([float(text)], currency=currency)
    row = read(write(format, listed, currency=currency).data)[0]
    assert row[{"woocommerce": "Regular price", "magento": "tier_price"}[format]] == text


def test_google_is_not_given_more_decimals_than_it_takes() -> None:
    found = preflight("google_merchant", price_list([1.125], currency="KWD"), currency="KWD")
    assert found["problem"].tolist() == ["Google rounds prices to 2 decimals, and yours has more."]


def test_the_workbook_has_exact_numbers_and_text_that_is_text() -> None:
    listed = price_list([0.1 + 0.2, 9.0], product_id=["007", "=1+1"], disclosure_required=[True, False])
    sheet = load_workbook(io.BytesIO(write("xlsx", listed, currency="USD").data))["Price list"]
    header = [cell.value for cell in sheet[1]]
    assert header == list(COLUMNS)
    first, second = ({h: cell for h, cell in zip(header, row, strict=True)} for row in sheet.iter_rows(min_row=2))
    assert (first["new_price"].value, first["new_price"].data_type) == (0.3, "n")
    assert first["new_price"].number_format == "#,##0.00"
    assert (first["product_id"].value, first["product_id"].data_type) == ("007", "s")
    assert (second["product_id"].value, second["product_id"].data_type) == ("=1+1", "s"), "a formula would be of type f"
    assert (first["disclosure_required"].value, second["disclosure_required"].value) == (True, False)
    assert first["effective_from"].value == pd.Timestamp("2026-11-25")
    assert first["prior_price_30d"].value is None


def test_parquet_amounts_are_decimals() -> None:
    listed = price_list([0.1 + 0.2, np.nan])
    table = pa.parquet.read_table(io.BytesIO(write("parquet", listed, currency="USD").data))
    assert table.column_names == list(COLUMNS)
    assert pa.types.is_decimal(table.schema.field("new_price").type)
    assert table["new_price"].to_pylist() == [Decimal("0.30"), None]
    assert table["product_id"].to_pylist() == ["A1", "A2"]
    assert table["prior_price_30d"].null_count == 2


@pytest.mark.parametrize("format", NATIVE)
def test_personalized_rows_carry_the_disclosure_of_their_markets(format: str) -> None:
    listed = price_list([9.0, 9.0], customer_id=["c1", None], disclosure_required=[True, False])
    options = ExportOptions(markets=("New York", "European Union"))
    data = write(format, listed, currency="USD", options=options).data
    if format == "xlsx":
        frame = pd.read_excel(io.BytesIO(data))
    else:
        frame = pd.read_parquet(io.BytesIO(data)) if format == "parquet" else pd.read_csv(io.BytesIO(data))
    first, second = frame["disclosure_text"]
    assert first.startswith("THIS PRICE WAS SET BY AN ALGORITHM USING YOUR PERSONAL DATA. This price was set for you")
    assert pd.isna(second)
    assert frame["disclosure_required"].astype(str).str.lower().tolist() == ["true", "false"]


def test_magento_says_that_its_file_has_no_place_for_the_disclosure() -> None:
    listed = price_list([9.0], segment_id="loyal", disclosure_required=True)
    file = write("magento", listed, currency="USD", options=ExportOptions(customer_groups={"loyal": "VIP"}))
    assert any("no place for the disclosure text" in note for note in file.notes)


@pytest.mark.parametrize("format", list(FORMATS))
def test_the_undo_file_has_the_prices_of_before_in_the_same_format(format: str) -> None:
    listed = price_list([9.5, 11.0], current_price=[10.0, 10.5], prior_price_30d=9.75)
    options = ExportOptions(id_as_title=True)
    back = undo_file(format, listed, currency="USD", options=options)
    expected = write(format, listed.assign(new_price=[10.0, 10.5]), currency="USD", options=options)
    assert back.name == f"price_list_undo_{format}.{FORMATS[format].extension}"
    if format in SHOPS:
        assert back.data == expected.data
    else:
        reader = {"xlsx": pd.read_excel, "parquet": pd.read_parquet}.get(format, pd.read_csv)
        frame = reader(io.BytesIO(back.data))
        assert frame["new_price"].astype(float).tolist() == [10.0, 10.5]
        assert frame["current_price"].astype(float).tolist() == [9.5, 11.0]
    assert any("price of before" in note for note in back.notes)


def test_the_undo_takes_away_a_was_price_that_the_list_announced() -> None:
    listed = price_list([9.0], prior_price_30d=9.5)
    options = ExportOptions(announce_reductions=True)
    assert undo_file("woocommerce", listed, currency="USD", options=options).data == (
        b"SKU,Sale price,Regular price\r\nA1,,10.00\r\n"
    )


def test_an_undo_without_a_known_price_of_before_is_refused() -> None:
    with pytest.raises(DataError, match="The price is unknown"):
        undo_file("woocommerce", price_list([9.0], current_price=np.nan), currency="USD")


@pytest.mark.parametrize("format", list(FORMATS))
def test_an_empty_price_list_is_an_empty_file_with_its_header(format: str) -> None:
    file = write(format, price_list([]), currency="USD")
    assert (file.rows, file.left_out) == (0, 0)
    assert len(file.data) > 0


def test_unknown_formats_and_markets_say_what_there_is() -> None:
    with pytest.raises(ConfigError, match="the formats are csv, excel_csv, xlsx, parquet, shopify, shopify_legacy"):
        write("etsy", price_list([9.0]), currency="USD")
    with pytest.raises(ConfigError, match="A market is one of European Union, New York; received 'Mars'"):
        ExportOptions(markets=("Mars",))
