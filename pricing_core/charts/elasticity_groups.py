"""Price elasticities by product, category or segment, with what they rest on and what is doubtful about them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from numpy.typing import NDArray

from pricing_core.charts.demand import group_elasticity
from pricing_core.charts.style import GRAY, INDIGO, TEAL, empty, faint, frame, number, plural_offers, shorten
from pricing_core.errors import DataError
from pricing_core.response.pricing_rows import EVIDENCE, PROTECTED, PricingRows

Floats = NDArray[np.float64]

_LARGEST: Final = 8.0
_FLAT: Final = 0.05
_FEW: Final = 30
_QUANTILES: Final = (0.05, 0.25, 0.5, 0.75, 0.95)
_SIGNS: Final = {"measured": "✓", "borrowed": "≈", "extrapolated": "?"}


@dataclass(frozen=True)
class ElasticityGroups:
    """Elasticities by group, the groups with most offers first.

    ``table``: ``group, offers, elasticity, low, high`` (of the group's conversion at today's prices, with 90% range),
    ``q05 … q95`` (spread over its offers), ``measured, borrowed, extrapolated`` (offers by evidence), ``evidence``
    (the most frequent), ``doubt`` (why not to trust it; empty where nothing does). ``n_left_out`` groups are not shown.
    """

    table: pd.DataFrame
    n_left_out: int
    finding: str

    @property
    def doubtful(self) -> pd.DataFrame:
        """Groups with a doubt."""
        return self.table[self.table["doubt"] != ""]


def groupings(rows: PricingRows) -> dict[str, str]:
    """Key → name of what rows can be grouped by: product, category, and labels of few levels that set no one apart."""
    found = {"product": "product", "category": "category"}
    for key, values in rows.labels.items():
        levels = len(np.unique(values.astype(str)))
        if not key.startswith(PROTECTED) and key != "week" and 1 < levels <= 200 and key != "products: category":
            found[key] = key.partition(": ")[2].replace("_", " ") or key
    return found


def group_values(rows: PricingRows, by: str) -> NDArray[np.object_]:
    """Group of each row (n,), by a key of :func:`groupings`; an unknown value reads ``unknown``."""
    known = {"product": rows.product_id, "category": rows.category}
    values = known[by] if by in known else rows.label(by)
    return np.where(values.astype(str) == "", "unknown", values.astype(str)).astype(object)


def elasticity_groups_data(rows: PricingRows, by: str, *, most: int = 20, name: str = "") -> ElasticityGroups:
    """Elasticity of each group's conversion, and their spread over its offers.

    Raises
    ------
    DataError
        If there are no rows, or no such label.
    """
    if rows.n == 0:
        raise DataError("There are no offers to show elasticities of.")
    group = pd.Series(group_values(rows, by))
    size = pd.Series(rows.weight).groupby(group).sum().sort_values(ascending=False, kind="stable")
    value = rows.response.elasticity(rows.current_price)
    table = pd.DataFrame([_described(rows, value, group == each, str(each)) for each in size.index[:most]])
    return ElasticityGroups(table, len(size) - len(table), _finding(table, name or groupings(rows).get(by, by)))


def doubt(elasticity: float, low: float, high: float, *, offers: int, extrapolated: float = 0.0) -> str:
    """Why an elasticity is not to be trusted; empty where nothing speaks against it.

    Parameters
    ----------
    elasticity, low, high
        Estimate with its 90% range (NaN where unknown).
    offers
        Offers that it is computed for.
    extrapolated
        Share of them whose price the data do not support.
    """
    if not math.isfinite(elasticity):
        return "no number"
    if elasticity > 0:
        return "demand would rise with the price"
    if elasticity < -_LARGEST:
        return f"stronger than {number(-_LARGEST, 0)}: hardly any product reacts so"
    if elasticity > -_FLAT:
        return "flat: the price would not matter at all"
    if math.isfinite(high) and high >= 0:
        return "the range includes zero: it may be no reaction at all"
    if extrapolated > 0.5:
        return "most prices lie outside what the data support"
    return f"only {plural_offers(offers)}" if offers < _FEW else ""


def elasticity_groups_figure(data: ElasticityGroups) -> go.Figure:
    """Draw per group the spread over its offers as a box and the group's own elasticity with its range."""
    table = data.table
    if not len(table):
        return empty("There is nothing to compare.")
    place = np.arange(len(table))
    doubtful = (table["doubt"] != "").to_numpy()
    figure = go.Figure()
    for mask, color, name in ((~doubtful, TEAL, "spread over offers"), (doubtful, GRAY, "spread, doubtful")):
        part = table[mask]
        if len(part):
            figure.add_trace(
                go.Box(
                    y=place[mask], orientation="h", q1=part["q25"], median=part["q50"], q3=part["q75"],
                    lowerfence=part["q05"], upperfence=part["q95"], name=name, line={"color": color, "width": 1.5},
                    fillcolor=faint(color, 0.3), whiskerwidth=0.4, hoverinfo="skip", boxpoints=False,
                )
            )  # fmt: skip
    hover = [_hover(row) for row in table.to_dict("records")]
    figure.add_scatter(
        x=table["elasticity"], y=place, mode="markers", name="group, 90% range",
        marker={"color": INDIGO, "size": 9, "symbol": np.where(doubtful, "diamond-open", "diamond")},
        error_x={
            "type": "data", "symmetric": False, "array": table["high"] - table["elasticity"],
            "arrayminus": table["elasticity"] - table["low"], "color": INDIGO, "thickness": 1.5, "width": 4,
        },
        hovertext=hover, hovertemplate="%{hovertext}<extra></extra>",
    )  # fmt: skip
    signs = ["⚠" if row["doubt"] else _SIGNS[str(row["evidence"])] for row in table.to_dict("records")]
    labels = [f"{shorten(g, 26)} {s}" for g, s in zip(table["group"], signs, strict=True)]
    figure.update_yaxes(tickvals=place, ticktext=labels, autorange="reversed")
    if table["q05"].min() < -1 < table["q95"].max():
        figure.add_vline(x=-1, line={"color": GRAY, "dash": "dash", "width": 1})
    rest = f"; {data.n_left_out} smaller groups not shown" if data.n_left_out else ""
    title = f"Own-price elasticity (% of sales per 1% of price)<br>✓ measured, ≈ borrowed, ? extrapolated{rest}"
    height = 210 + 27 * len(table)
    figure = frame(figure, data.finding, x=title, height=height)
    return figure.update_layout(legend={"y": -72 / (height - 160)})


def _described(rows: PricingRows, value: Floats, mask: pd.Series, name: str) -> dict[str, Any]:
    at = np.flatnonzero(mask.to_numpy())
    mine = rows.take(at)
    middle, low, high = group_elasticity(mine)
    counts = {label: int((mine.evidence == label).sum()) for label in EVIDENCE}
    evidence = max(counts, key=lambda label: counts[label])
    quantiles = np.quantile(value[at], _QUANTILES, weights=mine.weight, method="inverted_cdf")
    return {
        "group": name,
        "offers": mine.n,
        "elasticity": middle,
        "low": low,
        "high": high,
        **{f"q{round(100 * q):02d}": float(v) for q, v in zip(_QUANTILES, quantiles, strict=True)},
        **counts,
        "evidence": evidence,
        "doubt": doubt(middle, low, high, offers=mine.n, extrapolated=counts["extrapolated"] / mine.n),
    }


def _finding(table: pd.DataFrame, name: str) -> str:
    sure = table[table["doubt"] == ""]
    if len(sure) < 2:
        return f"Price elasticity by {name}"
    order = sure["elasticity"].to_numpy().argsort()
    strong, weak = sure.iloc[int(order[0])].to_dict(), sure.iloc[int(order[-1])].to_dict()
    text = f"By {name}, {strong['group']} minds the price most ({number(strong['elasticity'])}), {weak['group']} least "
    text += f"({number(weak['elasticity'])})"
    if strong["high"] >= weak["low"]:
        text += "; their ranges overlap"
    return text


def _hover(row: dict[Any, Any]) -> str:
    text = f"{shorten(row['group'], 40)}: {number(row['elasticity'], 2)} (90% range {number(row['low'], 2)} to "
    text += f"{number(row['high'], 2)})<br>{row['offers']:,} offers: {row['measured']:,} measured, "
    text += f"{row['borrowed']:,} borrowed, {row['extrapolated']:,} extrapolated"
    return f"{text}<br>⚠ {row['doubt']}" if row["doubt"] else text
