"""Demand curve of a group of offers, with its band, what was observed, and the prices that matter."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from numpy.typing import NDArray
from scipy.special import expit, logit, stdtrit

from pricing_core.charts.style import GRAY, INDIGO, ORANGE, TEAL, faint, frame, money, number, percent
from pricing_core.errors import DataError
from pricing_core.evaluate.calibration import wilson_interval
from pricing_core.guardrails.allowed_range import BELOW_CURRENT, BELOW_LIST, SUPPORTED
from pricing_core.response.pricing_rows import PricingRows

Floats = NDArray[np.float64]

_POINTS: Final = 61
_FEW: Final = 5
_SAME: Final = 0.005
_LIMITS: Final = {
    SUPPORTED: " that past offers support",
    BELOW_LIST: " that discounts from the list price allow",
    BELOW_CURRENT: " that discounts from the current price allow",
}
_CLOSE: Final = 0.45  # of the width, below which labels centered on two prices could touch in half a page
_EDGE: Final = 0.2
_LABEL_LINE: Final = 18
_ABOVE_TITLE: Final = 20


@dataclass(frozen=True)
class DemandCurve:
    """Demand curve of a group of offers.

    Attributes
    ----------
    curve
        ``price, conversion_rate, low, high, profit_per_offer``, with 90% band; the price is money, or a multiple of the
        reference price where ``relative``.
    observed
        Logged offers by price band: ``price`` (mean), ``conversion_rate, low, high, n``.
    current_price, best_price
        Mean current price, and the single price within the supported range that earns most per offer; NaN if unknown.
    elasticity, elasticity_low, elasticity_high
        Of the group's conversion at its current prices, with 90% range.
    relative, cost_assumed
        Whether prices are relative, and whether any unit cost follows from an assumed margin.
    one_customer
        Whether the curve is that of one customer.
    limit
        Rule that keeps the best price from being a better one; empty where none does.
    follows
        Whether the best price is the one that a strategy recommends, whether or not any other earns more.
    """

    curve: pd.DataFrame
    observed: pd.DataFrame
    current_price: float
    best_price: float
    elasticity: float
    elasticity_low: float
    elasticity_high: float
    relative: bool
    cost_assumed: bool
    one_customer: bool = False
    limit: str = ""
    follows: bool = False

    def finding(self, currency: str = "") -> str:
        """Say how strongly buyers react, and where the best price is."""
        span = ""
        if math.isfinite(self.elasticity_low):
            span = f" (90% range {number(-self.elasticity_high)} to {number(-self.elasticity_low)}%)"
        what = f"costs {number(-self.elasticity)}% of sales"
        if self.one_customer:
            what = f"lowers this customer's chance of a purchase by {number(-self.elasticity)}%"
        text = f"1% more price {what}{span}"
        if not math.isfinite(self.best_price):
            return text
        same = abs(self.best_price / self.current_price - 1) < _SAME
        best, now = self.price_text(self.best_price, currency), self.price_text(self.current_price, currency)
        if self.follows:
            return f"{text}; the recommended price is {'the current one' if same else f'{best}, now {now}'}"
        if same:
            which = "best for this customer" if self.one_customer else "best single one"
            return f"{text}; the current price is already the {which}{self._within}"
        which = "best price for this customer" if self.one_customer else "best single price"
        return f"{text}; the {which}{self._within} is {best}, now {now}"

    @property
    def _within(self) -> str:
        """Among which prices the best one is, where a rule stops it."""
        if not self.limit:
            return ""
        return _LIMITS.get(self.limit, f" that the rule “{self.limit}” allows")

    def price_text(self, price: float, currency: str = "") -> str:
        """Price in money, or in percent of the going price."""
        return percent(price, digits=0) if self.relative else money(price, currency)


def demand_curve_data(
    rows: PricingRows,
    observed: pd.DataFrame | None = None,
    *,
    best_price: float | None = None,
    relative: bool | None = None,
    bands: int = 6,
    one_customer: bool = False,
    limit: str = "",
    follows: bool = False,
) -> DemandCurve:
    """Average demand curve of the rows over the prices that their data support.

    Parameters
    ----------
    rows
        Offers of one product, or of several.
    observed
        Logged ``price`` and ``purchased``; with ``relative`` also ``reference_price``, without which no observed points
        are shown.
    best_price
        Recommended single price; default: the supported one at which the curve earns most.
    relative
        Prices as multiples of the reference price; default: where the rows hold more than one product.
    bands
        Price bands of the observed points at most.
    one_customer, limit, follows
        See :class:`DemandCurve`; for the title.

    Raises
    ------
    DataError
        If there are no rows.
    """
    if rows.n == 0:
        raise DataError("There are no offers to draw a demand curve of.")
    relative = len(np.unique(rows.product_id.astype(str))) > 1 if relative is None else relative
    unit = rows.response.reference_price if relative else np.ones(rows.n)
    weight = rows.weight / rows.weight.sum()
    current = float(weight @ (rows.current_price / unit))
    ends = [float(np.median(rows.support_low / unit)), float(np.median(rows.support_high / unit))]
    grid = np.linspace(min(*ends, current), max(*ends, current), _POINTS)
    curve = _mean_curve(rows, grid, unit, weight)
    if best_price is None:
        supported = (grid >= ends[0]) & (grid <= ends[1])
        profit = curve["profit_per_offer"].to_numpy()[supported]
        best_price = float(grid[supported][np.argmax(profit)]) if supported.any() else math.nan
    elasticity = group_elasticity(rows)
    return DemandCurve(
        curve=curve,
        observed=_observed_bands(observed, relative, bands, (float(grid[0]), float(grid[-1]))),
        current_price=current,
        best_price=best_price,
        elasticity=elasticity[0],
        elasticity_low=elasticity[1],
        elasticity_high=elasticity[2],
        relative=relative,
        cost_assumed=bool(rows.cost_assumed.any()),
        one_customer=one_customer,
        limit=limit,
        follows=follows,
    )


def _mean_curve(rows: PricingRows, grid: Floats, unit: Floats, weight: Floats) -> pd.DataFrame:
    """Conversion with its range, and profit per offer, of the rows at each price of the grid."""
    draws = np.array([weight @ rows.response.probability_draws(p * unit) for p in grid])
    low, high = _band(draws, rows.response.draw_member)
    profit = np.array([weight @ ((p * unit - rows.unit_cost) * rows.response.probability(p * unit)) for p in grid])
    return pd.DataFrame(
        {
            "price": grid,
            "conversion_rate": draws.mean(axis=1),
            "low": low,
            "high": high,
            "profit_per_offer": profit,
        }
    )


def demand_curve_figure(data: DemandCurve, *, currency: str = "") -> go.Figure:
    """Draw curve, band, observed points with their 90% intervals, and the current and the best price."""
    figure, curve = go.Figure(), data.curve
    if np.isfinite(curve["low"]).all():
        edge: dict[str, Any] = {"mode": "lines", "line": {"width": 0}, "hoverinfo": "skip"}
        figure.add_scatter(x=curve["price"], y=curve["high"], showlegend=False, **edge)
        figure.add_scatter(
            x=curve["price"], y=curve["low"], fill="tonexty", fillcolor=faint(TEAL), name="90% band", **edge
        )
    price = "%{x:.0%} of the going price" if data.relative else "%{x:,.2f}"
    figure.add_scatter(
        x=curve["price"], y=curve["conversion_rate"], mode="lines", name="model", line={"color": TEAL, "width": 3},
        hovertemplate=f"{price}: %{{y:.1%}} buy<extra></extra>",
    )  # fmt: skip
    if len(data.observed):
        points = data.observed
        figure.add_scatter(
            x=points["price"], y=points["conversion_rate"], mode="markers", name="observed, 90% interval",
            customdata=points["n"], marker={"color": ORANGE, "symbol": "diamond", "size": 9},
            error_y={
                "type": "data", "symmetric": False, "array": points["high"] - points["conversion_rate"],
                "arrayminus": points["conversion_rate"] - points["low"], "color": ORANGE, "thickness": 1.5, "width": 4,
            },
            hovertemplate=f"{price}: %{{y:.1%}} of %{{customdata:,}} offers bought<extra></extra>",
        )  # fmt: skip
    star = " *" if data.cost_assumed else ""
    ends = float(curve["price"].iloc[0]), float(curve["price"].iloc[-1])
    close = abs(data.best_price - data.current_price) < _CLOSE * (ends[1] - ends[0])
    best = f"{'recommended' if data.follows else 'best'}{star} {data.price_text(data.best_price, currency)}"
    _mark_price(figure, data.best_price, best, (INDIGO, "dot"), ends, row=0)
    now = f"now {data.price_text(data.current_price, currency)}"
    _mark_price(figure, data.current_price, now, (GRAY, "dash"), ends, row=int(close))
    if data.relative:
        figure.update_xaxes(tickformat=".0%")
    figure.update_yaxes(tickformat=".0%" if curve["conversion_rate"].max() > 0.1 else ".1%", rangemode="tozero")
    axis = "Price, % of the going price" if data.relative else f"Price ({currency})" if currency else "Price"
    note = " · * unit cost from the assumed margin" if data.cost_assumed else ""
    frame(figure, data.finding(currency), x=axis + note, y="Conversion rate")
    top = {"y": 1, "yref": "container", "yanchor": "top", "pad": {"t": _ABOVE_TITLE}}
    return figure.update_layout(title=top, margin_t=figure.layout.margin.t + _LABEL_LINE * (1 + close))


def _band(draws: Floats, member: NDArray[np.int64]) -> tuple[Floats, Floats]:
    """90% band of curves (points, D): Student t on the log-odds, one degree of freedom per further ensemble member."""
    freedom = len(np.unique(member)) - 1
    if freedom < 1:
        blank = np.full(len(draws), np.nan)
        return blank, blank
    odds = logit(np.clip(draws, 1e-12, 1 - 1e-12))
    middle, half = (
        logit(np.clip(draws.mean(axis=1), 1e-12, 1 - 1e-12)),
        stdtrit(freedom, 0.95) * odds.std(axis=1, ddof=1),
    )
    return expit(middle - half), expit(middle + half)


def group_elasticity(rows: PricingRows) -> tuple[float, float, float]:
    """Elasticity of the summed conversion when all current prices move by the same percentage, with 90% range."""
    weight = rows.weight / rows.weight.sum()
    relative = (rows.current_price / rows.response.reference_price)[:, None]
    chance = rows.response.probability_draws(rows.current_price)
    slope = rows.response.sensitivity * relative * chance * (1 - chance)
    by_draw = -(weight @ slope) / (weight @ chance)
    middle = float(-(weight @ slope.mean(axis=1)) / (weight @ chance.mean(axis=1)))
    freedom = len(np.unique(rows.response.draw_member)) - 1
    if freedom < 1:
        return middle, math.nan, math.nan
    half = float(stdtrit(freedom, 0.95) * by_draw.std(ddof=1))
    return middle, middle - half, middle + half


def _observed_bands(
    observed: pd.DataFrame | None, relative: bool, bands: int, shown: tuple[float, float]
) -> pd.DataFrame:
    """Conversion of logged offers in price bands of equal size; bands with a handful of offers are left out."""
    columns = ["price", "conversion_rate", "low", "high", "n"]
    if observed is None or not len(observed) or (relative and "reference_price" not in observed.columns):
        return pd.DataFrame(columns=columns)
    price = observed["price"].to_numpy(dtype=float)
    price = price / observed["reference_price"].to_numpy(dtype=float) if relative else price
    bought = observed["purchased"].to_numpy(dtype=float)
    inside = (price >= shown[0]) & (price <= shown[1])
    price, bought = price[inside], bought[inside]
    if not len(price):
        return pd.DataFrame(columns=columns)
    edges = np.unique(np.quantile(price, np.linspace(0, 1, bands + 1)[1:-1]))
    group = np.searchsorted(edges, price, side="right")
    table = pd.DataFrame({"price": price, "conversion_rate": bought}).groupby(group).mean()
    table["n"] = np.bincount(group)[table.index]
    table["low"], table["high"] = wilson_interval(table["conversion_rate"], table["n"])
    return table.loc[table["n"] >= _FEW, columns].reset_index(drop=True)


def _mark_price(
    figure: go.Figure, price: float, text: str, style: tuple[str, str], ends: tuple[float, float], row: int
) -> None:
    """Draw a line (color and dash) at a price, with its label above the plot, in the given row from below."""
    if not math.isfinite(price):
        return
    color, dash = style
    figure.add_vline(x=price, line={"color": color, "dash": dash, "width": 2})
    place = (price - ends[0]) / (ends[1] - ends[0]) if ends[1] > ends[0] else 0.5
    figure.add_annotation(
        x=price, y=1, yref="paper", text=text, showarrow=False, yanchor="bottom", yshift=_LABEL_LINE * row,
        xanchor="left" if place < _EDGE else "right" if place > 1 - _EDGE else "center",
    )  # fmt: skip
