"""Files whose rows the shop's data hold already: said before they are imported, and counted after."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from pricing_core.data.clean import clean_table
from pricing_core.data.options import CleaningOptions
from pricing_core.data.parsing_times import DateOrder
from pricing_core.data.quality import Finding
from pricing_core.data.read import from_frame
from pricing_core.data.settling import settle_mapping
from pricing_core.engines.known_rows import (
    KnownRows,
    known_among,
    known_lines_among,
    known_offers,
    known_purchases,
)
from pricing_core.errors import PricingError
from pricing_core.store import datasets
from pricing_core.store.workspace import Workspace
from pricing_core.trust.pseudonyms import Pseudonymizer, load_or_create_key

_MENTIONED = 0.01  # share of known rows from which it is worth saying


def base_of(ws: Workspace, dataset_id: str | None = None) -> str | None:
    """The version to which files of offers would be added: the newest as imported; None if it has no offers of files.

    Its rows are known by their pseudonyms, or by the shop's own ids.
    """
    newest = dataset_id or datasets.latest_dataset_id(ws)
    if newest is None:
        return None
    manifest = datasets.load_manifest(ws, newest)
    return None if manifest.evidence else manifest.base or newest


def known_in_head(
    ws: Workspace, head: pd.DataFrame, mapping: Mapping[str, str], options: CleaningOptions | None = None
) -> tuple[int, int]:
    """How many of the first rows of a file of offers the data in use hold already, and how many rows can be read.

    Nothing is stored, and no new customer gets a name.
    """
    base = base_of(ws)
    if base is None or head.empty:
        return 0, 0
    return _most_known(ws, base, "offers", head, mapping, options or CleaningOptions())


def known_orders_in_head(
    ws: Workspace, head: pd.DataFrame, mapping: Mapping[str, str], options: CleaningOptions | None = None
) -> tuple[int, int]:
    """As :func:`known_in_head`, of a file of orders, where the data in use were built from orders."""
    base = _orders_base(ws)
    if base is None or head.empty:
        return 0, 0
    return _most_known(ws, base, "orders", head, mapping, options or CleaningOptions())


def _most_known(
    ws: Workspace, base: str, table: str, head: pd.DataFrame, mapping: Mapping[str, str], options: CleaningOptions
) -> tuple[int, int]:
    """How many of the first rows are known, and how many there are, in the order of dates that knows most of them.

    The first rows alone may not tell whether 03/04 is in March or in April, where the whole file does.
    """
    count = known_among if table == "offers" else known_lines_among
    tried: list[pd.DataFrame] = []
    best = 0, 0
    orders: tuple[DateOrder, ...] = ("auto", "day_first", "month_first")
    for order in orders if options.date_order == "auto" else (options.date_order,):
        rows = _cleaned(ws, base, table, head, mapping, replace(options, date_order=order))
        if rows is not None and not any(rows.equals(other) for other in tried):
            tried.append(rows)
            best = max(best, (count(datasets.folder_of(ws, base), rows, spill=ws.temp_dir), len(rows)))
    return best


def _orders_base(ws: Workspace) -> str | None:
    """The newest version as imported, if it was built from orders."""
    newest = datasets.latest_dataset_id(ws)
    if newest is None:
        return None
    base = datasets.load_manifest(ws, newest).base or newest
    return base if datasets.load_manifest(ws, base).evidence else None


def _cleaned(
    ws: Workspace,
    base: str,
    table: str,
    head: pd.DataFrame,
    mapping: Mapping[str, str],
    options: CleaningOptions,
) -> pd.DataFrame | None:
    """The first rows of a file as an import would clean them, with the customers' names of a version."""
    try:
        settled = settle_mapping(table, list(head.columns), {table: mapping}, None, "the file")
        rows = clean_table(table, from_frame(head), settled, options).kept()[0]
    except PricingError:  # the import says what is wrong with the file
        return None
    if datasets.load_manifest(ws, base).pseudonymized:
        names = Pseudonymizer(load_or_create_key(ws.key_path))
        rows = rows.assign(customer_id=names.apply(rows["customer_id"]))
    return rows


def known_finding(ws: Workspace, draft: Path, pseudonymized: bool) -> Finding | None:
    """Say of a finished import how many of its offers the data in use hold already; None where hardly any."""
    base = base_of(ws)
    if base is None or datasets.load_manifest(ws, base).pseudonymized != pseudonymized:
        return None
    found = known_offers(datasets.folder_of(ws, base), draft, spill=ws.temp_dir)
    if found.known < max(1.0, _MENTIONED * found.given):
        return None
    return Finding("info", "offers", "", found.known, (), _words(base, found), _effect(base, found), scope="tables")


def known_orders_finding(ws: Workspace, draft: Path, data_hash: str, pseudonymized: bool) -> Finding | None:
    """Say of a finished import of orders how many of its purchases the data in use hold already; None where hardly any.

    Parameters
    ----------
    data_hash
        Of the tables of the import.
    """
    base = _orders_base(ws)
    if base is None:
        return None
    manifest = datasets.load_manifest(ws, base)
    if manifest.pseudonymized != pseudonymized:
        return None
    if manifest.data_hash == data_hash:
        rows = datasets.row_counts(ws, base)["offers"]
        message = f"All of these orders are in version {base} already, which was built in the same way: nothing is new."
        effect = f"None: the {rows:,} occasions are the same. Each import of orders makes a version of its own."
        return Finding("info", "orders", "", rows, (), message, effect, scope="tables")
    found = known_purchases(datasets.folder_of(ws, base), draft, spill=ws.temp_dir)
    if found.known < max(1.0, _MENTIONED * found.given):
        return None
    about = "" if found.exact else "About "
    message = f"{about}{found.known:,} of {found.given:,} purchases are in version {base} already."
    effect = "None: it holds all purchases of the earlier version too."
    if found.earlier > found.known:
        effect = (
            f"This version holds only these orders, and not {about.lower()}{found.earlier - found.known:,} other "
            f"purchases of {base}. What was declined is built from all orders together: to keep both, import all of "
            "them as one file, or as a folder of monthly files."
        )
    return Finding("info", "orders", "", found.known, (), message, effect, scope="tables")


def _words(base: str, found: KnownRows) -> str:
    about = "" if found.exact else "About "
    if found.known == found.given == found.earlier:
        return f"All {found.given:,} offers are in version {base} already, which holds no others: nothing is new."
    return f"{about}{found.known:,} of {found.given:,} offers are in version {base} already."


def _effect(base: str, found: KnownRows) -> str:
    others = found.earlier - found.known
    if others > 0:
        approx = "about " if not found.exact else ""
        return (
            f"This version holds only these files, and not {approx}{others:,} other offers of {base}. To keep both, "
            f"use {base} again and import the files with the choice to add only what is new (--extend)."
        )
    return "None: it holds all offers of the earlier version too. Each import as such makes a version of its own."


def share_words(known: int, rows: int, *, orders: bool = False) -> str:
    """Say of the first rows of a file that they are known; empty where hardly any are."""
    if not rows or known < max(1, np.ceil(_MENTIONED * rows)):
        return ""
    which = "All of" if known == rows else f"{known:,} of"
    if orders:
        return (
            f"{which} the first {rows:,} order lines are in the data in use already: importing them again changes "
            "nothing unless the file holds further orders, or you change a rule."
        )
    return f"{which} the first {rows:,} rows are in the data in use already: add only what is new?"
