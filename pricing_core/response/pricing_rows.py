"""Everything that setting a price needs to know about *n* offers."""

from __future__ import annotations

import os
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pricing_core.drafts import draft_path
from pricing_core.errors import DataError, ModelError, reason
from pricing_core.response.price_response import PriceResponse

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]
Texts = NDArray[np.object_]

EVIDENCE: Final = ("measured", "borrowed", "extrapolated")
_ROWS_FILE: Final = "pricing_rows.parquet"
RESPONSE_FILE: Final = "price_response.npz"
_TEXT: Final = ("customer_id", "product_id", "category", "evidence")
_MONEY: Final = (
    "current_price",
    "list_price",
    "unit_cost",
    "competitor_price",
    "support_low",
    "support_high",
)
_UNSET: Final = {"cost_assumed": False, "stock": np.nan, "units_per_purchase": 1.0}
_ALWAYS_KNOWN: Final = ("current_price", "unit_cost", "support_low", "support_high")
_NO_FLAGS: Mask = np.empty(0, dtype=bool)
_NO_NUMBERS: Floats = np.empty(0, dtype=float)
_LABEL: Final = "label: "
_NUMBER: Final = "number: "
PROTECTED: Final = "protected: "
"""Start of the names of labels that never set a price."""


@dataclass(frozen=True, eq=False)
class PricingRows:
    """Offers to be priced: who, what, today's prices, what the data support, and the price response.

    Parameters
    ----------
    customer_id, product_id, category
        (n,) text.
    current_price, unit_cost
        (n,) money; the price above zero, the cost at least zero.
    list_price, competitor_price
        (n,) money; NaN where unknown.
    support_low, support_high
        (n,) money: range of prices about which past data can say something.
    customer_fold
        (n,), 0 or 1: half of the customers to which the row's customer belongs.
    evidence
        (n,) text: ``measured``, ``borrowed`` or ``extrapolated``.
    weight
        (n,), above zero: occasions that a row stands for.
    response
        Demand curves of the rows.
    cost_assumed
        (n,) flag: the unit cost follows from an assumed margin. Default: none is.
    stock
        (n,) units in stock of the row's product; NaN where unknown. Default: unknown.
    labels
        Name → (n,) text by which rows can be grouped: ``brand``, ``segment``, ``week``, and columns of the shop's
        tables such as ``customers: loyalty_tier``. An unknown value is an empty text. Names that start with
        ``protected: `` are attributes of people that never set a price; they serve to compare prices between groups.
    numbers
        Name → (n,) numbers known of the row's customer, NaN where unknown, by which segments can be cut.
    units_per_purchase
        (n,) expected units of a purchase, above zero. Default: one.

    Raises
    ------
    DataError
        If shapes disagree or a value is not allowed; the message names the field and counts the rows.
    """

    customer_id: Texts
    product_id: Texts
    category: Texts
    current_price: Floats
    list_price: Floats
    unit_cost: Floats
    competitor_price: Floats
    support_low: Floats
    support_high: Floats
    customer_fold: Ints
    evidence: Texts
    weight: Floats
    response: PriceResponse
    cost_assumed: Mask = field(default_factory=lambda: _NO_FLAGS)
    stock: Floats = field(default_factory=lambda: _NO_NUMBERS)
    labels: dict[str, Texts] = field(default_factory=dict)
    numbers: dict[str, Floats] = field(default_factory=dict)
    units_per_purchase: Floats = field(default_factory=lambda: _NO_NUMBERS)

    def __post_init__(self) -> None:
        n = self.response.n
        kinds: dict[str, Any] = {name: object for name in _TEXT} | {name: float for name in (*_MONEY, "weight")}
        kinds |= {"customer_fold": np.int64, "cost_assumed": bool, "stock": float, "units_per_purchase": float}
        for name, kind in kinds.items():
            value: NDArray[Any] = np.asarray(getattr(self, name), dtype=kind)
            if name in _UNSET and not value.size:
                value = np.full(n, _UNSET[name], dtype=kind)
            object.__setattr__(self, name, _of_length(value, n, name))
        labels = {key: _of_length(np.asarray(value, dtype=object), n, key) for key, value in self.labels.items()}
        numbers = {key: _of_length(np.asarray(value, dtype=float), n, key) for key, value in self.numbers.items()}
        object.__setattr__(self, "labels", labels)
        object.__setattr__(self, "numbers", numbers)
        self._check()

    @property
    def n(self) -> int:
        """Number of rows."""
        return self.response.n

    @property
    def sales_weight(self) -> Floats:
        """(n,) weight of a row in units and money: occasions times units per purchase."""
        return self.weight * self.units_per_purchase

    def counted_in_units(self) -> PricingRows:
        """Rows whose weight is :attr:`sales_weight`: whatever sums purchases then sums units."""
        if (self.units_per_purchase == 1.0).all():
            return self
        return replace(self, weight=self.sales_weight, units_per_purchase=np.ones(self.n))

    def take(self, rows: Ints | Mask) -> PricingRows:
        """Rows by index or mask."""
        arrays: dict[str, Any] = {name: getattr(self, name)[rows] for name in self._array_names()}
        arrays["labels"] = {name: value[rows] for name, value in self.labels.items()}
        arrays["numbers"] = {name: value[rows] for name, value in self.numbers.items()}
        return replace(self, response=self.response.take(rows), **arrays)

    def label(self, name: str) -> Texts:
        """(n,) text of a label; ``product``, ``category`` and ``customer`` name the columns of that kind.

        Raises
        ------
        DataError
            If the rows do not carry it; the message names the labels there are.
        """
        own = {"product": self.product_id, "category": self.category, "customer": self.customer_id}
        if name in own:
            return own[name]
        if name not in self.labels:
            there = ", ".join([*own, *self.labels])
            raise DataError(f"The rows carry no label {name!r}.", fix=f"There are: {there}.")
        return self.labels[name]

    def to_frame(self) -> pd.DataFrame:
        """Return every column but the response, one row per offer; labels and numbers follow under their names."""
        own = {name: getattr(self, name) for name in self._array_names()}
        labels = {_LABEL + name: value for name, value in self.labels.items()}
        return pd.DataFrame(own | labels | {_NUMBER + name: value for name, value in self.numbers.items()})

    def save(self, folder: Path) -> None:
        """Write ``pricing_rows.parquet`` and ``price_response.npz`` into an existing folder."""
        folder = Path(folder)
        self.response.save(folder / RESPONSE_FILE)
        draft = draft_path(folder / _ROWS_FILE)
        try:
            text = [*_TEXT, *(_LABEL + name for name in self.labels)]
            self.to_frame().astype(dict.fromkeys(text, "string")).to_parquet(draft, index=False)
            os.replace(draft, folder / _ROWS_FILE)
        finally:
            draft.unlink(missing_ok=True)

    @classmethod
    def load(cls, folder: Path) -> PricingRows:
        """Read what :meth:`save` wrote.

        Raises
        ------
        ModelError
            If a file is missing or damaged.
        """
        response = PriceResponse.load(Path(folder) / RESPONSE_FILE)
        try:
            frame = pd.read_parquet(Path(folder) / _ROWS_FILE)
            written = [name for name in cls._array_names() if name not in _UNSET or name in frame.columns]
            arrays: dict[str, Any] = {name: frame[name].to_numpy() for name in written}
            arrays |= {name: frame[name].astype(object).to_numpy(dtype=object) for name in _TEXT}
            arrays["labels"] = {
                name.removeprefix(_LABEL): frame[name].astype(object).to_numpy(dtype=object)
                for name in frame.columns
                if name.startswith(_LABEL)
            }
            arrays["numbers"] = {
                name.removeprefix(_NUMBER): frame[name].to_numpy(dtype=float)
                for name in frame.columns
                if name.startswith(_NUMBER)
            }
        except (OSError, ValueError, KeyError) as error:
            raise ModelError(
                f"The priced rows in {_ROWS_FILE} cannot be read: {reason(error, of=_ROWS_FILE)}.", fix="Train again."
            ) from error
        return cls(response=response, **arrays)

    @classmethod
    def _array_names(cls) -> list[str]:
        return [f.name for f in fields(cls) if f.name not in ("response", "labels", "numbers")]

    def _check(self) -> None:
        for name in _MONEY:
            value = getattr(self, name)
            known = np.isfinite(value)
            if name in _ALWAYS_KNOWN and not known.all():
                raise DataError(
                    f"{name} is unknown in {int((~known).sum())} of {self.n} rows.",
                    fix="Give unit costs or a margin assumption." if name == "unit_cost" else None,
                )
            bad = known & (value < 0 if name == "unit_cost" else value <= 0)
            if bad.any():
                least = "at least zero" if name == "unit_cost" else "above zero"
                raise DataError(f"{name} must be {least}; {int(bad.sum())} of {self.n} rows are not.")
        if (self.support_low > self.support_high).any():
            count = int((self.support_low > self.support_high).sum())
            raise DataError(f"support_low is above support_high in {count} of {self.n} rows.")
        if not (np.isfinite(self.weight) & (self.weight > 0)).all():
            raise DataError("weight must be finite and above zero in every row.")
        if not (np.isfinite(self.units_per_purchase) & (self.units_per_purchase > 0)).all():
            raise DataError("units_per_purchase must be finite and above zero in every row.")
        if not np.isin(self.customer_fold, (0, 1)).all():
            raise DataError("customer_fold must be 0 or 1 in every row.")
        unknown = sorted(set(self.evidence.tolist()) - set(EVIDENCE), key=str)
        if unknown:
            raise DataError(f"evidence must be one of {', '.join(EVIDENCE)}; received {unknown[0]!r}.")


def _of_length(value: NDArray[Any], n: int, name: str) -> NDArray[Any]:
    if value.shape != (n,):
        raise DataError(f"{name} has the shape {value.shape}; the price response holds {n} rows.")
    return value
