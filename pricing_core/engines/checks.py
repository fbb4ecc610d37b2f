"""Checks of large tables as a whole: those of small tables, product by product, and totals put together."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandas as pd

from pricing_core.data import checks, quality
from pricing_core.data.quality import SHOWN_ROWS, Finding
from pricing_core.data.suspects import by_time, to_seconds
from pricing_core.data.whole_tables import as_whole
from pricing_core.engines.instruments import large_instrument
from pricing_core.engines.rules import Rows
from pricing_core.engines.typed import quoted

_DISTINCT = 1_000


def whole_findings(
    large: Mapping[str, Rows],
    small: Mapping[str, pd.DataFrame],
    *,
    currency: str,
    margin_assumption: float | None,
    outliers: bool,
) -> tuple[list[Finding], float | None]:
    """Findings about all tables, in the order in which small imports report them, and the margin to assume.

    Parameters
    ----------
    large, small
        Tables of the shop; ``offers`` is among the large ones.
    currency, margin_assumption
        As chosen.
    outliers
        Whether to look for prices far from the usual.
    """
    offers = large["offers"]
    usable = offers.usable()
    count, bought, customers = offers.session.row(
        f"SELECT count(*), coalesce(sum(purchased), 0), count(DISTINCT customer_id) FROM {usable}"
    )
    if not count:
        return as_whole(quality.check_offers(pd.DataFrame())), margin_assumption
    evidence = _Evidence(offers, usable, small, outliers)
    findings = quality.offer_findings(int(bought), int(customers), evidence.prices)
    findings += _references(large, small)
    if "currency" in offers.columns:
        findings += quality.currency_findings(_words(offers, "currency", usable), count, currency)
    for repair, (marked, first) in evidence.suspects.items():
        if marked:
            rows = tuple(int(number) for number in offers.numbers(first))
            findings.append(checks.suspect_finding(repair, marked, rows))
    days = offers.session.positions(
        f"SELECT DISTINCT floor(offered_at / 86400000000.0)::BIGINT AS d FROM {usable} ORDER BY 1"
    )
    findings += checks.day_findings(days.astype("datetime64[D]"))
    findings += checks.weekday_findings(*evidence.days)
    findings += checks.variation_findings(evidence.products) if bought else []
    findings += _personal(large) + large_instrument(offers, usable, count)
    costs, margin = quality.cost_findings(_without_cost(offers, usable, small), count, margin_assumption)
    return as_whole(findings + costs), margin


class _Evidence:
    """What the offers say product by product, from chunks that hold whole products."""

    def __init__(self, offers: Rows, usable: str, small: Mapping[str, pd.DataFrame], outliers: bool) -> None:
        self.suspects: dict[str, tuple[int, np.ndarray]] = {}
        names = ["product_id", "offered_at", "price", "purchased"]
        names += [name for name in ("unit_cost", "stock") if name in offers.columns]
        prices, products, changed = [], [], []
        spread = steady = 0
        chunks = list(offers.ranges("product_id", usable))

        def look(where: str) -> _OfChunk:
            with offers.session.another() as session:
                rows = offers.beside(session)
                return _OfChunk(rows.frame(names, rows.usable(), where), small, outliers)

        for place, chunk in enumerate(_in_threads(look, chunks, offers.limits.threads)):
            offers.session.stage("Checking", 0.7 + 0.1 * place / len(chunks), "Looking at each product")
            prices.append(chunk.prices)
            products.append(chunk.products)
            spread, steady = spread + chunk.days[0], steady + chunk.days[1]
            changed.append(chunk.days[2])
            for repair, (count, first) in chunk.suspects.items():
                so_far, earlier = self.suspects.get(repair, (0, np.zeros(0, dtype=np.int64)))
                self.suspects[repair] = so_far + count, np.sort(np.append(earlier, first))[:SHOWN_ROWS]
        self.prices = _by_text(prices)
        self.products = _by_text(products)
        every = pd.concat([part.assign(product_id=part["product_id"].astype("str")) for part in changed])
        self.days = spread, steady, every.sort_values(["product_id", "day"], ignore_index=True)


class _OfChunk:
    """What some products' offers say."""

    def __init__(self, frame: pd.DataFrame, small: Mapping[str, pd.DataFrame], outliers: bool) -> None:
        self.prices = _price_counts(frame)
        self.products = checks.product_evidence(frame)
        self.days = checks.price_days(frame)
        self.suspects: dict[str, tuple[int, np.ndarray]] = {}
        tables = {**small, "offers": frame}
        for repair, (_, find, *_rest) in checks.SUSPECTS.items():
            if repair == "price_outliers" and not outliers:
                continue
            rows = frame.index.to_numpy(dtype=np.int64)[np.asarray(find(tables), dtype=bool)]
            self.suspects[repair] = len(rows), rows[:SHOWN_ROWS]


def _price_counts(frame: pd.DataFrame) -> pd.DataFrame:
    """Offers ``n`` and different ``prices`` of each product; of a price that stays for a while, one offer is enough."""
    code, second = frame["product_id"].cat.codes.to_numpy(), to_seconds(frame["offered_at"])
    order = by_time(code, second)
    product, price = code[order], frame["price"].to_numpy(dtype=float)[order]
    new = np.append(True, (np.diff(product) != 0) | (np.diff(price) != 0))[: len(price)]
    different = pd.Series(price[new]).groupby(product[new]).nunique()
    names, sold = frame["product_id"].cat.categories, different.index.to_numpy()
    counts = np.bincount(product, minlength=len(names))[sold]
    index = pd.Index(names.take(sold), name="product_id")
    return pd.DataFrame({"n": counts, "prices": different.to_numpy()}, index=index)


def _in_threads(work: Callable[[str], _OfChunk], items: Sequence[str], threads: int) -> Iterator[_OfChunk]:
    """Results in the order of the items; what has not begun when the caller stops is not done."""
    pool = ThreadPoolExecutor(threads, thread_name_prefix="import-check")
    try:
        yield from pool.map(work, items)
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _by_text(parts: list[pd.DataFrame]) -> pd.DataFrame:
    """Rows of all products, in the order of their text."""
    whole = pd.concat([part.set_axis(part.index.astype("str"), axis=0) for part in parts])
    return whole.sort_index(kind="stable")


def _words(rows: Rows, name: str, usable: str) -> pd.Series:
    """The different texts of a column among the usable rows."""
    column = rows.columns[name]
    if column.type != "words":
        found = rows.session.frame(f"SELECT DISTINCT {column.sql} AS w FROM {usable} WHERE {column.sql} IS NOT NULL")
        return found["w"].astype("str")
    codes = rows.session.positions(f"SELECT DISTINCT {column.sql} FROM {usable} WHERE {column.sql} IS NOT NULL")
    return pd.Series(column.words).iloc[np.sort(codes)].astype("str")


def _references(large: Mapping[str, Rows], small: Mapping[str, pd.DataFrame]) -> list[Finding]:
    findings = []
    for table, key in (("customers", "customer_id"), ("products", "product_id")):
        if table in large:
            known = _words(large[table], key, large[table].usable())
        elif table in small:
            known = small[table][key]
        else:
            continue
        for source in ("offers", "events"):
            if source not in large or key not in large[source].columns:
                continue
            rows = large[source]
            words = rows.columns[key].words
            unknown = np.flatnonzero(~words.isin(known).to_numpy())
            listed = pd.DataFrame({"code": unknown.astype(np.int32)})
            ids, count = rows.session.row(
                f"SELECT count(DISTINCT {key}), count(*) FROM {rows.usable()} WHERE {key} IN (SELECT code FROM listed)",
                listed=listed,
            )
            if count:
                findings.append(quality.unknown_ids(source, table, key, int(ids), int(count)))
    return findings


def _personal(large: Mapping[str, Rows]) -> list[Finding]:
    findings = []
    for table in ("offers", "customers", "events"):
        if table not in large:
            continue
        rows = large[table]
        usable = rows.usable()
        for name, column in rows.columns.items():
            if name in ("customer_id", "product_id") or column.type not in ("words", "text"):
                continue
            sample = rows.session.frame(
                f"SELECT {column.sql} AS w FROM {usable} WHERE {column.sql} IS NOT NULL "
                f"GROUP BY 1 ORDER BY min(p) LIMIT {_DISTINCT}"
            )["w"]
            values = column.words.iloc[sample.to_numpy(dtype=np.int64)] if column.type == "words" else sample
            found = checks.personal_findings(table, name, values.astype("str"), 1)
            if found:
                (count,) = rows.session.row(f"SELECT count({quoted(name)}) FROM {usable}")
                findings += checks.personal_findings(table, name, values.astype("str"), int(count))
    if "customers" in large:
        rows = large["customers"]
        findings += checks.protected_findings(rows.columns, rows.kept_rows())
    return findings


def _without_cost(offers: Rows, usable: str, small: Mapping[str, pd.DataFrame]) -> int:
    """Number of offers whose unit cost neither they nor the products tell."""
    unknown = "unit_cost IS NULL" if "unit_cost" in offers.columns else "true"
    products = small.get("products")
    listed = pd.DataFrame({"code": np.zeros(0, dtype=np.int32)})
    if products is not None and "unit_cost" in products.columns:
        priced = products.loc[products["unit_cost"].notna(), "product_id"]
        codes = np.flatnonzero(offers.columns["product_id"].words.isin(priced).to_numpy())
        listed = pd.DataFrame({"code": codes.astype(np.int32)})
    (count,) = offers.session.row(
        f"SELECT count(*) FROM {usable} WHERE {unknown} AND product_id NOT IN (SELECT code FROM listed)", listed=listed
    )
    return int(count)
