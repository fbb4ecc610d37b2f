"""Hand a price list over: the file in a shop's format, what it would refuse, and the way back."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

import pandas as pd

from pricing_core.data.dataset import Dataset
from pricing_core.errors import ConfigError, PricingError
from pricing_core.pricelist import formats
from pricing_core.pricelist.formats import ExportFile, ExportOptions, find, write
from pricing_core.pricelist.preflight import preflight
from pricing_core.pricelist.undo import undo_file
from pricing_core.pricelist.was_price import COLUMN
from pricing_core.progress import Progress
from pricing_core.store import datasets, exports, pricelists
from pricing_core.store.pricelists import StoredPriceList
from pricing_core.store.workspace import Workspace
from pricing_core.trust.access import Actor, require
from pricing_core.workflows.importing import own_customer_ids

NAMES: Final = {
    "title": ("title", "name", "product_name", "product_title", "product", "名称", "商品名称", "bezeichnung"),
    "handle": ("handle", "url_handle", "slug"),
    "sku": ("sku", "variant_sku"),
    "id": ("shop_id", "woocommerce_id"),
    "option1_name": ("option1_name",),
    "option1_value": ("option1_value",),
}
"""Columns of a products table that say what a shop calls a product."""


@dataclass(frozen=True)
class ExportRequest:
    """What to write.

    Parameters
    ----------
    format
        Name of a format.
    customer_groups, website, markets, id_as_title
        As in :class:`~pricing_core.pricelist.formats.ExportOptions`.
    own_ids
        Whether the shop's own customer ids stand in place of pseudonyms.
    source
        The shop's own export, for the round trip.
    undo
        Whether to write the way back instead.
    """

    format: str
    customer_groups: Mapping[str, str] = field(default_factory=dict)
    website: str = ""
    markets: tuple[str, ...] = ()
    id_as_title: bool = False
    own_ids: bool = True
    source: bytes | None = None
    undo: bool = False

    def __post_init__(self) -> None:
        find(self.format)

    def options(self, stored: StoredPriceList, catalog: pd.DataFrame | None) -> ExportOptions:
        """Options of the format for a price list; reductions are announced as the list says."""
        return ExportOptions(
            dict(self.customer_groups), self.website, self.markets, stored.state.was_price != "none", catalog,
            self.id_as_title,
        )  # fmt: skip


def catalog_of(dataset: Dataset) -> pd.DataFrame | None:
    """What a shop calls its products, as far as its products table says; None if it says nothing."""
    products = dataset.products
    if products is None:
        return None
    plain = {str(name).casefold().replace(" ", "_"): str(name) for name in products.columns}
    found = {
        known: next((plain[name] for name in names if name in plain and plain[name] != "product_id"), None)
        for known, names in NAMES.items()
    }
    columns = {known: products[name] for known, name in found.items() if name is not None}
    return pd.DataFrame({"product_id": products["product_id"], **columns}) if columns else None


def exported(
    ws: Workspace, stored: StoredPriceList, request: ExportRequest, *, actor: Actor, catalog: pd.DataFrame | None = None
) -> ExportFile:
    """File of a price list, entered into the audit log as taken away.

    Raises
    ------
    AccessError
        If the person may not export.
    DataError
        If the target would take none of the prices.
    """
    require(actor, "export")
    file = made(ws, stored, request, catalog=catalog)
    digest = hashlib.sha256(file.data).hexdigest()
    exports.note_export(
        ws, file.name, digest, len(file.data), actor=actor, price_list_id=stored.price_list_id, kind=_kind(request)
    )
    return file


def made(
    ws: Workspace, stored: StoredPriceList, request: ExportRequest, *, catalog: pd.DataFrame | None = None
) -> ExportFile:
    """The file without an entry in the audit log: for a look before it is taken away."""
    build = undo_file if request.undo else write
    file = build(
        request.format, frame_for(ws, stored, request), currency=currency_of(stored), source=request.source,
        options=request.options(stored, catalog), name=stored.price_list_id,
    )  # fmt: skip
    return replace(file, notes=(*standing(stored), *file.notes))


def refused(
    ws: Workspace, stored: StoredPriceList, request: ExportRequest, *, catalog: pd.DataFrame | None = None
) -> pd.DataFrame:
    """Rows that the target would reject or misread (:func:`~pricing_core.pricelist.preflight.preflight`)."""
    return preflight(
        request.format, frame_for(ws, stored, request), currency=currency_of(stored), source=request.source,
        options=request.options(stored, catalog),
    )  # fmt: skip


def refusal(format: str, frame: pd.DataFrame, problems: pd.DataFrame) -> str:
    """Why a format takes no price of a list, in a sentence and what to do."""
    return str(formats.refusal(find(format), frame, problems))


def frame_for(ws: Workspace, stored: StoredPriceList, request: ExportRequest) -> pd.DataFrame:
    """The prices as decided, with the customers and "was" prices that the format needs."""
    frame = own_customer_ids(ws, stored.current) if request.own_ids else stored.current
    if find(request.format).shop and stored.state.was_price != "none":
        return frame.assign(**{COLUMN: stored.was_price})
    return frame


def currency_of(stored: StoredPriceList) -> str:
    """Currency of a price list; US dollars for an empty one."""
    codes = stored.current["currency"].dropna().astype(str).value_counts()
    return str(codes.index[0]) if len(codes) else "USD"


def export_to_workspace(ws: Workspace, price_list_id: str, request: ExportRequest, *, actor: Actor) -> Path:
    """Write the file among the workspace's exports, whole or not at all, and return its path."""
    require(actor, "export")
    stored = pricelists.load_price_list(ws, price_list_id)
    file = made(ws, stored, request, catalog=catalog_for(ws, stored))
    return exports.keep_export(
        ws, file.name, file.data, actor=actor, price_list_id=price_list_id, kind=_kind(request)
    )  # fmt: skip


def catalog_for(ws: Workspace, stored: StoredPriceList) -> pd.DataFrame | None:
    """Names of the products of the data that a price list was made from; None if those are gone."""
    try:
        return catalog_of(datasets.load_dataset(ws, stored.dataset_id))
    except PricingError:
        return None


def export_job(ws: Workspace, params: dict[str, Any], progress: Progress) -> dict[str, Any]:
    """Background form of :func:`export_to_workspace`; ``params``: ``price_list_id``, ``actor`` and the request's."""
    progress.stage("Writing", 0.1, "Writing the file")
    given = {key: params[key] for key in ("format", "customer_groups", "website", "id_as_title", "own_ids", "undo")
             if key in params}  # fmt: skip
    request = ExportRequest(**given, markets=tuple(params.get("markets", ())))
    who = params.get("actor")
    if not who:
        raise ConfigError("The export names nobody.", fix="Start it from the price list page.")
    path = export_to_workspace(ws, params["price_list_id"], request, actor=Actor(**who))
    progress.stage("Done", 1.0, f"{path.name} is ready")
    return {"file": path.name}


def _kind(request: ExportRequest) -> str:
    way = " (own export)" if request.source is not None else ""
    return f"{request.format}{' undo' if request.undo else ''}{way}"


def standing(stored: StoredPriceList) -> list[str]:
    """Say so where a list is not approved."""
    if stored.status in ("Draft", "Ready for review", "Rejected"):
        return [f"The list is not approved: its status is {stored.status}."]
    return []
