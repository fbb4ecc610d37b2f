"""Columns about people that must not set a price: protected attributes, and data that identify a person."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd

from pricing_core.data.names import name_tokens

PROTECTED_WORDS = {
    "gender": "gender", "sex": "gender", "性别": "gender",
    "age": "age", "ages": "age", "birth": "age", "birthday": "age", "birthdate": "age",
    "dob": "age", "birthyear": "age",
    "年龄": "age", "生日": "age", "出生日期": "age", "出生年份": "age", "年龄段": "age",
    "ethnicity": "ethnicity", "ethnic": "ethnicity", "race": "ethnicity", "racial": "ethnicity",
    "种族": "ethnicity",
    "民族": "ethnicity", "nationality": "nationality", "citizenship": "nationality", "国籍": "nationality",
    "religion": "religion", "religious": "religion", "faith": "religion", "宗教": "religion",
    "宗教信仰": "religion",
    "marital": "marital status", "married": "marital status", "婚姻": "marital status",
    "婚姻状况": "marital status",
    "婚否": "marital status", "disability": "disability", "disabled": "disability", "残疾": "disability",
    "pregnant": "pregnancy", "pregnancy": "pregnancy", "怀孕": "pregnancy", "health": "health",
    "健康状况": "health",
    "sexual": "sexual orientation", "性取向": "sexual orientation", "political": "political opinion",
    "政治面貌": "political opinion", "genetic": "genetic data",
}  # fmt: skip
"""Words in a column name → the protected attribute that they stand for."""

_PERSONAL_WORDS = {
    "email": "e-mail addresses", "mail": "e-mail addresses", "邮箱": "e-mail addresses",
    "电子邮件": "e-mail addresses",
    "phone": "phone numbers", "telephone": "phone numbers", "电话": "phone numbers", "手机": "phone numbers",
    "手机号": "phone numbers", "address": "addresses", "street": "addresses", "地址": "addresses",
    "住址": "addresses",
    "surname": "names", "firstname": "names", "lastname": "names", "fullname": "names",
    "姓名": "names", "名字": "names",
    "ssn": "identity numbers", "passport": "identity numbers", "iban": "account numbers",
    "身份证": "identity numbers",
    "身份证号": "identity numbers",
}  # fmt: skip
_NAME_OF_PERSON = {"name", "first", "last", "full", "customer", "user", "given", "family"}
_EMAIL = r"^[^@\s]+@[^@\s]+\.[A-Za-z]{2,}$"
_PHONE = r"^\+?[\d\s().\-/]{8,20}$"
_CARD = re.compile(r"^\d{13,19}$")


def protected_attribute(column: str) -> str | None:
    """Return the protected attribute that a column of people stands for by its name, or None."""
    words = name_tokens(column)
    return next((PROTECTED_WORDS[word] for word in words if word in PROTECTED_WORDS), None)


def personal_data(column: str, values: pd.Series) -> str | None:
    """Return what kind of personal data a text column holds, by its name or its content, or None.

    Content counts when at least half of up to 1,000 values present look like it.
    """
    words = name_tokens(column)
    named = next((_PERSONAL_WORDS[word] for word in words if word in _PERSONAL_WORDS), None)
    if named:
        return named
    if "name" in words and set(words) <= _NAME_OF_PERSON:
        return "names"
    sample = values.dropna().drop_duplicates().head(1000).astype("str").str.strip()
    if sample.empty:
        return None
    if sample.str.match(_EMAIL).mean() >= 0.5:
        return "e-mail addresses"
    digits = sample.str.replace(r"[\s\-]", "", regex=True)
    if np.mean([_is_card_number(text) for text in digits]) >= 0.5:
        return "card numbers"
    separated = sample.str.contains(r"[\s+().\-/]", regex=True)
    enough = sample.str.count(r"\d") >= 9
    if (sample.str.match(_PHONE) & separated & enough & ~sample.str.match(r"^\d{4}-\d{2}-\d{2}")).mean() >= 0.5:
        return "phone numbers"
    return None


def stands_in_for(values: pd.Series, protected: pd.Series) -> float:
    """Share of the uncertainty of a protected attribute that a column removes (Theil's U), in [0, 1].

    Notes
    -----
    U = 1 − H(protected | column) / H(protected), over rows where both are known; 0 where the column has too
    many levels for the number of rows (fewer than 20 rows a level) to say.
    """
    known = values.notna() & protected.notna()
    levels = values[known].nunique()
    if levels < 2 or known.sum() < 20 * levels:
        return 0.0
    table = pd.crosstab(values[known], protected[known]).to_numpy(dtype=np.float64)
    joint = table / table.sum()
    whole = _entropy(joint.sum(axis=0))
    if whole == 0.0:
        return 0.0
    return 1.0 - (_entropy(joint.ravel()) - _entropy(joint.sum(axis=1))) / whole


def _entropy(share: np.ndarray) -> float:
    positive = share[share > 0]
    return float(-(positive * np.log(positive)).sum())


def _is_card_number(text: str) -> bool:
    """Luhn's check of a run of 13 to 19 digits."""
    if not _CARD.match(text):
        return False
    digits = [int(character) for character in reversed(text)]
    doubled = [digit * 2 - 9 if digit > 4 else digit * 2 for digit in digits[1::2]]
    return (sum(digits[0::2]) + sum(doubled)) % 10 == 0
