"""Comparing column names the way people read them: without case, punctuation, units in brackets."""

from __future__ import annotations

import re

_BRACKETS = re.compile(r"[(\[（【].*?[)\]）】]")
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_SEPARATOR = re.compile(r"[^0-9a-z\u4e00-\u9fff]+")


def name_tokens(column: str) -> tuple[str, ...]:
    """Split a column name into lower-case words: ``"UnitCost (EUR)"`` → ``("unit", "cost")``."""
    plain = _CAMEL.sub(" ", _BRACKETS.sub(" ", str(column)))
    words = tuple(word for word in _SEPARATOR.split(plain.lower()) if word)
    return words or tuple(word for word in _SEPARATOR.split(str(column).lower()) if word)


def name_key(column: str) -> str:
    """Join the words of a column name, so that ``"Customer ID"`` equals ``"customer_id"``."""
    return "".join(name_tokens(column))
