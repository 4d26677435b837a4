"""The page cache: what is read from it, and what has to be waited for."""

import errno
import os
from pathlib import Path

import pytest

from vaultstorm_server.w3wp import page_cache


@pytest.mark.parametrize("size", [0, 1, 4096, 100_000])
def test_what_was_just_written_is_read_whole_or_not_at_all(tmp_path: Path, size: int) -> None:
    """Where the file system does not tell what it has in memory, the disk is to be asked."""
    path = tmp_path / "a"
    data = os.urandom(size)
    path.write_bytes(data)
    assert page_cache.read(str(path)) in (data, None)


@pytest.mark.parametrize("error", [errno.EAGAIN, errno.EOPNOTSUPP])
def test_what_is_not_in_memory_is_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: int
) -> None:
    """Nor what a file system does not tell of; the descriptor is closed all the same."""

    def refuse(*_: object) -> int:
        raise OSError(error, os.strerror(error))

    path = tmp_path / "a"
    path.write_bytes(b"x")
    monkeypatch.setattr(os, "preadv", refuse)
    before = len(os.listdir("/proc/self/fd"))
    assert page_cache.read(str(path)) is None
    assert len(os.listdir("/proc/self/fd")) == before


def test_half_of_a_file_is_not_all_of_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The kernel may have some pages only."""
    path = tmp_path / "a"
    path.write_bytes(b"xy")
    monkeypatch.setattr(os, "preadv", lambda *_: 1)
    assert page_cache.read(str(path)) is None


def test_what_is_no_file_is_not_read(tmp_path: Path) -> None:
    """Nothing there, and a directory: who asks the disk is told."""
    assert page_cache.read(str(tmp_path / "a")) is None
    assert page_cache.read(str(tmp_path)) is None
