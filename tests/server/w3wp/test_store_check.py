"""What the lab finds in a store's directory."""

import hashlib
from pathlib import Path

import pytest

from tests.server.w3wp.samples import BLOCKS, MANIFEST, NAMES
from vaultstorm_server.w3wp.store import Store
from vaultstorm_server.w3wp.store_check import sha256_of


def test_what_is_kept_has_its_hash(tmp_path: Path) -> None:
    """Blocks hash to their names, snapshots to that of the manifest's bytes."""
    store = Store(tmp_path, 0)
    for name, block in zip(NAMES, BLOCKS, strict=True):
        store.put(name, block)
        assert sha256_of(tmp_path, "block", name) == name
    store.commit("Full", MANIFEST, NAMES)
    store.close()
    assert sha256_of(tmp_path, "snapshot", "Full") == hashlib.sha256(MANIFEST).hexdigest()


def test_what_is_not_there_has_none(tmp_path: Path) -> None:
    """Neither an unknown name nor a directory without a store is an error."""
    assert sha256_of(tmp_path, "block", NAMES[0]) is None
    Store(tmp_path, 0)
    assert sha256_of(tmp_path, "snapshot", "Full") is None


def test_what_has_changed_has_another_hash(tmp_path: Path) -> None:
    """A file that is cut, and a folder in its place, are there and are not what was put."""
    store = Store(tmp_path, 0)
    store.put(NAMES[1], BLOCKS[1])
    store.close()
    (tmp_path / "blocks" / NAMES[1]).write_bytes(BLOCKS[1][:-1])
    assert sha256_of(tmp_path, "block", NAMES[1]) == hashlib.sha256(BLOCKS[1][:-1]).hexdigest()
    (tmp_path / "blocks" / NAMES[2]).mkdir()
    assert sha256_of(tmp_path, "block", NAMES[2]) == ""


def test_nothing_outside_is_read(tmp_path: Path) -> None:
    """A name that leads elsewhere, and a kind that there is not, are the caller's mistake."""
    with pytest.raises(ValueError, match="is not the name"):
        sha256_of(tmp_path, "block", "../snapshots/Full")
    with pytest.raises(KeyError):
        sha256_of(tmp_path, "interface", "a")
