"""A large file becomes the same tables, findings and rows set aside as a small one."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd
import pytest

from pricing_core.data.options import CleaningOptions
from pricing_core.data.read import NamedPath
from pricing_core.engines import files, reading
from pricing_core.engines.importing import is_large
from pricing_core.engines.limits import Limits
from pricing_core.trust.pseudonyms import Pseudonymizer
from tests.data.nasty_files import Nasty, corpus
from tests.engines.messy_shop import as_csv, as_parquet, messy_shop
from tests.engines.paths import DATABASE, TINY, USUAL, assert_same

CORPUS = corpus()


SOME = ("Chinese headers in utf-16", "rows too short and too long", "impossible cells", "zip of monthly files",
        "Parquet")  # fmt: skip


@pytest.mark.parametrize("label", SOME)
def test_some_nasty_files_come_out_the_same(label: str) -> None:
    case = next(case for case in CORPUS if case.label == label)
    source = case.files if len(case.files) > 1 else case.files[0]
    assert_same({"offers": source}, TINY, options=CleaningOptions(**case.options), mapping={"offers": case.mapping})


@pytest.mark.extra
@pytest.mark.parametrize("limits", [TINY, USUAL, DATABASE], ids=["tiny", "usual", "database"])
@pytest.mark.parametrize("case", CORPUS, ids=lambda case: case.label)
def test_the_corpus_of_nasty_files_comes_out_the_same(case: Nasty, limits: Limits) -> None:
    source = case.files if len(case.files) > 1 else case.files[0]
    arguments = {"options": CleaningOptions(**case.options), "mapping": {"offers": case.mapping}}
    with TemporaryDirectory() as folder:
        paths = [Path(folder) / name.partition("#")[0] for _, name in case.files]
        for path, (content, _) in zip(paths, case.files, strict=True):
            path.write_bytes(content)
        named = [NamedPath(path, name) for path, (_, name) in zip(paths, case.files, strict=True)]
        if is_large({"offers": named}, limits):
            assert_same({"offers": source}, limits, **arguments)
        else:
            assert case.refused or any(name.partition("#")[0].endswith((".xlsx", ".xlsm")) for _, name in case.files)


USUAL_RULES = CleaningOptions()
STRICT_RULES = CleaningOptions(outliers="set_aside", missing_numeric="set_aside", timezone="Europe/Berlin")
FILLING_RULES = CleaningOptions(duplicates="keep", outliers="keep", missing_numeric="median", noise="keep")


@pytest.mark.parametrize("rules", [USUAL_RULES, STRICT_RULES, FILLING_RULES], ids=["usual", "strict", "filling"])
def test_a_messy_shop_of_all_tables_comes_out_the_same(rules: CleaningOptions) -> None:
    sources = {table: (as_csv(frame), f"{table}.csv") for table, frame in messy_shop().items()}
    rename = Pseudonymizer(b"a key for this test").apply
    outcome = assert_same(sources, TINY, options=rules, pseudonymize=rename, excluded={"offers.measure": "no"})
    assert outcome is not None
    messages = " ".join(finding.message for finding in outcome.report.findings)
    for words in ("out of stock", "e-mail", "not in the customers table", "protected", "too little price variation"):
        assert words in messages
    assert sum(outcome.report.rows_set_aside.values()) > 50


def test_parquet_with_types_and_monthly_files_come_out_the_same() -> None:
    offers = messy_shop()["offers"]
    assert_same({"offers": (as_parquet(offers), "offers.parquet")}, TINY)
    months = [(as_csv(offers.head(300)), "january.csv"), (as_csv(offers.tail(400)), "february.csv")]
    assert_same({"offers": months}, TINY)


def test_columns_that_looked_plain_at_first_are_read_again_as_a_whole() -> None:
    offers = messy_shop()["offers"]
    mixed = offers["measure"].mask(offers.index == 800, "1.234,56")
    late = offers["offer_ref"].where(offers.index != 700, "00123")
    assert_same({"offers": (as_csv(offers.assign(measure=mixed, offer_ref=late)), "offers.csv")}, TINY)
    asked = (offers.index + 1).map(lambda k: f"{1 + k % 999}.{100 + k % 890}")
    assert_same({"offers": (as_csv(offers.assign(measure=asked)), "offers.csv")}, TINY)


@pytest.mark.parametrize("strong", [True, False], ids=["strong", "weak"])
def test_an_instrument_is_judged_the_same(strong: bool) -> None:
    offers = messy_shop(offers=400)["offers"]
    price = pd.to_numeric(offers["price"], errors="coerce").fillna(5.0)
    place = pd.Series(range(len(offers)))
    number = (price if strong else place * 7919 % 101).astype(str).mask(place % 40 == 0, "")
    outcome = assert_same({"offers": (as_csv(offers.assign(instrument=number)), "offers.csv")}, TINY)
    assert outcome is not None
    found = [finding for finding in outcome.report.findings if finding.column == "instrument"]
    assert any("It is unknown in" in finding.message for finding in found)
    assert found[-1].severity == ("info" if strong else "warning")


@pytest.mark.parametrize("stray", ["", 'a "b', '"'], ids=["plain", "stray quote", "open quote"])
def test_a_file_that_only_begins_as_utf_8_is_read_in_its_own_encoding(
    monkeypatch: pytest.MonkeyPatch, stray: str
) -> None:
    monkeypatch.setattr(files, "_HEAD", 1 << 12)
    monkeypatch.setattr(reading, "_HEAD_BYTES", 1 << 12)
    offers = messy_shop(offers=400)["offers"]
    rows = offers.to_csv(index=False, lineterminator="\n").splitlines()
    rows[200] = rows[200].replace(",", f",{stray}", 1)
    rows[-2] += " Geschäft"
    outcome = assert_same({"offers": ("\n".join(rows).encode("cp1252"), "offers.csv")}, TINY)
    assert stray == '"' or (outcome is not None and "Geschäft" in outcome.dataset.offers.to_csv())
