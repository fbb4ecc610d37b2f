"""Checks of cleaned tables as a whole that point at doubtful rows, gaps in time and products that teach too little."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pricing_core.data.personal import personal_data, protected_attribute
from pricing_core.data.quality import Finding, first_rows
from pricing_core.data.seasons import LEAST_SEASON_DAYS, NEARLY_A_YEAR
from pricing_core.data.suspects import (
    Tables,
    below_cost,
    by_time,
    out_of_stock,
    price_blips,
    price_outliers,
    to_seconds,
)
from pricing_core.data.worksheet import counted

RowNumbers = Mapping[str, NDArray[np.int64]]

SUSPECTS: Final[dict[str, tuple[str, Callable[[Tables], Any], str, str, str]]] = {
    "price_outliers": (
        "price",
        price_outliers,
        "{count} price{s} {are} more than three times above or below the usual price of the product.",
        "A mistyped price distorts the response of its product.",
        "set aside: price far from the usual price of the product",
    ),
    "below_cost": (
        "price",
        below_cost,
        "{count} offer{s} {were} made below unit cost.",
        "Real clearance prices are worth keeping; a wrong cost makes every profit of the product wrong.",
        "set aside: price below unit cost",
    ),
    "price_blips": (
        "price",
        price_blips,
        "{count} offer{s} show{verb} a price that lasted for a moment and went back: a slip, or a test.",
        "A price that hardly anybody saw says little, and a slip says something wrong.",
        "set aside: price that lasted for a moment",
    ),
    "out_of_stock": (
        "stock",
        out_of_stock,
        "{count} offer{s} that nobody bought {were} out of stock.",
        "Counted as declined they make customers look less willing to pay than they are.",
        "set aside: out of stock when offered",
    ),
}
"""Repair → column, mask, message, effect, reason of the rows it sets aside."""

DROP: Final = "drop "
"""Start of the repairs that take a column out of the data set; ``drop customers.email``."""

_ERROR: Final = 0.5
_Z: Final = 1.645
_MANY: Final = 5
_LEAST_SPREAD: Final = 0.01  # below one percent a product was in effect offered at one price


def check_suspects(tables: Tables, numbers: RowNumbers, *, outliers: bool = True) -> list[Finding]:
    """Report doubtful offers, each kind with the repair that sets its rows aside."""
    if tables["offers"].empty:
        return []
    findings = []
    for repair, (_, find, *_rest) in SUSPECTS.items():
        if repair == "price_outliers" and not outliers:
            continue
        mask = find(tables)
        count = int(mask.sum())
        if count:
            rows = first_rows(numbers["offers"], mask) if "offers" in numbers else ()
            findings.append(suspect_finding(repair, count, rows))
    return findings


def suspect_finding(repair: str, count: int, rows: tuple[int, ...]) -> Finding:
    """The finding that a repair answers, for ``count`` offers of which ``rows`` are the first."""
    column, _, message, effect, _ = SUSPECTS[repair]
    return Finding("warning", "offers", column, count, rows, counted(message, count), effect, repair)


def check_time(offers: pd.DataFrame) -> list[Finding]:
    """Report stretches without any offer, and price changes on other weekdays than usual."""
    if offers.empty:
        return []
    return day_findings(offer_days(offers)) + weekday_findings(*price_days(offers))


def offer_days(offers: pd.DataFrame) -> NDArray[Any]:
    """Days with at least one offer, in order."""
    return np.unique(to_seconds(offers["offered_at"]) // 86_400).astype("datetime64[D]")


def day_findings(days: NDArray[Any]) -> list[Finding]:
    """Report stretches without any offer, and a log too short for seasons, from the days that have offers."""
    findings = []
    covered = int((days[-1] - days[0]).astype(int)) if len(days) else 0
    if NEARLY_A_YEAR <= covered < LEAST_SEASON_DAYS:
        message = f"The log covers {covered} days; the time of year is learned from {LEAST_SEASON_DAYS} days on."
        effect = "Until then it cannot be told from a trend: models follow the level of recent weeks instead."
        findings.append(Finding("info", "offers", "offered_at", covered, (), message, effect))
    if len(days) > 2:
        gap = np.diff(days).astype(int)
        limit = max(7.0, 5.0 * float(np.median(gap)))
        long = np.flatnonzero(gap > limit)
        if len(long):
            widest = long[np.argmax(gap[long])]
            times = "once" if len(long) == 1 else f"{len(long)} times"
            message = (
                f"No offers for more than {limit:.0f} days, {times}; the longest gap is from {days[widest]} to "
                f"{days[widest + 1]} ({gap[widest]} days)."
            )
            effect = "Customers seem to have stopped buying then; recent history and seasons are blurred."
            findings.append(Finding("warning", "offers", "offered_at", len(long), (), message, effect))
    return findings


def price_days(offers: pd.DataFrame) -> tuple[int, int, pd.DataFrame]:
    """Days of products: how many, on how many the price was steady, and on which a steady price had changed."""
    second = to_seconds(offers["offered_at"])
    code, names = _coded(offers["product_id"])
    order = by_time(code, second)
    return days_in_order(code[order], second[order], offers["price"].to_numpy(dtype=float)[order], names)


def days_in_order(
    product: NDArray[np.integer], second: NDArray[np.int64], price: NDArray[np.float64], names: pd.Index
) -> tuple[int, int, pd.DataFrame]:
    """Counts of :func:`price_days` for offers in the order of the numbers of their products and of time."""
    day = second // 86_400
    start = np.flatnonzero(np.append(True, (np.diff(product) != 0) | (np.diff(day) != 0))[: len(price)])
    if not len(start):
        return 0, 0, pd.DataFrame({"product_id": names[:0], "day": pd.to_datetime([], utc=True)})
    steady = start[np.minimum.reduceat(price, start) == np.maximum.reduceat(price, start)]
    same = product[steady[1:]] == product[steady[:-1]]
    changed = steady[1:][same & (price[steady[1:]] != price[steady[:-1]])]
    days = pd.to_datetime(day[changed].astype("datetime64[D]"), utc=True).as_unit("us")
    return len(start), len(steady), pd.DataFrame({"product_id": names.take(product[changed]), "day": days})


def _coded(products: pd.Series) -> tuple[NDArray[np.integer], pd.Index]:
    """Numbers of products in the order of their names, and the names."""
    if isinstance(products.dtype, pd.CategoricalDtype) and products.cat.categories.is_monotonic_increasing:
        return products.cat.codes.to_numpy(), products.cat.categories
    return pd.factorize(products, sort=True)  # type: ignore[return-value]


def weekday_findings(spread: int, steady: int, changed: pd.DataFrame) -> list[Finding]:
    """Changes of shelf prices on other weekdays than the one on which nearly all of them happen."""
    if steady < 0.8 * spread:
        return []  # prices differ within a day: there is no shelf price that changes
    if len(changed) < 20:
        return []
    share = changed["day"].dt.day_name().value_counts(normalize=True)
    usual = str(share.index[0])
    odd = changed[changed["day"].dt.day_name() != usual]
    if share.iloc[0] < 0.8 or odd.empty:
        return []
    example = odd.iloc[0]
    message = (
        f"{len(odd):,} of {len(changed):,} price changes happened on another day than {usual}, when this shop "
        f"changes its prices (such as {example['product_id']} on {example['day']:%Y-%m-%d})."
    )
    effect = "A change on an odd day can be a correction of a slip; prices before it may be wrong."
    return [Finding("info", "offers", "price", len(odd), (), message, effect)]


def check_variation(offers: pd.DataFrame) -> list[Finding]:
    r"""Say which products teach too little about their own reaction to price, and what would be enough.

    With n offers, purchase rate p and variance v of log price, the standard error of the own-price elasticity of a
    logit is about :math:`\sqrt{(1 - p) / (n p v)}`. A product teaches enough when its 90% range is ±0.82, which is a
    standard error of 0.5.
    """
    if offers.empty or offers["purchased"].sum() == 0:
        return []
    return variation_findings(product_evidence(offers))


def product_evidence(offers: pd.DataFrame) -> pd.DataFrame:
    """A row per product: number of offers ``n``, purchase rate ``p``, variance of log price ``v``."""
    logs = np.log(offers["price"])
    data = pd.DataFrame({"y": offers["purchased"].astype(float), "x": logs})
    groups = data.groupby(offers["product_id"], observed=True)
    return groups.agg(n=("y", "size"), p=("y", "mean"), v=("x", "var")).fillna({"v": 0.0})


def untold(table: pd.DataFrame) -> pd.Series:
    """Whether a product's own offers leave its reaction to price open, or show it at one price only.

    Parameters
    ----------
    table
        See :func:`product_evidence`; the rule is that of :func:`check_variation`.
    """
    _, varied, needed = _offers_needed(table)
    return ~varied | (table["n"] < needed)


def _offers_needed(table: pd.DataFrame) -> tuple[pd.Series, pd.Series, pd.Series]:
    """Purchase rate of each product, whether its price varied, and how many offers would tell its own reaction."""
    usual = float(table["p"].mean())
    rate = (table["p"] * table["n"] + usual) / (table["n"] + 1)  # a product without sales has some rate, not none
    varied = table["v"] > _LEAST_SPREAD**2
    return rate, varied, (1 - rate) / (rate * table["v"].where(varied) * _ERROR**2)


def variation_findings(table: pd.DataFrame) -> list[Finding]:
    """Findings of :func:`check_variation` from :func:`product_evidence`."""
    rate, varied, needed = _offers_needed(table)
    weak = varied & (table["n"] < needed)
    if not weak.any():
        return []
    worst: Any = table.loc[weak, "n"].idxmax()  # the one nearest to the goal is the most useful example
    spread = float(np.sqrt(table.loc[worst, "v"]))
    wanted = float(np.sqrt((1 - rate[worst]) / (table.loc[worst, "n"] * rate[worst])) / _ERROR)
    message = (
        f"{int(weak.sum()):,} of {len(table):,} products have too few offers or too little price variation to tell "
        f"their own reaction to price within ±{_Z * _ERROR:.1f}. {worst} has {int(table.loc[worst, 'n']):,} offers and "
        f"prices that vary by {spread:.0%}: {int(np.ceil(needed[worst])):,} offers would be enough, or {wanted:.0%} "
        "variation."
    )
    effect = "Their reaction is borrowed from similar products, and their prices stay near those tried before."
    count = int(table.loc[weak, "n"].sum())
    return [Finding("warning", "offers", "price", count, (), message, effect)]


def check_personal(tables: Tables) -> list[Finding]:
    """Report columns that identify people, with the repair that takes them out, and protected attributes."""
    findings = []
    for name in ("offers", "customers", "events"):
        frame = tables.get(name)
        if frame is None or frame.empty:
            continue
        for column in frame.columns:
            if str(column) in ("customer_id", "product_id") or not pd.api.types.is_string_dtype(frame[column]):
                continue
            findings += personal_findings(name, str(column), frame[column], int(frame[column].notna().sum()))
    customers = tables.get("customers")
    return findings + ([] if customers is None else protected_findings(customers.columns, len(customers)))


def personal_findings(table: str, column: str, values: pd.Series, count: int) -> list[Finding]:
    """Report a text column that identifies people; ``count`` of its cells are filled."""
    found = personal_data(column, values)
    if found is None or protected_attribute(column) is not None:
        return []
    message = f"The column {column} holds {found}."
    effect = "It never sets a price, and should not be here at all: a new version without it can be made."
    return [Finding("warning", table, column, count, (), message, effect, f"{DROP}{table}.{column}")]


def protected_findings(columns: Iterable[Any], rows: int) -> list[Finding]:
    """Report columns of the customers table that are protected attributes."""
    protected = [column for column in columns if protected_attribute(str(column)) is not None]
    findings = []
    if protected:
        words = f"{', '.join(map(str, protected[:_MANY]))} {'is a' if len(protected) == 1 else 'are'} protected "
        message = words + ("attribute of people." if len(protected) == 1 else "attributes of people.")
        effect = "Never used for a price; kept to check that groups do not pay more."
        findings.append(Finding("info", "customers", str(protected[0]), rows, (), message, effect))
    return findings
