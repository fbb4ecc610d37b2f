"""Reasons in plain English and Chinese, put together from computed contributions by fixed templates.

Every sentence is a template of :data:`TEMPLATES`, filled with numbers and names that were computed; no text is free.
Both languages say the same, in the same order.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

from pricing_core.errors import ConfigError

LANGUAGES: Final[dict[str, str]] = {"en": "English", "zh": "中文"}

TEMPLATES: Final[dict[str, dict[str, str]]] = {
    "raise": {
        "en": "{product}: raised from {current} to {new} ({change}).",
        "zh": "{product}：价格由 {current} 提高到 {new}（{change}）。",
    },
    "cut": {
        "en": "{product}: cut from {current} to {new} ({change}).",
        "zh": "{product}：价格由 {current} 降到 {new}（{change}）。",
    },
    "keep": {
        "en": "{product}: the price stays at {current}.",
        "zh": "{product}：价格维持 {current}。",
    },
    "hold": {
        "en": "{product}: today's price of {current} stays, because no price meets all rules.",
        "zh": "{product}：没有满足全部规则的价格，因此维持现价 {current}。",
    },
    "higher": {
        "en": "Before any rule, the price that earns most is above that of a typical offer ({typical}): {wanted}.",
        "zh": "不考虑规则时，利润最高的价格高于典型报价（{typical}），为 {wanted}。",
    },
    "lower": {
        "en": "Before any rule, the price that earns most is below that of a typical offer ({typical}): {wanted}.",
        "zh": "不考虑规则时，利润最高的价格低于典型报价（{typical}），为 {wanted}。",
    },
    "same": {
        "en": "Before any rule, the price that earns most is that of a typical offer: {wanted}.",
        "zh": "不考虑规则时，利润最高的价格与典型报价相同，为 {wanted}。",
    },
    "drivers": {"en": "What moves it most: {list}.", "zh": "主要影响因素：{list}。"},
    "driver": {"en": "{feature} = {value} ({effect})", "zh": "{feature}为{value}（{effect}）"},
    "rule": {"en": "It was stopped by: {rule}.", "zh": "受以下规则限制：{rule}。"},
    "ending": {"en": "It was moved to an allowed price ending.", "zh": "已调整为允许的价格尾数。"},
    "measured": {
        "en": "Evidence: measured; this product was offered often enough at different prices.",
        "zh": "依据：实测；该商品在不同价格上有足够的记录。",
    },
    "borrowed": {
        "en": "Evidence: borrowed; its own offers are too few or too alike in price, similar products fill in.",
        "zh": "依据：借鉴；该商品自身的记录太少或价格太接近，参考了相似商品。",
    },
    "extrapolated": {
        "en": "Evidence: extrapolated; today's price lies outside what the data support.",
        "zh": "依据：外推；现价超出数据支持的范围。",
    },
    "flip_up": {
        "en": "The decision becomes “{decision}” if the {circumstance} rises to {value} ({change}).",
        "zh": "如果{circumstance}升至 {value}（{change}），决定将变为“{decision}”。",
    },
    "flip_down": {
        "en": "The decision becomes “{decision}” if the {circumstance} falls to {value} ({change}).",
        "zh": "如果{circumstance}降至 {value}（{change}），决定将变为“{decision}”。",
    },
}
_WORDS: Final[dict[str, dict[str, str]]] = {
    "en": {"between": ", ", "after": " "},
    "zh": {
        "between": "、",
        "after": "",
        "unit cost": "单位成本",
        "competitor price": "竞争对手价格",
        "stock": "库存",
        "raise": "涨价",
        "cut": "降价",
        "keep": "维持原价",
        "hold": "暂不定价",
        "supported prices": "数据支持的价格范围",
        "margin floor": "最低毛利率",
        "price floor": "最低价格",
        "price ceiling": "最高价格",
        "maximum change": "最大调价幅度",
        "list price (discount only)": "不高于标价（只打折）",
        "current price (discount only)": "不高于现价（只打折）",
        "maximum distance from list price": "与标价的最大差距",
        "competitor band": "与竞争对手价格的差距",
        "price ladder": "价格档位",
        "price ending": "价格尾数",
        "price endings": "价格尾数",
        "discount only": "只打折",
        "maximum dispersion": "最大价格离散度",
        "equal price": "同组同价",
        "price order": "价格顺序",
        "minimum number of changes": "最少调价数量",
        "maximum number of changes": "最多调价数量",
        "discount budget": "折扣预算",
        "capacity": "产能",
        "minimum conversion": "最低转化率",
        "minimum units": "最低销量",
        "price parity": "群体间价格均等",
    },
}


@dataclass(frozen=True)
class Driver:
    """One feature that moves the price: name and value in both languages, and its effect in money."""

    feature: str
    feature_zh: str
    value: str
    value_zh: str
    effect: float


@dataclass(frozen=True)
class FlipFact:
    """Nearest flip point: what changes, to which value, by how much, and the decision beyond."""

    circumstance: str
    value: float
    change_rate: float
    decision: str


@dataclass(frozen=True)
class ReasonFacts:
    """What a reason is made of; all of it computed.

    Parameters
    ----------
    product_id, currency, decimals
        Product; ISO 4217 code of the money and its decimals.
    status
        ``raise``, ``cut``, ``keep`` or ``hold``.
    current_price, new_price
        Money.
    typical_price, wanted_price
        Price that earns most for a typical offer and for this one, before any rule; NaN if not computed.
    drivers
        Features that move it most, largest first.
    rule
        Guardrail that stopped the price; empty where none did.
    evidence
        ``measured``, ``borrowed`` or ``extrapolated``.
    flip
        Nearest flip point; None where none was found.
    """

    product_id: str
    currency: str
    decimals: int
    status: str
    current_price: float
    new_price: float
    typical_price: float
    wanted_price: float
    drivers: tuple[Driver, ...]
    rule: str
    evidence: str
    flip: FlipFact | None


def reason(facts: ReasonFacts, language: str = "en") -> str:
    """Put the sentences together.

    Raises
    ------
    ConfigError
        If there is no such language.
    """
    if language not in LANGUAGES:
        raise ConfigError(f"There is no language {language!r}.", fix=f"Languages are {', '.join(LANGUAGES)}.")
    parts = [_say(facts, language), *_before_rules(facts, language)]
    if facts.rule == "price ending":
        parts.append(TEMPLATES["ending"][language])
    elif facts.rule and facts.status != "hold":
        parts.append(TEMPLATES["rule"][language].format(rule=_word(facts.rule, language)))
    if facts.flip is not None:
        parts.append(_flip(facts, facts.flip, language))
    parts.append(TEMPLATES[facts.evidence][language])
    return _WORDS[language]["after"].join(parts)


def driver_text(driver: Driver, currency: str, decimals: int, language: str = "en") -> str:
    """One driver with its value and its effect, such as ``unit cost = 61% (+0.42 USD)``."""
    chinese = language == "zh"
    return TEMPLATES["driver"][language].format(
        feature=driver.feature_zh if chinese else driver.feature,
        value=driver.value_zh if chinese else driver.value,
        effect=_money(driver.effect, currency, decimals, signed=True),
    )


def _say(facts: ReasonFacts, language: str) -> str:
    change = facts.new_price / facts.current_price - 1
    return TEMPLATES[facts.status][language].format(
        product=facts.product_id,
        current=_money(facts.current_price, facts.currency, facts.decimals),
        new=_money(facts.new_price, facts.currency, facts.decimals),
        change=_percent(change),
    )


def _before_rules(facts: ReasonFacts, language: str) -> list[str]:
    if not (math.isfinite(facts.wanted_price) and math.isfinite(facts.typical_price)):
        return []
    unit = 0.5 * 10.0**-facts.decimals
    gap = facts.wanted_price - facts.typical_price
    key = "higher" if gap > unit else "lower" if gap < -unit else "same"
    typical, wanted = (
        _money(price, facts.currency, facts.decimals) for price in (facts.typical_price, facts.wanted_price)
    )
    parts = [TEMPLATES[key][language].format(typical=typical, wanted=wanted)]
    moving = [d for d in facts.drivers if abs(d.effect) > unit]
    if moving:
        told = [driver_text(d, facts.currency, facts.decimals, language) for d in moving]
        parts.append(TEMPLATES["drivers"][language].format(list=_WORDS[language]["between"].join(told)))
    return parts


def _flip(facts: ReasonFacts, flip: FlipFact, language: str) -> str:
    value = (
        f"{flip.value:,.0f}"
        if flip.circumstance == "stock"
        else _money(flip.value, facts.currency, facts.decimals)
    )  # fmt: skip
    return TEMPLATES["flip_up" if flip.change_rate > 0 else "flip_down"][language].format(
        circumstance=_word(flip.circumstance, language),
        value=value,
        change=_percent(flip.change_rate),
        decision=_word(flip.decision, language),
    )


def _word(name: str, language: str) -> str:
    """Translate a name that the product gave; of a longer one the beginning, since the rest is the user's."""
    known = _WORDS[language]
    if name in known:
        return known[name]
    start = max((word for word in known if name.startswith(f"{word} ")), key=len, default="")
    return f"{known[start]}{name.removeprefix(start)}" if start else name


def _money(value: float, currency: str, decimals: int, *, signed: bool = False) -> str:
    text = f"{value:+,.{decimals}f}" if signed else f"{value:,.{decimals}f}"
    return f"{text} {currency}".strip().replace("-", "\u2212")


def _percent(rate: float) -> str:
    return f"{100 * rate:+.1f}%".replace("-", "\u2212")
