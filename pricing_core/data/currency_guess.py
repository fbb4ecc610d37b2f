"""Which currency the amounts of a file are probably in: suggested to the user, never assumed."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import pandas as pd

SYMBOLS: Final[dict[str, tuple[str, ...]]] = {
    "R$": ("BRL",),
    "CN¥": ("CNY",),
    "€": ("EUR",),
    "£": ("GBP",),
    "₹": ("INR",),
    "₩": ("KRW",),
    "zł": ("PLN",),
    "₺": ("TRY",),
    "元": ("CNY",),
    "¥": ("JPY", "CNY"),
    "￥": ("CNY", "JPY"),
    "kr": ("SEK", "NOK", "DKK"),
    "$": ("USD", "CAD", "AUD", "MXN"),
}
"""Symbol → currencies that are written so, the likeliest first; longer symbols before those they contain."""

CODES: Final = frozenset(
    (
        "USD", "EUR", "GBP", "CNY", "JPY", "CHF", "CAD", "AUD", "INR", "SEK", "NOK", "DKK", "PLN", "CZK", "HUF", "RON",
        "BRL", "MXN", "KRW", "TRY", "ZAR", "NZD", "SGD", "HKD", "THB",
    )
)  # fmt: skip
_AMOUNT: Final = r"[-+]?\d[\d.,'\u00a0\u202f ]*"
_SIGNS: Final = "|".join(re.escape(symbol) for symbol in SYMBOLS)
_BESIDE: Final = re.compile(rf"^\s*(?:({_SIGNS}|[A-Z]{{3}})\s*{_AMOUNT}|{_AMOUNT}\s*({_SIGNS}|[A-Z]{{3}}))\s*$")
_IN_HEADER: Final = re.compile(rf"[(\[]\s*({_SIGNS}|[A-Za-z]{{3}})\s*[)\]]|(?:^|[\s_])([A-Za-z]{{3}})$|({_SIGNS})$")
_MOST_CELLS: Final = 200


@dataclass(frozen=True)
class CurrencyGuess:
    """A currency that a file hints at.

    Attributes
    ----------
    code
        ISO 4217 code.
    sign
        What stands in the file, such as ``€``.
    column
        Where it stands.
    others
        Currencies that are written with the same sign.
    also
        Further currencies that the file hints at elsewhere: amounts in several currencies cannot be one data set.
    """

    code: str
    sign: str
    column: str
    others: tuple[str, ...] = ()
    also: tuple[str, ...] = ()

    @property
    def words(self) -> str:
        """Say what was found, in one sentence."""
        text = f"{self.sign} stands in the column {self.column}, so that {self.code} is suggested"
        if self.others:
            text += f"; {', '.join(self.others)} are written so, too"
        if self.also:
            text += f"; there are also signs of {', '.join(self.also)}, and all amounts must be in one currency"
        return f"{text}. Check it before you import."


def guess_currency(frames: Iterable[pd.DataFrame]) -> CurrencyGuess | None:
    """Suggest a currency from signs beside amounts, a column of codes, or the headers of some tables.

    Parameters
    ----------
    frames
        First rows of each table, as text.

    Returns
    -------
    CurrencyGuess or None
        The commonest sign in cells; where cells have none, the commonest in headers; None without any.
    """
    in_cells: Counter[tuple[str, str]] = Counter()
    in_headers: Counter[tuple[str, str]] = Counter()
    for frame in frames:
        for column in frame.columns:
            header = _IN_HEADER.search(str(column))
            sign = next((part for part in header.groups() if part), "") if header else ""
            if _known(sign):
                in_headers[sign if sign in SYMBOLS else sign.upper(), str(column)] += 1
            if not pd.api.types.is_numeric_dtype(frame[column]):
                in_cells.update((found, str(column)) for found in _signs(frame[column]))
    return _chosen(in_cells or in_headers)


def _signs(cells: pd.Series) -> list[str]:
    """Signs beside the amounts of a column, or the codes that it consists of."""
    texts = [text for cell in cells.dropna().astype(str).head(_MOST_CELLS) if (text := cell.strip())]
    if texts and all(text in CODES for text in texts):
        return texts
    found = [match for text in texts if (match := _BESIDE.match(text))]
    return [sign for match in found if _known(sign := match[1] or match[2])]


def _known(sign: str) -> bool:
    return sign in SYMBOLS or sign.upper() in CODES


def _chosen(counted: Counter[tuple[str, str]]) -> CurrencyGuess | None:
    if not counted:
        return None
    (sign, column), _ = counted.most_common(1)[0]
    meant = SYMBOLS.get(sign, (sign,))
    others = {SYMBOLS.get(each, (each,))[0] for each, _ in counted} - set(meant)
    return CurrencyGuess(meant[0], sign, column, meant[1:], tuple(sorted(others)))
