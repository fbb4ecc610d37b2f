"""The shop's own export in, the same file out: only price cells differ, and every row without a match is named."""

from __future__ import annotations

import csv
import io
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pricing_core.errors import ConfigError, DataError, FileReadError
from pricing_core.pricelist.formats import ExportOptions, write
from pricing_core.pricelist.roundtrip import rewrite
from pricing_core.pricelist.undo import undo_file

from .list_cases import catalog, price_list

SHOPIFY = (
    b"Title,URL handle,Vendor,SKU,Option1 name,Option1 value,Price,Compare-at price,Metafield: note\r\n"
    b'"Tea, green",tea,"Ember",A1,Size,S,10.00,12.00,"says ""hi"",\r\nreally"\r\n'
    b",tea,,A2,,L, 10.00 ,,\r\n"
    b",tea,,,,,,,picture\r\n"
    b"Mug,a3,Cedar,,Title,Default Title,10,,\r\n"
    b"Pot,pot,Cedar,X9,Title,Default Title,33.00,,\r\n"
)


def test_only_prices_change_in_a_shopify_export() -> None:
    done = rewrite("shopify", price_list([9.5, 10.0, 11.25, 7.0]), SHOPIFY, currency="USD")
    expected = SHOPIFY.replace(b"S,10.00,12.00", b"S,9.50,12.00").replace(b"Title,10,,", b"Title,11.25,,")
    assert done.data == expected
    assert done.changes.to_dict("records") == [
        {"row_number": 2, "product_id": "A1", "column": "Price", "old": "10.00", "new": "9.50"},
        {"row_number": 5, "product_id": "A3", "column": "Price", "old": "10", "new": "11.25"},
    ]
    said = done.problems.set_index("column")["problem"].tolist()
    assert said == ["The list has no price for 'X9'.", "The product is not in your file."]
    assert done.problems["row_number"].tolist()[0] == 6
    assert done.problems["product_id"].tolist() == ["", "A4"]
    assert (done.matched, done.rows) == (3, 5)


def test_a_price_that_is_the_same_amount_keeps_its_spelling() -> None:
    source = b"SKU,Price\nA1,$ 1,234.5\n".replace(b"$ 1,234.5", b'"$ 1,234.5"')
    assert rewrite("shopify", price_list([1234.5]), source, currency="USD").data == source
    changed = rewrite("shopify", price_list([1180.0]), source, currency="USD").data
    assert changed == b'SKU,Price\nA1,"$ 1180.00"\n'


def test_decimal_commas_stay_decimal_commas_and_are_quoted_where_they_must() -> None:
    source = "\ufeffSKU;Sale price;Regular price;Name\nA1;;10,00;Süß\nA2;8,00;10,00;x\n".encode()
    done = rewrite("woocommerce", price_list([9.5, 9.0]), source, currency="USD")
    assert done.data == "\ufeffSKU;Sale price;Regular price;Name\nA1;;9,50;Süß\nA2;9,00;10,00;x\n".encode()
    comma = b'SKU,Regular price,Sale price\r\nA1,"10,00",\r\n'
    announced = price_list([8.0], prior_price_30d=9.0)
    options = ExportOptions(announce_reductions=True)
    assert (
        rewrite("woocommerce", announced, comma, currency="USD", options=options).data
        == b'SKU,Regular price,Sale price\r\nA1,"9,00","8,00"\r\n'
    )


def test_a_sale_price_in_force_is_the_one_that_changes_and_goes_when_the_new_price_reaches_the_regular_one() -> None:
    source = b"id\tprice\tsale_price\nA1\t12.00 USD\t10.00 USD\nA2\t12.00 USD\t10.00 USD\nA3\t12.00 USD\t\n"
    done = rewrite("google_merchant", price_list([9.0, 13.0, 11.0]), source, currency="USD")
    assert done.data == (b"id\tprice\tsale_price\nA1\t12.00 USD\t9.00 USD\nA2\t13.00 USD\t\nA3\t11.00 USD\t\n")


def test_a_was_price_that_would_be_false_is_named_and_set_right_only_when_asked() -> None:
    source = b"SKU,Price,Compare-at price\nA1,10.00,15.00\nA2,10.00,11.00\nA3,10.00,20.00\n"
    listed = price_list([9.0, 12.0, 9.0], prior_price_30d=[9.5, 9.5, 8.0])
    done = rewrite("shopify", listed, source, currency="USD")
    assert done.data == b"SKU,Price,Compare-at price\nA1,9.00,15.00\nA2,12.00,11.00\nA3,9.00,20.00\n"
    assert done.problems["problem"].tolist() == [
        "15.00 stands as the earlier price, and the lowest of the last thirty days was 9.50.",
        "11.00 is not above the new price.",
        "20.00 stands as the earlier price, and the lowest of the last thirty days was 8.00.",
    ]
    announced = rewrite("shopify", listed, source, currency="USD", options=ExportOptions(announce_reductions=True))
    assert announced.data == b"SKU,Price,Compare-at price\nA1,9.00,9.50\nA2,12.00,\nA3,9.00,\n"


def test_tier_prices_change_for_their_group_only_and_from_one_unit_on() -> None:
    head = "sku,tier_price_website,tier_price_customer_group,tier_price_qty,tier_price,tier_price_value_type\n"
    rows = ["A1,All,VIP,1.0000,10.00,Fixed", "A1,All,VIP,5,8.00,Fixed", "A1,All,Staff,1,10.00,Fixed",
            "A1,All,ALL GROUPS,1,10,Discount"]  # fmt: skip
    source = (head + "\n".join(rows)).encode()
    done = rewrite(
        "magento", price_list([9.0], segment_id="loyal"), source, currency="USD",
        options=ExportOptions(customer_groups={"loyal": "VIP"}),
    )  # fmt: skip
    assert done.data == source.replace(b"1.0000,10.00", b"1.0000,9.00")
    assert done.problems["problem"].tolist() == [
        "The tier price holds from 5 units on.",
        "The list has no price for 'A1'.",
        "The tier price is a discount in percent.",
    ]


def test_products_are_found_under_the_names_of_the_catalog() -> None:
    options = ExportOptions(catalog=catalog(sku=["red-1", "blue-2"], handle=["red", "blue"]))
    source = b"Handle,Variant SKU,Variant Price\nred,red-1,10.00\nBLUE,,10.00\n"
    done = rewrite("shopify_legacy", price_list([9.0, 8.0]), source, currency="USD", options=options)
    assert done.data == b"Handle,Variant SKU,Variant Price\nred,red-1,9.00\nBLUE,,8.00\n"


def test_variants_that_only_share_a_handle_are_not_guessed() -> None:
    source = b"URL handle,SKU,Price\na1,x,10.00\na1,y,10.00\n"
    done = rewrite("shopify", price_list([9.0]), source, currency="USD")
    assert done.data == source
    assert done.problems["problem"].tolist()[0] == "Several variants have the URL handle 'a1'."


@pytest.mark.parametrize("cell", ["-5.00", "n/a", "5 for 10", '"1""0"', '"1"0'])
def test_what_cannot_be_read_as_a_price_stays_and_is_named(cell: str) -> None:
    source = f"SKU,Price\nA1,{cell}\nA2,10.00\n".encode()
    done = rewrite("shopify", price_list([9.0, 9.0]), source, currency="USD")
    assert done.data == source.replace(b"A2,10.00", b"A2,9.00")
    assert "cannot be read as a price" in done.problems["problem"].iloc[0]


@pytest.mark.parametrize(
    ("encoding", "name"), [("utf-8", "Süß 茶"), ("cp1252", "Süß"), ("gb18030", "绿茶|茶"), ("utf-16", "Süß 茶")]
)
def test_encodings_come_back_as_they_were(encoding: str, name: str) -> None:
    source = f"SKU,Title,Price\r\nA1,{name},10.00\r\n".encode(encoding)
    done = rewrite("shopify", price_list([9.0]), source, currency="USD")
    assert done.data == f"SKU,Title,Price\r\nA1,{name},9.00\r\n".encode(encoding)


def test_files_that_cannot_be_used_say_why() -> None:
    listed = price_list([9.0])
    with pytest.raises(DataError, match="It looks like the format woocommerce: choose that"):
        rewrite("shopify", listed, b"SKU,Sale price,Regular price\nA1,,10\n", currency="USD")
    with pytest.raises(FileReadError, match="never closed"):
        rewrite("shopify", listed, b'SKU,Price\nA1,"10.00\nA2,3\n', currency="USD")
    with pytest.raises(FileReadError, match="one column only"):
        rewrite("shopify", listed, b"SKU\nA1\n", currency="USD")
    with pytest.raises(FileReadError, match="is empty"):
        rewrite("shopify", listed, b" \n", currency="USD")
    with pytest.raises(ConfigError, match=r"received 'xlsx'"):
        rewrite("xlsx", listed, SHOPIFY, currency="USD")
    with pytest.raises(DataError, match=r"take none of the 1 prices\. The price is for one customer"):
        rewrite("shopify", price_list([9.0], customer_id="c1"), SHOPIFY, currency="USD")


def test_the_undo_of_a_round_trip_is_the_file_as_it_came() -> None:
    listed = price_list([9.5, 9.0, 11.25])
    assert write("shopify", listed, currency="USD", source=SHOPIFY).data != SHOPIFY
    assert undo_file("shopify", listed, currency="USD", source=SHOPIFY).data == SHOPIFY


# --- files of every shape ---

CELL = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=8)
PRICE = st.sampled_from(["10.00", "10", "9.99", "", "10.0", "1234.50"])


def spelled(text: str, delimiter: str, force: bool) -> str:
    if force or any(sign in text for sign in (delimiter, '"', "\r", "\n")):
        return '"' + text.replace('"', '""') + '"'
    return text


@st.composite
def shop_files(draw: st.DrawFn) -> tuple[bytes, str, list[list[str]], list[str]]:
    delimiter = draw(st.sampled_from([",", ";", "\t", "|"]))
    other = draw(st.lists(st.sampled_from(["Title", "Tags", "Notiz", "x y", "价格说明"]), unique=True, max_size=3))
    header = draw(st.permutations(["SKU", "Price", *other]))
    rows = []
    for k in range(draw(st.integers(1, 6))):
        row = {name: draw(CELL) for name in other} | {"SKU": f"A{k + 1}", "Price": draw(PRICE)}
        rows.append([row[name] for name in header])
    out = delimiter.join(spelled(name, delimiter, draw(st.booleans())) for name in header)
    for row in rows:
        out += draw(st.sampled_from(["\r\n", "\n"]))
        out += delimiter.join(spelled(cell, delimiter, draw(st.booleans())) for cell in row)
    out += draw(st.sampled_from(["", "\n", "\r\n\r\n"]))
    mark = b"\xef\xbb\xbf" if draw(st.booleans()) else b""
    return mark + out.encode("utf-8"), delimiter, rows, list(header)


@settings(max_examples=60, deadline=None)
@given(shop_files(), st.lists(st.integers(1, 200_000), min_size=6, max_size=6))
def test_whatever_the_file_looks_like_only_price_cells_differ(
    made: tuple[bytes, str, list[list[str]], list[str]], cents: list[int]
) -> None:
    source, delimiter, rows, header = made
    new = [c / 100 for c in cents[: len(rows)]]
    done = rewrite("shopify", price_list(new), source, currency="USD")

    def read(content: bytes) -> list[list[str]]:
        text = io.StringIO(content.decode("utf-8-sig"), newline="")
        return [row for row in csv.reader(text, delimiter=delimiter) if row]

    before, after = read(source), read(done.data)
    price = header.index("Price")
    assert [[c for k, c in enumerate(row) if k != price] for row in before] == [
        [c for k, c in enumerate(row) if k != price] for row in after
    ]
    for row, was, cent in zip(after[1:], before[1:], cents, strict=False):
        if was[price] == "":
            assert row[price] == ""
        else:
            assert round(float(row[price]) * 100) == cent
    # And on the bytes: what is left without the numbers of the price cells is the same.
    assert len(done.changes) == sum(a != b for a, b in zip(before, after, strict=True))
    assert strip_numbers(source) == strip_numbers(done.data)


def strip_numbers(content: bytes) -> bytes:
    return re.sub(rb"[0-9.]+", b"", content)
