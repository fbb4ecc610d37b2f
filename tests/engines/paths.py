"""Import the same sources by both paths and compare everything that comes out."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pandas as pd

from pricing_core.data.importing import ImportBlocked, ImportOutcome, Sources, import_tables
from pricing_core.data.occasion_rule import OccasionRule
from pricing_core.engines.importing import FilesOutcome, ImportRequest, import_large
from pricing_core.engines.limits import Limits
from pricing_core.engines.orders_importing import import_large_orders
from pricing_core.errors import PricingError
from pricing_core.progress import SilentProgress
from pricing_core.store import datasets

TINY = Limits(large_bytes=0, memory_mb=200, block_bytes=1 << 15, chunk_rows=300, plain_levels=8, numbered_levels=3)
"""Limits under which even a small file is read in many pieces."""

USUAL = Limits(large_bytes=0, memory_mb=200)

DATABASE = replace(TINY, held_mb=0)
"""The same where nothing is held outside of the database."""


def large(sources: Sources, limits: Limits, **arguments: Any) -> tuple[FilesOutcome, dict[str, pd.DataFrame]]:
    """Import by the path of large files; the outcome and the tables that it wrote."""
    with TemporaryDirectory() as folder:
        target, work = Path(folder) / "target", Path(folder) / "work"
        target.mkdir()
        work.mkdir()
        rule = arguments.pop("occasions", None) or OccasionRule()
        request = ImportRequest(**arguments)
        if "orders" in sources:
            outcome = import_large_orders(sources, target, work, request, rule, limits, SilentProgress())
        else:
            outcome = import_large(sources, target, work, request, limits, SilentProgress())
        assert not list(work.iterdir())
        tables = {path.stem: datasets.read_parquet(path) for path in target.iterdir()}
    return outcome, tables


def assert_same(sources: Sources, limits: Limits, **arguments: Any) -> ImportOutcome | None:
    """Import by both paths; everything must be equal. None where both refuse, with the same words."""
    small: ImportOutcome | PricingError
    try:
        small = import_tables(sources, **arguments)
    except PricingError as error:
        small = error
    try:
        outcome, tables = large(sources, limits, **arguments)
    except PricingError as error:
        assert isinstance(small, PricingError), f"only the large path refused: {error}"
        assert str(error) == str(small)
        if isinstance(small, ImportBlocked):
            assert isinstance(error, ImportBlocked)
            _same_report(error.report, small.report)
            pd.testing.assert_frame_equal(error.set_aside, small.set_aside)
        return None
    if isinstance(small, PricingError):
        raise AssertionError(f"only the small path refused: {small}")
    _same_report(outcome.report, small.report)
    pd.testing.assert_frame_equal(outcome.set_aside, small.set_aside)
    wanted = small.dataset.tables()
    assert set(tables) == set(wanted)
    for name, frame in wanted.items():
        pd.testing.assert_frame_equal(tables[name], frame, check_freq=False)
    assert outcome.rows == {name: len(frame) for name, frame in wanted.items()}
    assert outcome.manifest.data_hash == datasets.hash_tables(wanted)
    assert outcome.columns == small.columns
    ours, theirs = outcome.manifest.to_dict(), small.dataset.manifest.to_dict()
    for key in set(ours) - {"created_at", "data_hash"}:
        assert ours[key] == theirs[key], key
    return small


def _same_report(one: Any, other: Any) -> None:
    pd.testing.assert_frame_equal(one.counts_frame(), other.counts_frame())
    pd.testing.assert_frame_equal(one.to_frame(), other.to_frame())
    for table, rows in one.rows_in.items():
        assert rows == one.rows_kept[table] + one.rows_set_aside[table]
