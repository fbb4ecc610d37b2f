"""The price of a product in a period, read from what other customers paid."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class FoundPrices:
    """Price (NaN: unknown) and its age in periods (0: of the same period), row by row."""

    price: Floats
    age: Ints


@dataclass(frozen=True, eq=False)
class PeriodPrices:
    """Prices by item (a product in a store) and period, with the lines they come from.

    Attributes
    ----------
    item, period, price, buyers
        (m,) one entry per item and period with a line, sorted by both: the price over all lines, and how many different
        customers bought.
    """

    item: Ints
    period: Ints
    price: Floats
    buyers: Ints
    source: str
    _lines: pd.DataFrame
    _span: int

    def on_offer(self, item: Ints, period: Ints, max_age: int) -> Mask:
        """Whether at least two customers bought the item in the period, or anyone up to ``max_age`` periods before."""
        place, same = self._find(item, period)
        several = same & (self.buyers[place] >= 2)
        _, age = self._before(item, period)
        return several | (age <= max_age)

    def without_own(self, item: Ints, period: Ints, customer: Ints, max_age: int) -> FoundPrices:
        """Price of each item and period leaving out the customer's own lines of that period.

        Where nobody else bought in the period, the price of the latest earlier one is carried, up to ``max_age``.
        """
        place, same = self._find(item, period)
        price = np.where(same, self.price[place], np.nan)
        own = self._others(item, period, customer)
        mine = own.index.to_numpy()
        price[mine] = own.to_numpy()
        age = np.zeros(len(item), dtype=np.int64)
        gap = np.flatnonzero(~np.isfinite(price))
        earlier, distance = self._before(item[gap], period[gap])
        usable = distance <= max_age
        price[gap[usable]] = self.price[earlier[usable]]
        age[gap] = np.where(usable, distance, 0)
        return FoundPrices(price, age)

    def _find(self, item: Ints, period: Ints) -> tuple[Ints, Mask]:
        key, wanted = self._key(self.item, self.period), self._key(item, period)
        place = np.minimum(np.searchsorted(key, wanted), len(key) - 1)
        return place, key[place] == wanted

    def _before(self, item: Ints, period: Ints) -> tuple[Ints, Ints]:
        """Place of the latest entry of the item before the period, and how long before; a large number if none."""
        key = self._key(self.item, self.period)
        place = np.searchsorted(key, self._key(item, period)) - 1
        inside = np.maximum(place, 0)
        found = (place >= 0) & (self.item[inside] == item)
        return inside, np.where(found, period - self.period[inside], np.iinfo(np.int32).max)

    def _key(self, item: Ints, period: Ints) -> Ints:
        return item * np.int64(self._span) + period

    def _others(self, item: Ints, period: Ints, customer: Ints) -> pd.Series:
        """Price over the other customers' lines, for the rows whose customer has lines of that item and period."""
        asked = pd.DataFrame({"item": item, "period": period, "customer": customer, "row": np.arange(len(item))})
        buyers = self._lines[["item", "period", "customer"]].drop_duplicates()
        asked = asked.merge(buyers, on=["item", "period", "customer"])
        if self.source == "latest":
            return self._latest_of_others(asked)
        own = _tally(self._lines, ["item", "period", "customer"]).rename(columns={"lines": "own"})
        prices = asked.merge(_tally(self._lines, ["item", "period"]), on=["item", "period"])
        prices = prices.merge(own, how="left", on=["item", "period", "customer", "price"])
        prices["lines"] -= prices["own"].fillna(0).astype("int64")
        found = _price_of(prices[prices["lines"] > 0], ["row"], self.source).set_index("row")["price"]
        return found.reindex(asked["row"])

    def _latest_of_others(self, asked: pd.DataFrame) -> pd.Series:
        """Latest price of each item and period, or where it is the customer's own, that of somebody else."""
        keys = ["item", "period"]
        ordered = self._lines.sort_values([*keys, "time", "price"], kind="stable")
        last = ordered.drop_duplicates(keys, keep="last")[[*keys, "customer", "price"]]
        joined = ordered.merge(last[[*keys, "customer"]], on=keys, suffixes=("", "_last"))
        second = joined[joined["customer"] != joined["customer_last"]].drop_duplicates(keys, keep="last")
        found = asked.merge(last, on=keys, how="left", suffixes=("", "_last"))
        found = found.merge(second[[*keys, "price"]], on=keys, how="left", suffixes=("", "_second"))
        price = found["price"].where(found["customer"] != found["customer_last"], found["price_second"])
        return pd.Series(price.to_numpy(dtype=float), index=found["row"])


def period_prices(item: Ints, period: Ints, customer: Ints, price: Floats, time: Ints, source: str) -> PeriodPrices:
    """Collect prices by item and period from order lines, (n,) each.

    Parameters
    ----------
    source
        ``modal`` (the commonest, of two equally common ones the lower), ``median`` (the lower middle one), ``latest``.
    """
    lines = pd.DataFrame({"item": item, "period": period, "customer": customer, "price": price, "time": time})
    keys = ["item", "period"]
    if source == "latest":
        entries = lines.sort_values([*keys, "time", "price"], kind="stable").drop_duplicates(keys, keep="last")
    else:
        entries = _price_of(_tally(lines, keys), keys, source)
    buyers = np.asarray(lines.groupby(["item", "period"])["customer"].nunique(), dtype=np.int64)
    return PeriodPrices(
        entries["item"].to_numpy(dtype=np.int64),
        entries["period"].to_numpy(dtype=np.int64),
        entries["price"].to_numpy(dtype=float),
        buyers,
        source,
        lines,
        int(period.max()) + 2,
    )


def _tally(lines: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    """Number of lines of each price within the groups."""
    return lines.groupby([*keys, "price"], as_index=False).size().rename(columns={"size": "lines"})


def _price_of(prices: pd.DataFrame, keys: list[str], source: str) -> pd.DataFrame:
    """One price per group from prices with their number of ``lines``, sorted by the keys."""
    if source == "median":
        ordered = prices.sort_values([*keys, "price"], kind="stable")
        total = ordered.groupby(keys)["lines"].transform("sum")
        reached = 2 * ordered.groupby(keys)["lines"].cumsum() >= total
        return ordered[reached].drop_duplicates(keys)[[*keys, "price"]].reset_index(drop=True)
    descending = [True] * len(keys) + [False, True]
    ordered = prices.sort_values([*keys, "lines", "price"], ascending=descending, kind="stable")
    return ordered.drop_duplicates(keys)[[*keys, "price"]].reset_index(drop=True)
