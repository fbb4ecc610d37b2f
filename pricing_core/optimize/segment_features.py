"""What segments may be formed by, and which of it stands in for something that they must not be formed by."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pricing_core.optimize.segment_words import feature_words
from pricing_core.optimize.tree_features import encode_features
from pricing_core.response import PricingRows
from pricing_core.response.pricing_rows import PROTECTED

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

NEVER: Final = ("week",)  # the next offers are made in another one
_PROXY: Final = 0.3  # association from which a feature counts as a stand-in
_NUMBER_BINS: Final = 8


@dataclass(frozen=True)
class Proxy:
    """A feature that goes along with a protected attribute, and how much: 0 not at all, 1 one tells the other."""

    feature: str
    attribute: str
    association: float

    def sentence(self) -> str:
        """Say it in words."""
        attribute = self.attribute.removeprefix(PROTECTED).replace("_", " ")
        return (
            f"Segments ask for {feature_words(self.feature)}, which goes along with {attribute} "
            f"(association {self.association:.2f} of 1): a price by it may treat protected groups differently."
        )


def segment_features(rows: PricingRows, exclude: Sequence[str] = (), keep: Sequence[str] = ()) -> pd.DataFrame:
    """Attributes by which rows may be put into segments, one row each, columns in alphabetical order.

    Labels and numbers of the rows, without protected attributes, the week of the offer, ``exclude``, and what is the
    same everywhere, unless it is to ``keep``. A label whose values are all numbers, more than six of them, is read as a
    number.
    """
    columns: dict[str, object] = {}
    labels = {"category": rows.category, **rows.labels}
    for name, values in labels.items():
        if not name.startswith(PROTECTED):
            columns[name] = _as_number(values)
    columns |= rows.numbers
    kept = {
        name: columns[name]
        for name in sorted(columns)
        if name in keep or (name not in NEVER and name not in exclude and pd.Series(columns[name]).nunique() > 1)
    }
    return pd.DataFrame(kept, index=pd.RangeIndex(rows.n))


def _as_number(values: NDArray[np.object_]) -> object:
    text = pd.Series(values, dtype="string")
    known = text[text.fillna("") != ""]
    if known.nunique() <= 6:
        return values
    number = pd.to_numeric(known, errors="coerce")
    if number.isna().any():
        return values
    return pd.to_numeric(text, errors="coerce").to_numpy(dtype=float, na_value=np.nan)


def proxies(rows: PricingRows, features: pd.DataFrame, asked: Sequence[str]) -> tuple[Proxy, ...]:
    """Features in use that go along with a protected attribute of the rows, the closest first."""
    found = []
    for name in asked:
        code = encode_features(features[[name]], _NUMBER_BINS)[0].code
        for attribute, values in rows.labels.items():
            if attribute.startswith(PROTECTED):
                other = pd.factorize(pd.Series(values))[0]
                strength = association(code, other.astype(np.int64))
                if strength >= _PROXY:
                    found.append(Proxy(name, attribute, strength))
    return tuple(sorted(found, key=lambda each: (-each.association, each.feature, each.attribute)))


def association(one: Ints, other: Ints) -> float:
    r"""Bias-corrected Cramér's V of two codings, 0 to 1.

    .. math:: V^2 = \frac{\max(0, \chi^2/n - (k-1)(r-1)/(n-1))}{\min(\tilde k - 1, \tilde r - 1)},
              \quad \tilde k = k - (k-1)^2/(n-1)

    References
    ----------
    Bergsma (2013), A bias-correction for Cramér's V and Tschuprow's T, Journal of the Korean Statistical Society.
    """
    n = len(one)
    table = np.asarray(pd.crosstab(one, other), dtype=float)
    r, k = table.shape
    if min(r, k) < 2 or n < 2:
        return 0.0
    expected = np.outer(table.sum(axis=1), table.sum(axis=0)) / n
    chance = float(((table - expected) ** 2 / expected).sum()) / n
    excess = max(0.0, chance - (k - 1) * (r - 1) / (n - 1))
    least = min(k - (k - 1) ** 2 / (n - 1), r - (r - 1) ** 2 / (n - 1)) - 1
    return float(min(1.0, np.sqrt(excess / least))) if least > 0 else 0.0
