"""Hand a price list over: choose a format, see what it would refuse, take the file and the way back."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import pandas as pd
import streamlit as st

from pricing_core.errors import PricingError
from pricing_core.pricelist.disclosure import RULES
from pricing_core.pricelist.export import to_excel_csv
from pricing_core.pricelist.formats import FORMATS, ExportFile, find
from pricing_core.pricelist.layouts import LAYOUTS
from pricing_core.pricelist.preflight import counts, grouped
from pricing_core.pricelist.roundtrip import RoundTrip, rewrite
from pricing_core.store import settings
from pricing_core.workflows import exporting
from pricing_core.workflows.exporting import ExportRequest

from . import access, job_panel
from .state import PageState
from .tables import records, text_column, visible, visible_table
from .words import count, markdown, plural

if TYPE_CHECKING:
    from pricing_core.store.pricelists import StoredPriceList

GROUPS = "customer_groups"
BACKGROUND_ROWS = 200_000
SHOWN_CHANGES = 1_000
SHOWN_KINDS = 12
SEVERITIES = {"blocking": ":red[:material/block:] Left out", "warning": ":orange[:material/warning:] Check"}


@dataclass(frozen=True)
class Look:
    """What would come of an export: the rows that are odd, what to know, and why there is no file, if there is none."""

    problems: pd.DataFrame
    notes: tuple[str, ...]
    trip: RoundTrip | None = None
    refusal: str | None = None


def show(state: PageState, stored: StoredPriceList) -> None:
    """Show the whole way from a format to the two files."""
    for note in exporting.standing(stored):
        st.warning(note, icon=":material/warning:")
    request = _request(state, stored)
    look = _look(state, stored, request)
    if look.refusal:
        st.error(markdown(look.refusal), icon=":material/block:")
    else:
        _verdict(stored, request, look)
        _buttons(state, stored, request)
        if look.notes:
            st.markdown("\n".join(f"- {markdown(note)}" for note in look.notes))
    if look.trip is not None:
        _changes(look.trip)
    _problems(stored, request, look.problems)


def _request(state: PageState, stored: StoredPriceList) -> ExportRequest:
    """Let the format and what it needs be chosen."""
    chosen, about = st.columns([2, 3], vertical_alignment="bottom")
    name = str(
        chosen.selectbox(
            "Format", list(FORMATS), format_func=lambda key: FORMATS[key].label, key="export_format",
            persist_state="session",
        )
    )  # fmt: skip
    about.caption(FORMATS[name].about)
    request = ExportRequest(name)
    if not FORMATS[name].shop:
        return _native(request, stored)
    if name == "magento":
        request = _magento(state, request, stored)
    if name.startswith("shopify"):
        known = _catalog(state, stored)
        if known is None or "title" not in known.columns:
            ids = st.checkbox(
                "Let product ids stand for titles (for new products only: importing them renames existing products)",
                key="id_as_title",
            )
            request = replace(request, id_as_title=ids)
    if name in LAYOUTS:
        own = st.file_uploader(
            f"Or use my own export from {FORMATS[name].label}: only its prices change", type=["csv", "tsv", "txt"],
            key=f"own_{name}", help="Every other byte of the file comes back as it was. Rows without a price in this "
            "list are named.",
        )  # fmt: skip
        request = replace(request, source=own.getvalue() if own else None)
    return request


def _native(request: ExportRequest, stored: StoredPriceList) -> ExportRequest:
    frame = stored.current
    if frame["customer_id"].notna().any():
        own = st.checkbox(
            "Put the shop's own customer ids into the files", True, key="own_ids", persist_state="session",
            help="On screen customers have pseudonyms. Your shop's system needs its own ids; they are put back only "
            "into the files that you download.",
        )  # fmt: skip
        request = replace(request, own_ids=own)
    if frame["disclosure_required"].fillna(False).astype(bool).any():
        markets = st.multiselect(
            "Markets to disclose personalized prices for", list(RULES), key="export_markets", persist_state="session",
            placeholder="European Union, unless others are chosen",
            help="The text that stands beside each personalized price. " + "; ".join(
                f"{rule.market}: {rule.source}" for rule in RULES.values()) + ". Not legal advice.",
        )  # fmt: skip
        request = replace(request, markets=tuple(markets))
    return request


def _magento(state: PageState, request: ExportRequest, stored: StoredPriceList) -> ExportRequest:
    segments = sorted(stored.current["segment_id"].dropna().astype(str).unique())
    kept: dict[str, str] = settings.get(state.ws, GROUPS, {})
    groups = {segment: kept.get(segment, "") for segment in segments}
    if segments:
        table = pd.DataFrame({"segment": segments, "group": [groups[each] for each in segments]})
        edited = st.data_editor(
            table, hide_index=True, height="content", disabled=["segment"], key=f"groups_{stored.price_list_id}",
            column_config={"segment": text_column("Segment"), "group": st.column_config.TextColumn(
                "Customer group in your shop", help="Its name, exactly as in Magento.")},
        )  # fmt: skip
        groups = dict(zip(edited["segment"], edited["group"].fillna("").str.strip(), strict=True))
        if any(groups[each] != kept.get(each, "") for each in segments) and access.allowed(state, "edit"):
            settings.set(state.ws, GROUPS, {**kept, **groups})
    website = st.text_input(
        "Website", key="export_website", persist_state="session", placeholder="All websites", width=320,
        help="Code of the website in Magento that the prices hold for; blank for all.",
    )  # fmt: skip
    return replace(request, customer_groups=groups, website=website.strip())


def _look(state: PageState, stored: StoredPriceList, request: ExportRequest) -> Look:
    source = hashlib.sha256(request.source).hexdigest() if request.source is not None else ""
    key = repr((replace(request, source=None), source))
    return _looked(
        str(state.ws.root), stored.price_list_id, stored.revision, repr(stored.state), key, state, stored, request
    )


@st.cache_resource(max_entries=12, show_spinner="Checking every row against the format …")
def _looked(
    root: str, price_list_id: str, revision: int, standing: str, key: str, _state: PageState, _stored: StoredPriceList,
    _request: ExportRequest,
) -> Look:  # fmt: skip
    catalog = _catalog(_state, _stored)
    options = _request.options(_stored, catalog)
    frame = exporting.frame_for(_state.ws, _stored, _request)
    currency = exporting.currency_of(_stored)
    try:
        if _request.source is not None:
            trip = rewrite(_request.format, frame, _request.source, currency=currency, options=options)
            return Look(trip.problems, ("Every byte outside the changed cells is that of your own file.",), trip)
        problems = exporting.refused(_state.ws, _stored, _request, catalog=catalog)
        if len(frame) and counts(problems)["blocking"] == len(frame):
            return Look(problems, (), None, exporting.refusal(_request.format, frame, problems))
        return Look(problems, tuple(find(_request.format).notes(frame, currency, options)))
    except PricingError as error:
        return Look(pd.DataFrame(), (), None, str(error))


def _catalog(state: PageState, stored: StoredPriceList) -> pd.DataFrame | None:
    return _catalog_of(str(state.ws.root), stored.dataset_id, state, stored)


@st.cache_resource(max_entries=4, show_spinner=False)
def _catalog_of(root: str, dataset_id: str, _state: PageState, _stored: StoredPriceList) -> pd.DataFrame | None:
    return exporting.catalog_for(_state.ws, _stored)


def _verdict(stored: StoredPriceList, request: ExportRequest, look: Look) -> None:
    """Say how many prices the target takes."""
    found, label = counts(look.problems), FORMATS[request.format].label
    if look.trip is not None:
        st.info(
            f"{plural(len(look.trip.changes), 'cell')} of your file change; {count(look.trip.matched)} of "
            f"{plural(look.trip.rows, 'row')} have a price in this list.", icon=":material/difference:",
        )  # fmt: skip
    elif found["blocking"]:
        st.warning(
            f"{label} takes {count(len(stored.current) - found['blocking'])} of {plural(len(stored.current), 'price')};"
            f" {count(found['blocking'])} are left out of the file, each named below.", icon=":material/warning:",
        )  # fmt: skip
    else:
        odd = f"; {plural(found['warning'], 'row')} to check below" if found["warning"] else ""
        st.success(f"All {plural(len(stored.current), 'price')} pass the checks for {label}{odd}.",
                   icon=":material/check_circle:")  # fmt: skip


def _buttons(state: PageState, stored: StoredPriceList, request: ExportRequest) -> None:
    if not access.allowed(state, "export"):
        return
    if len(stored.current) > BACKGROUND_ROWS and request.source is None:
        _in_background(state, stored, request)
        return
    form, name = FORMATS[request.format], stored.price_list_id
    with st.container(horizontal=True):
        st.download_button(
            "Download", _maker(state, stored, request), f"{name}_{form.name}.{form.extension}", form.mime,
            key="download", type="primary", icon=":material/download:", on_click="ignore",
        )  # fmt: skip
        st.download_button(
            "Undo file", _maker(state, stored, replace(request, undo=True)),
            f"{name}_undo_{form.name}.{form.extension}", form.mime, key="undo", icon=":material/undo:",
            on_click="ignore", help="Restores the prices of before, in the same format. Keep it beside the download.",
        )  # fmt: skip


def _maker(state: PageState, stored: StoredPriceList, request: ExportRequest) -> Any:
    """Make the file when it is asked for, and enter it into the audit log under the name of whoever asks."""
    who, catalog = access.actor(state), _catalog(state, stored)

    def make() -> bytes:
        file: ExportFile = exporting.exported(state.ws, stored, request, actor=who, catalog=catalog)
        return file.data

    return make


def _in_background(state: PageState, stored: StoredPriceList, request: ExportRequest) -> None:
    """Write the files of a very large list in the background, and offer those that are ready."""
    who = access.actor(state)
    params = {
        "price_list_id": stored.price_list_id, "format": request.format, "markets": list(request.markets),
        "customer_groups": dict(request.customer_groups), "website": request.website, "own_ids": request.own_ids,
        "id_as_title": request.id_as_title,
        "actor": {"name": who.name, "role": who.role, "verified": who.verified},
    }  # fmt: skip
    busy = job_panel.show(state.ws, ("export",))
    form = FORMATS[request.format]
    with st.container(horizontal=True):
        for label, undo in (("Write the file", False), ("Write the undo file", True)):
            if access.button(state, "export", label, disabled=busy, key=f"write_{undo}", icon=":material/hourglass:"):
                job_panel.start(state.ws, "export", {**params, "undo": undo})
        for name in (f"{stored.price_list_id}_{form.name}", f"{stored.price_list_id}_undo_{form.name}"):
            path = state.ws.exports_dir / f"{name}.{form.extension}"
            if path.exists():
                st.download_button(
                    f"Download {path.name}", path.read_bytes, path.name, form.mime, key=path.name, on_click="ignore",
                    icon=":material/download:",
                )  # fmt: skip


def _changes(trip: RoundTrip) -> None:
    if trip.changes.empty:
        return
    st.subheader("What changes in your file", anchor=False)
    st.dataframe(
        visible_table(trip.changes.head(SHOWN_CHANGES)), hide_index=True,
        height="content" if len(trip.changes) <= 8 else 320,
        column_config={
            "row_number": st.column_config.NumberColumn("Row", format="%d"), "product_id": text_column("Product"),
            "column": text_column("Column"), "old": text_column("Before"), "new": text_column("After"),
        },
    )  # fmt: skip
    if len(trip.changes) > SHOWN_CHANGES:
        st.caption(f"The first {count(SHOWN_CHANGES)} of {plural(len(trip.changes), 'change')}.")


def _problems(stored: StoredPriceList, request: ExportRequest, problems: pd.DataFrame) -> None:
    """Say what the checks found, kind by kind, and offer every row by its number."""
    if problems.empty:
        return
    kinds = records(grouped(problems))
    st.subheader("What the checks found", anchor=False)
    for kind in kinds[:SHOWN_KINDS]:
        where = f" ({kind['first']})" if kind["first"] else ""
        said = f"**{SEVERITIES[str(kind['severity'])]}: {plural(int(kind['rows']), 'row')}{where}**"
        st.markdown(f"{said} · {markdown(visible(str(kind['problem'])))} *{markdown(visible(str(kind['fix'])))}*")
    if len(kinds) > SHOWN_KINDS:
        st.caption(f"And {plural(len(kinds) - SHOWN_KINDS, 'kind')} more; the file has them all.")
    st.download_button(
        f"Every row by number ({count(len(problems))})", lambda: to_excel_csv(problems.astype(object)),
        f"{stored.price_list_id}_{request.format}_problems.csv", "text/csv", key="problem_rows", on_click="ignore",
        icon=":material/list_alt:", type="tertiary",
    )  # fmt: skip
