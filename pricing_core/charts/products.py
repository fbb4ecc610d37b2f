"""Products side by side: what they sell at, how buyers react, and what other prices would add."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pricing_core.errors import ConfigError
from pricing_core.response.pricing_rows import PricingRows
from pricing_core.simulate.intervals import draw_interval, fold_mean

Floats = NDArray[np.float64]


_OVERVIEW = (
    "category", "offers", "current_price", "unit_cost", "conversion_rate", "elasticity", "evidence", "cost_assumed",
)  # fmt: skip


def product_overview_data(rows: PricingRows) -> pd.DataFrame:
    """Return one row per product, the most offered first.

    Returns
    -------
    DataFrame
        ``product_id, category, offers`` (sum of the rows' weights), ``current_price`` and ``unit_cost`` (means over
        offers), ``conversion_rate`` (expected at the current prices), ``elasticity`` (own price, of the product's
        expected sales: the mean of its offers' elasticities weighted by their conversion), ``evidence`` (the commonest
        label) and ``cost_assumed`` (whether any of its unit costs is).
    """
    chance = rows.response.probability(rows.current_price)
    sales = rows.weight * chance
    frame = pd.DataFrame(
        {
            "product_id": rows.product_id,
            "category": rows.category,
            "offers": rows.weight,
            "current_price": rows.weight * rows.current_price,
            "unit_cost": rows.weight * rows.unit_cost,
            "conversion_rate": sales,
            "elasticity": sales * rows.response.elasticity(rows.current_price),
            "evidence": rows.evidence,
            "cost_assumed": rows.cost_assumed,
        }
    )
    groups = frame.groupby("product_id", sort=False)
    table = groups.agg({"category": "first", "evidence": _commonest, "cost_assumed": "any"})
    sums = groups[["offers", "current_price", "unit_cost", "conversion_rate", "elasticity"]].sum()
    table = table.join(sums.assign(elasticity=sums["elasticity"] / sums["conversion_rate"]))
    for name in ("current_price", "unit_cost", "conversion_rate"):
        table[name] = table[name] / table["offers"]
    return table[list(_OVERVIEW)].sort_values("offers", ascending=False, kind="stable").reset_index()


def product_gain_data(rows: PricingRows, price: Floats, *, n_offers: float | None = None) -> pd.DataFrame:
    """Return what new prices would add to profit, one row per product, the largest expected gain first.

    The gain of a product is Σ w [(p − c) P(p) − (p₀ − c) P(p₀)] over its rows, per draw of the price response.

    Parameters
    ----------
    price
        New price of each row, money, (n,).
    n_offers
        Number of offers that the rows stand for together, for example those of four weeks; default: their weights.

    Returns
    -------
    DataFrame
        ``product_id, offers, current_price, new_price`` (means over offers), ``change_rate`` of the mean price,
        ``profit_gain`` (money over these offers), ``gain_low, gain_high`` (90% range, see
        :mod:`pricing_core.simulate.intervals`) and ``evidence``.
    """
    price = np.asarray(price, dtype=float)
    scale = 1.0 if n_offers is None else n_offers / rows.weight.sum()
    if price.shape != (rows.n,):
        raise ConfigError(f"The new prices have shape {price.shape}; it must be ({rows.n},).")
    products, code = np.unique(rows.product_id.astype(str), return_inverse=True)
    gain = _profit_draws(rows, price) - _profit_draws(rows, rows.current_price)
    total = np.zeros((len(products), rows.response.draws))
    np.add.at(total, code, scale * gain)
    offers = np.bincount(code, rows.weight)
    before = np.bincount(code, rows.weight * rows.current_price) / offers
    after = np.bincount(code, rows.weight * price) / offers
    found = draw_interval(total, rows.response.draw_member, rows.response.draw_fold)
    evidence = pd.Series(rows.evidence).groupby(code).agg(_commonest)
    table = pd.DataFrame(
        {
            "product_id": products,
            "offers": scale * offers,
            "current_price": before,
            "new_price": after,
            "change_rate": after / before - 1,
            "profit_gain": found.estimate,
            "gain_low": found.low,
            "gain_high": found.high,
            "evidence": evidence.to_numpy(),
        }
    )
    return table.sort_values("profit_gain", ascending=False, kind="stable").reset_index(drop=True)


def price_effect_data(rows: PricingRows, price: float, *, per: float = 100.0) -> pd.DataFrame:
    """Return what one price for all these offers would do, against today's prices.

    Parameters
    ----------
    price
        The price tried, money.
    per
        Number of offers that the money is stated for.

    Returns
    -------
    DataFrame
        Index ``conversion_rate, revenue, profit``; columns ``value, low, high`` (90% range), ``today``
        and ``change`` (value − today). Money is per ``per`` offers, of all units.
    """
    if not price > 0:
        raise ConfigError(f"The price is {price}.", fix="Give an amount above zero.")
    tried, now = _effect_draws(rows, np.full(rows.n, float(price)), per), _effect_draws(rows, rows.current_price, per)
    member, fold = rows.response.draw_member, rows.response.draw_fold
    found = {name: draw_interval(draws, member, fold) for name, draws in tried.items()}
    table = pd.DataFrame(
        {
            "value": {name: float(each.estimate) for name, each in found.items()},
            "low": {name: float(each.low) for name, each in found.items()},
            "high": {name: float(each.high) for name, each in found.items()},
            "today": {name: float(fold_mean(draws, fold)) for name, draws in now.items()},
        }
    )
    return table.assign(change=table["value"] - table["today"])


def _effect_draws(rows: PricingRows, price: Floats, per: float) -> dict[str, Floats]:
    share = (rows.weight / rows.weight.sum())[:, None] * rows.response.probability_draws(price)
    return {
        "conversion_rate": share.sum(axis=0),
        "revenue": per * ((rows.units_per_purchase * price) @ share),
        "profit": per * ((rows.units_per_purchase * (price - rows.unit_cost)) @ share),
    }


def _profit_draws(rows: PricingRows, price: Floats) -> Floats:
    return np.asarray((rows.sales_weight * (price - rows.unit_cost))[:, None] * rows.response.probability_draws(price))


def _commonest(labels: pd.Series) -> str:
    return str(labels.mode().iloc[0])
