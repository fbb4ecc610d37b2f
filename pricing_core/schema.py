"""Every table and column once: name, meaning, unit, kind, required or not, and the names that shops use.

A *table* is one of ``offers, customers, products, market, events``. Reading, mapping, validation, the
templates to download and the tooltips all start from :data:`FIELDS`; nothing else in the project lists
columns.

A column that a shop has beyond these keeps its own name and becomes a feature by its type.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from pricing_core.errors import ConfigError
from pricing_core.header_words import (
    AMOUNT_NAMES,
    CANCEL_NAMES,
    CATEGORY_NAMES,
    COMPETITOR_NAMES,
    COST_NAMES,
    CUSTOMER_NAMES,
    INSTRUMENT_NAMES,
    LIST_PRICE_NAMES,
    ORDER_NAMES,
    ORDER_TIME_NAMES,
    PRICE_NAMES,
    PRODUCT_NAMES,
    STOCK_NAMES,
    STORE_NAMES,
    TIME_NAMES,
    UNIT_NAMES,
    UNIT_PRICE_NAMES,
    words,
)

Kind = Literal["identifier", "time", "money", "flag", "number", "category", "rating"]

EVENT_TYPES: Final = ("view", "cart", "purchase", "review")


@dataclass(frozen=True)
class Field:
    """One column of a canonical table.

    Attributes
    ----------
    name
        Canonical column name.
    meaning
        One sentence in the words of a pricing manager.
    unit
        Unit of the values; empty for text.
    kind
        How the values are read and checked: ``identifier`` (text, leading zeros kept), ``time`` (UTC),
        ``money`` (positive for prices), ``flag`` (0 or 1), ``number``, ``category`` (text), ``rating`` (1
        to 5).
    required
        Whether a row without it is unusable.
    synonyms
        Other headers, English and Chinese, under which shops store it; compared without case and punctuation.
    signed
        Whether a number may be below zero.
    """

    name: str
    meaning: str
    unit: str
    kind: Kind
    required: bool = False
    synonyms: tuple[str, ...] = ()
    signed: bool = False


_CUSTOMER_ID = Field("customer_id", "Who was offered the price.", "", "identifier", True, CUSTOMER_NAMES)
_PRODUCT_ID = Field("product_id", "Which product was offered.", "", "identifier", True, PRODUCT_NAMES)
_LIST_PRICE = Field(
    "list_price", "Public price before any discount.", "money per unit", "money", False, LIST_PRICE_NAMES
)
_COMPETITOR_PRICE = Field(
    "competitor_price",
    "What competitors asked for a comparable product at that time.",
    "money per unit",
    "money",
    False,
    COMPETITOR_NAMES,
)
_UNIT_COST = Field("unit_cost", "What one more unit costs the shop.", "money per unit", "money", False, COST_NAMES)
_STOCK = Field("stock", "Units available for sale.", "units", "number", False, STOCK_NAMES)

FIELDS: Final[dict[str, tuple[Field, ...]]] = {
    "offers": (
        _CUSTOMER_ID,
        _PRODUCT_ID,
        Field(
            "offered_at",
            "When the customer saw the price.",
            "UTC time",
            "time",
            True,
            words(
                "offer_time offer_date offered_on offer_timestamp visited_at event_time "
                "order_date transaction_timestamp transaction_date created_at 报价时间 下单时间 "
                "访问时间 交易时间 订单时间 订单日期"
            )
            + TIME_NAMES,
        ),
        Field("price", "Price that the customer was offered.", "money per unit", "money", True, PRICE_NAMES),
        Field(
            "purchased",
            "Whether the customer bought at that price: 1 yes, 0 no.",
            "0 or 1",
            "flag",
            True,
            words(
                "bought purchase is_purchased was_purchased converted conversion sold buy "
                "accepted ordered outcome 是否购买 购买 是否成交 成交 已购买 "
                "has_bought did_buy purchased_flag gekauft verkauft bestellt kauf"
            ),
        ),
        Field(
            "quantity",
            "Units bought; 0 where nothing was bought.",
            "units",
            "number",
            False,
            words("qty units units_sold 数量 购买数量 销量 件数 menge anzahl stück stückzahl pieces amount"),
        ),
        _LIST_PRICE,
        _COMPETITOR_PRICE,
        Field(
            "promotion",
            "Whether, or under which promotion, the offer ran.",
            "",
            "category",
            False,
            words(
                "promo on_promotion promotion_flag is_promo campaign 促销 活动 是否促销 优惠活动 aktion rabattaktion"
            ),
        ),
        Field(
            "channel",
            "Where the offer was made, such as shop, web or app.",
            "",
            "category",
            False,
            words("sales_channel source_channel 渠道 销售渠道 kanal vertriebskanal"),
        ),
        Field(
            "currency",
            "ISO 4217 code of the offer's money.",
            "",
            "category",
            False,
            words("currency_code 币种 货币 währung"),
        ),
        _UNIT_COST,
        _STOCK,
        Field(
            "instrument",
            "Moved the price but not the wish to buy: a cost shock, say.",
            "",
            "number",
            False,
            INSTRUMENT_NAMES,
            signed=True,
        ),
    ),
    "customers": (Field("customer_id", "Who the row is about.", "", "identifier", True, ("id", *CUSTOMER_NAMES)),),
    "products": (
        Field("product_id", "Which product the row is about.", "", "identifier", True, ("id", *PRODUCT_NAMES)),
        _UNIT_COST,
        _LIST_PRICE,
        _STOCK,
        Field(
            "category",
            "Group of products that customers choose between.",
            "",
            "category",
            False,
            CATEGORY_NAMES,
        ),
        Field(
            "brand",
            "Brand or producer.",
            "",
            "category",
            False,
            words("brand_name manufacturer vendor 品牌 厂商 制造商 marke hersteller"),
        ),
    ),
    "market": (
        Field(
            "date",
            "Time from which the row holds, until the next row of the same key.",
            "UTC time",
            "time",
            True,
            words("valid_from day week_start as_of timestamp datetime 日期 时间 生效日期 datum gültig_ab"),
        ),
        Field(
            "product_id",
            "Product that the row is about; none means every product.",
            "",
            "identifier",
            False,
            PRODUCT_NAMES,
        ),
        Field(
            "category",
            "Category that the row is about; none means every category.",
            "",
            "category",
            False,
            CATEGORY_NAMES,
        ),
        _COMPETITOR_PRICE,
        _STOCK,
    ),
    "events": (
        Field("customer_id", "Who acted.", "", "identifier", True, CUSTOMER_NAMES),
        Field(
            "occurred_at",
            "When it happened.",
            "UTC time",
            "time",
            True,
            words("event_time event_date event_timestamp transaction_timestamp created_at 发生时间 事件时间")
            + TIME_NAMES,
        ),
        Field(
            "event_type",
            "What the customer did: view, cart, purchase or review.",
            "",
            "category",
            True,
            words("event type action event_name behavior behavior_type 事件类型 行为 行为类型"),
        ),
        Field("product_id", "Product that the event is about.", "", "identifier", False, PRODUCT_NAMES),
        Field(
            "rating",
            "Stars given in a review.",
            "1 to 5",
            "rating",
            False,
            words("stars score review_score 评分 评级 星级"),
        ),
        Field("price", "Price seen or paid at the event.", "money per unit", "money", False, PRICE_NAMES),
    ),
    "orders": (
        Field("customer_id", "Who ordered.", "", "identifier", True, CUSTOMER_NAMES),
        Field("product_id", "Which product was ordered.", "", "identifier", True, ("stockcode", *PRODUCT_NAMES)),
        Field("ordered_at", "When it was ordered.", "UTC time", "time", True, ORDER_TIME_NAMES + TIME_NAMES),
        Field("quantity", "Units ordered; below zero for units taken back.", "units", "number", False, UNIT_NAMES),
        Field("unit_price", "Price paid for one unit.", "money per unit", "money", False, UNIT_PRICE_NAMES),
        Field("amount", "Money paid for the line: units times price.", "money", "money", False, AMOUNT_NAMES),
        Field("order_id", "Number of the order or invoice.", "", "identifier", False, ORDER_NAMES),
        Field("cancelled", "Whether it takes a line back: 1 yes, 0 no.", "0 or 1", "flag", False, CANCEL_NAMES),
        Field("store", "Store of the sale; prices are compared within a store.", "", "category", False, STORE_NAMES),
        Field("category", "Group of products that customers choose between.", "", "category", False, CATEGORY_NAMES),
    ),
}
"""Tables that can be imported: name → its fields, in the order in which they are shown."""

TABLES: Final = ("offers", "customers", "products", "market", "events")
"""Tables that a data set keeps."""

SOURCES: Final = tuple(FIELDS)
"""Tables that a file can hold; ``orders`` become offers on their way in."""


def fields(table: str) -> tuple[Field, ...]:
    """Return the canonical fields of a table.

    Raises
    ------
    ConfigError
        If there is no such table.
    """
    if table not in FIELDS:
        raise ConfigError(f"There is no table {table!r}.", fix=f"Tables are {', '.join(SOURCES)}.")
    return FIELDS[table]


def field_names(table: str) -> tuple[str, ...]:
    """Return the canonical column names of a table, in order."""
    return tuple(field.name for field in fields(table))


def required_names(table: str) -> tuple[str, ...]:
    """Return the names of the columns without which a row of the table is unusable."""
    return tuple(field.name for field in fields(table) if field.required)


def find_field(table: str, name: str) -> Field | None:
    """Return the canonical field of that name, or None for a further column of the shop."""
    return next((field for field in fields(table) if field.name == name), None)
