"""Price lists with known content, made without a model."""

from __future__ import annotations

import numpy as np
import pandas as pd

from pricing_core.guardrails.rules import Guardrails
from pricing_core.pricelist.build import COLUMNS
from pricing_core.pricelist.effects import MEASURES, EffectGrid, grid_prices
from pricing_core.store import pricelists
from pricing_core.store.workspace import Workspace
from pricing_core.trust.access import Actor, self_declared

MAYA = self_declared("Maya")
ANN = Actor("ann@shop.example", "approver", verified=True)
BEN = Actor("ben@shop.example", "approver", verified=True)
LEA = Actor("lea@shop.example", "analyst", verified=True)


def price_frame(rows: int = 4, *, currency: str = "USD", personal: bool = False) -> pd.DataFrame:
    """Native list: today 10, 20, 30 …; proposals 10% above for even rows and 10% below for odd ones; cost is half."""
    current = 10.0 * (1 + np.arange(rows))
    new = np.round(current * np.where(np.arange(rows) % 2, 0.9, 1.1), 2)
    frame = pd.DataFrame(
        {
            "version": 1,
            "status": "Draft",
            "product_id": [f"p{i:03d}" for i in range(rows)],
            "customer_id": [f"c{i:03d}" for i in range(rows)] if personal else None,
            "currency": currency,
            "current_price": current,
            "new_price": new,
            "change_rate": new / current - 1,
            "unit_cost": current / 2,
            "margin_rate": 1 - current / 2 / new,
            "floor_price": np.round(current * 0.8, 2),
            "ceiling_price": np.round(current * 1.2, 2),
            "prior_price_30d": np.round(current * 0.95, 2),
            "effective_from": pd.Timestamp("2030-01-01", tz="UTC"),
            "effective_to": pd.Series(pd.NaT, index=range(rows), dtype="datetime64[us, UTC]"),
            "expected_conversion_rate": 0.3,
            "expected_profit": 0.3 * (new - current / 2),
            "profit_low": 0.2 * (new - current / 2),
            "profit_high": 0.4 * (new - current / 2),
            "evidence": np.where(np.arange(rows) % 3 == 0, "measured", "borrowed"),
            "reason": "best single price",
            "disclosure_required": personal,
            "model_version": "r0001",
            "approved_at": pd.Series(pd.NaT, index=range(rows), dtype="datetime64[us, UTC]"),
        }
    )
    return frame.reindex(columns=list(COLUMNS)).astype({"product_id": "str", "reason": "str", "evidence": "str"})


def effect_grid(frame: pd.DataFrame) -> EffectGrid:
    """Conversion falls in a straight line with the price, so that reading between the points is exact."""
    price = grid_prices(frame)
    current = frame["current_price"].to_numpy(dtype=float)[:, None]
    conversion = 0.6 - 0.3 * price / current
    values = {name: conversion * (1 + k) for k, name in enumerate(MEASURES)}
    return EffectGrid(price, values)


def products_of(frame: pd.DataFrame) -> pd.DataFrame:
    """Categories tea and cup in turn; the list price is 30% above today's."""
    first = frame.drop_duplicates("product_id")
    return pd.DataFrame(
        {
            "product_id": first["product_id"].to_numpy(),
            "category": np.where(np.arange(len(first)) % 2, "cup", "tea"),
            "brand": "Grove",
            "list_price": np.round(first["current_price"].to_numpy(dtype=float) * 1.3, 2),
        }
    ).astype({"category": "str", "brand": "str"})


def make_list(ws: Workspace, frame: pd.DataFrame | None = None, *, actor: Actor = MAYA, effects: bool = True) -> str:
    """Store a list and return its id."""
    frame = price_frame() if frame is None else frame
    return pricelists.save_price_list(
        ws, frame, strategy="product", run_id="r0001", dataset_id="d0001",
        summary={"sentence": "Raise 2, cut 2", "guardrails": Guardrails().to_toml()},
        actor=actor, products=products_of(frame), effects=effect_grid(frame) if effects else None,
    )  # fmt: skip
