"""The journal file of a server process."""

import asyncio
import os
import resource
from pathlib import Path

import pytest

from vaultstorm_server.journal import JournalFile
from vaultstorm_wire import journal
from vaultstorm_wire.errors import MachineError
from vaultstorm_wire.journal import Event, Journal


def _read(path: Path) -> list[journal.AnyRecord]:
    with path.open("rb") as lines:
        return list(journal.read(lines))


def test_it_opens_with_who_writes_it(tmp_path: Path) -> None:
    """The first line names role and pid, before anything else happens."""
    file = JournalFile(tmp_path / "new", "front")
    assert file.path == tmp_path / "new" / f"front-{os.getpid()}.ndjson"
    (first,) = _read(file.path)
    assert isinstance(first, Journal)
    assert (first.role, first.pid) == ("front", os.getpid())
    file.close()


@pytest.mark.asyncio
async def test_it_flushes_once_per_turn_of_the_loop(tmp_path: Path) -> None:
    """What one turn appends stands in the file after it."""
    file = JournalFile(tmp_path, "front", asyncio.get_running_loop())
    assert file.path is not None
    file.append(Event(time=1.0, name="a"))
    file.append(Event(time=2.0, name="b"))
    assert len(_read(file.path)) == 1
    await asyncio.sleep(0)
    assert len(_read(file.path)) == 3
    file.close()


def test_without_a_directory_it_keeps_nothing() -> None:
    """Appending, flushing and closing are harmless."""
    file = JournalFile(None, "front")
    file.append(Event(time=1.0, name="a"))
    file.flush()
    file.close()
    assert file.path is None


def test_a_directory_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    """The message names the option that changes it."""
    (tmp_path / "file").write_text("")
    with pytest.raises(MachineError, match="--journal"):
        JournalFile(tmp_path / "file", "front")


def test_a_full_disk_does_not_stop_the_server(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is logged once, costs whole records only, and what comes when there is room is kept."""
    file = JournalFile(tmp_path, "front")
    assert file.path is not None
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    room = file.path.stat().st_size + 20  # less than a record, more than nothing
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, before[1]))
    try:
        for _ in range(2):
            file.append(Event(time=1.0, name="lost"))
            file.flush()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    file.append(Event(time=2.0, name="kept"))
    file.close()

    assert capsys.readouterr().out.count("journal_incomplete") == 1
    opening, *events = _read(file.path)
    assert isinstance(opening, Journal)
    assert [event.name for event in events if isinstance(event, Event)] == ["kept"]
