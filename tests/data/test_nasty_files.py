"""Every file of the corpus comes out right: the shop itself, or the sentence that says what is in the way."""

from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from pricing_core.data.importing import ImportBlocked, import_tables
from pricing_core.data.options import CleaningOptions
from pricing_core.data.read import read_raw
from pricing_core.errors import PricingError
from tests.data.nasty_files import HEADER, Nasty, as_text, corpus, csv, expected

CORPUS = corpus()


def test_the_corpus_is_large() -> None:
    assert len(CORPUS) >= 60
    assert len({case.label for case in CORPUS}) == len(CORPUS)


@pytest.mark.parametrize("case", CORPUS, ids=lambda case: case.label)
def test_a_nasty_file_is_read_right_or_refused_clearly(case: Nasty) -> None:
    source = case.files if len(case.files) > 1 else case.files[0]
    arguments = {"options": CleaningOptions(**case.options), "mapping": {"offers": case.mapping}}
    if case.refused:
        with pytest.raises(PricingError) as caught:
            import_tables({"offers": source}, **arguments)
        assert str(caught.value).startswith(case.refused)
        return
    outcome = import_tables({"offers": source}, **arguments)
    got = outcome.dataset.offers[HEADER].sort_values(["offered_at"], kind="stable").reset_index(drop=True)
    want = expected().sort_values(["offered_at"], kind="stable").reset_index(drop=True)
    assert got["customer_id"].tolist() == want["customer_id"].tolist()
    assert got["product_id"].tolist() == want["product_id"].tolist()
    assert got["purchased"].tolist() == want["purchased"].tolist()
    assert got["price"].tolist() == want["price"].tolist()
    assert (got["offered_at"] - want["offered_at"]).abs().max() < pd.Timedelta(seconds=1)
    assert tuple(outcome.set_aside["row_number"]) == case.set_aside
    report = outcome.report
    assert report.rows_in["offers"] == report.rows_kept["offers"] + report.rows_set_aside["offers"]
    if case.note:
        assert case.note in [finding.message for finding in report.findings]


def test_rows_of_several_files_are_set_aside_with_their_file() -> None:
    rows = as_text()
    broken = [*rows[20:], ["x", "y", "never", "1", "1"]]
    files = [(csv(rows[:20]).encode(), "january.csv"), (csv(broken).encode(), "february.csv")]
    outcome = import_tables({"offers": files})
    assert outcome.set_aside[["file", "row_number"]].to_numpy().tolist() == [["february.csv", 22]]


_BYTES = st.one_of(
    st.binary(max_size=300),
    st.text(alphabet="ab01,;|\t\n\r\"'é客=.-\x00", max_size=200).map(lambda text: text.encode("utf-8")),
    st.lists(st.sampled_from([*csv(as_text()).splitlines(), '"', ",", "sep=;", "\x00", "\ufeff"]), max_size=30).map(
        lambda lines: "\n".join(lines).encode("utf-8")
    ),
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(content=_BYTES, name=st.sampled_from(["x.csv", "x.tsv", "x.parquet", "x.xlsx", "x.csv.gz", "x.zip"]))
@example(content=b"\xff\xfe", name="x.csv")
@example(content=b'"a\n1', name="x.csv")
def test_no_bytes_crash_the_reader_and_no_row_is_lost(content: bytes, name: str) -> None:
    try:
        raw = read_raw((content, name))
    except PricingError as error:
        assert str(error).startswith(("x.", "x ")) and len(str(error)) < 500
        return
    assert len(raw.frame) == len(raw.row_numbers)
    numbers = [*raw.row_numbers.tolist(), *raw.malformed["row_number"].tolist()]
    assert len(set(numbers)) == len(numbers)
    try:
        outcome = import_tables({"offers": (content, name)})
    except ImportBlocked as blocked:
        report = blocked.report
    except PricingError:
        return
    else:
        report = outcome.report
    assert report.rows_in["offers"] == report.rows_kept["offers"] + report.rows_set_aside["offers"]
    assert report.rows_in["offers"] == len(raw.frame) + len(raw.malformed)
