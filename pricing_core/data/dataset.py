"""What an import produces: canonical tables, and a manifest that says where they came from."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any

import pandas as pd

from pricing_core.errors import ConfigError
from pricing_core.schema import TABLES


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


@dataclass(frozen=True)
class DatasetManifest:
    """Where a data set came from and which choices were made for it.

    Attributes
    ----------
    name
        Name shown to the user.
    source
        File names or the sample's name.
    currency
        ISO 4217 code of all money in the data set.
    margin_assumption
        Margin over price, in [0, 1), taken where a unit cost is missing; None if all unit costs are known.
    excluded
        ``"table.column"`` → reason, for columns that must not become features.
    created_at
        ISO 8601 time of the import, UTC.
    data_hash
        SHA-256 over the canonical content; empty until the data set is stored.
    pseudonymized
        Whether customer ids were replaced by keyed pseudonyms.
    mapping
        Table → canonical field → the column of the source that was read as it.
    note
        Free text of the user or of the sample.
    repairs
        Names of the repairs that were applied to the version ``base``.
    base
        Id of the version that this one was made from by repairs; empty for an import.
    evidence
        How the offers came about where a shop has none: the rule that built them from orders, its counts, and how much
        other assumptions change the result. Empty where offers were imported.
    """

    name: str
    source: str
    currency: str = "USD"
    margin_assumption: float | None = None
    excluded: dict[str, str] = field(default_factory=dict)
    created_at: str = field(default_factory=_now)
    data_hash: str = ""
    pseudonymized: bool = False
    mapping: dict[str, dict[str, str]] = field(default_factory=dict)
    note: str = ""
    evidence: dict[str, Any] = field(default_factory=dict)
    repairs: list[str] = field(default_factory=list)
    base: str = ""

    def __post_init__(self) -> None:
        """Validate; a ConfigError names the value received and what is allowed."""
        if len(self.currency) != 3 or not self.currency.isascii() or not self.currency.isupper():
            raise ConfigError(
                f"The currency is {self.currency!r}.",
                fix="Give an ISO 4217 code of three letters, such as USD or EUR.",
            )
        check_margin(self.margin_assumption)

    def to_dict(self) -> dict[str, Any]:
        """Return the manifest as JSON-ready values."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> DatasetManifest:
        """Rebuild a manifest from :meth:`to_dict`; unknown keys are an error."""
        unknown = sorted(set(values) - set(cls.__dataclass_fields__))
        if unknown:
            raise ConfigError(
                f"The manifest has unknown entries: {', '.join(unknown)}.",
                fix=f"Entries are {', '.join(cls.__dataclass_fields__)}.",
            )
        return cls(**values)


def check_margin(rate: float | None) -> None:
    """Raise ConfigError unless the margin over price is None or lies in [0, 1)."""
    if rate is not None and not 0.0 <= rate < 1.0:
        raise ConfigError(
            f"The margin assumption is {rate}.",
            fix="Give the share of the price that is margin: at least 0 and below 1, for example 0.30.",
        )


@dataclass(frozen=True)
class Dataset:
    """Canonical tables of one shop; columns as in :mod:`pricing_core.schema`, plus the shop's own.

    Identifiers and categories are text, times ``datetime64[us, UTC]``, money ``float64``, ``purchased`` int8.
    """

    offers: pd.DataFrame
    customers: pd.DataFrame | None
    products: pd.DataFrame | None
    market: pd.DataFrame | None
    events: pd.DataFrame | None
    manifest: DatasetManifest

    def tables(self) -> dict[str, pd.DataFrame]:
        """Return the tables that are present, by name, in the order of the schema."""
        present = {table: getattr(self, table) for table in TABLES}
        return {table: frame for table, frame in present.items() if frame is not None}
