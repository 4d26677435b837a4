"""Files and directories that are on the disk when the call returns."""

import os
from pathlib import Path

import pytest

from vaultstorm_server.w3wp import durable


@pytest.mark.parametrize("data", [b"", b"x", b"x" * 4096, b"x" * 70_000])
def test_a_file_has_all_its_bytes(tmp_path: Path, data: bytes) -> None:
    """What is written is what can be read, an empty file included."""
    durable.write(str(tmp_path / "file"), data)
    assert (tmp_path / "file").read_bytes() == data


def test_a_write_that_takes_a_part_is_gone_on_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """write(2) may take less than it is given; the rest follows."""
    write = os.write
    monkeypatch.setattr(os, "write", lambda descriptor, data: write(descriptor, data[:3]))
    durable.write(str(tmp_path / "file"), b"0123456789")
    assert (tmp_path / "file").read_bytes() == b"0123456789"


def test_a_file_that_is_there_is_not_written_over(tmp_path: Path) -> None:
    """A temporary name that somebody else has is an error, not a common file."""
    (tmp_path / "file").write_bytes(b"of another")
    with pytest.raises(FileExistsError):
        durable.write(str(tmp_path / "file"), b"mine")
    assert (tmp_path / "file").read_bytes() == b"of another"


def test_directories_are_made_down_to_the_last(tmp_path: Path) -> None:
    """All missing ones are made, for their owner only; those that are there stay as they are."""
    tmp_path.chmod(0o755)
    for _ in range(2):
        durable.make_directory(str(tmp_path / "a" / "b"))
    assert (tmp_path / "a" / "b").stat().st_mode & 0o777 == 0o700
    assert tmp_path.stat().st_mode & 0o777 == 0o755


def test_a_file_in_the_way_is_named(tmp_path: Path) -> None:
    """What stands where a directory should be is in the error."""
    (tmp_path / "a").write_bytes(b"")
    with pytest.raises(FileExistsError, match="/a'"):
        durable.make_directory(str(tmp_path / "a"))
    with pytest.raises(OSError, match="/a'"):
        durable.make_directory(str(tmp_path / "a" / "b"))


def test_a_directory_that_is_not_there_cannot_be_synced(tmp_path: Path) -> None:
    """Nothing is promised for names in a directory that is gone."""
    with pytest.raises(FileNotFoundError):
        durable.sync_directory(str(tmp_path / "gone"))
