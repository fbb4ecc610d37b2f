"""Fitted encoding of readable features: standardized numbers, one-hot categories, product and event codes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pricing_core.errors import ModelError
from pricing_core.features.batch import EncodedBatch
from pricing_core.features.builder import BLOCKS, FeatureTable
from pricing_core.features.habits import RATES
from pricing_core.features.sequence import CHANNELS, event_sequence

Floats = NDArray[np.float64]

_MAX_LEVELS = 40
_LEAST_SCALE = dict.fromkeys(RATES, 1.0)
_CLIP = 6.0  # standard deviations; an outlier in a feature must not throw the network out of its range


class FeatureEncoder:
    """Learns means, spreads and category levels from the training rows and applies them to any rows.

    Numbers are centered and scaled (a habit's rates at least by a factor of e, so that what few offers say of a product
    stays as small as it is), missing ones become the mean and raise a "missing" column; values beyond six
    standard deviations are held there, and counted. Categories get one column per level (at most 40, the most
    frequent); an unseen or missing level is all zeros. An unseen product has code 0, so that the network falls back on
    its attributes.

    Attributes
    ----------
    columns_
        Per block, a list of ``{name, kind, mean, scale, missing, levels}``.
    products_
        Product ids in code order.
    constant_
        Features without any variation in the training rows, which are therefore left out.
    untold_
        Features left out since the log is too short to tell them from a trend.
    clipped_
        Feature → number of training rows whose value lies beyond six standard deviations; for other rows ask
        :meth:`count_clipped`.
    """

    def __init__(self, *, sequence_length: int = 20) -> None:
        self.sequence_length = sequence_length
        self.columns_: dict[str, list[dict[str, Any]]] = {}
        self.products_: list[str] = []
        self.constant_: list[str] = []
        self.untold_: list[str] = []
        self.clipped_: dict[str, int] = {}

    def fit(self, table: FeatureTable) -> FeatureEncoder:
        """Learn the encoding from training rows."""
        self.columns_ = {block: [] for block in BLOCKS}
        self.constant_ = []
        self.untold_ = [str(name) for name in table.frame.columns if name in table.untold]
        for name in table.frame.columns.difference(self.untold_, sort=False):
            spec = _fit_column(name, table.frame[name])
            if spec is None:
                self.constant_.append(str(name))
            else:
                self.columns_[table.block_of[name]].append(spec)
        self.products_ = sorted(table.offers["product_id"].astype(str).unique())
        self.clipped_ = self.count_clipped(table)
        return self

    def count_clipped(self, table: FeatureTable) -> dict[str, int]:
        """Count the rows whose value is held at six standard deviations, by feature, where there are any."""
        counts = {}
        for spec in (spec for specs in self.columns_.values() for spec in specs):
            if spec["kind"] == "number":
                scaled, known = _standardize(spec, table.frame.get(spec["name"]), table.n)
                counts[spec["name"]] = int((np.abs(scaled[known]) > _CLIP).sum())
        return {name: count for name, count in counts.items() if count}

    def transform(self, table: FeatureTable) -> EncodedBatch:
        """Encode rows; ``expected_price`` is one until the pricing model fills it in."""
        if not self.columns_:
            raise ModelError("The feature encoder has not been fitted.", fix="Call fit first.")
        blocks, groups = {}, []
        for block in BLOCKS:
            parts: list[NDArray[np.float32]] = []
            width = 0
            for spec in self.columns_[block]:
                encoded = _encode_column(spec, table.frame.get(spec["name"]), table.n)
                groups.append((spec["name"], block, tuple(range(width, width + encoded.shape[1]))))
                width += encoded.shape[1]
                parts.append(encoded)
            blocks[block] = np.hstack(parts) if parts else np.zeros((table.n, 0), dtype=np.float32)
        index = pd.Index(self.products_)
        code = (index.get_indexer(pd.Index(table.offers["product_id"].astype(str))) + 1).astype(np.int32)
        events = event_sequence(
            table.events, table.category_of, table.offers, table.category, index, length=self.sequence_length
        )
        return EncodedBatch(
            customer=blocks["customer"],
            product=blocks["product"],
            market=blocks["market"],
            product_code=code,
            sequence=events.values,
            sequence_item=events.items,
            sequence_mask=events.present,
            expected_price=np.ones(table.n, dtype=np.float32),
            groups=(
                *groups,
                ("product identity", "product_code", ()),
                ("recent events", "sequence", ()),
                ("usual price here", "expected_price", ()),
            ),
            n_products=len(index),
        )

    def replaced(self, batch: EncodedBatch, name: str, values: Floats) -> EncodedBatch:
        """Batch in which one number among the features has other values (n,), encoded as :meth:`transform` would.

        Raises
        ------
        ModelError
            If the encoder knows no such number.
        """
        for block in BLOCKS:
            start = 0
            for spec in self.columns_[block]:
                encoded_width = len(spec["levels"]) if spec["kind"] == "category" else 1 + bool(spec["missing"])
                if spec["name"] == name and spec["kind"] == "number":
                    array = getattr(batch, block).copy()
                    array[:, start : start + encoded_width] = _encode_column(spec, pd.Series(values), batch.n)
                    return replace(batch, **{block: array})
                start += encoded_width
        raise ModelError(f"The models know no number called {name!r}.", fix="Choose one of their numeric features.")

    @property
    def n_products(self) -> int:
        """Number of known products."""
        return len(self.products_)

    @property
    def n_channels(self) -> int:
        """Channels of the event sequence."""
        return len(CHANNELS)

    def to_dict(self) -> dict[str, Any]:
        """JSON-able state."""
        return {
            "sequence_length": self.sequence_length,
            "columns": self.columns_,
            "products": self.products_,
            "constant": self.constant_,
            "untold": self.untold_,
            "clipped": self.clipped_,
        }

    @classmethod
    def from_dict(cls, state: dict[str, Any]) -> FeatureEncoder:
        """Inverse of :meth:`to_dict`."""
        encoder = cls(sequence_length=int(state["sequence_length"]))
        encoder.columns_, encoder.products_ = state["columns"], list(state["products"])
        encoder.constant_, encoder.clipped_ = list(state["constant"]), dict(state["clipped"])
        encoder.untold_ = list(state.get("untold", ()))
        return encoder


def _fit_column(name: str, values: pd.Series) -> dict[str, Any] | None:
    """Learn the encoding of one feature; None where it never varies."""
    if pd.api.types.is_numeric_dtype(values):
        number = values.to_numpy(dtype=float)
        finite = number[np.isfinite(number)]
        mean = float(finite.mean()) if len(finite) else 0.0
        spread = float(finite.std()) if len(finite) else 0.0
        missing = len(finite) < len(number)
        varies = spread > 1e-9 * max(1.0, abs(mean))
        if not varies and not (missing and len(finite)):
            return None
        scale = max(spread, _LEAST_SCALE.get(name, 0.0)) if varies else 1.0
        return {"name": name, "kind": "number", "mean": mean, "scale": scale, "missing": missing}
    counts = values.dropna().astype(str).value_counts()
    if not len(counts) or (len(counts) == 1 and values.notna().all()):
        return None
    # Ties are broken by name so that the order of rows does not change the encoding.
    levels = sorted(counts.index, key=lambda level: (-int(counts[level]), str(level)))[:_MAX_LEVELS]
    return {"name": name, "kind": "category", "levels": [str(level) for level in levels]}


def _encode_column(spec: dict[str, Any], values: pd.Series | None, n: int) -> NDArray[np.float32]:
    if spec["kind"] == "number":
        scaled, known = _standardize(spec, values, n)
        column = np.clip(scaled, -_CLIP, _CLIP)[:, None]
        return np.hstack([column, ~known[:, None]] if spec["missing"] else [column]).astype(np.float32)
    levels = pd.Index(spec["levels"])
    code = np.full(n, -1) if values is None else levels.get_indexer(pd.Index(values.astype(object).map(_as_text)))
    return (code[:, None] == np.arange(len(levels))[None, :]).astype(np.float32)


def _standardize(spec: dict[str, Any], values: pd.Series | None, n: int) -> tuple[Floats, NDArray[np.bool_]]:
    """Measure in standard deviations from the mean (n,), zero where unknown; second, where it is known."""
    number = np.full(n, np.nan) if values is None else pd.to_numeric(values, errors="coerce").to_numpy(dtype=float)
    known = np.isfinite(number)
    return np.where(known, (np.where(known, number, 0.0) - spec["mean"]) / spec["scale"], 0.0), known


def _as_text(value: object) -> str | None:
    return None if value is None or value is pd.NA or value != value else str(value)
