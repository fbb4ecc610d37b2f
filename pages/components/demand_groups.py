"""Reaction to price by group, what buyers would pay, what others' prices do, and what of it is doubtful."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
import streamlit as st

from pricing_core import glossary
from pricing_core.charts.cross_price import competitor_text, cross_price_figure, cross_price_table
from pricing_core.charts.demand import DemandCurve
from pricing_core.charts.elasticity import (
    ElasticitySpread,
    elasticity_data,
    elasticity_figure,
    heat_map_data,
    heat_map_figure,
)
from pricing_core.charts.elasticity_groups import (
    ElasticityGroups,
    doubt,
    elasticity_groups_data,
    elasticity_groups_figure,
    group_values,
    groupings,
)
from pricing_core.charts.willingness import willingness_data, willingness_figure
from pricing_core.errors import DataError

from . import figures, results
from .demand import rows_of
from .state import PageState
from .tables import count_column, number_column, signed, text_column
from .words import markdown, number

if TYPE_CHECKING:
    from pricing_core.explain.cross_price import CrossPrice

FIGURES = {"elasticity": "Elasticity", "conversion": "Conversion today"}
LEAST_OFFERS, LEAST_PURCHASES = 15, 4
VERDICTS = {"not measurable": "not measurable", "no effect seen": "no effect seen", "substitutes": "substitutes",
            "complements": "bought together"}  # fmt: skip


def check(state: PageState, product: str, curve: DemandCurve) -> None:
    """Warn before a number that cannot be, or that the data do not carry."""
    rows = rows_of(state, product)
    found = doubt(
        curve.elasticity, curve.elasticity_low, curve.elasticity_high, offers=rows.n,
        extrapolated=float((rows.evidence == "extrapolated").mean()),
    )  # fmt: skip
    if found:
        st.warning(
            f"Do not rely on the elasticity of {markdown(product)} ({number(curve.elasticity)}): {found}.",
            icon=":material/warning:",
        )


def spread(state: PageState) -> None:
    """Show elasticities by group and over all offers, with their evidence and doubts."""
    rows = state.run.rows
    names = groupings(rows)
    by = str(
        st.selectbox("Group by", list(names), format_func=names.__getitem__, index=1, key="elasticity_by", width=320)
    )
    found = _groups(results.model_key(state), by, state)
    for row in found.doubtful.head(5).to_dict("records"):
        st.warning(f"{markdown(str(row['group']))} ({number(row['elasticity'])}): {row['doubt']}.")
    left, right = st.columns([3, 2])
    figures.show(elasticity_groups_figure(found), key=f"elasticity_{by}", place=left)
    figures.show(elasticity_figure(_spread(results.model_key(state), state)), key="elasticities", place=right)
    _group_table(found, names[by], state.currency)


@st.cache_resource(max_entries=16, show_spinner="Comparing groups …")
def _groups(stamp: str, by: str, _state: PageState) -> ElasticityGroups:
    return elasticity_groups_data(_state.run.rows, by)


@st.cache_resource(max_entries=4, show_spinner=False)
def _spread(stamp: str, _state: PageState) -> ElasticitySpread:
    return elasticity_data(_state.run.rows)


def _group_table(found: ElasticityGroups, name: str, currency: str) -> None:
    shown = found.table.assign(doubt=found.table["doubt"].replace("", "none"))
    st.dataframe(
        signed(shown, currency, money=[], plain=["elasticity", "low", "high"]), hide_index=True,
        column_order=["group", "elasticity", "low", "high", "offers", "measured", "borrowed", "extrapolated", "doubt"],
        column_config={
            "group": text_column(name.capitalize(), pinned=True),
            "elasticity": number_column("Elasticity", help=glossary.define("elasticity")),
            "low": number_column("90% low"), "high": number_column("90% high"),
            "offers": count_column("Recent offers"), "measured": count_column("Measured"),
            "borrowed": count_column("Borrowed"), "extrapolated": count_column("Extrapolated"),
            "doubt": text_column("What speaks against it"),
        },
    )  # fmt: skip
    st.caption(
        "Box: half of a group's offers, whiskers: 90% of them; diamond: the sales of the group as a whole with their "
        "range. Who is likelier to buy minds the price less, so a group's sales react less than its middle offer."
    )


def heat_map(state: PageState) -> None:
    """Show one figure by segment and product."""
    rows = state.run.rows
    names = {key: name for key, name in groupings(rows).items() if key != "product"}
    left, right = st.columns(2)
    preferred = next((k for k, key in enumerate(names) if key.startswith("customers: ")), 0)
    by = str(left.selectbox("Segment", list(names), format_func=names.__getitem__, index=preferred, key="heat_by"))
    figure = str(
        right.segmented_control("Figure", list(FIGURES), format_func=FIGURES.__getitem__, default="elasticity",
                                required=True, key="heat_figure")
    )  # fmt: skip
    rate = figure == "conversion"
    try:
        data = heat_map_data(
            _cells(results.model_key(state), by, state), "product", "segment", figure,
            weight="offers" if rate else "purchases", least_weight=LEAST_OFFERS if rate else LEAST_PURCHASES,
            name=FIGURES[figure],
        )  # fmt: skip
    except DataError as error:
        st.info(markdown(str(error)))
        return
    scale = "Conversion" if rate else "Elasticity"
    figures.show(
        heat_map_figure(
            data, x=names[by].capitalize(), y="Product", scale=scale, text_format=".0%" if rate else ".2f",
            weight="offers" if rate else "purchases expected",
        ),
        key=f"heat_{by}_{figure}",
    )  # fmt: skip
    st.caption(
        f"Recent offers at today's prices; cells with fewer than {LEAST_OFFERS} offers, or {LEAST_PURCHASES} purchases "
        "expected, stay blank. The model borrows between cells, so a small cell leans on its neighbors."
    )


@st.cache_resource(max_entries=8, show_spinner="Averaging …")
def _cells(stamp: str, by: str, _state: PageState) -> pd.DataFrame:
    rows = _state.run.rows
    chance = rows.response.probability(rows.current_price)
    return pd.DataFrame(
        {
            "product": rows.product_id.astype(str),
            "segment": group_values(rows, by),
            "elasticity": rows.response.elasticity(rows.current_price),
            "conversion": chance,
            "offers": rows.weight,
            "purchases": rows.weight * chance,
        }
    )


def willingness(state: PageState, product: str) -> None:
    """Show what the product's buyers would pay."""
    data = willingness_data(rows_of(state, product))
    figures.show(willingness_figure(data, currency=state.currency), key="willingness")
    st.caption(
        "Read off the demand curve: who buys at a price would pay at least that price. Beyond the prices that the data "
        "support nothing is claimed. Whiskers: 90% range."
    )


def cross_prices(state: PageState) -> None:
    """Show what other products' and competitors' prices do, measured apart from assumed."""
    try:
        found = _cross(results.model_key(state), state)
    except DataError as error:
        st.info(markdown(str(error)))
        return
    figures.show(cross_price_figure(found), key="cross_prices")
    st.caption(
        f"{competitor_text(found)} Other products: measured where several products of a category were offered to one "
        "customer on one day; the ranges of all categories hold together with 90% confidence. The gray cross is no "
        "measurement: it is what would follow if buyers chose at most one product of the category (multinomial logit)."
    )
    table = cross_price_table(found)
    st.dataframe(
        signed(table.assign(verdict=table["verdict"].map(VERDICTS)), state.currency, money=[],
               plain=["elasticity", "low", "high", "assumed", "competitor"]),
        hide_index=True, placeholder="–",
        column_order=["category", "verdict", "elasticity", "low", "high", "offers", "assumed", "competitor"],
        column_config={
            "category": text_column("Category", pinned=True), "verdict": text_column("Other products"),
            "elasticity": number_column("Measured"), "low": number_column("90% low"),
            "high": number_column("90% high"), "offers": count_column("Offers seen together"),
            "assumed": number_column("Assumed, one other product"), "competitor": number_column("Competitor"),
        },
    )  # fmt: skip


@st.cache_resource(max_entries=4, show_spinner="Measuring what others' prices do …")
def _cross(stamp: str, _state: PageState) -> list[CrossPrice]:
    from pricing_core.workflows.cross_effects import cross_effects

    return cross_effects(_state.run)

