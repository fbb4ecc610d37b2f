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
    """

    name: str
    meaning: str
    unit: str
    kind: Kind
    required: bool = False
    synonyms: tuple[str, ...] = ()


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


_CUSTOMER_NAMES = _words(
    "customer user_id user client_id buyer_id shopper_id member_id household_id "
    "account_id customer_number cust_id visitor_id 客户编号 客户id 顾客编号 顾客id 用户编号 "
    "用户id 会员编号 会员id 客户 用户 买家id "
    "buyer shopper cust kunde kunden_id kundennummer kundennr kunden_nr"
)
_PRODUCT_NAMES = _words(
    "product sku item_id item article_id article_number product_code item_number "
    "variant_id variant_sku asin ean upc 产品编号 产品id 商品编号 商品id 货号 商品 产品 商品编码 "
    "article artikel artikel_id artikelnummer artikelnr artikel_nr produkt produkt_id"
)
_PRICE_NAMES = _words(
    "offered_price offer_price sale_price selling_price unit_price price_offered "
    "price_shown transaction_price net_price 价格 售价 单价 成交价 报价 销售价 "
    "preis verkaufspreis angebotspreis amount"
)
_LIST_PRICE_NAMES = _words(
    "regular_price original_price rrp msrp full_price base_price shelf_price "
    "compare_at_price 原价 标价 定价 吊牌价 目录价 市场价 listenpreis uvp"
)
_COMPETITOR_NAMES = _words(
    "comp_price competitors_price rival_price competition_price market_price "
    "竞争对手价格 竞品价格 竞品价 竞争价格 对手价格 "
    "wettbewerbspreis wettbewerberpreis konkurrenzpreis"
)
_COST_NAMES = _words(
    "cost cost_price cogs purchase_cost cost_per_item item_cost wholesale_price "
    "unit_costs 成本 单位成本 进价 成本价 采购价 kosten "
    "stückkosten einkaufspreis"
)
_STOCK_NAMES = _words("inventory on_hand stock_level available stock_quantity 库存 存货 库存量 bestand lagerbestand")
_TIME_NAMES = _words("timestamp datetime date_time time date when day 时间 日期 时间戳 datum uhrzeit zeitpunkt")
_CATEGORY_NAMES = _words(
    "product_category department product_type category_name item_category 类别 品类 分类 商品类别 产品类别 "
    "kategorie warengruppe"
)

_CUSTOMER_ID = Field("customer_id", "Who was offered the price.", "", "identifier", True, _CUSTOMER_NAMES)
_PRODUCT_ID = Field("product_id", "Which product was offered.", "", "identifier", True, _PRODUCT_NAMES)
_LIST_PRICE = Field(
    "list_price", "Public price before any discount.", "money per unit", "money", False, _LIST_PRICE_NAMES
)
_COMPETITOR_PRICE = Field(
    "competitor_price",
    "What competitors asked for a comparable product at that time.",
    "money per unit",
    "money",
    False,
    _COMPETITOR_NAMES,
)
_UNIT_COST = Field("unit_cost", "What one more unit costs the shop.", "money per unit", "money", False, _COST_NAMES)
_STOCK = Field("stock", "Units available for sale.", "units", "number", False, _STOCK_NAMES)

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
            _words(
                "offer_time offer_date offered_on offer_timestamp visited_at event_time "
                "order_date transaction_timestamp transaction_date created_at 报价时间 下单时间 "
                "访问时间 交易时间 订单时间 订单日期"
            )
            + _TIME_NAMES,
        ),
        Field("price", "Price that the customer was offered.", "money per unit", "money", True, _PRICE_NAMES),
        Field(
            "purchased",
            "Whether the customer bought at that price: 1 yes, 0 no.",
            "0 or 1",
            "flag",
            True,
            _words(
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
            _words("qty units units_sold 数量 购买数量 销量 件数 menge anzahl stück stückzahl pieces amount"),
        ),
        _LIST_PRICE,
        _COMPETITOR_PRICE,
        Field(
            "promotion",
            "Whether, or under which promotion, the offer ran.",
            "",
            "category",
            False,
            _words(
                "promo on_promotion promotion_flag is_promo campaign 促销 活动 是否促销 优惠活动 aktion rabattaktion"
            ),
        ),
        Field(
            "channel",
            "Where the offer was made, such as shop, web or app.",
            "",
            "category",
            False,
            _words("sales_channel source_channel 渠道 销售渠道 kanal vertriebskanal"),
        ),
        Field(
            "currency",
            "ISO 4217 code of the offer's money.",
            "",
            "category",
            False,
            _words("currency_code 币种 货币 währung"),
        ),
        _UNIT_COST,
        _STOCK,
    ),
    "customers": (Field("customer_id", "Who the row is about.", "", "identifier", True, ("id", *_CUSTOMER_NAMES)),),
    "products": (
        Field("product_id", "Which product the row is about.", "", "identifier", True, ("id", *_PRODUCT_NAMES)),
        _UNIT_COST,
        _LIST_PRICE,
        _STOCK,
        Field(
            "category",
            "Group of products that customers choose between.",
            "",
            "category",
            False,
            _CATEGORY_NAMES,
        ),
        Field(
            "brand",
            "Brand or producer.",
            "",
            "category",
            False,
            _words("brand_name manufacturer vendor 品牌 厂商 制造商 marke hersteller"),
        ),
    ),
    "market": (
        Field(
            "date",
            "Time from which the row holds, until the next row of the same key.",
            "UTC time",
            "time",
            True,
            _words("valid_from day week_start as_of timestamp datetime 日期 时间 生效日期 datum gültig_ab"),
        ),
        Field(
            "product_id",
            "Product that the row is about; none means every product.",
            "",
            "identifier",
            False,
            _PRODUCT_NAMES,
        ),
        Field(
            "category",
            "Category that the row is about; none means every category.",
            "",
            "category",
            False,
            _CATEGORY_NAMES,
        ),
        _COMPETITOR_PRICE,
        _STOCK,
    ),
    "events": (
        Field("customer_id", "Who acted.", "", "identifier", True, _CUSTOMER_NAMES),
        Field(
            "occurred_at",
            "When it happened.",
            "UTC time",
            "time",
            True,
            _words("event_time event_date event_timestamp transaction_timestamp created_at 发生时间 事件时间")
            + _TIME_NAMES,
        ),
        Field(
            "event_type",
            "What the customer did: view, cart, purchase or review.",
            "",
            "category",
            True,
            _words("event type action event_name behavior behavior_type 事件类型 行为 行为类型"),
        ),
        Field("product_id", "Product that the event is about.", "", "identifier", False, _PRODUCT_NAMES),
        Field(
            "rating",
            "Stars given in a review.",
            "1 to 5",
            "rating",
            False,
            _words("stars score review_score 评分 评级 星级"),
        ),
        Field("price", "Price seen or paid at the event.", "money per unit", "money", False, _PRICE_NAMES),
    ),
}
"""Canonical tables: name → its fields, in the order in which they are shown."""

TABLES: Final = tuple(FIELDS)


def fields(table: str) -> tuple[Field, ...]:
    """Return the canonical fields of a table.

    Raises
    ------
    ConfigError
        If there is no such table.
    """
    if table not in FIELDS:
        raise ConfigError(f"There is no table {table!r}.", fix=f"Tables are {', '.join(TABLES)}.")
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
