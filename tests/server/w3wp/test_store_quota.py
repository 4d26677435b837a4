"""The store's quota: what counts, what fits, and what needs no room."""

from pathlib import Path

import pytest

from tests.server.w3wp.damage import DAMAGE, cut, unfinished
from tests.server.w3wp.samples import BLOCKS, MANIFEST, NAMES, named
from vaultstorm_server.w3wp.store import FullError, Store


@pytest.mark.parametrize("quota, fits", [(4096, False), (4097, True), (4098, True), (0, True)])
def test_the_quota_is_the_last_byte_that_fits(tmp_path: Path, quota: int, fits: bool) -> None:
    """As many bytes as the quota fit, one more does not; none is any number."""
    before = Store(tmp_path, 0)
    before.put(NAMES[1], BLOCKS[1])
    before.close()
    store = Store(tmp_path, quota)
    name, block = named(b"x")
    if fits:
        assert store.put(name, block)
    else:
        with pytest.raises(FullError, match=r"4097 .* the quota of 4096: raise vault\.Quota"):
            store.put(name, block)
    assert store.get(name) == (block if fits else None)
    assert store.statistics() == ((2, 4097, 0) if fits else (1, 4096, 0))
    assert unfinished(tmp_path) == []
    store.close()


@pytest.mark.parametrize("room, fits", [(-1, False), (0, True), (1, True)])
def test_a_manifest_needs_room_too(tmp_path: Path, room: int, fits: bool) -> None:
    """The last byte of a manifest has to fit; one that does not is not kept, nor counted."""
    store = Store(tmp_path, 4096 + len(MANIFEST) + room)
    store.put(NAMES[1], BLOCKS[1])
    if fits:
        assert store.commit("Full", MANIFEST, NAMES[1:2])
        assert not store.commit("Full", MANIFEST, NAMES[1:2])
    else:
        with pytest.raises(FullError, match="raise vault"):
            store.commit("Full", MANIFEST, NAMES[1:2])
    assert store.snapshot("Full") == (MANIFEST if fits else None)
    assert store.statistics() == (1, 4096 + fits * len(MANIFEST), fits)
    assert unfinished(tmp_path) == []
    store.close()


def test_a_full_store_takes_what_needs_no_room(tmp_path: Path) -> None:
    """Known blocks and snapshots and the empty block are taken at the quota, and beyond it."""
    before = Store(tmp_path, 0)
    before.put(NAMES[1], BLOCKS[1])
    before.commit("Full", MANIFEST, NAMES[1:2])
    before.close()
    for quota in (4096 + len(MANIFEST), 1):
        store = Store(tmp_path, quota)
        assert not store.put(NAMES[1], BLOCKS[1])
        assert store.put(NAMES[0], b"") is (quota > 1)
        assert not store.commit("Full", MANIFEST, NAMES[:2])
        store.close()


@pytest.mark.parametrize("counted", ["whole", "damaged"])
@pytest.mark.parametrize("damage", DAMAGE)
def test_a_full_store_can_be_repaired(tmp_path: Path, damage: str, counted: str) -> None:
    """Also where the damaged block had been counted with fewer bytes, and others took the rest."""
    before = Store(tmp_path, 0)
    for name, block in zip(NAMES, BLOCKS, strict=True):
        before.put(name, block)
    before.close()
    store = Store(tmp_path, 4096)
    if counted == "whole":
        store.statistics()
    DAMAGE[damage](tmp_path / "blocks" / NAMES[1])
    assert not store.put(NAMES[1], BLOCKS[1])
    assert store.get(NAMES[1]) == BLOCKS[1]
    with pytest.raises(FullError):
        store.put(*named(b"x"))
    store.close()


def test_a_repair_counts_what_it_adds(tmp_path: Path) -> None:
    """A block that had been cut when it was counted has its full length after its repair."""
    before = Store(tmp_path, 0)
    before.put(NAMES[1], BLOCKS[1])
    before.close()
    cut(tmp_path / "blocks" / NAMES[1])
    store = Store(tmp_path, 4096)
    assert store.statistics() == (1, 4095, 0)
    store.put(NAMES[1], BLOCKS[1])
    assert store.statistics() == (1, 4096, 0)
    store.close()
