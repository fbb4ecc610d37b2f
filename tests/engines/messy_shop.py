"""A shop whose exports have every fault that an import looks for, drawn from a seed."""

from __future__ import annotations

import io

import numpy as np
import pandas as pd


def messy_shop(seed: int = 0, offers: int = 900) -> dict[str, pd.DataFrame]:
    """Offers, customers, products, market and events as text, with faults."""
    rng = np.random.default_rng(seed)
    return {
        "offers": _offers(rng, offers),
        "customers": _customers(rng),
        "products": pd.DataFrame(
            {
                "product_id": [f"P{k}" for k in range(12)],
                "unit_cost": [""] * 2 + ["4"] * 9 + ["50"],
                "stock": ["0"] * 12,
            }
        ),
        "market": pd.DataFrame(
            {"date": ["2025-01-01", "2025-02-01", "2025-02-01"], "competitor_price": ["9", "8", "8"]}
        ),
        "events": _events(rng),
    }


def as_csv(frame: pd.DataFrame) -> bytes:
    """A table as UTF-8 text with commas."""
    return frame.to_csv(index=False).encode()


def as_parquet(frame: pd.DataFrame) -> bytes:
    """A table as Parquet whose columns have types, as another system writes them."""
    number = pd.to_numeric(frame["price"], errors="coerce")
    typed = frame.assign(
        price=number.astype("float32"), offer_ref=np.arange(len(frame)), measure=number * 1.7,
        offered_at=pd.to_datetime(frame["offered_at"], errors="coerce", utc=True, format="ISO8601"),
        flag=number.gt(10), channel=frame["channel"].astype("category"),
        units=pd.Series(np.arange(len(frame)), dtype="Int64").mask(number.isna()),
    )  # fmt: skip
    stream = io.BytesIO()
    typed.to_parquet(stream, index=False)
    return stream.getvalue()


def _offers(rng: np.random.Generator, n: int) -> pd.DataFrame:
    product = rng.integers(0, 14, n)
    price = np.round((5 + product) * np.exp(rng.normal(0, 0.2, n)), 2)
    seconds = np.sort(rng.integers(0, 120 * 86_400, n))
    day = pd.Timestamp("2025-01-06", tz="UTC") + pd.to_timedelta(seconds, "s")
    frame = pd.DataFrame(
        {
            "customer_id": [f" C{k:03d}" if k % 17 == 0 else f"C{k:03d}" for k in rng.integers(0, 60, n)],
            "product_id": [f"P{k}" for k in product],
            "offered_at": day.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "price": price.astype(str),
            "purchased": np.where(rng.random(n) < 0.3, "yes", "no"),
            "quantity": np.where(rng.random(n) < 0.2, "", rng.integers(0, 4, n).astype(str)),
            "list_price": np.where(rng.random(n) < 0.1, "", np.round(price * 1.2, 2).astype(str)),
            "channel": rng.choice(["web", "app", "n/a", "-"], n),
            "currency": rng.choice(["usd", "USD"], n),
            "unit_cost": np.where(rng.random(n) < 0.5, "", "4.5"),
            "stock": rng.choice(["0", "3", "-2", "many"], n),
            "contact": [f"person{k}@example.org" for k in rng.integers(0, 50, n)],
            "offer_ref": [f"ref {k:06d}" for k in rng.permutation(n)],
            "measure": np.round(rng.gamma(2.0, 40.0, n), 3).astype(str),
            "seen_at": day.strftime("%Y-%m-%d %H:%M:%S"),
            "score": rng.choice(["1", "2", "x", ""], n, p=[0.5, 0.495, 0.0025, 0.0025]),
        }
    )
    _spoil(frame, rng)
    copies = frame.iloc[rng.integers(0, n, 12)]
    return pd.concat([frame, copies, copies.head(3).assign(price="7.77")], ignore_index=True)


def _spoil(frame: pd.DataFrame, rng: np.random.Generator) -> None:
    faults = {
        "price": ["", "free", "-3", "0", "€ 8.50", "999999", "n/a"],
        "offered_at": ["", "yesterday", "2025-02-30T10:00:00Z", "2025-02-03 10:00", "45700", "1738577045"],
        "purchased": ["", "maybe", "1"],
        "customer_id": ["", "=1+1", "NULL"],
        "product_id": ["", "n/a"],
        "offer_ref": ["", " blank ", "none"],
        "measure": ["", "-1", "0", "1e5"],
        "seen_at": ["", "2025-03-30T02:30:00+02:00", "soon"],
    }
    for column, cells in faults.items():
        rows = rng.choice(len(frame), 2 * len(cells), replace=False)
        frame.loc[rows, column] = cells * 2


def _customers(rng: np.random.Generator) -> pd.DataFrame:
    ids = [f"C{k:03d}" for k in range(50)]
    frame = pd.DataFrame(
        {"customer_id": ids, "age": rng.integers(18, 80, 50).astype(str), "segment": rng.choice(["a", "b", ""], 50)}
    )
    return pd.concat([frame, frame.head(4).assign(segment="c")], ignore_index=True)


def _events(rng: np.random.Generator) -> pd.DataFrame:
    n = 400
    when = pd.Timestamp("2025-01-06", tz="UTC") + pd.to_timedelta(rng.integers(0, 3_000, n) * 600, "s")
    frame = pd.DataFrame(
        {
            "customer_id": [f"C{k:03d}" for k in rng.integers(0, 60, n)],
            "occurred_at": when.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "event_type": rng.choice(["view", "PV", "add to cart", "buy", "review", "dance"], n),
            "product_id": rng.choice(["P1", "P2", "P99", ""], n),
            "rating": rng.choice(["5", "7", "", "good"], n),
        }
    )
    soon = frame.head(30).assign(occurred_at=(when[:30] + pd.Timedelta("500ms")).strftime("%Y-%m-%dT%H:%M:%S.%fZ"))
    return pd.concat([frame, soon, frame.tail(5)], ignore_index=True)
