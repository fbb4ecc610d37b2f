"""Recent events of one customer: what each contributed to an answer."""

from __future__ import annotations

from typing import Any

import numpy as np
import plotly.graph_objects as go

from pricing_core.charts.style import GRAY, LOWERS, RAISES, empty, frame, padded, percent, safe, shorten
from pricing_core.explain.events import EventEffects


def event_words(days: float) -> str:
    """Write how long ago something was: ``8 min ago``, ``5 h ago``, ``18 days ago``."""
    if days < 1 / 24:
        return f"{max(1, round(days * 1_440))} min ago"
    if days < 1:
        return f"{round(days * 24)} h ago"
    return f"{round(days):,} day{'' if round(days) == 1 else 's'} ago"


def events_finding(data: EventEffects) -> str:
    """Say which event mattered most, and what all of them did together."""
    table = data.events
    if not len(table):
        return "There are no recent events of this customer."
    top = table.iloc[int(table["effect"].abs().to_numpy().argmax())].to_dict()
    if top["effect"] == 0:
        return "None of the recent events moves the chance of a purchase"
    size = percent(float(top["effect"]), signed=True, digits=2)
    together = percent(data.all_together, signed=True, digits=1)
    return (
        f"{str(top['event']).capitalize()} {top['product_id']} {event_words(float(top['days_ago']))} mattered most "
        f"({size} points); all events together {together} points"
    ).replace("% points", " points")


def _label(row: dict[Any, Any]) -> str:
    rating = f" ({row['rating']:.0f} of 5)" if np.isfinite(row["rating"]) else ""
    relation = f" · {row['relation']}" if row["relation"] else ""
    return f"{event_words(row['days_ago'])} · {row['event']} {row['product_id'][:16]}{rating}{relation}"


def events_figure(data: EventEffects) -> go.Figure:
    """Draw a bar per event, the newest on top."""
    table = data.events
    if not len(table):
        return empty(events_finding(data))
    labels = [_label(row) for row in table.to_dict("records")]
    place = np.arange(len(table))
    figure = go.Figure(
        go.Bar(
            x=table["effect"], y=place, orientation="h",
            marker={"color": np.where(table["effect"] > 0, RAISES, LOWERS)},
            text=[percent(v, signed=True, digits=2).replace("%", "") for v in table["effect"]],
            textposition="outside", cliponaxis=False, hovertext=[safe(label) for label in labels],
            hovertemplate="%{hovertext}: %{x:+.2%}<extra></extra>",
        )
    )  # fmt: skip
    figure.update_yaxes(tickvals=place, ticktext=[shorten(label, 52) for label in labels], autorange="reversed")
    figure.update_xaxes(tickformat="+.1%", range=padded([0.0, *table["effect"]], share=0.2))
    figure.add_vline(x=0, line={"color": GRAY, "width": 1})
    return frame(
        figure, events_finding(data), x="Change of the chance of a purchase by this event, percentage points",
        height=150 + 26 * len(table),
    )  # fmt: skip
