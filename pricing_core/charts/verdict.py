"""Whether to believe a run's prices: what later offers say for and against them, and the one sentence of it all."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import pandas as pd

from pricing_core.charts.calibration import calibration_data, response_doubt
from pricing_core.charts.leaderboard import SHOP_AVERAGE
from pricing_core.charts.style import number, percent

GOOD: Final = "good"
UNSURE: Final = "unsure"
BAD: Final = "bad"
_STRATEGIES: Final = (
    ("personalized", "personal prices"),
    ("product", "one price per product"),
    ("uniform", "one change for all"),
)
_LEVEL_ERROR: Final = 0.1  # of the conversion rate, from which on the level of the forecast is off
_AT_TOP: Final = 0.5  # share of prices at the highest supported one, from which on the data hardly bound them
_AGREEING: Final = 0.6  # share of groups in which forecasts hold, below which the level is doubtful


@dataclass(frozen=True)
class Check:
    """One thing looked at: its name, whether it speaks for the prices (good, unsure, bad), and what was found."""

    name: str
    status: str
    finding: str


@dataclass(frozen=True)
class Verdict:
    """Whether to believe the prices (good, unsure, bad), the sentence that says so, and the checks behind it."""

    status: str
    sentence: str
    checks: tuple[Check, ...]


def verdict(metrics: Mapping[str, Any]) -> Verdict:
    """Judge a run by its figures on held-out time.

    The prices deserve no belief where the model knows no more than the shop's average, or where buyers reacted the
    other way; care where the reaction or the level is doubtful, where most prices are the highest that the data
    support, or any check fails; else belief. That past offers cannot say what the prices earn is no doubt.
    """
    checks = (_knowledge(metrics), _reaction(metrics), _level(metrics), _past(metrics), *_top(metrics))
    statuses = [check.status for check in checks]
    doubtful = UNSURE in (*statuses[1:3], *statuses[4:])
    status = BAD if BAD in statuses[:2] else UNSURE if doubtful or BAD in statuses[2:] else GOOD
    since, n = pd.Timestamp(metrics["held_out_from"]), int(metrics["held_out_offers"])
    seen = f"on {n:,} offers since {since.day} {since:%b %Y}, which it had not seen, the model"
    return Verdict(status, _sentence(status, checks, seen, metrics), checks)


def _sentence(status: str, checks: tuple[Check, ...], seen: str, metrics: Mapping[str, Any]) -> str:
    knows, reaction = checks[0], checks[1]
    pairs = f"ranks the buyer above the refuser in {_auc(metrics)} of 100 pairs"
    if status == GOOD:
        end = _earned(checks[3], metrics)
        return f"You can believe these prices: {seen} {pairs}, and buyers reacted to price as it forecast{end}."
    if status == BAD and knows.status == BAD:
        return f"Do not rely on these prices yet: {seen} knew no more than the shop's average."
    if status == BAD:
        return f"Do not rely on these prices yet: {seen} {pairs}, but buyers bought more at higher prices."
    if reaction.status == UNSURE:
        cannot = "cannot be told" in reaction.finding
        why = "they cannot tell how strongly buyers react to price" if cannot else _strength(metrics)
        if checks[4:] and checks[4].status == UNSURE:
            why += f", and {_start_small(checks[4].finding)}"
        return f"Use these prices with care: {seen} {pairs}, but {why}."
    doubts = [check for check in checks[2:] if check.status == BAD] or [
        check for check in (checks[2], *checks[4:]) if check.status == UNSURE
    ]
    return f"Use these prices with care: {seen} {pairs}, but {_start_small(doubts[0].finding)}."


def _knowledge(metrics: Mapping[str, Any]) -> Check:
    average = float(metrics["baselines"][SHOP_AVERAGE]["log_loss"])
    gain = 1 - float(metrics["log_loss"]) / average
    found = (
        f"It takes away {percent(gain)} of the forecast error of the shop's average, and ranks the buyer above the "
        f"refuser in {_auc(metrics)} of 100 pairs (50 is guessing)"
    )
    if gain <= 0:
        return Check("Knows more than the average", BAD, "It knows no more than the shop's average conversion")
    return Check("Knows more than the average", GOOD, found)


def _reaction(metrics: Mapping[str, Any]) -> Check:
    name = "Reaction to price"
    slope, low, high = (math.nan if v is None else float(v) for v in metrics.get("price_band_slope", (None,) * 3))
    span = f"{number(slope, 2)} times as strongly as forecast (90% range {number(low, 2)} to {number(high, 2)})"
    if not math.isfinite(slope) or low <= 0 <= high:
        return Check(name, UNSURE, "It cannot be told from these offers how strongly buyers react to price")
    if high < 0:
        return Check(name, BAD, "Buyers bought more at higher prices, against the forecast")
    return Check(name, GOOD if response_doubt(metrics) is None else UNSURE, f"Buyers reacted {span}")


def _level(metrics: Mapping[str, Any]) -> Check:
    forecast, came = float(metrics["mean_prediction"]), float(metrics["base_rate"])
    table = calibration_data(metrics).table
    off, agreeing = abs(forecast - came) > _LEVEL_ERROR * came, float(table["agrees"].mean())
    found = (
        f"{percent(forecast)} conversion was forecast and {percent(came)} came; forecasts hold in "
        f"{int(table['agrees'].sum())} of {len(table)} groups of offers"
    )
    return Check("Level of the forecast", BAD if off else GOOD if agreeing >= _AGREEING else UNSURE, found)


def _earned(past: Check, metrics: Mapping[str, Any]) -> str:
    """What past offers add to belief: of personal prices they can say something only where enough were near them."""
    judged = metrics.get("policy_value") or {}
    if (judged.get("personalized") or {}).get("reliable"):
        return "; past offers near such prices earned more, too" if past.status == GOOD else ""
    silent = "too few past offers were near personal prices to say what those earn"
    if past.status != GOOD:
        return f"; {silent}"
    words = next(words for strategy, words in _STRATEGIES if (judged.get(strategy) or {}).get("reliable"))
    return f"; offers near {words} earned more, too, while {silent}"


def _past(metrics: Mapping[str, Any]) -> Check:
    name = "Past offers at such prices"
    judged = metrics.get("policy_value") or {}
    for strategy, words in _STRATEGIES:
        value = judged.get(strategy)
        if not value or not value["reliable"]:
            continue
        low, high = float(value["uplift_low"]), float(value["uplift_high"])
        gain = float(value["uplift"]) / float(value["logged_value"]) if value["logged_value"] > 0 else math.nan
        change = f" ({percent(gain, signed=True)})" if math.isfinite(gain) else ""
        if low > 0:
            return Check(name, GOOD, f"Offers near {words} earned more than the prices then charged{change}")
        if high < 0:
            return Check(name, BAD, f"Offers near {words} earned less than the prices then charged{change}")
        return Check(name, UNSURE, f"Offers near {words} earned neither clearly more nor clearly less{change}")
    return Check(name, UNSURE, "Too few past offers were near the recommended prices to say what those earn")


def _top(metrics: Mapping[str, Any]) -> tuple[Check, ...]:
    """Whether the data say where raising prices stops paying; nothing where a run does not know it."""
    known = metrics.get("endogeneity") or {}
    share, held = known.get("share_at_top"), known.get("level_held")
    if share is None:
        return ()
    name = "Prices within what was tried"
    if held:
        before = percent(float(held["share_at_top"]), digits=0)
        found = f"As measured, the highest price that the data support would be best for {before} of the offers"
        return (Check(name, UNSURE, f"{found}, so that the price level is held at the shop's own"),)
    found = f"For {percent(float(share), digits=0)} of the offers the best price is the highest that the data support"
    if float(share) < _AT_TOP:
        return (Check(name, GOOD, found),)
    return (Check(name, UNSURE, f"{found}, so that they hardly say where raising stops paying"),)


def edge_doubt(metrics: Mapping[str, Any]) -> str | None:
    """Say that the data bound hardly any price, and what was done about it; None where they bound them."""
    found = next((check.finding for check in _top(metrics) if check.status == UNSURE), None)
    if found is None:
        return None
    if (metrics.get("endogeneity") or {}).get("level_held"):
        return f"{found}. A price test would say more; train again with its offers, and say that prices were random."
    return f"{found}: test prices before you follow them."


def _start_small(text: str) -> str:
    return text[:1].lower() + text[1:]


def _strength(metrics: Mapping[str, Any]) -> str:
    slope, low, high = (float(value) for value in metrics["price_band_slope"])
    if low <= 1 <= high:
        span = f"{number(low, 2)} to {number(high, 2)} times as strongly as forecast"
        return f"they tell only roughly how strongly buyers react to price ({span})"
    return f"buyers reacted {number(slope, 2)} times as strongly to price as it forecast"


def _auc(metrics: Mapping[str, Any]) -> str:
    return number(100 * float(metrics["auc"]), 0)
