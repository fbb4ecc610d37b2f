"""Charts with their titles as text above them, which wraps at whatever width there is."""

from __future__ import annotations

import html
from typing import Any

import plotly.graph_objects as go
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from .words import markdown

_TOP = 16  # room that stays above the drawing, in pixels
_TOP_OF_PANELS = 40  # the same where panels have titles of their own


def show(
    figure: go.Figure,
    *,
    key: str,
    place: DeltaGenerator | None = None,
    width: int | None = None,
    height: int | None = None,
) -> None:
    """Show a chart with its title, the finding, as text above it.

    Parameters
    ----------
    place
        Column or container; default: where the page is.
    width
        Pixels of text and drawing; default: all that there is.
    height
        Pixels of the drawing; default: as much as the figure asks for, less the lines of its title.
    """
    title, top = str(figure.layout.title.text or ""), int(figure.layout.margin.t or 0)
    stays = min(top, _TOP_OF_PANELS if _has_panels(figure) else _TOP)
    drawn = go.Figure(figure)  # a cached figure is also drawn elsewhere, such as in a report
    drawn.update_layout(title_text="", margin_t=stays)
    own = figure.layout.height
    drawn.update_layout(height=height or (int(own) - (top - stays) if own else None))
    box: Any = st if place is None else place
    if title:
        with box.container(width=width or "stretch", gap="small"):
            st.markdown(f"**{markdown(html.unescape(title.replace('<br>', ' ')))}**")
            st.plotly_chart(drawn, key=key)
    else:
        box.plotly_chart(drawn, key=key, width=width or "stretch")


def _has_panels(figure: go.Figure) -> bool:
    """Whether text stands above the drawing, as the titles of panels do."""
    return any(note.yref == "paper" and (note.y or 0) >= 1 for note in figure.layout.annotations)
