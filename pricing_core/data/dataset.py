"""What an import produces: canonical tables, and a manifest that says where they came from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any

import pandas as pd

from pricing_core.data.shop_log import ShopLog
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
    extends
        Id of the version whose rows this one holds too, where an import added to it; empty otherwise.
    copied
        Id of the earlier version that this one put back into use; empty otherwise.
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
    extends: str = ""
    copied: str = ""

    def __post_init__(self) -> None:
        """Validate; a ConfigError names the value received and what is allowed."""
        check_currency(self.currency)
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


def check_currency(code: str) -> None:
    """Raise ConfigError unless a currency is written as an ISO 4217 code."""
    if len(code) != 3 or not code.isascii() or not code.isalpha() or not code.isupper():
        raise ConfigError(
            f"The currency is {code!r}.", fix="Give an ISO 4217 code of three letters, such as USD or EUR."
        )


def check_margin(rate: float | None) -> None:
    """Raise ConfigError unless the margin over price is None or lies in [0, 1)."""
    if rate is not None and not 0.0 <= rate < 1.0:
        raise ConfigError(
            f"The margin assumption is {rate}.",
            fix="Give the share of the price that is margin: at least 0 and below 1, for example 0.30.",
        )


@dataclass(frozen=True)
class WorkingSample:
    """Which customers a large data set is worked on by, and what is known of all the others.

    Attributes
    ----------
    offers, offers_there, customers, customers_there
        Number of offers, and of customers with offers, in the sample and in the data set.
    left_out
        Customers who have more offers than a sample of whole customers can hold, such as a shared guest account.
    seed
        Number that the choice of customers starts from.
    log_to
        Time of the last offer of the data set.
    purchase_events
        Whether the shop has purchase events; where not, the purchases among the offers serve as such.
    event_ends
        Type of event → second (since 1970, UTC) of its last one in the data set.
    shop
        Product history of all customers.
    further
        Offers of customers outside the sample whose history was asked for; None if there are none.
    """

    offers: int
    offers_there: int
    customers: int
    customers_there: int
    left_out: int
    seed: int
    log_to: pd.Timestamp
    purchase_events: bool
    event_ends: dict[str, int]
    shop: ShopLog = field(repr=False)
    further: pd.DataFrame | None = field(default=None, repr=False)

    @property
    def share(self) -> float:
        """Share of the data set's offers in the sample, in (0, 1]."""
        return self.offers / self.offers_there

    def to_dict(self) -> dict[str, int]:
        """Return the counts as JSON-ready values."""
        names = ("offers", "offers_there", "customers", "customers_there", "left_out", "seed")
        return {name: getattr(self, name) for name in names}


def sample_words(counts: Mapping[str, int]) -> str:
    """Say what a working sample holds: ``1,000,000 of 10,000,000 offers: 41,000 of 410,000 customers``.

    Parameters
    ----------
    counts
        As of :meth:`WorkingSample.to_dict`.
    """
    words = (
        f"{counts['offers']:,} of {counts['offers_there']:,} offers: "
        f"{counts['customers']:,} of {counts['customers_there']:,} customers"
    )
    if counts["left_out"]:
        words += f" ({counts['left_out']:,} with too many offers for a sample left out)"
    return words


@dataclass(frozen=True)
class Dataset:
    """Canonical tables of one shop; columns as in :mod:`pricing_core.schema`, plus the shop's own.

    Identifiers and categories are text, times ``datetime64[us, UTC]``, money ``float64``, ``purchased`` int8. A data
    set of very many offers is at hand as a sample of whole customers; ``sample`` then says so, else it is None.
    """

    offers: pd.DataFrame
    customers: pd.DataFrame | None
    products: pd.DataFrame | None
    market: pd.DataFrame | None
    events: pd.DataFrame | None
    manifest: DatasetManifest
    sample: WorkingSample | None = None

    @property
    def histories(self) -> pd.DataFrame:
        """Offers from which the history of customers is told: those of the data set, and what was asked for beyond."""
        if self.sample is None or self.sample.further is None:
            return self.offers
        return pd.concat([self.offers, self.sample.further], ignore_index=True)

    @property
    def log_to(self) -> pd.Timestamp:
        """Time of the last offer, also of one that the sample does not hold."""
        return self.offers["offered_at"].max() if self.sample is None else self.sample.log_to

    def tables(self) -> dict[str, pd.DataFrame]:
        """Return the tables that are present, by name, in the order of the schema."""
        present = {table: getattr(self, table) for table in TABLES}
        return {table: frame for table, frame in present.items() if frame is not None}
