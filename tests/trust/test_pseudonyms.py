"""Pseudonyms are keyed, stable, and their key is readable by its owner only."""

from __future__ import annotations

import hashlib
import hmac
import stat
from pathlib import Path

import pandas as pd
import pytest

from pricing_core.errors import ConfigError, WorkspaceError
from pricing_core.trust.pseudonyms import Pseudonymizer, load_or_create_key

KEY = bytes(range(32))


def test_pseudonym_is_the_keyed_hash_of_the_id() -> None:
    expected = "c_" + hmac.new(KEY, "客户1".encode(), hashlib.sha256).hexdigest()[:20]
    assert Pseudonymizer(KEY).apply(pd.Series(["客户1"])).tolist() == [expected]


def test_same_id_same_name_in_every_table_and_other_key_other_name() -> None:
    one, two = Pseudonymizer(KEY), Pseudonymizer(KEY[::-1])
    ids = pd.Series(["a", "b", "a", None], index=[5, 6, 7, 8], name="customer_id", dtype="str")
    names = one.apply(ids)
    assert names[5] == names[7] != names[6]
    assert names.isna().tolist() == [False, False, False, True]
    assert (names.name, names.index.tolist()) == ("customer_id", [5, 6, 7, 8])
    assert one.apply(pd.Series(["b"]))[0] == names[6]
    assert two.apply(ids)[5] != names[5]


def test_short_key_is_refused() -> None:
    with pytest.raises(ConfigError, match="The key has 3 bytes"):
        Pseudonymizer(b"abc")


def test_key_is_made_once_and_private(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "pseudonym.key"
    key = load_or_create_key(path)
    assert len(key) == 32
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert load_or_create_key(path) == key
    assert [entry.name for entry in path.parent.iterdir()] == ["pseudonym.key"]
    assert load_or_create_key(tmp_path / "other.key") != key


def test_damaged_key_is_not_replaced(tmp_path: Path) -> None:
    path = tmp_path / "pseudonym.key"
    path.write_text("nonsense")
    with pytest.raises(WorkspaceError, match=r"The pseudonym key pseudonym\.key cannot be read"):
        load_or_create_key(path)
    path.write_text("abcd")
    with pytest.raises(WorkspaceError, match="has 2 bytes instead of 32"):
        load_or_create_key(path)
    assert path.read_text() == "abcd"


def test_the_way_back_is_kept_apart_and_private(tmp_path):
    import stat

    from pricing_core.trust.identities import FILE_NAME, IdentityTable

    table = IdentityTable(tmp_path)
    table.remember(pd.Series(["c_1", "c_2"]), pd.Series(["007", "008"]))
    table.remember(pd.Series(["c_2", "c_3"]), pd.Series(["other", "009"]))
    assert table.restore(pd.Series(["c_3", "c_1", "c_2", "stranger"])).tolist() == ["009", "007", "008", "stranger"]
    assert stat.S_IMODE((tmp_path / FILE_NAME).stat().st_mode) == 0o600
    assert IdentityTable(tmp_path / "nowhere").restore(pd.Series(["c_1"])).tolist() == ["c_1"]
