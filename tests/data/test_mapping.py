"""Columns are guessed from the headers, English and Chinese, and corrected by the user."""

from __future__ import annotations

import pytest

from pricing_core import schema
from pricing_core.data.mapping import check_mapping, complete_mapping, guess_mapping, parse_assignments
from pricing_core.errors import MappingError


def test_english_and_chinese_headers_are_guessed() -> None:
    assert guess_mapping(["User ID", "SKU", "Timestamp", "Unit Price (EUR)", "Bought", "comp_price"], "offers") == {
        "customer_id": "User ID",
        "product_id": "SKU",
        "offered_at": "Timestamp",
        "price": "Unit Price (EUR)",
        "purchased": "Bought",
        "competitor_price": "comp_price",
    }
    assert guess_mapping(["客户编号", "商品编号", "时间", "价格", "是否购买"], "offers") == {
        "customer_id": "客户编号",
        "product_id": "商品编号",
        "offered_at": "时间",
        "price": "价格",
        "purchased": "是否购买",
    }


def test_own_name_wins_over_a_synonym_and_no_column_is_used_twice() -> None:
    guess = guess_mapping(["sale_price", "price", "list_price", "customer"], "offers")
    assert guess == {"customer_id": "customer", "price": "price", "list_price": "list_price"}


def test_every_field_is_guessed_from_each_of_its_synonyms() -> None:
    for table, fields in schema.FIELDS.items():
        for field in fields:
            for synonym in (field.name, *field.synonyms):
                assert guess_mapping([synonym], table), f"{synonym} of {table}.{field.name}"


def test_user_choice_beats_the_guess_and_empty_means_none() -> None:
    columns = ["customer_id", "product_id", "offered_at", "price", "net", "purchased", "quantity"]
    mapping = complete_mapping({"price": "net", "quantity": ""}, columns, "offers")
    assert mapping["price"] == "net"
    assert "quantity" not in mapping


@pytest.mark.parametrize(
    ("mapping", "message"),
    [
        (
            {"customer_id": "a"},
            "f.csv: the required columns are missing: product_id, offered_at, price, purchased. Columns "
            "found: a, b. Say which column it is, for example product_id=<column>.",
        ),
        ({"customer_id": "z"}, "f.csv: there is no column 'z'. Columns found: a, b."),
        (
            {"customer_id": "a", "product_id": "a"},
            "the column 'a' is mapped to both customer_id and product_id",
        ),
        ({"cust": "a"}, "offers has no field 'cust'. Fields are customer_id, product_id,"),
    ],
)
def test_wrong_mapping_says_what_and_how(mapping: dict[str, str], message: str) -> None:
    with pytest.raises(MappingError) as caught:
        check_mapping(mapping, ["a", "b"], "offers", name="f.csv")
    assert message in str(caught.value)


def test_command_line_assignments() -> None:
    assert parse_assignments(["price=net price", "products.unit_cost=cost"]) == {
        "offers": {"price": "net price"},
        "products": {"unit_cost": "cost"},
    }
    for wrong in ("price", "price=", "shop.price=x", "cost=x"):
        with pytest.raises(MappingError):
            parse_assignments([wrong])


def test_german_headers_and_everyday_words_are_guessed() -> None:
    assert guess_mapping(["Kunde", "Artikel", "Datum", "Preis", "gekauft", "Menge", "Stückkosten"], "offers") == {
        "customer_id": "Kunde",
        "product_id": "Artikel",
        "offered_at": "Datum",
        "price": "Preis",
        "purchased": "gekauft",
        "quantity": "Menge",
        "unit_cost": "Stückkosten",
    }
    assert guess_mapping(["buyer", "article", "when", "amount", "bought", "qty"], "offers") == {
        "customer_id": "buyer",
        "product_id": "article",
        "offered_at": "when",
        "price": "amount",
        "purchased": "bought",
        "quantity": "qty",
    }
    assert guess_mapping(["price", "amount"], "offers") == {"price": "price", "quantity": "amount"}


def test_orders_need_a_unit_price_or_an_amount() -> None:
    from pricing_core.data.needed import lacking, need_of

    needs = {name: need_of("orders", name) for name in ("customer_id", "unit_price", "amount", "store")}
    assert list(needs.values()) == ["yes", "this or amount", "this or unit_price", "no"]
    mapping = {"customer_id": "a", "product_id": "b", "ordered_at": "c"}
    assert lacking("orders", mapping) == ["unit_price or amount"]
    with pytest.raises(MappingError, match="the required column is missing: unit_price or amount"):
        check_mapping(mapping, ["a", "b", "c"], "orders")
    check_mapping({**mapping, "amount": "d"}, ["a", "b", "c", "d"], "orders")


@pytest.mark.parametrize(
    "header",
    ["Rechnung", "Rechnung Nr.", "Rechnungs-Nr.", "Belegnummer", "Beleg", "Auftrag", "Auftragsnummer", "Facture",
     "N° facture", "Numéro de commande", "Factura", "Receipt", "Receipt No.", "Invoice ID", "Bon", "订单号", "单号"],
)  # fmt: skip
def test_order_numbers_are_found_under_the_names_of_many_tills(header: str) -> None:
    columns = [header, "Kunde", "Artikel", "Datum", "Menge", "Einzelpreis"]
    assert guess_mapping(columns, "orders")["order_id"] == header
