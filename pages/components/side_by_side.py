"""Places for figures in a row, which wraps where the window is narrow."""

from __future__ import annotations

from typing import Final

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

_PAGE: Final = 980  # pixels of a page beside the sidebar on a usual screen
_GAP: Final = 16


def places(count: int) -> list[DeltaGenerator]:
    """Make room for so many figures: all in one row on a usual screen, in several where that would cut them."""
    row = st.container(horizontal=True, horizontal_alignment="distribute")
    width = (_PAGE - _GAP * (count - 1)) // count
    return [row.container(width=width) for _ in range(count)]
