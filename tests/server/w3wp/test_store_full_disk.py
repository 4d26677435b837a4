"""A disk that is really full, where this user may mount one."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.server.w3wp.samples import MANIFEST, named
from vaultstorm_server.w3wp.store import FullError, Store

PAGES = 16


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """Mount a disk of 64 KiB."""
    where = tmp_path / "disk"
    where.mkdir()
    size = f"size={PAGES * os.sysconf('SC_PAGE_SIZE')}"
    argv = ["mount", "-t", "tmpfs", "-o", size, "tmpfs", str(where)]
    try:
        mounted = subprocess.run(argv, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        pytest.skip("a full disk needs mount(8), which is not installed")
    if mounted.returncode:
        pytest.skip(f"a full disk needs the right to mount one: {mounted.stderr.strip()}")
    try:
        yield where
    finally:
        subprocess.run(["umount", "--lazy", str(where)], check=True)


def test_a_full_disk_takes_nothing_and_keeps_everything(disk: Path) -> None:
    """Past the last page 507 is due, nothing half-written stays, and all that was kept is read."""
    store = Store(disk, 0)
    kept: dict[str, bytes] = {}

    def fill() -> None:
        for number in range(PAGES + 1):
            name, block = named(bytes([number]) * 4096)
            store.put(name, block)
            kept[name] = block

    with pytest.raises(FullError, match="No space left on device"):
        fill()
    assert kept
    with pytest.raises(FullError):
        store.commit("Full", MANIFEST * 100, list(kept))
    assert [path for path in (disk / "tmp").rglob("*") if path.is_file()] == []
    assert {path.name for path in (disk / "blocks").iterdir()} == set(kept)
    assert list((disk / "snapshots").iterdir()) == []
    assert all(store.get(name) == block for name, block in kept.items())
    assert not any(store.put(name, block) for name, block in kept.items())
    assert store.statistics() == (len(kept), 4096 * len(kept), 0)
    store.close()


def test_a_full_disk_is_opened_and_read(disk: Path) -> None:
    """A worker process that starts on a full disk gives what is kept."""
    store = Store(disk, 0)
    name, block = named(b"kept" * 1024)
    store.put(name, block)
    store.close()
    with pytest.raises(OSError, match="No space left"):
        (disk / "ballast").write_bytes(b"\0" * 4096 * (PAGES + 1))
    again = Store(disk, 0)
    assert again.get(name) == block
    assert not again.put(name, block)
    again.close()


def test_a_disk_that_is_read_only_is_opened_and_read(disk: Path) -> None:
    """What is kept is given; what is new is refused with the system's own words."""
    store = Store(disk, 0)
    name, block = named(b"kept" * 1024)
    store.put(name, block)
    store.close()
    subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
    again = Store(disk, 0)
    assert again.get(name) == block
    assert not again.put(name, block)
    with pytest.raises(OSError, match="Read-only file system"):
        again.put(*named(b"new"))
    again.close()
