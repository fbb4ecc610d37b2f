"""A chart as wide as the page, its title as text above it, which wraps at the width there is."""

from __future__ import annotations

import html

import plotly.graph_objects as go
import streamlit as st

from .words import markdown

_TOP = 16  # room that stays above the drawing, in pixels


def show(figure: go.Figure, *, key: str, height: int | None = None) -> None:
    """Show a chart with its title, the finding, as text above it.

    Parameters
    ----------
    height
        Pixels of the drawing; default: as much as the figure asks for, less the lines of its title.
    """
    title, top = str(figure.layout.title.text or ""), int(figure.layout.margin.t or 0)
    drawn = go.Figure(figure)  # a cached figure is also drawn elsewhere, such as in a report
    drawn.update_layout(title_text="", margin_t=min(top, _TOP))
    if title:
        st.markdown(f"**{markdown(html.unescape(title.replace('<br>', ' ')))}**")
    own = figure.layout.height
    drawn.update_layout(height=height or (int(own) - max(top - _TOP, 0) if own else None))
    st.plotly_chart(drawn, key=key)
