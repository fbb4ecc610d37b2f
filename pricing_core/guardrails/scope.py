"""For which rows a rule holds: all, a category, a brand, a product, a segment, or any label of the rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pricing_core.errors import ConfigError
from pricing_core.response import PricingRows

Mask = NDArray[np.bool_]
Ints = NDArray[np.int64]

ALL: Final = "all"
PROTECTED: Final = "protected:"


@dataclass(frozen=True)
class Scope:
    """Rows for which a rule holds.

    Parameters
    ----------
    by
        ``all``; ``category``, ``brand``, ``product`` or ``segment``; or the name of any label that the rows carry,
        such as ``customers: loyalty_tier``.
    values
        Values of it for which the rule holds; at least one, but none for ``all``.

    Raises
    ------
    ConfigError
        If the values do not fit, or the label is a protected attribute: a person's trait never sets a price.
    """

    by: str = ALL
    values: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not isinstance(self.by, str) or not self.by.strip():
            raise ConfigError(f"scope is {self.by!r}.", fix="It must be all, category, brand, product, segment …")
        if self.by.startswith(PROTECTED):
            raise ConfigError(
                f"A rule's scope is the protected attribute {self.by!r}.",
                fix="Protected attributes never set a price; use the parity rule to compare groups.",
            )
        texts = isinstance(self.values, (list, tuple)) and all(isinstance(value, str) for value in self.values)
        if not texts:
            raise ConfigError(f"The values of the scope are {self.values!r}.", fix='Give texts, such as ["wine"].')
        if self.by == ALL and self.values:
            raise ConfigError("A rule for all rows has values in its scope.", fix="Leave them out, or name the scope.")
        if self.by != ALL and not self.values:
            raise ConfigError(f"The scope {self.by!r} has no values.", fix='Name at least one, such as ["wine"].')
        object.__setattr__(self, "values", tuple(dict.fromkeys(self.values)))

    def mask(self, rows: PricingRows) -> Mask:
        """(n,) flag of the rows within the scope.

        Raises
        ------
        DataError
            If the rows do not carry the label; the message names those that they carry.
        """
        if self.by == ALL:
            return np.ones(rows.n, dtype=bool)
        return np.asarray(pd.Series(rows.label(self.by), dtype=object, copy=False).isin(self.values), dtype=bool)

    def missing(self, rows: PricingRows) -> tuple[str, ...]:
        """Values of the scope that no row has."""
        if self.by == ALL:
            return ()
        there = set(pd.unique(rows.label(self.by)))
        return tuple(value for value in self.values if value not in there)

    @property
    def words(self) -> str:
        """The scope in words: ``category wine or beer``; empty for all rows."""
        if self.by == ALL:
            return ""
        shown = self.values[:_SHOWN]
        more = f" and {len(self.values) - len(shown)} more" if len(self.values) > len(shown) else ""
        name = self.by.split(": ", 1)[-1].replace("_", " ")
        return f"{name} {' or '.join(shown)}{more}"

    def overlaps(self, other: Scope, rows: PricingRows) -> bool:
        """Whether some row is in both scopes."""
        return bool((self.mask(rows) & other.mask(rows)).any())


def codes_of(values: Any) -> tuple[Ints, list[str]]:
    """Integer code (n,) of each text and the texts in order; an empty text is unknown and has the code −1."""
    series = pd.Series(values, dtype=object, copy=False)
    code, names = pd.factorize(series.where(series.astype(bool)), sort=True)
    return code.astype(np.int64), [str(name) for name in names]


_SHOWN: Final = 3
EVERYTHING: Final = Scope()
