"""One line per strategy: totals with their ranges, uplift before and after correction, chance of a loss."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from pricing_core.simulate.intervals import CHANGE_SPREAD, FORM_DOUBT, Interval, draw_interval, fold_mean
from pricing_core.simulate.monte_carlo import SimulatedSales, Worlds, outcomes, simulate_sales
from pricing_core.simulate.product_totals import ProductTotals
from pricing_core.simulate.stock import expected_sales, served_share, turned_away

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

TOTALS: Final = ("profit", "revenue", "units")
LAST: Final = ("held_rows", "rows", "cross_fitted")


@dataclass(frozen=True, eq=False)
class Market:
    """What all strategies of one simulation share: posterior draws, stock (J,), worlds, and occasions."""

    member: Ints
    fold: Ints
    stock: Floats
    worlds: Worlds
    occasions: float


@dataclass(frozen=True, eq=False)
class Played:
    """Demand of a strategy by product and draw, what of it finds stock, and the sales of every world."""

    demand: ProductTotals
    sold: ProductTotals
    sales: SimulatedSales

    @classmethod
    def of(cls, demand: ProductTotals, market: Market) -> Played:
        """Let the demand meet the stock and the luck of sales."""
        unlimited = not np.isfinite(market.stock).any()
        room = demand.buyers(market.stock)
        sold = demand if unlimited else demand.served(served_share(demand.purchases, room))
        each = np.where(demand.purchases > 0, demand.purchases, 1.0)
        per_purchase = {name: getattr(demand, name) / each for name in TOTALS}
        sales = simulate_sales(demand.purchases, per_purchase, room, market.worlds)
        return cls(demand, sold, replace(sales, units=sales.units * demand.units_each[:, None]))


def record(name: str, played: Played, base: Played, raw: Floats, market: Market) -> dict[str, Any]:
    """Figures of one strategy.

    Parameters
    ----------
    played, base
        The strategy and today's prices under the same scenario.
    raw
        (D,) profit of the strategy's prices by the draws that chose them.
    """
    member, fold, worlds = market.member, market.fold, market.worlds
    sums = played.sold.sums()
    out: dict[str, Any] = {"strategy": name}
    for total in TOTALS:
        doubt = _doubt(played, total)
        found = draw_interval(sums[total], member, fold).widened(doubt)
        out |= _range(total, found)
        likely = outcomes(found, played.sales.stray[total], worlds)
        out[f"{total}_outcome_low"], out[f"{total}_outcome_high"] = _central(likely)
    share = draw_interval(sums["purchases"] / sums["visits"], member, fold)
    out |= _range("conversion_rate", share.widened(_doubt(played, "purchases") / float(sums["visits"].mean())))
    out["average_price"] = _ratio(out["revenue"], out["units"])
    out["margin_rate"] = _ratio(out["profit"], out["revenue"])
    out["consumer_surplus"] = float(fold_mean(sums["surplus"], fold))
    out["share_lost"] = max(0.0, 1.0 - float(fold_mean(sums["visits"], fold)) / market.occasions)
    out |= _stock(played, market)
    out |= _uplift(sums["profit"], played, base, market)
    out["profit_uncorrected"] = float(fold_mean(raw, fold))
    today = float(fold_mean(base.sold.sums()["profit"], fold))
    out["profit_uplift_rate_uncorrected"] = _ratio(out["profit_uncorrected"] - today, today)
    return out


def _stock(played: Played, market: Market) -> dict[str, float]:
    """Products that turn customers away, and the units missed; zero without a limit, for stock then is no topic."""
    if not np.isfinite(market.stock).any():
        return {"stock_outs": 0.0, "units_missed": 0.0}
    demand, room = played.demand.purchases, played.demand.buyers(market.stock)
    missed = played.demand.units_each @ (demand - expected_sales(demand, room))
    return {
        "stock_outs": float(fold_mean(turned_away(demand, room).sum(axis=0), market.fold)),
        "units_missed": float(fold_mean(missed, market.fold)),
    }


def _uplift(profit: Floats, played: Played, base: Played, market: Market) -> dict[str, float]:
    """Change of profit against today's prices, draw by draw: in money and as a share of today's estimate."""
    member, fold = market.member, market.fold
    today = base.sold.sums()["profit"]
    level = float(fold_mean(today, fold))
    change = draw_interval(profit - today, member, fold).widened(_doubt(played, "profit"), CHANGE_SPREAD)
    stray = played.sales.stray["profit"] - base.sales.stray["profit"]
    likely = outcomes(change, stray, market.worlds)
    out = _range("profit_uplift", change)
    out["profit_uplift_outcome_low"], out["profit_uplift_outcome_high"] = _central(likely)
    for end in ("", "_low", "_high"):
        out[f"profit_uplift_rate{end}"] = out[f"profit_uplift{end}"] / level if level > 0 else float("nan")
    out["probability_loss"] = change.probability_below(0.0)
    known = bool(np.isfinite(likely).all())
    out["probability_loss_outcome"] = float(np.mean(likely < 0)) if known else float("nan")
    return out


def _doubt(played: Played, total: str) -> float:
    """Standard deviation of a total by what all draws share: the form of demand between today's prices and these."""
    return FORM_DOUBT * float(played.sold.doubt[total].sum())


def _central(likely: Floats) -> tuple[float, float]:
    low, high = np.quantile(likely, [0.05, 0.95])
    return float(low), float(high)


def _range(name: str, found: Interval) -> dict[str, float]:
    return {name: float(found.estimate), f"{name}_low": float(found.low), f"{name}_high": float(found.high)}


def _ratio(top: float, bottom: float) -> float:
    return top / bottom if bottom > 0 else float("nan")
