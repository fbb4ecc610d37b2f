"""A large file becomes the same tables, findings and rows set aside as a small one."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from pricing_core.data.options import CleaningOptions
from pricing_core.data.read import NamedPath
from pricing_core.engines.importing import is_large
from pricing_core.engines.limits import Limits
from tests.data.nasty_files import Nasty, corpus
from tests.engines.paths import TINY, USUAL, assert_same

CORPUS = corpus()


@pytest.mark.extra
@pytest.mark.parametrize("limits", [TINY, USUAL], ids=["tiny", "usual"])
@pytest.mark.parametrize("case", CORPUS, ids=lambda case: case.label)
def test_the_corpus_of_nasty_files_comes_out_the_same(case: Nasty, limits: Limits) -> None:
    source = case.files if len(case.files) > 1 else case.files[0]
    arguments = {"options": CleaningOptions(**case.options), "mapping": {"offers": case.mapping}}
    with TemporaryDirectory() as folder:
        files = [Path(folder) / name.partition("#")[0] for _, name in case.files]
        for path, (content, _) in zip(files, case.files, strict=True):
            path.write_bytes(content)
        named = [NamedPath(path, name) for path, (_, name) in zip(files, case.files, strict=True)]
        if is_large({"offers": named}, limits):
            assert_same({"offers": source}, limits, **arguments)
        else:
            assert case.refused or any(name.partition("#")[0].endswith((".xlsx", ".xlsm")) for _, name in case.files)
