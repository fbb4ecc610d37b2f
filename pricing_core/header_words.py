"""Headers under which shops store the common columns, in several languages; see :mod:`pricing_core.schema`."""

from __future__ import annotations


def words(text: str) -> tuple[str, ...]:
    """Split a line of headers."""
    return tuple(text.split())


CUSTOMER_NAMES = words(
    "customer user_id user client_id buyer_id shopper_id member_id household_id "
    "account_id customer_number cust_id visitor_id 客户编号 客户id 顾客编号 顾客id 用户编号 "
    "用户id 会员编号 会员id 客户 用户 买家id "
    "buyer shopper cust kunde kunden_id kundennummer kundennr kunden_nr"
)
PRODUCT_NAMES = words(
    "product sku item_id item article_id article_number product_code item_number "
    "variant_id variant_sku asin ean upc 产品编号 产品id 商品编号 商品id 货号 商品 产品 商品编码 "
    "article artikel artikel_id artikelnummer artikelnr artikel_nr produkt produkt_id"
)
PRICE_NAMES = words(
    "offered_price offer_price sale_price selling_price unit_price price_offered "
    "price_shown transaction_price net_price 价格 售价 单价 成交价 报价 销售价 "
    "preis verkaufspreis angebotspreis amount"
)
LIST_PRICE_NAMES = words(
    "regular_price original_price rrp msrp full_price base_price shelf_price "
    "compare_at_price 原价 标价 定价 吊牌价 目录价 市场价 listenpreis uvp"
)
COMPETITOR_NAMES = words(
    "comp_price competitors_price rival_price competition_price market_price "
    "竞争对手价格 竞品价格 竞品价 竞争价格 对手价格 "
    "wettbewerbspreis wettbewerberpreis konkurrenzpreis"
)
COST_NAMES = words(
    "cost cost_price cogs purchase_cost cost_per_item item_cost wholesale_price "
    "unit_costs 成本 单位成本 进价 成本价 采购价 kosten "
    "stückkosten einkaufspreis"
)
STOCK_NAMES = words("inventory on_hand stock_level available stock_quantity 库存 存货 库存量 bestand lagerbestand")
INSTRUMENT_NAMES = words(
    "cost_shifter cost_shock instrumental_variable instrument_variable price_instrument price_shifter "
    "工具变量 成本冲击 instrumentvariable kostenschock"
)
TIME_NAMES = words("timestamp datetime date_time time date when day 时间 日期 时间戳 datum uhrzeit zeitpunkt")
CATEGORY_NAMES = words(
    "product_category department product_type category_name item_category 类别 品类 分类 商品类别 产品类别 "
    "kategorie warengruppe"
)

ORDER_TIME_NAMES = words(
    "order_date order_time ordered_on order_timestamp invoice_date invoicedate purchase_date purchased_at sale_date "
    "transaction_date transaction_timestamp created_at 下单时间 订单时间 订单日期 交易时间 付款时间 "
    "bestelldatum rechnungsdatum"
)
UNIT_NAMES = words("qty units units_sold 数量 购买数量 销量 件数 menge anzahl stück stückzahl pieces")
UNIT_PRICE_NAMES = words("price item_price einzelpreis preis stückpreis") + PRICE_NAMES
AMOUNT_NAMES = words(
    "total line_total total_price revenue sales sales_value net_amount subtotal 金额 总价 总金额 销售额 实付金额 "
    "summe betrag umsatz gesamtpreis"
)
ORDER_NAMES = words(
    "order invoice invoice_no invoiceno invoice_number basket_id basket transaction_id receipt order_number "
    "order_no order_nr invoice_nr invoice_id invoice_num receipt_no receipt_number receipt_id bill_no bill_number "
    "voucher_no document_no document_number ticket_no ticket_number "
    "订单号 订单编号 订单id 订单 单号 单据号 发票号 发票号码 发票编号 票号 小票号 交易号 流水号 "
    "bestellnummer bestellung bestell_nr bestellnr rechnungsnummer rechnung rechnung_nr rechnungsnr rechnungs_nr "
    "belegnummer beleg beleg_nr belegnr auftrag auftragsnummer auftrag_nr auftragsnr auftrags_nr bon bonnummer bon_nr "
    "bonnr kassenbon facture numero_facture numéro_facture n_facture no_facture facture_n facture_no num_facture "
    "numero_de_facture "
    "numéro_de_facture facture_id commande numero_commande numéro_commande numéro_de_commande "
    "factura numero_factura número_factura número_de_factura nro_factura num_factura pedido numero_pedido "
    "número_pedido número_de_pedido fattura numero_fattura"
)
CANCEL_NAMES = words("canceled is_cancelled returned is_return refund refunded storno 已取消 是否退货 退货 取消")
STORE_NAMES = words("store_id shop shop_id branch outlet 门店 店铺 门店编号 filiale")
