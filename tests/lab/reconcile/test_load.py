"""Journals into tables: whole lines, cut ones, and what is no record."""

from pathlib import Path

import msgspec
import pytest

from tests.lab.reconcile.harness import (
    FRONT,
    WORKER,
    Run,
    attempt,
    event,
    execution,
    pause,
    request,
    turned_away,
)
from vaultstorm.reconcile import reconcile
from vaultstorm.reconcile.load import AT_ONCE, CHUNK, TABLES
from vaultstorm_wire import journal
from vaultstorm_wire.errors import MachineError

RECORDS: list[journal.AnyRecord] = [
    attempt("receive.reset", errno="ECONNRESET", detail='a "quote"\nµ', bind=0.1, wait=0.2),
    turned_away(10.5),
    pause(1.0, 2.0),
    request(),
    execution(),
    event("gate_closed", 3.0, detail="by hand"),
    journal.Sample(
        time=4.0,
        free=1,
        queued=2,
        turned_away=3,
        open=4,
        waiting=5,
        in_flight=6,
        interfaces=7,
        threads_held=8,
    ),
    journal.Acknowledged(
        time=5.0, id="a", kind="snapshot", name="one", sha256="00ff", bytes=1 << 40
    ),
]


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: type(record).__name__)
def test_every_field_of_a_record_is_a_column(run: Run, record: journal.AnyRecord) -> None:
    """What was written is what stands in the table; unset is NULL."""
    run.front(record)
    run.reconcile()
    fields = record.__struct_fields__
    columns = ", ".join(fields)
    rows = run.rows(f"SELECT {columns} FROM {TABLES[type(record)]} WHERE time = {record.time}")
    assert rows == [msgspec.structs.astuple(record)]


@pytest.mark.parametrize("count", [0, 1, AT_ONCE - 1, AT_ONCE, AT_ONCE + 1, 2 * AT_ONCE])
def test_rows_are_in_the_order_of_the_records(run: Run, count: int) -> None:
    """However many of them a statement takes."""
    run.front(*(turned_away(float(number)) for number in range(count)))
    run.reconcile()
    rows = run.rows("SELECT time FROM turned_away ORDER BY rowid")
    assert rows == [float(number) for number in range(count)]


def test_an_event_knows_who_wrote_it(run: Run) -> None:
    """The role of an event is that of its journal."""
    run.exited("exit 0")
    run.reconcile()
    events = run.rows("SELECT role, name FROM event ORDER BY role")
    assert events == [("front", "worker_started"), ("runner", "server_exited")]


@pytest.mark.parametrize("cut", [b"", b"{", b'{"record":"event","time":1.0,"name":"x"}'])
def test_a_last_line_without_its_end_is_left_out_and_counted(run: Run, cut: bytes) -> None:
    """A crash may have cut it anywhere, even just before the newline."""
    run.write("front", FRONT, cut=cut)
    run.reconcile()
    assert run.rows("SELECT role, pid, records, cut FROM journal ORDER BY role") == [
        ("front", FRONT, 2, bool(cut)),
        ("worker", WORKER, 1, False),
    ]


@pytest.mark.parametrize("wrong", [b"{", b"", b"[]", b"\xff", b'{"record":"event"}', b"{}{}"])
@pytest.mark.parametrize("before", [0, 1, 5000])
def test_a_line_in_the_middle_that_is_no_record_is_named(
    run: Run, wrong: bytes, before: int
) -> None:
    """The message says the file and the number of the line; there is no run.db."""
    line = journal.encode(event("gate_closed", detail="x" * 300)) + b"\n"
    path = run.write("front", FRONT)
    path.write_bytes(line * before + wrong + b"\n" + line)
    assert (before < 5000) == (path.stat().st_size < CHUNK)
    with pytest.raises(MachineError, match=f"{path}, line {before + 1}: not a journal record"):
        run.reconcile()
    assert list(run.directory.iterdir()) == [run.folder]


def test_a_line_without_an_end_is_not_read_for_ever(run: Run) -> None:
    """What is longer than any record is none."""
    run.write("front", FRONT, cut=b" " * (2 * CHUNK))
    with pytest.raises(MachineError, match="line 3: not a journal record: the line has no end"):
        run.reconcile()


@pytest.mark.parametrize("spare", [-1, 0, 1])
def test_lines_are_whole_wherever_the_pieces_end(run: Run, spare: int) -> None:
    """A file of just one piece, a byte less, a byte more, loses nothing."""
    path = run.write("client", 31)
    header = path.stat().st_size
    empty = len(journal.encode(event("x", detail="-"))) + 1
    for _ in range(2):
        run.write("client", 31, event("x", detail="-" * (CHUNK // 2 - empty + 1)))
    run.write("client", 31, event("y", detail="-" * spare if spare > 0 else ""))
    run.reconcile()
    assert header < CHUNK < path.stat().st_size
    assert run.rows("SELECT records FROM journal WHERE role = 'client'") == [4]


def test_a_newer_schema_is_refused(run: Run) -> None:
    """A journal of a later version may mean something else by the same words."""
    run.write("front", FRONT, journal.Journal(time=1.0, schema=2, role="front", pid=FRONT))
    with pytest.raises(MachineError, match="has schema 2, and this version knows up to 1"):
        run.reconcile()


def test_a_number_that_no_column_holds_is_refused(run: Run) -> None:
    """SQLite's integers have 64 bits, JSON's have any number."""
    run.front(event("worker_started", worker=1 << 63))
    with pytest.raises(MachineError, match="a number in a record is too large"):
        run.reconcile()


def test_other_files_beside_the_journals_are_left_alone(run: Run) -> None:
    """The HTTPERR log stands in the same folder."""
    (run.journals / "httperr1.log").write_text("#Software\n")
    assert run.reconcile() == []


def test_a_variant_without_journals_is_said(run: Run, tmp_path: Path) -> None:
    """A folder that is not there is named, with the variant."""
    run.journals.rename(tmp_path / "elsewhere")
    with pytest.raises(MachineError, match=r"there are no journals of variant v: .*v/journal: No"):
        run.reconcile()


def test_a_journal_that_cannot_be_read_is_said(run: Run) -> None:
    """A directory in the place of a journal."""
    (run.journals / "client-1.ndjson").mkdir()
    with pytest.raises(MachineError, match=r"cannot read the journal .*client-1.ndjson: Is a dir"):
        run.reconcile()


def test_a_journal_without_its_first_record_goes_by_its_name(run: Run) -> None:
    """A cut-off first line leaves the file's name to say whose it is."""
    (run.journals / "worker-99.ndjson").write_bytes(b'{"record":"jou')
    run.reconcile()
    assert run.rows("SELECT role, pid FROM journal WHERE cut") == [("worker", None)]


def test_a_sample_without_a_vault_has_nothing_in_it(run: Run) -> None:
    """A journal that was written before there was one is read as ever."""
    line = b'{"record":"sample","time":4.0,"free":1,"queued":2,"turned_away":3,"open":4,'
    path = run.write("front", FRONT)
    path.write_bytes(path.read_bytes() + line + b'"waiting":5,"in_flight":6}\n')
    run.reconcile()
    assert run.rows("SELECT in_flight, interfaces, threads_held FROM sample") == [(6, 0, 0)]


def test_null_is_unset(run: Run) -> None:
    """A journal that names a field without a value is read as one that leaves it out."""
    run.write("front", FRONT, cut=b'{"record":"event","time":3.0,"name":"x","detail":null}\n')
    run.reconcile()
    assert run.rows("SELECT worker, detail FROM event WHERE name = 'x'") == [(None, None)]


def test_a_variant_may_have_any_name(run: Run) -> None:
    """A quote in it is no end of it."""
    run.front(event("ready"))
    run.folder.rename(run.directory / "it's")
    reconcile(run.directory, ["it's"])
    assert run.rows("SELECT variant FROM event WHERE name = 'ready'") == ["it's"]
