"""Repairs of a data set that a finding offers: applied to a copy, listed in the manifest, undone by leaving one out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from pricing_core.data import quality
from pricing_core.data.checks import DROP, SUSPECTS
from pricing_core.data.dataset import Dataset
from pricing_core.errors import DataError


@dataclass(frozen=True, eq=False)
class Repaired:
    """A repaired data set, the rows that it lost (``table, row_number, reason`` and cells), and what was done."""

    dataset: Dataset
    set_aside: pd.DataFrame
    done: tuple[str, ...]


def apply_repairs(dataset: Dataset, repairs: Sequence[str]) -> Repaired:
    """Apply repairs, by name, to the tables of a data set.

    Every mask is computed on the data set as given, so that the order of repairs does not matter. Row numbers of the
    rows set aside count the rows of the given version from 2.

    Raises
    ------
    DataError
        If there is no such repair, or nothing that prices can be learned from would be left.
    """
    tables = dataset.tables()
    offers = dataset.offers
    reason = np.full(len(offers), "", dtype=object)
    done = []
    for name in repairs:
        if name.startswith(DROP):
            table, _, column = name.removeprefix(DROP).partition(".")
            if table not in tables or column not in tables[table].columns:
                raise DataError(f"There is no column {table}.{column} to take out.")
            tables[table] = tables[table].drop(columns=column)
            done.append(f"column {table}.{column} taken out")
            continue
        if name not in SUSPECTS:
            raise DataError(f"There is no repair {name!r}.", fix=f"There are: {', '.join(SUSPECTS)}.")
        mask = SUSPECTS[name][1](dataset.tables())
        reason[mask & (reason == "")] = SUSPECTS[name][4]
        done.append(f"{int(mask.sum()):,} offers {SUSPECTS[name][4]}")
    out = reason != ""
    aside = offers[out].astype("str").mask(offers[out].isna(), "")
    aside.insert(0, "table", "offers")
    aside.insert(1, "row_number", np.flatnonzero(out) + 2)
    aside.insert(2, "reason", reason[out])
    kept = tables["offers"][~out].reset_index(drop=True)
    blocking = [finding for finding in quality.check_offers(kept) if finding.severity == "blocking"]
    if blocking:
        raise DataError(
            f"After this repair no prices could be learned: {blocking[0].message}", fix="Leave these rows in."
        )
    return Repaired(
        replace(
            dataset,
            offers=kept,
            customers=tables.get("customers"),
            products=tables.get("products"),
            market=tables.get("market"),
            events=tables.get("events"),
            manifest=replace(dataset.manifest, repairs=list(repairs), excluded=_still_there(dataset, tables)),
        ),
        aside.reset_index(drop=True),
        tuple(done),
    )


def repair_words(name: str) -> str:
    """What a repair does, for a button."""
    if name.startswith(DROP):
        return f"Take {name.removeprefix(DROP)} out"
    words = {
        "price_outliers": "Set the far-off prices aside",
        "below_cost": "Set the offers below cost aside",
        "price_blips": "Set the momentary prices aside",
        "out_of_stock": "Set the out-of-stock offers aside",
    }
    return words.get(name, name)


def _still_there(dataset: Dataset, tables: dict[str, pd.DataFrame]) -> dict[str, str]:
    kept = {}
    for key, reason in dataset.manifest.excluded.items():
        table, _, column = key.partition(".")
        if table in tables and column in tables[table].columns:
            kept[key] = reason
    return kept
