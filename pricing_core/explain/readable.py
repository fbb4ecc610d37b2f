"""Features as a person reads them: a name in English and Chinese, and values in units instead of logarithms.

The models learn from transformed numbers (a count as log(1 + count), a season as cosines). Explanations undo that:
related columns become one feature, and each value is written in the unit in which the shop thinks of it.
"""

from __future__ import annotations

import calendar
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Groups = tuple[tuple[str, str, tuple[int, ...]], ...]

UNIT_WORDS: Final[dict[str, str]] = {
    "count": "count",
    "days": "days",
    "money": "money",
    "percent": "%",
    "going": "% of the going price",
    "change": "% above or below the price level",
    "ratio": "times the average",
    "points": "percentage points",
    "yes": "yes or no",
    "number": "",
    "text": "",
}
SHARES: Final = ("percent", "going", "change", "points")
NEVER_DAYS: Final = 729.5  # the history counts "never" as 730 days


@dataclass(frozen=True)
class Readable:
    """How to read one feature.

    Parameters
    ----------
    label, chinese
        Its name.
    unit
        Key of :data:`UNIT_WORDS`.
    turn
        From the models' number to the unit: shares and changes as fractions.
    """

    label: str
    chinese: str
    unit: str = "number"
    turn: Callable[[Floats], Floats] = np.asarray


def _percent_of(value: Floats) -> Floats:
    return 1 / (1 + np.exp(-value))


_COUNT, _LEVEL = np.expm1, np.exp
_KNOWN: Final[dict[str, Readable]] = {
    "offers seen": Readable("offers seen so far", "看过的报价次数", "count", _COUNT),
    "purchases so far": Readable("purchases so far", "累计购买次数", "count", _COUNT),
    "purchase rate": Readable("purchase rate against the shop's", "购买率（与全店相比）", "ratio", _LEVEL),
    "days since last purchase": Readable("days since last purchase", "距上次购买的天数", "days", _COUNT),
    "mean spend": Readable("mean spend per purchase", "每次购买的平均金额", "money", _COUNT),
    "price level offered": Readable("price level offered so far", "以往报价水平", "percent"),
    "price sensitivity trace": Readable("prices paid against prices offered", "成交价与报价之差", "points"),
    "purchase rate in category": Readable("purchase rate in this category against own", "该品类购买率（与自身相比）",
                                          "ratio", _LEVEL),
    "views in 30 days": Readable("views in 30 days", "近30天浏览次数", "count", _COUNT),
    "carts in 30 days": Readable("carts in 30 days", "近30天加入购物车次数", "count", _COUNT),
    "purchases in 30 days": Readable("purchases in 30 days", "近30天购买次数", "count", _COUNT),
    "mean rating given": Readable("mean rating given", "给出的平均评分"),
    "viewed this product today": Readable("viewed this product today", "今天浏览过该商品", "yes"),
    "put this product into cart today": Readable("put this product into cart today", "今天将该商品加入购物车", "yes"),
    "views of this product": Readable("views of this product", "浏览该商品的次数", "count", _COUNT),
    "carts of this product": Readable("carts of this product", "将该商品加入购物车的次数", "count", _COUNT),
    "purchases of this product": Readable("purchases of this product", "购买该商品的次数", "count", _COUNT),
    "days since this product": Readable("days since last contact with this product", "距上次接触该商品的天数", "days",
                                        _COUNT),
    "offers of this product": Readable("offers of this product seen", "看过该商品报价的次数", "count", _COUNT),
    "purchase rate of this product": Readable("purchase rate of this product against its category",
                                              "该商品购买率（与其品类相比）", "ratio", _LEVEL),
    "purchase rate of this product, 13 weeks": Readable("purchase rate of this product, 13 weeks, against its category",
                                                        "该商品近十三周购买率（与其品类相比）", "ratio", _LEVEL),
    "purchase rate of this product, 4 weeks": Readable("purchase rate of this product, 4 weeks, against its category",
                                                       "该商品近四周购买率（与其品类相比）", "ratio", _LEVEL),
    "price level (log)": Readable("price level of the product", "商品价格水平", "money", _LEVEL),
    "unit cost / price level": Readable("unit cost", "单位成本", "going"),
    "unit cost": Readable("unit cost", "单位成本", "going"),
    "stock (log)": Readable("stock", "库存", "count", _COUNT),
    "product conversion, 4 weeks": Readable("product conversion, 4 weeks, against the shop's",
                                            "商品近四周转化率（与全店相比）", "ratio", _LEVEL),
    "product sales, 4 weeks": Readable("product sales, 4 weeks", "商品近四周销量", "count", _COUNT),
    "mean rating": Readable("mean rating of the product", "商品平均评分"),
    "supply–demand pressure": Readable("supply–demand pressure", "供需压力"),
    "competitor gap": Readable("competitor price", "竞争对手价格", "change", np.expm1),
    "shop conversion, 4 weeks": Readable("shop conversion, 4 weeks", "全店近四周转化率", "percent", _percent_of),
    "time of year": Readable("time of year", "时节", "text"),
    "day of the week": Readable("day of the week", "星期几", "text"),
    "product identity": Readable("the product itself", "商品本身", "text"),
    "recent events": Readable("recent events", "近期行为", "count"),
    "usual price here": Readable("usual price in such a situation", "类似情况下的惯常价格", "going"),
    "category": Readable("category", "品类", "text"),
    "brand": Readable("brand", "品牌", "text"),
    "promotion": Readable("promotion", "促销", "yes"),
    "season": Readable("season", "季节", "text"),
    "region": Readable("region", "地区", "text"),
    "device": Readable("device", "设备", "text"),
    "loyalty tier": Readable("loyalty tier", "会员等级", "text"),
    "household size": Readable("household size", "家庭人数"),
    "organic": Readable("organic", "有机", "yes"),
    "channel": Readable("channel", "渠道", "text"),
}  # fmt: skip
_TOGETHER: Final[dict[str, str]] = {
    **dict.fromkeys(
        ("season (cosine)", "season (sine)", "half-year (cosine)", "half-year (sine)"), "time of year"
    ),
    **dict.fromkeys(("weekday (cosine)", "weekday (sine)"), "day of the week"),
}  # fmt: skip


def readable(name: str) -> Readable:
    """How to read a feature by the models' name for it; a column of the shop's own keeps its name."""
    known = _KNOWN.get(name)
    if known is not None:
        return known
    if name.startswith("days since "):
        return Readable(name, f"距{name.removeprefix('days since ')}的天数", "days", np.expm1)
    return Readable(name, name)


def readable_groups(groups: Groups) -> tuple[Groups, tuple[str, ...]]:
    """Groups of an encoded batch with related columns together, under readable names; and the models' names."""
    merged: dict[tuple[str, str], list[int]] = {}
    for name, block, columns in groups:
        merged.setdefault((_TOGETHER.get(name, name), block), []).extend(columns)
    names = tuple(name for name, _ in merged)
    labels = _distinct([readable(name).label for name in names])
    found = tuple(
        (label, block, tuple(columns)) for label, ((_, block), columns) in zip(labels, merged.items(), strict=True)
    )
    return found, names


def chinese_names(names: tuple[str, ...]) -> dict[str, str]:
    """Chinese name of each readable label, given the models' names from :func:`readable_groups`."""
    labels = _distinct([readable(name).label for name in names])
    return {label: readable(name).chinese for label, name in zip(labels, names, strict=True)}


def axis_title(label: str, name: str) -> str:
    """Title of an axis: the readable label with the unit of the feature that the models call ``name``."""
    words = UNIT_WORDS[readable(name).unit]
    return f"{label} ({words})" if words else label


def readable_numbers(name: str, values: Any) -> Floats | None:
    """Values of a feature in its unit; None for text."""
    if not pd.api.types.is_numeric_dtype(pd.Series(values)):
        return None
    return np.asarray(readable(name).turn(np.asarray(values, dtype=float)))


def written(name: str, value: Any, currency: str = "") -> str:
    """Write one value of a feature, given in its unit, with the unit."""
    if value is None or value is pd.NA or (isinstance(value, float) and math.isnan(value)):
        return "unknown"
    unit = readable(name).unit
    if isinstance(value, str) or unit == "text":
        return str(value)
    return _WRITERS[unit](float(value), currency)


def in_chinese(text: str) -> str:
    """Chinese for a value as :func:`written` wrote it; what the shop's own tables say stays as it is."""
    if text in _CHINESE:
        return _CHINESE[text]
    if text.endswith(" of the going price"):
        return f"现行价的{text.removesuffix(' of the going price')}"
    for word, chinese in _CHINESE_UNITS.items():
        number, found, rest = text.rpartition(word)
        if found and not rest and number.strip(" +\u2212.,0123456789") == "":
            return f"{number.strip()}{chinese}"
    return text


_CHINESE: Final[dict[str, str]] = {
    "unknown": "未知", "yes": "是", "no": "否", "never": "从未", "Monday": "星期一", "Tuesday": "星期二",
    "Wednesday": "星期三", "Thursday": "星期四", "Friday": "星期五", "Saturday": "星期六", "Sunday": "星期日",
    **{name: f"{month}月" for month, name in enumerate(calendar.month_name) if name},
}  # fmt: skip
_CHINESE_UNITS: Final[dict[str, str]] = {
    " days": "天", " day": "天", " points": "个百分点", "×": "倍",
}  # fmt: skip


def _yes(value: float, currency: str) -> str:
    return {0.0: "no", 1.0: "yes"}.get(value, f"{value:.2g}")


def _days(value: float, currency: str) -> str:
    return "never" if value > NEVER_DAYS else f"{value:,.0f} day{'' if round(value) == 1 else 's'}"


def _number(value: float, currency: str) -> str:
    text = f"{value:,.3g}" if abs(value) < 1_000 else f"{value:,.0f}"
    return text.replace("-", "\u2212")


def _signed(value: float, suffix: str) -> str:
    return f"{100 * value:+.1f}{suffix}".replace("-", "\u2212")


_WRITERS: Final[dict[str, Callable[[float, str], str]]] = {
    "count": lambda value, currency: f"{value:,.0f}",
    "days": _days,
    "money": lambda value, currency: f"{value:,.2f} {currency}".strip(),
    "percent": lambda value, currency: f"{value:.0%}",
    "going": lambda value, currency: f"{value:.0%} of the going price",
    "change": lambda value, currency: _signed(value, "%"),
    "ratio": lambda value, currency: f"{value:.2f}×",
    "points": lambda value, currency: _signed(value, " points"),
    "yes": _yes,
    "number": _number,
}


def _distinct(labels: list[str]) -> list[str]:
    """Number labels that occur more than once."""
    return [
        label if labels.index(label) == k else f"{label} ({labels[:k].count(label) + 1})"
        for k, label in enumerate(labels)
    ]
