"""Rows to be priced, as optimizer, simulation and explanation see them."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pricing_core.errors import ConfigError
from pricing_core.response.price_response import PriceResponse

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class PricingRows:
    """*n* offers to be priced.

    Attributes
    ----------
    customer_id, product_id, category
        Text, (n,).
    current_price, list_price, unit_cost, competitor_price
        Money, (n,); NaN where unknown (the current price and the unit cost are always known).
    support_low, support_high
        Range of prices that the data support, money, (n,).
    customer_fold
        Half of the customers, 0 or 1, (n,).
    evidence
        ``measured``, ``borrowed`` or ``extrapolated``, (n,).
    weight
        How many offers a row stands for, (n,).
    response
        Demand curves of the rows.
    cost_assumed
        Whether the unit cost rests on the margin assumption, (n,).
    """

    customer_id: NDArray[np.object_]
    product_id: NDArray[np.object_]
    category: NDArray[np.object_]
    current_price: Floats
    list_price: Floats
    unit_cost: Floats
    competitor_price: Floats
    support_low: Floats
    support_high: Floats
    customer_fold: NDArray[np.int64]
    evidence: NDArray[np.object_]
    weight: Floats
    response: PriceResponse
    cost_assumed: NDArray[np.bool_]

    def __post_init__(self) -> None:
        for name in _COLUMNS:
            shape = getattr(self, name).shape
            if shape != (self.response.n,):
                raise ConfigError(f"{name} has shape {shape}; it must be ({self.response.n},).")

    @property
    def n(self) -> int:
        """Number of rows."""
        return self.response.n

    def take(self, rows: NDArray[np.int64] | NDArray[np.bool_]) -> PricingRows:
        """Rows by index or mask."""
        columns = {name: getattr(self, name)[rows] for name in _COLUMNS}
        return PricingRows(**columns, response=self.response.take(rows))

    def with_response(self, response: PriceResponse) -> PricingRows:
        """The same rows with another price response."""
        return replace(self, response=response)

    def to_frame(self) -> pd.DataFrame:
        """All columns but the response."""
        return pd.DataFrame({name: getattr(self, name) for name in _COLUMNS})

    def save(self, folder: Path) -> None:
        """Write ``rows.parquet`` and ``response.npz``."""
        self.to_frame().to_parquet(folder / "rows.parquet", index=False)
        self.response.save(folder / "response.npz")

    @classmethod
    def load(cls, folder: Path) -> PricingRows:
        """Read what :meth:`save` wrote."""
        frame = pd.read_parquet(folder / "rows.parquet")
        columns = {name: frame[name].to_numpy() for name in _COLUMNS}
        for name in ("customer_id", "product_id", "category", "evidence"):
            columns[name] = frame[name].to_numpy(dtype=object)
        return cls(**columns, response=PriceResponse.load(folder / "response.npz"))


_COLUMNS = tuple(field.name for field in fields(PricingRows) if field.name != "response")
