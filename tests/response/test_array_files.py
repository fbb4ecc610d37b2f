"""Files of arrays: what was written comes back, and no damage is more than one sentence."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pricing_core.array_files import read_array_file
from pricing_core.errors import ModelError

KEPT = {"codes": np.arange(-40, 40, dtype=np.int8).repeat(9), "scale": np.linspace(0, 1, 33), "text": np.ones((3, 0))}


def test_arrays_come_back_as_they_were(tmp_path: Path) -> None:
    np.savez_compressed(tmp_path / "a.npz", **KEPT)
    found = read_array_file(tmp_path / "a.npz", tuple(KEPT))
    assert set(found) == set(KEPT)
    for name, values in KEPT.items():
        assert found[name].dtype == values.dtype
        assert np.array_equal(found[name], values)


def test_a_file_that_is_cut_off_anywhere_is_said_to_be_damaged(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    np.savez_compressed(path, **KEPT)
    whole = path.read_bytes()
    for kept in range(0, len(whole), 7):
        path.write_bytes(whole[:kept])
        with pytest.raises(
            ModelError, match=r"model file a\.npz cannot be read: it is damaged or cut off\. Train again"
        ):
            read_array_file(path)


def test_a_changed_byte_is_found_or_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    np.savez_compressed(path, **KEPT)
    whole, refused = path.read_bytes(), 0
    for at in range(0, len(whole), 5):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 0x55]) + whole[at + 1 :])
        try:
            found = read_array_file(path, tuple(KEPT))
        except ModelError:
            refused += 1
        else:
            assert all(np.array_equal(found[name], values) for name, values in KEPT.items())
    assert refused > len(whole) // 10


@pytest.mark.parametrize(("names", "words"), [(("scale", "level"), "it lacks level"), ((), "damaged")])
def test_what_is_missing_and_another_kind_are_said(tmp_path: Path, names: tuple[str, ...], words: str) -> None:
    path = tmp_path / "a.npz"
    if names:
        np.savez(path, scale=np.ones(2))
    else:
        np.save(tmp_path / "one.npy", np.ones(2))  # one array alone
        (tmp_path / "one.npy").rename(path)
    with pytest.raises(ModelError, match=words):
        read_array_file(path, names)


def test_no_pickle_is_read(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", objects=np.array([{"a": 1}], dtype=object))
    with pytest.raises(ModelError, match="damaged"):
        read_array_file(tmp_path / "a.npz")


def test_a_file_that_is_not_there_is_named_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"compressed network none\.npz cannot be read.*Compress the run again"):
        read_array_file(tmp_path / "none.npz", what="compressed network", fix="Compress the run again.")
