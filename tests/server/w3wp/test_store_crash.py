"""The store, ended between any two of its system calls: by kill -9, and by the power."""

import contextlib
import hashlib
import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.server.w3wp import killed
from tests.server.w3wp.power import Disk
from tests.server.w3wp.samples import BLOCKS, MANIFEST, NAMES, PLANTED, named
from tests.server.w3wp.system_calls import step_in
from tests.support.command import ROOT, environment
from vaultstorm_server.w3wp.store import DamagedError, Store

SNAPSHOTS = ("Full backup", "of the new process")


def test_kill_9_at_any_point_loses_nothing_and_halves_nothing(tmp_path: Path) -> None:
    """Killed before each of its system calls in turn: all that was acknowledged is there, whole.

    The leftovers are gone with the next start, and all can be put that was not.
    """
    output = subprocess.run(
        [sys.executable, "-m", killed.__name__, str(tmp_path)],
        cwd=ROOT,
        env=environment(),
        stdout=subprocess.PIPE,
        check=True,
    ).stdout
    ends = [json.loads(line) for line in output.splitlines()]
    assert [end["status"] for end in ends] == [-9] * (len(ends) - 1) + [0]
    assert len(ends) > 60
    assert ends[-1]["acknowledged"] == [*NAMES, "repaired", *SNAPSHOTS]
    left = sum(check(tmp_path / end["directory"], set(end["acknowledged"])) for end in ends)
    assert left > 10


def check(directory: Path, acknowledged: set[str]) -> bool:
    """Open the store of a process that was killed, and tell whether it had left anything."""
    tmp = directory / "tmp"
    left = tmp.is_dir() and any(tmp.iterdir())
    store = Store(directory, 0)
    assert list(tmp.iterdir()) == []
    for path in (directory / "blocks").iterdir():
        if path.read_bytes() == PLANTED:
            assert path.name == NAMES[1]
            assert "repaired" not in acknowledged
        else:
            assert hashlib.sha256(path.read_bytes()).hexdigest() == path.name
    for name, block in zip(NAMES, BLOCKS, strict=True):
        with contextlib.suppress(DamagedError):
            assert store.get(name) in ((block,) if name in acknowledged else (block, None))
        store.put(name, block)
        assert store.get(name) == block
    for name in SNAPSHOTS:
        assert store.snapshot(name) in ((MANIFEST,) if name in acknowledged else (MANIFEST, None))
        store.commit(name, MANIFEST, NAMES)
    assert store.statistics() == (3, 2 * 4096 + 2 * len(MANIFEST), 2)
    store.close()
    return left


def test_the_power_may_fail_whenever_something_was_acknowledged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is acknowledged has its bytes, its name and all folders above it on the disk."""
    disk = Disk()
    step_in(disk.step, monkeypatch.setattr)
    directory = tmp_path / "new" / "vault"
    acknowledged: list[Path] = []

    def acknowledge(what: str) -> None:
        folder = "snapshots" if what in SNAPSHOTS else "blocks"
        acknowledged.append(directory / folder / (NAMES[1] if what == "repaired" else what))
        assert all(disk.survives(str(path)) for path in acknowledged)

    killed.use(directory, acknowledge)
    assert len(acknowledged) == len(BLOCKS) + 3
    assert disk.hasty == []


def test_what_another_process_is_slow_to_make_safe_is_made_safe(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A block and a snapshot that another process has just named are acknowledged only when safe.

    The other one is a disk on which files are synced and their folder is not.
    """
    disk = Disk()
    step_in(disk.step, monkeypatch.setattr)
    other, store = Store(tmp_path, 0), Store(tmp_path, 0)
    name, block = named(b"of another process")
    more, another = named(b"one more")
    with monkeypatch.context() as slow:
        slow.setattr("vaultstorm_server.w3wp.durable.sync_directory", lambda path: None)
        other.put(name, block)
        other.commit("Full", MANIFEST, [name])
    names = [tmp_path / "blocks" / name, tmp_path / "snapshots" / "Full"]
    assert not any(disk.survives(str(path)) for path in names)
    assert not store.commit("Full", MANIFEST, [name])
    assert all(disk.survives(str(path)) for path in names)
    with monkeypatch.context() as slow:
        slow.setattr("vaultstorm_server.w3wp.durable.sync_directory", lambda path: None)
        other.put(more, another)
    assert not disk.survives(str(tmp_path / "blocks" / more))
    assert not store.put(more, another)
    assert disk.survives(str(tmp_path / "blocks" / more))
    other.close()
    store.close()


def test_folders_that_another_process_is_slow_to_make_safe_are_made_safe(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process that finds the folders there does not rely on who made them."""
    disk = Disk()
    step_in(disk.step, monkeypatch.setattr)
    for name in ("blocks", "snapshots", "tmp"):
        (tmp_path / name).mkdir()
    assert not disk.survives(str(tmp_path / "blocks"))
    store = Store(tmp_path, 0)
    store.put(NAMES[0], BLOCKS[0])
    assert disk.survives(str(tmp_path / "blocks" / NAMES[0]))
    store.close()
