"""What a price list was made from, and whether that is still what is in use."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from pricing_core.errors import PricingError
from pricing_core.guardrails.rules import Guardrails
from pricing_core.store import datasets

from . import guardrails
from .pricing import DISCOUNTS, discounts_note
from .state import PageState
from .words import ago, markdown, percent

if TYPE_CHECKING:
    from pricing_core.store.pricelists import StoredPriceList


def show(state: PageState, stored: StoredPriceList, currency: str) -> None:
    """Name data, model, margin assumption, guardrails and date of a list; warn if any of them is no longer in use."""
    reasons = outdated(state, stored)
    if reasons:
        with st.container(border=True, horizontal=True, vertical_alignment="center"):
            st.warning(f"**This list is outdated:** {markdown('; '.join(reasons))}.", icon=":material/history:")
            st.page_link("pages/optimize.py", label="Make a new one", icon=":material/tune:")
    made_on = f"{stored.created_at[:10]} ({ago(stored.created_at)})"
    rules = guardrails.in_words(Guardrails.from_toml(stored.summary["guardrails"]), currency)
    st.caption(
        f"{stored.price_list_id} was made on {made_on} from data **{stored.dataset_id}**"
        f"{markdown(_name(state, stored))} with model **{stored.run_id}**; {_costs(stored)}; "
        f"guardrails: {markdown(rules)}."
    )
    unit = "one for each customer and product" if stored.frame["customer_id"].notna().any() else "one for each product"
    st.caption(f"Raise, cut and hold count prices, {unit}, against today's prices.")
    if stored.strategy == DISCOUNTS:
        discounts_note(stored.strategy)


def outdated(state: PageState, stored: StoredPriceList) -> list[str]:
    """Return why a list no longer fits what is in use; nothing if it does."""
    reasons = []
    if stored.run_id != state.run_id:
        reasons.append(f"it was made with model {stored.run_id}, and {state.run_id} is in use")
    if stored.dataset_id != state.dataset_id:
        reasons.append(f"it rests on data {stored.dataset_id}, and {state.dataset_id} is here")
    then, now = stored.summary.get("margin_assumption"), state.manifest.margin_assumption
    if then is not None and then != now:
        reasons.append(f"it assumed a margin of {percent(then)}, and the assumption has changed")
    return reasons


def _name(state: PageState, stored: StoredPriceList) -> str:
    """Return the name of the list's data; the data may have been deleted since."""
    try:
        return f" ({datasets.load_manifest(state.ws, stored.dataset_id).name})"
    except PricingError:
        return ", which are no longer here"


def _costs(stored: StoredPriceList) -> str:
    if not stored.summary.get("cost_assumed"):
        return "unit costs known"
    margin = stored.summary.get("margin_assumption")
    return "unit costs from an assumed margin" + (f" of {percent(margin)}" if margin is not None else "")
