"""The client's journal file."""

import os
from pathlib import Path

import pytest

from vaultstorm_client.journal import JournalFile
from vaultstorm_wire import journal
from vaultstorm_wire.errors import MachineError


def test_file(tmp_path: Path) -> None:
    """The directory is made, the first line says whose it is, and closing flushes."""
    file = JournalFile(tmp_path / "a" / "b", seed=9)
    assert file.path.name == f"client-{os.getpid()}.ndjson"
    file.append(journal.Event(time=1.0, name="x"))
    (first,) = journal.read(file.path.read_bytes().splitlines(keepends=True))
    assert isinstance(first, journal.Journal)
    assert (first.role, first.pid, first.seed) == ("client", os.getpid(), 9)
    file.close()
    assert len(file.path.read_bytes().splitlines()) == 2


def test_a_full_disk() -> None:
    """A journal that cannot be written says which and what to do."""
    if not Path("/dev/full").exists():
        pytest.skip("no /dev/full")

    class Full(JournalFile):
        """Writes to a device that is always full."""

    file = object.__new__(Full)
    file.path = Path("/dev/full")
    with file.path.open("ab", buffering=0) as device:
        file._file = device
        file._lines = journal.Lines(device.write)
        file.append(journal.Event(time=1.0, name="x"))
        with pytest.raises(MachineError, match=r"No space.*--journal"):
            file.flush()
