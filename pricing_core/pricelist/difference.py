"""How a price list differs from the one that is live, price by price."""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd

KEY: Final = ("product_id", "segment_id", "customer_id")
SAME, RAISED, CUT, NEW, GONE = "unchanged", "raised", "cut", "only here", "only in the live list"


def difference(frame: pd.DataFrame, live: pd.DataFrame) -> pd.DataFrame:
    """Compare two price lists row by row.

    Parameters
    ----------
    frame, live
        Price lists with their native columns; rows are matched by product, segment and customer. A row of ``frame``
        that is for a segment or a customer is otherwise matched with the product's price for everybody.

    Returns
    -------
    DataFrame
        The key, ``live_price``, ``new_price``, ``change`` (money), ``change_rate`` and ``kind``: raised, cut,
        unchanged, only here, only in the live list. Rows of ``frame`` in their order, then those only in ``live``.
    """
    left = _keyed(frame).rename(columns={"price": "new_price"}).assign(here=True)
    right = _keyed(live).rename(columns={"price": "live_price"}).assign(there=True)
    matched = left.merge(right, on=list(KEY), how="left", sort=False)
    everybody = right[(right["segment_id"] == "") & (right["customer_id"] == "")].set_index("product_id")["live_price"]
    general = matched["product_id"].map(everybody[~everybody.index.duplicated()]).astype(float)
    by_product = matched["there"].isna() & general.notna()
    matched = matched.assign(
        live_price=matched["live_price"].where(~by_product, general), there=matched["there"].where(~by_product, True)
    )
    rest = right.merge(left, on=list(KEY), how="left", sort=False)
    used = set(matched.loc[by_product, "product_id"])
    gone = rest["here"].isna() & ~(
        (rest["segment_id"] == "") & (rest["customer_id"] == "") & rest["product_id"].isin(used)
    )
    both = pd.concat([matched, rest[gone]], ignore_index=True)
    here, there = both["here"].notna(), both["there"].notna()
    change = both["new_price"] - both["live_price"]
    kind = np.select(
        [here & ~there, there & ~here, change > 5e-7, change < -5e-7],
        [NEW, GONE, RAISED, CUT],
        SAME,
    )
    rate = both["new_price"] / both["live_price"] - 1
    return both[[*KEY, "live_price", "new_price"]].assign(change=change, change_rate=rate, kind=kind)


def kinds(found: pd.DataFrame) -> dict[str, int]:
    """How many rows there are of each kind, in the order of a sentence; kinds that do not occur are left out."""
    each = found["kind"].value_counts()
    return {kind: int(each[kind]) for kind in (RAISED, CUT, SAME, NEW, GONE) if kind in each.index}


def _keyed(frame: pd.DataFrame) -> pd.DataFrame:
    keys = {name: frame[name].astype("str").fillna("") for name in KEY}
    return pd.DataFrame(keys).assign(price=frame["new_price"].to_numpy(dtype=float))
