"""The store: what it keeps, and what it refuses."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.server.w3wp.damage import DAMAGE, unfinished
from tests.server.w3wp.samples import BLOCKS, MANIFEST, NAMES, named
from vaultstorm_server.w3wp.store import (
    ConflictError,
    DamagedError,
    MissingBlocks,
    Store,
)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """Give a store without a quota."""
    made = Store(tmp_path / "vault", 0)
    yield made
    made.close()


@pytest.mark.parametrize("size", [0, 1, 4095, 4096, 4097, 1 << 20])
def test_a_block_is_given_back(store: Store, tmp_path: Path, size: int) -> None:
    """What was put is what is got, of any length, in one file under its name, for its owner."""
    name, block = named(os.urandom(size))
    assert store.get(name) is None
    assert store.put(name, block)
    assert store.get(name) == block
    path = tmp_path / "vault" / "blocks" / name
    assert path.read_bytes() == block
    assert path.stat().st_mode & 0o777 == 0o600
    assert unfinished(tmp_path / "vault") == []


@pytest.mark.parametrize("size", [0, 1, 4096, 1 << 20])
def test_a_block_in_memory_is_given_without_the_disk(store: Store, size: int) -> None:
    """Or it is left to `get`, where the file system does not tell."""
    name, block = named(os.urandom(size))
    assert store.cached(name) is None
    store.put(name, block)
    assert store.cached(name) in (block, None)


def test_a_damaged_block_is_not_given_from_memory_either(store: Store, tmp_path: Path) -> None:
    """It is damaged, or left to `get`, which says so."""
    name, block = named(b"a block")
    store.put(name, block)
    (tmp_path / "vault" / "blocks" / name).write_bytes(b"another")
    with pytest.raises(DamagedError, match=name):
        store.cached(name) or store.get(name)


def test_the_same_block_twice_is_one(store: Store, tmp_path: Path) -> None:
    """The second put is acknowledged, adds nothing and leaves the file alone."""
    name, block = named(b"twice")
    assert store.put(name, block)
    before = (tmp_path / "vault" / "blocks" / name).stat().st_ino
    assert not store.put(name, block)
    assert store.statistics() == (1, 5, 0)
    assert (tmp_path / "vault" / "blocks" / name).stat().st_ino == before


def test_what_is_kept_outlives_the_store(tmp_path: Path) -> None:
    """Another store in the same directory has it all, and counts it."""
    first = Store(tmp_path, 0)
    for name, block in zip(NAMES, BLOCKS, strict=True):
        first.put(name, block)
    first.commit("Full", MANIFEST, NAMES)
    first.close()
    second = Store(tmp_path, 0)
    assert [second.get(name) for name in NAMES] == list(BLOCKS)
    assert second.snapshot("Full") == MANIFEST
    assert second.statistics() == first.statistics() == (3, 2 * 4096 + len(MANIFEST), 1)
    assert not second.put(NAMES[1], BLOCKS[1])
    assert second.statistics() == first.statistics()


@pytest.mark.parametrize("first_count", ["put", "commit", "statistics"])
def test_what_stands_there_is_counted_once(tmp_path: Path, first_count: str) -> None:
    """Whatever needs the count first, nothing is counted a second time."""
    before = Store(tmp_path, 0)
    before.put(NAMES[1], BLOCKS[1])
    before.close()
    store = Store(tmp_path, 0)
    if first_count == "statistics":
        store.statistics()
    if first_count == "put":
        store.put(NAMES[2], BLOCKS[2])
    store.commit("Full", MANIFEST, NAMES[1:2])
    store.put(NAMES[2], BLOCKS[2])
    assert store.statistics() == (2, 2 * 4096 + len(MANIFEST), 1)
    store.close()


# Damage.


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_block_is_never_given_and_can_be_repaired(
    store: Store, tmp_path: Path, damage: str
) -> None:
    """Other bytes than were put are an error, until the right ones are put once more."""
    name, block = named(b"valuable" * 512)
    store.put(name, block)
    DAMAGE[damage](tmp_path / "vault" / "blocks" / name)
    with pytest.raises(DamagedError, match=name):
        store.get(name)
    assert not store.put(name, block)
    assert store.get(name) == block
    assert unfinished(tmp_path / "vault") == []


def test_a_folder_in_the_place_of_a_block_is_damage(store: Store, tmp_path: Path) -> None:
    """It cannot be given, put or be part of a snapshot: nothing is acknowledged."""
    (tmp_path / "vault" / "blocks" / NAMES[0]).mkdir()
    with pytest.raises(DamagedError, match="is a directory"):
        store.get(NAMES[0])
    with pytest.raises(IsADirectoryError):
        store.put(NAMES[0], BLOCKS[0])
    with pytest.raises(MissingBlocks, match="1 blocks"):
        store.commit("Full", MANIFEST, NAMES[:1])
    assert store.snapshot("Full") is None


# Snapshots.


def test_a_snapshot_is_kept_as_it_was_sent(store: Store) -> None:
    """Its bytes come back as they are, and the same once more is not a new one."""
    store.put(NAMES[1], BLOCKS[1])
    assert store.snapshot("Full 1") is None
    assert store.commit("Full 1", b'{"blocks" :\n[]}', [NAMES[1], NAMES[1]])
    assert store.snapshot("Full 1") == b'{"blocks" :\n[]}'
    assert not store.commit("Full 1", b'{"blocks" :\n[]}', [NAMES[1]])
    assert store.statistics() == (1, 4096 + 15, 1)


def test_a_name_belongs_to_its_first_snapshot(store: Store, tmp_path: Path) -> None:
    """Another one under the same name is refused and leaves nothing."""
    store.commit("Full", b"first", [])
    with pytest.raises(ConflictError, match="another snapshot Full is kept"):
        store.commit("Full", b"other", [])
    assert store.snapshot("Full") == b"first"
    assert unfinished(tmp_path / "vault") == []
    assert store.statistics() == (0, 5, 1)


def test_missing_blocks_are_all_named_once_in_order(store: Store) -> None:
    """A snapshot is kept only with all its blocks; also one that is there already."""
    store.put(NAMES[1], BLOCKS[1])
    wanted = [NAMES[2], NAMES[1], NAMES[0], NAMES[2]]
    with pytest.raises(MissingBlocks, match="2 blocks are not kept") as raised:
        store.commit("Full", MANIFEST, wanted)
    assert raised.value.names == (NAMES[2], NAMES[0])
    assert store.snapshot("Full") is None
    store.put(NAMES[0], BLOCKS[0])
    store.put(NAMES[2], BLOCKS[2])
    assert store.commit("Full", MANIFEST, wanted)


# Names and directories.


@pytest.mark.parametrize("name", ["", ".", "..", ".hidden", "a/b", "../a", "/etc/passwd", "a\0b"])
def test_no_name_leads_out_of_the_directory(store: Store, tmp_path: Path, name: str) -> None:
    """A name that is no plain file name is refused, wherever it is given."""
    before = sorted(tmp_path.rglob("*"))
    calls: list[Callable[[], Any]] = [
        lambda: store.get(name),
        lambda: store.put(name, b""),
        lambda: store.snapshot(name),
        lambda: store.commit(name, b"", []),
        lambda: store.commit("Full", b"", [name]),
    ]
    for call in calls:
        with pytest.raises(ValueError, match="is not the name"):
            call()
    assert sorted(tmp_path.rglob("*")) == before


def test_the_directory_is_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Missing folders are made, a relative path is taken from where the process is at the time."""
    monkeypatch.chdir(tmp_path)
    store = Store("a/b", 0)
    monkeypatch.chdir("/")
    store.put(NAMES[0], BLOCKS[0])
    store.close()
    assert {path.name for path in (tmp_path / "a" / "b").iterdir()} == {
        "blocks",
        "snapshots",
        "tmp",
    }


def test_a_directory_that_cannot_be_is_named(tmp_path: Path) -> None:
    """A file in the place of the directory, or of one in it, is in the error."""
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match="/file'"):
        Store(tmp_path / "file", 0)
    with pytest.raises(OSError, match="/file'"):
        Store(tmp_path / "file" / "vault", 0)
    (tmp_path / "vault").mkdir()
    (tmp_path / "vault" / "snapshots").touch()
    with pytest.raises(OSError, match="/snapshots'"):
        Store(tmp_path / "vault", 0)


def test_a_directory_that_vanishes_is_an_error(store: Store, tmp_path: Path) -> None:
    """Nothing is acknowledged once the directory is gone."""
    store.put(NAMES[0], BLOCKS[0])
    os.rename(tmp_path / "vault", tmp_path / "elsewhere")
    with pytest.raises(FileNotFoundError):
        store.put(NAMES[1], BLOCKS[1])
    with pytest.raises(FileNotFoundError):
        store.commit("Full", MANIFEST, [])
