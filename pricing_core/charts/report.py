"""A comparison on one page of HTML: opens without this program, prints on one sheet, and fetches nothing.

Bars are plain SVG. Every text of the user is escaped, and a content policy forbids scripts and remote content, so that
a hostile name stays a name.
"""

from __future__ import annotations

import html
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import pandas as pd

from pricing_core.charts.bridge import BridgeChart, short_money
from pricing_core.charts.style import GRAY, ORANGE, TEAL, money, percent

_POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
_STYLE: Final = """
@page { size: A4; margin: 14mm }
body { font: 13px/1.45 system-ui, sans-serif; color: #1b2733; max-width: 800px; margin: 24px auto; padding: 0 12px }
h1 { font-size: 20px; margin: 0 0 4px } h2 { font-size: 14px; margin: 18px 0 6px }
p { margin: 4px 0 } .lead { font-size: 15px; font-weight: 600; margin: 8px 0 } .quiet { color: #5b6875 }
table { border-collapse: collapse; width: 100%; font-size: 11px; font-variant-numeric: tabular-nums }
th, td { padding: 3px 4px; text-align: right; border-bottom: 1px solid #d9dfe5; vertical-align: top }
th:first-child, td:first-child { text-align: left; width: 20% } th { font-weight: 600; color: #5b6875 }
svg { width: 100%; height: auto; display: block } svg text { font: 11px system-ui, sans-serif; fill: #1b2733 }
@media print { body { margin: 0; max-width: none } }
""".strip()
_WIDTH, _LINE, _LABEL = 760, 24, 240


@dataclass(frozen=True)
class ReportText:
    """Words of the report: title, the sentence to repeat, assumptions, notes and where it comes from."""

    title: str
    sentence: str
    assumptions: Sequence[str]
    notes: Sequence[str]
    origin: str


def scenario_report(
    text: ReportText, table: pd.DataFrame, *, currency: str, weeks: float, bridge: BridgeChart | None = None
) -> str:
    """Write the report.

    Parameters
    ----------
    table
        One row per strategy with ``name`` and the columns of
        :attr:`~pricing_core.simulate.strategies.SimulationResult.table`; optional ``satisfaction`` text.
    bridge
        From today's prices to the strategy looked at.
    """
    parts = [
        f"<h1>{_text(text.title)}</h1>",
        f'<p class="lead">{_text(text.sentence)}</p>',
        f'<p class="quiet">{_text("; ".join(text.assumptions))}</p>',
        f"<h2>Strategies side by side, {weeks:g} weeks</h2>",
        _table(table, currency),
        f"<h2>Profit, {weeks:g} weeks ({_text(currency)}), with 90% range of the expected value</h2>",
        _bars(table, currency),
    ]
    if bridge is not None:
        parts += [f"<h2>{_text(bridge.finding)}</h2>", _steps(bridge, currency)]
    parts += ["<h2>How to read this</h2>", *(f"<p>{_text(note)}</p>" for note in text.notes)]
    parts.append(f'<p class="quiet">{_text(text.origin)}</p>')
    head = (
        f'<meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
        f'<meta name="viewport" content="width=device-width"><title>{_text(text.title)}</title><style>{_STYLE}</style>'
    )
    return f'<!doctype html>\n<html lang="en"><head>{head}</head>\n<body>\n' + "\n".join(parts) + "\n</body></html>\n"


def _table(table: pd.DataFrame, currency: str) -> str:
    heads = ("Strategy", "Profit", "Against today", "90% range", "Chance of a loss", "Revenue", "Purchases",
             "Conversion", "Average price", "Margin", "Stock-outs", "Satisfaction")  # fmt: skip
    rows = []
    for row in table.to_dict("records"):
        today = row["strategy"] == "status_quo"
        span = f"{_rate(row['profit_uplift_rate_low'])} to {_rate(row['profit_uplift_rate_high'])}"
        cells = (
            row["name"], short_money(row["profit"], currency),
            "–" if today else _rate(row["profit_uplift_rate"]), "–" if today else span,
            "–" if today else _chance(row["probability_loss"]), short_money(row["revenue"], currency),
            f"{row['units']:,.0f}", percent(row["conversion_rate"], digits=2), money(row["average_price"], currency),
            percent(row["margin_rate"]), f"{row.get('stock_outs', 0.0):.1f}", row.get("satisfaction", "not measured"),
        )  # fmt: skip
        rows.append("<tr>" + "".join(f"<td>{_text(cell)}</td>" for cell in cells) + "</tr>")
    head = "".join(f"<th>{_text(name)}</th>" for name in heads)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table>"


def _bars(table: pd.DataFrame, currency: str) -> str:
    rows = table.sort_values("profit", ascending=False, kind="stable").to_dict("records")
    ends = [v for row in rows for v in (row["profit"], row["profit_low"], row["profit_high"]) if math.isfinite(v)]
    scale = _scale([0.0, *ends])
    shapes = []
    for k, row in enumerate(rows):
        y = 4 + k * _LINE
        color = ORANGE if row["strategy"] == "uniform" else TEAL
        shapes.append(f'<text x="0" y="{y + 13}">{_text(_short(row["name"]))}</text>')
        left, right = sorted((scale(0.0), scale(row["profit"])))
        shapes.append(f'<rect x="{left:.1f}" y="{y}" width="{right - left:.1f}" height="16" fill="{color}"/>')
        if math.isfinite(row["profit_low"]):
            low, high = scale(row["profit_low"]), scale(row["profit_high"])
            shapes.append(
                f'<path d="M{low:.1f} {y + 8}H{high:.1f}M{low:.1f} {y + 4}v8M{high:.1f} {y + 4}v8" '
                f'stroke="#1b2733" stroke-width="1.5" fill="none"/>'
            )
        amount = _text(short_money(row["profit"], currency))
        shapes.append(f'<text x="{_WIDTH}" y="{y + 13}" text-anchor="end">{amount}</text>')
    return _svg(shapes, len(rows), "Profit of each strategy")


def _steps(bridge: BridgeChart, currency: str) -> str:
    level, spans = 0.0, []
    for row in bridge.table.to_dict("records"):
        start = 0.0 if row["kind"] == "end" else level
        level = row["amount"] if row["kind"] == "end" else level + row["amount"]
        spans.append((row, start, level))
    scale = _scale([0.0, *(v for _, start, end in spans for v in (start, end))])
    shapes = []
    for k, (row, start, end) in enumerate(spans):
        y = 4 + k * _LINE
        color = GRAY if row["kind"] == "end" else TEAL if row["amount"] >= 0 else ORANGE
        left, right = sorted((scale(start), scale(end)))
        amount = _text(short_money(row["amount"], currency, signed=row["kind"] == "step"))
        shapes += [
            f'<text x="0" y="{y + 13}">{_text(_short(row["name"]))}</text>',
            f'<rect x="{left:.1f}" y="{y}" width="{max(right - left, 0.5):.1f}" height="16" fill="{color}"/>',
            f'<text x="{_WIDTH}" y="{y + 13}" text-anchor="end">{amount}</text>',
        ]
    return _svg(shapes, len(spans), "From today to the strategy")


def _scale(values: Sequence[float]) -> Callable[[float], float]:
    low, high = min(values), max(values)
    width = (high - low) or 1.0
    return lambda value: _LABEL + (value - low) / width * (_WIDTH - _LABEL - 90)


def _svg(shapes: Sequence[str], lines: int, label: str) -> str:
    height = 8 + lines * _LINE
    return f'<svg viewBox="0 0 {_WIDTH} {height}" role="img" aria-label="{_text(label)}">{"".join(shapes)}</svg>'


def _rate(value: float) -> str:
    return percent(value, signed=True)


def _chance(value: float) -> str:
    if not math.isfinite(value):
        return "unknown"
    return "<1%" if value < 0.01 else ">99%" if value > 0.99 else f"{value:.0%}"


def _short(text: object, width: int = 38) -> str:
    label = str(text)
    return label if len(label) <= width else label[: width - 1] + "…"


def _text(value: object) -> str:
    return html.escape(str(value), quote=True)
