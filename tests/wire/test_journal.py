"""Journals: what is written is what is read."""

import msgspec
import pytest

from vaultstorm_wire import journal
from vaultstorm_wire.journal import AnyRecord, Lines

RECORDS: list[AnyRecord] = [
    journal.Journal(time=1.5, role="client", pid=7, seed=(1 << 64) - 1),
    journal.Attempt(
        time=1.0,
        id="a",
        connection="0.1",
        nth=0,
        peer="[::1]:443",
        start=1.0,
        end=2.0,
        outcome="ok",
    ),
    journal.Attempt(
        time=1.0,
        id="b",
        connection="0.1",
        nth=1,
        peer="127.0.0.1:443",
        local="127.0.0.1:40000",
        start=1.25,
        connect=0.0,
        tls=0.1,
        bind=0.2,
        send=0.3,
        wait=0.4,
        receive=0.5,
        end=2.0,
        sent=1,
        received=2,
        syn_retries=3,
        outcome="receive.reset",
        errno="ECONNRESET",
        detail='a "quote"\nand a line, µ',
    ),
    journal.TurnedAway(time=1.0, peer="127.0.0.1:1", cause="backlog_full", how="reset"),
    journal.TurnedAway(time=1.0, peer="127.0.0.1:1", cause="stopping", how="reset", port=135),
    journal.Pause(time=1.0, style="refuse", until=1.5, caught=2),
    journal.Pause(time=1.0, style="drop", until=1.5, port=443),
    journal.Request(time=1.0, connection=1, peer="127.0.0.1:1", method="GET", target="/"),
    journal.Begun(time=1.0, id="a", worker=7),
    journal.Execution(time=1.0, id="a", worker=7, method="GET", target="/", status=200),
    journal.Execution(
        time=1.0, worker=0, method="GET", target="/", status=200, source="access_log"
    ),
    journal.Kernel(time=1.0, queued=3),
    journal.Kernel(time=1.0, queued=11, backlog=10, overflows=7),
    journal.Event(time=1.0, name="ready"),
    journal.Event(time=1.0, name="pause_began", detail="refuse", port=135),
    journal.Sample(time=1.0, free=1, queued=1, turned_away=1, open=1, waiting=1, in_flight=1),
    journal.Acknowledged(time=1.0, id="a", kind="block", name="ab", sha256="ab", bytes=3),
]


class Disk:
    """Takes at most so many bytes at a time; None of them now and then, if it is 0."""

    def __init__(self, room: int) -> None:
        self.data = b""
        self._room = room
        self._calls = 0

    def write(self, data: bytes | memoryview) -> int | None:
        """Take some bytes."""
        self._calls += 1
        if not self._room and self._calls % 2:
            return None
        taken = bytes(data[: self._room or 5])
        self.data += taken
        return len(taken)


@pytest.mark.parametrize("room", [0, 1, 2, 7, 1 << 20])
def test_round_trip(room: int) -> None:
    """All records come back as they were, however little is written at a time."""
    disk = Disk(room)
    lines = Lines(disk.write)
    for record in RECORDS:
        lines.append(record)
    assert disk.data == b""
    lines.flush()
    lines.flush()
    assert disk.data.count(b"\n") == len(RECORDS)
    assert list(journal.read(disk.data.splitlines(keepends=True))) == RECORDS


def test_every_kind_of_record_is_here() -> None:
    """No type of record is left out above."""
    assert {type(record) for record in RECORDS} == set(AnyRecord.__args__)


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: type(record).__name__)
def test_one_line_each(record: AnyRecord) -> None:
    """A record is one line, and one record."""
    line = journal.encode(record)
    assert b"\n" not in line
    assert journal.decode(line) == record


@pytest.mark.parametrize("cut", [1, 2, 10])
def test_a_line_cut_off(cut: int) -> None:
    """A last line without its end is left out."""
    whole = b"".join(journal.encode(record) + b"\n" for record in RECORDS)
    lines = whole[:-cut].splitlines(keepends=True)
    assert list(journal.read(lines)) == RECORDS[:-1]


@pytest.mark.parametrize("line", [b"", b"{", b"{}", b'{"record":"other","time":1}'])
def test_no_record(line: bytes) -> None:
    """What is none of the records is an error."""
    with pytest.raises(msgspec.DecodeError):
        journal.decode(line)


def test_a_disk_that_fails() -> None:
    """The error of the disk comes through, once."""

    def write(data: bytes | memoryview) -> int:
        raise OSError(28, "No space left on device")

    lines = Lines(write)
    lines.append(RECORDS[0])
    with pytest.raises(OSError, match="No space"):
        lines.flush()
    lines.flush()
