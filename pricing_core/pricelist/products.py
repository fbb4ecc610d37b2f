"""What a price list knows of its products besides their prices: for filters, and for crossed-out prices."""

from __future__ import annotations

import pandas as pd

COLUMNS = ("product_id", "category", "brand", "list_price")


def product_facts(offers: pd.DataFrame, products: pd.DataFrame | None) -> pd.DataFrame:
    """One row per product that was offered: ``product_id, category, brand, list_price``; unknown cells are missing.

    The product table goes before the offers, whose latest known value fills in.
    """
    ids = pd.Index(offers["product_id"].astype("str").unique(), name="product_id")
    facts = pd.DataFrame(index=ids)
    latest = offers.sort_values("offered_at", kind="stable")
    for name in COLUMNS[1:]:
        found = pd.Series(pd.NA, index=ids, dtype=object)
        for table in (products, latest):
            if table is not None and name in table.columns:
                last = table.dropna(subset=[name]).drop_duplicates("product_id", keep="last")
                values = pd.Series(last[name].to_numpy(dtype=object), index=last["product_id"].astype("str"))
                found = found.where(found.notna(), values.reindex(ids))
        facts[name] = found
    facts["list_price"] = pd.to_numeric(facts["list_price"], errors="coerce").astype(float)
    return facts.astype({"category": "str", "brand": "str"}).reset_index()
