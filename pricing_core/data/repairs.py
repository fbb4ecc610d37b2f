"""Repairs of a data set that a finding offers: applied to a copy, listed in the manifest, undone by leaving one out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from pricing_core.data import quality
from pricing_core.data.checks import DROP, SUSPECTS
from pricing_core.data.dataset import Dataset
from pricing_core.data.spellings import (
    NO_CATEGORIES,
    UNIFY,
    counted_spellings,
    one_spelling,
    respelled,
    respelled_words,
)
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
    check_repairs(repairs, {table: list(frame.columns) for table, frame in tables.items()})
    for name in sorted(repairs, key=lambda name: name.startswith(DROP)):  # a column is taken out as it then is
        table, column = repaired_column(name)
        if name.startswith(DROP):
            tables[table] = tables[table].drop(columns=column)
            done.append(dropped_words(table, column))
            continue
        if name.startswith(UNIFY):
            changes = one_spelling(counted_spellings(dataset.tables().values(), column))
            before = tables[table][column]
            tables[table] = tables[table].assign(**{column: respelled(before, changes)})
            done.append(respelled_words(table, column, int(before.isin(list(changes)).sum())))
            continue
        mask = SUSPECTS[name][1](dataset.tables())
        reason[mask & (reason == "")] = SUSPECTS[name][4]
        done.append(mask_words(name, int(mask.sum())))
    out = reason != ""
    aside = offers[out].astype("str").mask(offers[out].isna(), "")
    aside.insert(0, "table", "offers")
    aside.insert(1, "row_number", np.flatnonzero(out) + 2)
    aside.insert(2, "reason", reason[out])
    kept = tables["offers"][~out].reset_index(drop=True)
    blocking = [finding for finding in quality.check_offers(kept) if finding.severity == "blocking"]
    if blocking:
        raise nothing_left(blocking[0].message)
    kept_columns = {table: list(frame.columns) for table, frame in tables.items()}
    return Repaired(
        replace(
            dataset,
            offers=kept,
            customers=tables.get("customers"),
            products=tables.get("products"),
            market=tables.get("market"),
            events=tables.get("events"),
            manifest=replace(
                dataset.manifest, repairs=list(repairs), excluded=still_there(dataset.manifest.excluded, kept_columns)
            ),
        ),
        aside.reset_index(drop=True),
        tuple(done),
    )


def repair_words(name: str) -> str:
    """What a repair does, for a button."""
    if name.startswith(DROP):
        return f"Take {name.removeprefix(DROP)} out"
    if name.startswith(UNIFY):
        return f"Write {name.removeprefix(UNIFY)} in one way"
    words = {
        "price_outliers": "Set the far-off prices aside",
        "below_cost": "Set the offers below cost aside",
        "price_blips": "Set the momentary prices aside",
        "out_of_stock": "Set the out-of-stock offers aside",
    }
    return words.get(name, name)


def check_repairs(repairs: Sequence[str], columns: Mapping[str, Sequence[str]]) -> None:
    """Check that there are such repairs, and such columns to take out or to write in one way; DataError else."""
    for name in repairs:
        table, column = repaired_column(name)
        if name.startswith(DROP):
            if column not in columns.get(table, ()):
                raise DataError(f"There is no column {table}.{column} to take out.")
        elif name.startswith(UNIFY):
            if column not in columns.get(table, ()) or column in NO_CATEGORIES:
                raise DataError(f"There is no category {table}.{column} to write in one way.")
        elif name not in SUSPECTS:
            raise DataError(f"There is no repair {name!r}.", fix=f"There are: {', '.join(SUSPECTS)}.")


def repaired_column(name: str) -> tuple[str, str]:
    """Table and column that a repair takes out or writes in one way; empty ones where it looks at offers."""
    if not name.startswith((DROP, UNIFY)):
        return "", ""
    table, _, column = name.removeprefix(DROP).removeprefix(UNIFY).partition(".")
    return table, column


def dropped_words(table: str, column: str) -> str:
    """What was done with a column."""
    return f"column {table}.{column} taken out"


def mask_words(name: str, count: int) -> str:
    """What was done with the offers that a repair finds."""
    return f"{count:,} offers {SUSPECTS[name][4]}"


def nothing_left(message: str) -> DataError:
    """The error of repairs that leave nothing to learn from; ``message`` says what is missing."""
    return DataError(f"After this repair no prices could be learned: {message}", fix="Leave these rows in.")


def still_there(excluded: Mapping[str, str], columns: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """Those of the excluded columns that are left."""
    kept = {}
    for key, reason in excluded.items():
        table, _, column = key.partition(".")
        if column in columns.get(table, ()):
            kept[key] = reason
    return kept
