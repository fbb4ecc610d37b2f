"""What the offers of a large table say, product by product, from pieces that hold whole products."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pricing_core.data import checks
from pricing_core.data.quality import SHOWN_ROWS
from pricing_core.data.rules import OUTLIER_FACTOR, far_from_usual
from pricing_core.data.suspects import blips_in_order
from pricing_core.engines.by_product import Floats, Ints, Offers
from pricing_core.engines.rows import Rows

Suspects = dict[str, tuple[int, Ints]]

_COLUMNS: Final = ("product_id", "offered_at", "price", "purchased", "unit_cost", "stock")


class Evidence:
    """What the offers say product by product.

    Attributes
    ----------
    prices, products
        A row per product: number of offers and of different prices; see :func:`checks.product_evidence`.
    days
        See :func:`checks.price_days`.
    suspects
        Repair → number of offers, and the first positions.
    """

    def __init__(self, parts: Sequence[_OfPiece]) -> None:
        self.prices = _by_text([part.prices for part in parts])
        self.products = _by_text([part.products for part in parts])
        every = pd.concat([part.days[2].assign(product_id=part.days[2]["product_id"].astype("str")) for part in parts])
        changed = every.sort_values(["product_id", "day"], ignore_index=True)
        self.days = sum(part.days[0] for part in parts), sum(part.days[1] for part in parts), changed
        self.suspects: Suspects = {}
        for repair in parts[0].suspects:
            found = [part.suspects[repair] for part in parts]
            first = np.sort(np.concatenate([rows for _, rows in found]))[:SHOWN_ROWS]
            self.suspects[repair] = sum(count for count, _ in found), first


def offers_evidence(offers: Rows, small: Mapping[str, pd.DataFrame], outliers: bool) -> Evidence:
    """Look at all offers that are not set aside; ``small`` may hold the products table."""
    pieces = offers.by_product(_COLUMNS)
    found = []
    for place, part in enumerate(_in_threads(lambda piece: _OfPiece(piece(), small, outliers), pieces, offers)):
        offers.session.stage("Checking", 0.7 + 0.1 * place / len(pieces), "Looking at each product")
        found.append(part)
    return Evidence(found)


class _OfPiece:
    """What the offers of some products say."""

    def __init__(self, offers: Offers, small: Mapping[str, pd.DataFrame], outliers: bool) -> None:
        product, names = offers.product, offers.names
        logs = pd.Series(np.log(offers.price))
        groups = logs.groupby(pd.Series(pd.Categorical.from_codes(product, names)), observed=False)
        bought = np.add.reduceat(offers.bought, _starts(offers.counts), dtype=np.int64)
        self.products = pd.DataFrame(
            {"n": offers.counts, "p": bought / offers.counts, "v": groups.var().fillna(0.0).to_numpy()}, index=names
        )
        positions, second, price = offers.positions, offers.second, offers.price
        wide = _far(offers, product) if outliers else None
        asked = _asked(offers, product, small)
        same = np.diff(product) == 0
        if (same & (np.diff(second) < 0)).any():
            order = np.lexsort((second, product))
            second, price, in_order = second[order], price[order], positions[order]
        else:
            in_order = positions
        new = np.append(True, ~same | (np.diff(price) != 0))
        different = pd.Series(price[new]).groupby(product[new]).nunique().to_numpy()
        self.prices = pd.DataFrame({"n": offers.counts, "prices": different}, index=names)
        self.days = checks.days_in_order(product, second, price, names)
        blips = in_order[blips_in_order(product, second, price)]
        self.suspects: Suspects = {} if wide is None else {"price_outliers": _first(wide)}
        self.suspects |= {
            "below_cost": _first(asked["unit_cost"]), "price_blips": _first(blips),
            "out_of_stock": _first(asked["stock"]),
        }  # fmt: skip


def _far(offers: Offers, product: NDArray[np.int32]) -> Ints:
    """Offers at a price far from the usual; few products have prices that can be far from each other."""
    starts = _starts(offers.counts)
    least, most = np.minimum.reduceat(offers.price, starts), np.maximum.reduceat(offers.price, starts)
    wide = most > 0.9 * OUTLIER_FACTOR * least
    if not wide.any():
        return offers.positions[:0]
    rows = np.flatnonzero(wide[product])
    frame = pd.DataFrame({"product_id": product[rows], "price": offers.price[rows]})
    return offers.positions[rows[far_from_usual(frame)]]


def _asked(offers: Offers, product: NDArray[np.int32], small: Mapping[str, pd.DataFrame]) -> dict[str, Ints]:
    """Offers below their cost, and offers out of stock that were not bought."""
    cost = _known(offers.unit_cost, "unit_cost", offers, product, small)
    stock = _known(offers.stock, "stock", offers, product, small)
    none = offers.positions[:0]
    with np.errstate(invalid="ignore"):
        return {
            "unit_cost": none if cost is None else offers.positions[offers.price < cost],
            "stock": none if stock is None else offers.positions[(stock <= 0) & (offers.bought == 0)],
        }


def _known(
    own: Floats | None, column: str, offers: Offers, product: NDArray[np.int32], small: Mapping[str, pd.DataFrame]
) -> Floats | None:
    """A number of each offer from the offers, else from the products table; None where neither says it."""
    products = small.get("products")
    if products is None or column not in products.columns:
        return own
    known = products.drop_duplicates("product_id").set_index("product_id")[column]
    listed = pd.Series(offers.names.astype("str")).map(known).to_numpy(dtype=float)[product]
    return listed if own is None else np.where(np.isnan(own), listed, own)


def _first(positions: Ints) -> tuple[int, Ints]:
    return len(positions), np.sort(positions)[:SHOWN_ROWS]


def _starts(counts: Ints) -> Ints:
    return np.cumsum(counts) - counts


def _in_threads(
    work: Callable[[Callable[[], Offers]], _OfPiece], pieces: Sequence[Callable[[], Offers]], offers: Rows
) -> Iterator[_OfPiece]:
    """Results in the order of the pieces; what has not begun when the caller stops is not done."""
    pool = ThreadPoolExecutor(offers.checkers, thread_name_prefix="import-check")
    try:
        yield from pool.map(work, pieces)
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _by_text(parts: list[pd.DataFrame]) -> pd.DataFrame:
    """Rows of all products, in the order of their text."""
    whole = pd.concat([part.set_axis(part.index.astype("str"), axis=0) for part in parts])
    return whole.sort_index(kind="stable")
