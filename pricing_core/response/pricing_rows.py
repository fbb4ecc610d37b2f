"""Everything that setting a price needs to know about *n* offers."""

from __future__ import annotations

import os
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pricing_core.errors import DataError, ModelError
from pricing_core.response.price_response import PriceResponse

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]
Texts = NDArray[np.object_]

EVIDENCE: Final = ("measured", "borrowed", "extrapolated")
_ROWS_FILE: Final = "pricing_rows.parquet"
_RESPONSE_FILE: Final = "price_response.npz"
_TEXT: Final = ("customer_id", "product_id", "category", "evidence")
_MONEY: Final = (
    "current_price",
    "list_price",
    "unit_cost",
    "competitor_price",
    "support_low",
    "support_high",
)
_ALWAYS_KNOWN: Final = ("current_price", "unit_cost", "support_low", "support_high")
_NO_FLAGS: Mask = np.empty(0, dtype=bool)


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

    def __post_init__(self) -> None:
        n = self.response.n
        kinds: dict[str, Any] = {name: object for name in _TEXT} | {name: float for name in (*_MONEY, "weight")}
        kinds |= {"customer_fold": np.int64, "cost_assumed": bool}
        for name, kind in kinds.items():
            value: NDArray[Any] = np.asarray(getattr(self, name), dtype=kind)
            if name == "cost_assumed" and not value.size:
                value = np.zeros(n, dtype=bool)
            if value.shape != (n,):
                raise DataError(f"{name} has the shape {value.shape}; the price response holds {n} rows.")
            object.__setattr__(self, name, value)
        self._check()

    @property
    def n(self) -> int:
        """Number of rows."""
        return self.response.n

    def take(self, rows: Ints | Mask) -> PricingRows:
        """Rows by index or mask."""
        arrays = {name: getattr(self, name)[rows] for name in self._array_names()}
        return replace(self, response=self.response.take(rows), **arrays)

    def to_frame(self) -> pd.DataFrame:
        """Return every column but the response, one row per offer."""
        return pd.DataFrame({name: getattr(self, name) for name in self._array_names()})

    def save(self, folder: Path) -> None:
        """Write ``pricing_rows.parquet`` and ``price_response.npz`` into an existing folder."""
        folder = Path(folder)
        self.response.save(folder / _RESPONSE_FILE)
        draft = folder / f".{_ROWS_FILE}.{os.getpid()}.part"
        try:
            self.to_frame().astype(dict.fromkeys(_TEXT, "string")).to_parquet(draft, index=False)
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
        response = PriceResponse.load(Path(folder) / _RESPONSE_FILE)
        try:
            frame = pd.read_parquet(Path(folder) / _ROWS_FILE)
            arrays: dict[str, Any] = {name: frame[name].to_numpy() for name in cls._array_names()}
            arrays |= {name: frame[name].astype(object).to_numpy(dtype=object) for name in _TEXT}
        except (OSError, ValueError, KeyError) as error:
            raise ModelError(f"The priced rows in {_ROWS_FILE} cannot be read: {error}.", fix="Train again.") from error
        return cls(response=response, **arrays)

    @classmethod
    def _array_names(cls) -> list[str]:
        return [f.name for f in fields(cls) if f.name != "response"]

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
        if not np.isin(self.customer_fold, (0, 1)).all():
            raise DataError("customer_fold must be 0 or 1 in every row.")
        unknown = sorted(set(self.evidence.tolist()) - set(EVIDENCE), key=str)
        if unknown:
            raise DataError(f"evidence must be one of {', '.join(EVIDENCE)}; received {unknown[0]!r}.")
