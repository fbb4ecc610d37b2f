"""Which columns become features, which do not, and why: the list that the Data page shows."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Literal

import numpy as np
import pandas as pd

from pricing_core.data.dataset import Dataset
from pricing_core.data.leaks import leak_by_content, leak_by_name
from pricing_core.data.names import name_tokens
from pricing_core.data.personal import personal_data, protected_attribute, stands_in_for

ColumnKind = Literal["number", "category", "flag", "time", "identifier"]
Role = Literal["feature", "structure", "unused"]

MAX_CATEGORY_LEVELS = 200
FREE_TEXT_LENGTH = 40
"""Average number of characters from which a text column counts as free text."""

PROXY_SHARE = 0.9
"""Share of a protected attribute's uncertainty from which a column counts as its stand-in."""

_STRUCTURE = {
    "offers.customer_id": "names the customer: purchases, views and prices seen before an offer are counted by it",
    "offers.product_id": "names the product: joins the tables, and gives each known product its own level",
    "offers.offered_at": "time of the offer: season, recency and the order of events come from it",
    "offers.price": "the price: its effect on demand is what the models learn",
    "offers.purchased": "the outcome that the models learn to predict",
    "offers.currency": "unit of the money columns",
    "offers.instrument": "moved the price and not the wish to buy: tells the two apart, and is never a feature",
    "customers.customer_id": "joins the customers to the offers",
    "products.product_id": "joins the products to the offers",
    "market.date": "time from which a market row holds",
    "market.product_id": "joins the market to the products",
    "market.category": "joins the market to the products' categories",
    "events.customer_id": "joins the events to the customers",
    "events.occurred_at": "order of the events; only events before an offer count for it",
    "events.event_type": "part of the customer's event sequence",
    "events.product_id": "part of the customer's event sequence",
    "events.rating": "part of the customer's event sequence",
    "events.price": "part of the customer's event sequence",
}
_PEOPLE_TABLES = ("offers", "customers")


@dataclass(frozen=True)
class ColumnUse:
    """How one column is used.

    Attributes
    ----------
    table, column
        Where it is.
    kind
        ``number``, ``category`` (text of few levels), ``flag`` (0 or 1), ``time`` or ``identifier``.
    used
        Whether it becomes a feature by its kind.
    reason
        One sentence that says why, or why not.
    role
        ``feature`` (used by its kind), ``structure`` (a column that the models need for what it is: keys,
        times, the price, the outcome, events) or ``unused``.
    """

    table: str
    column: str
    kind: ColumnKind
    used: bool
    reason: str
    role: Role


def classify_columns(dataset: Dataset) -> list[ColumnUse]:
    """Classify every column of a data set, in the order of its tables.

    A column becomes a feature by its type unless it is part of the structure, was excluded by the user
    (``manifest.excluded``), is a protected attribute of a person or its stand-in, identifies a person,
    gives the outcome away, is constant or empty, or is an identifier or free text that no model can use.
    """
    uses = []
    for table, frame in dataset.tables().items():
        for column in frame.columns:
            uses.append(_classify(dataset, table, str(column), frame[column]))
    return uses


def column_uses_frame(uses: list[ColumnUse]) -> pd.DataFrame:
    """Return the classification as a table: table, column, kind, used, reason, role."""
    return pd.DataFrame([asdict(use) for use in uses], columns=list(ColumnUse.__dataclass_fields__))


def _classify(dataset: Dataset, table: str, column: str, values: pd.Series) -> ColumnUse:
    kind = _kind(column, values)
    structure = _STRUCTURE.get(f"{table}.{column}")
    if structure is not None:
        return ColumnUse(table, column, kind, False, structure, "structure")
    reason = _why_not(dataset, table, column, values, kind)
    if reason is not None:
        return ColumnUse(table, column, kind, False, reason, "unused")
    if kind == "identifier":
        kind = "category"
    return ColumnUse(table, column, kind, True, _why(kind), "feature")


def _why(kind: ColumnKind) -> str:
    return {
        "number": "used as a number",
        "flag": "used as yes or no",
        "category": "used as a category",
        "time": "used as the time passed until the offer",
    }.get(kind, "used")


def _kind(column: str, values: pd.Series) -> ColumnKind:
    if pd.api.types.is_datetime64_any_dtype(values):
        return "time"
    if name_tokens(column)[-1:] in (("id",), ("ids",), ("sku",), ("编号",)) or column in (
        "customer_id",
        "product_id",
    ):
        return "identifier"
    if pd.api.types.is_bool_dtype(values):
        return "flag"
    if pd.api.types.is_numeric_dtype(values):
        low, high = values.min(), values.max()
        return "flag" if low == 0 and high == 1 and bool(values.dropna().isin((0, 1)).all()) else "number"
    return "category"


def _why_not(dataset: Dataset, table: str, column: str, values: pd.Series, kind: ColumnKind) -> str | None:
    excluded = dataset.manifest.excluded.get(f"{table}.{column}")
    if excluded is not None:
        return f"excluded: {excluded}"
    if table == "events":
        return "further columns of events are kept but not used"
    for reason in (
        _personal_reason(dataset, table, column, values),
        _leak_reason(dataset, table, column, values),
        _unusable_reason(table, column, values, kind),
    ):
        if reason is not None:
            return reason
    return _trend_reason(dataset, values) if table == "offers" and kind == "number" else None


def _personal_reason(dataset: Dataset, table: str, column: str, values: pd.Series) -> str | None:
    if table not in _PEOPLE_TABLES:
        return None
    protected = protected_attribute(column)
    if protected is not None:
        return f"protected attribute ({protected}): never sets a price"
    if not pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_datetime64_any_dtype(values):
        personal = personal_data(column, values)
        if personal is not None:
            return f"personal data ({personal}): identifies a person"
    if table != "customers" or dataset.customers is None:
        return None
    for other in dataset.customers.columns:
        if other != column and protected_attribute(str(other)) is not None:
            share = stands_in_for(values, dataset.customers[other])
            if share >= PROXY_SHARE:
                return f"stands in for the protected column {other} (tells {share:.0%} of it)"
    return None


def _leak_reason(dataset: Dataset, table: str, column: str, values: pd.Series) -> str | None:
    if table != "offers":
        return None
    if leak_by_name(column):
        return "known only after the customer decided: gives the outcome away"
    found = leak_by_content(values, dataset.offers["purchased"].to_numpy(dtype=np.float64))
    return f"gives the outcome away: {found}" if found else None


def _unusable_reason(table: str, column: str, values: pd.Series, kind: ColumnKind) -> str | None:
    levels = int(values.nunique())
    if levels == 0:
        return "empty"
    if levels == 1 and not values.isna().any():
        return "the same in every row"
    if kind in ("number", "flag", "time"):
        return None
    if kind == "identifier" and (levels > MAX_CATEGORY_LEVELS or levels > 0.5 * len(values)):
        return f"identifier ({levels:,} different values)"
    if levels == len(values) and table in ("customers", "products") and levels > 2:
        return f"different in every row of {table}: says no more than the row's id"
    if levels > MAX_CATEGORY_LEVELS:
        return f"text with {levels:,} different values (at most {MAX_CATEGORY_LEVELS} can be learned)"
    if values.dropna().drop_duplicates().astype("str").str.len().mean() > FREE_TEXT_LENGTH:
        return "free text"
    return None


def _trend_reason(dataset: Dataset, values: pd.Series) -> str | None:
    """Say whether a number only repeats the date (a week counter): a model would extrapolate it."""
    time = dataset.offers["offered_at"]
    step = max(1, len(values) // 20_000)
    number, when = values.iloc[::step], time.iloc[::step].astype("int64")
    if number.nunique() < 10:
        return None
    correlation = number.rank().corr(when.rank())
    return "repeats the date of the offer" if abs(correlation) > 0.995 else None
