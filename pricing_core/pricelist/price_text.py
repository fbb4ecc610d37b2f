"""A price as a shop's file writes it: which sign is the decimal point, what stands around the number, and a new one."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

_NUMBER: Final = re.compile("\\d[\\d.,'’\u00a0\u202f ]*\\d|\\d")
_DECIMAL_COMMA: Final = re.compile(r",\d{1,2}\Z")
_DECIMAL_DOT: Final = re.compile(r"\.\d{1,2}\Z")


@dataclass(frozen=True)
class PriceText:
    """A price in the words of a file: ``prefix + number + suffix``, such as ``9,99 EUR``."""

    prefix: str
    number: str
    suffix: str


def split_price(text: str) -> PriceText | None:
    """Parts of a cell with one number that is not negative; None for anything else."""
    found = list(_NUMBER.finditer(text))
    if len(found) != 1:
        return None
    start, end = found[0].span()
    prefix = text[:start]
    if prefix.rstrip()[-1:] in ("-", "\u2212", ".", ",", "(") and prefix.strip():
        return None
    return PriceText(prefix, text[start:end], text[end:])


def decimal_comma(numbers: Iterable[str]) -> bool:
    """Whether a column of prices has decimal commas: some end in one and two digits, and none in a dot and two."""
    comma = False
    for number in numbers:
        if _DECIMAL_DOT.search(number):
            return False
        comma = comma or _DECIMAL_COMMA.search(number) is not None
    return comma


def read_number(number: str, *, comma: bool) -> Decimal:
    """Exact value of a number with grouping signs."""
    if "," in number and "." in number:
        comma = number.rindex(",") > number.rindex(".")
    point = "," if comma else "."
    whole, _, fraction = number.rpartition(point) if number.count(point) == 1 else (number, "", "")
    digits = "".join(filter(str.isdigit, whole))
    return Decimal(f"{digits or 0}.{''.join(filter(str.isdigit, fraction)) or 0}")


def write_number(value: Decimal, *, comma: bool) -> str:
    """Number without grouping signs."""
    text = format(value, "f")
    return text.replace(".", ",") if comma else text
