"""Rules of segments in words."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

from pricing_core.optimize.tree_features import Split

BASE_WORDS: Final = {"product": "the product's best single price", "list": "list", "current": "today's price"}
EVERYONE: Final = "every offer"
_NAMED: Final = 4  # levels that a rule spells out
_UNKNOWN: Final = "unknown"
_FLAGS: Final = {"true": "yes", "false": "no", "": _UNKNOWN}


def feature_words(name: str) -> str:
    """Name of a feature as a person says it: ``customers: loyalty_tier`` becomes ``loyalty tier``."""
    return name.split(": ", 1)[-1].replace("_", " ").strip() or name


def change_words(rate: float, base: str) -> str:
    """Change against a base in words: ``7% below list``."""
    size = f"{100 * abs(rate):.1f}".removesuffix(".0")
    if size == "0":
        return f"at {base}"
    return f"{size}% {'below' if rate < 0 else 'above'} {base}"


def rule_words(path: Sequence[tuple[Split, bool]]) -> str:
    """Say which offers a path of answers leads to: ``loyalty tier is gold and channel is app``."""
    by_feature: dict[str, list[tuple[Split, bool]]] = {}
    for split, yes in path:
        by_feature.setdefault(split.feature, []).append((split, yes))
    parts = [
        _number_words(name, answers) if answers[-1][0].is_number else _level_words(name, *answers[-1])
        for name, answers in by_feature.items()
    ]
    return " and ".join(parts) or EVERYONE


def question_words(split: Split) -> str:
    """Question of a node, for which yes goes left."""
    return rule_words([(split, True)])


def _level_words(name: str, split: Split, yes: bool) -> str:
    """Levels left by the last question: earlier ones have already narrowed them down."""
    levels = [_FLAGS.get(level.lower(), level) for level in (split.levels if yes else split.other_levels)]
    if len(levels) <= _NAMED:
        return f"{feature_words(name)} is {_either(levels)}"
    return f"{feature_words(name)} is one of {len(levels)} ({', '.join(levels[: _NAMED - 1])}, …)"


def _either(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"


def _number_words(name: str, answers: Sequence[tuple[Split, bool]]) -> str:
    most = min((split.threshold for split, yes in answers if yes), default=math.inf)
    least = max((split.threshold for split, yes in answers if not yes), default=-math.inf)
    unknown = all(split.unknown_left == yes for split, yes in answers)
    words = feature_words(name)
    if most == -math.inf or least == math.inf:
        return f"{words} is {_UNKNOWN}"
    limits = []
    if math.isfinite(least):
        limits.append(f"above {_number(least)}")
    if math.isfinite(most):
        limits.append(f"at most {_number(most)}")
    if not limits:
        return f"{words} is known"
    also = f" or {_UNKNOWN}" if unknown and any(split.unknown_left for split, _ in answers) else ""
    return f"{words} is {' and '.join(limits)}{also}"


def _number(value: float) -> str:
    return f"{value:,.6g}"
