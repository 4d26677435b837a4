"""Journals into tables: every record of a variant's processes becomes one row."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Final

import msgspec

from vaultstorm_wire import journal
from vaultstorm_wire.errors import MachineError

CHUNK: Final = 1 << 18
"""Bytes decoded at a time. A line is shorter: HTTP.SYS keeps 4 KiB of a target at most."""

TABLES: Final[dict[type[journal.AnyRecord], str]] = {
    journal.Attempt: "attempt",
    journal.TurnedAway: "turned_away",
    journal.Pause: "pause",
    journal.Request: "request",
    journal.Begun: "begun",
    journal.Execution: "execution",
    journal.Event: "event",
    journal.Sample: "sample",
    journal.Kernel: "kernel",
    journal.Acknowledged: "acknowledged",
}
"""Where a record goes. Its fields are the table's columns, by name."""

_decoder: msgspec.json.Decoder[journal.AnyRecord] = msgspec.json.Decoder(journal.AnyRecord)
_astuple = msgspec.structs.astuple


def load(db: sqlite3.Connection, variant: str, folder: Path) -> None:
    """Read all journals of a folder.

    A last line without its end was cut off by a crash: it is left out, and counted in `journal`.
    The role of a file is what its `Journal` record says, wherever in the file that stands.

    Raises:
        MachineError: the folder or a file cannot be read, or a line is no record; says which.
    """
    try:
        files = sorted(path for path in folder.iterdir() if path.suffix == ".ndjson")
    except OSError as error:
        raise MachineError(
            f"there are no journals of variant {variant}: {folder}: {error.strerror}"
        ) from error
    for path in files:
        try:
            with path.open("rb") as file:
                _File(db, variant, path).read(file)
        except OSError as error:
            raise MachineError(f"cannot read the journal {path}: {error.strerror}") from error
        except OverflowError as error:  # SQLite's integers have 64 bits
            raise MachineError(f"{path}: a number in a record is too large") from error


class _File:
    """One journal on its way into the tables."""

    def __init__(self, db: sqlite3.Connection, variant: str, path: Path) -> None:
        self._db = db
        self._variant = variant
        self._path = path
        self._header: journal.Journal | None = None
        self._records = 0
        self._cut = False
        self._inserts = {kind: _insert(kind) for kind in TABLES}

    def read(self, file: BinaryIO) -> None:
        """Read it to its end."""
        for data in self._chunks(file):
            records = self._decode(data)
            self._store(records)
            self._records += len(records)
        header = self._header
        role = header.role if header else self._path.name.partition("-")[0]
        self._db.execute("UPDATE event SET role = ? WHERE role IS NULL", (role,))
        self._db.execute(
            "INSERT INTO journal(variant, file, role, pid, time, records, cut)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            (
                self._variant,
                self._path.name,
                role,
                header and header.pid,
                header and header.time,
                self._records,
                self._cut,
            ),
        )

    def _chunks(self, file: BinaryIO) -> Iterator[bytes]:
        """Cut the file between lines."""
        rest = b""
        while data := file.read(CHUNK):
            data = rest + data
            end = data.rfind(b"\n") + 1
            rest = data[end:]
            if len(rest) > CHUNK:
                raise self._wrong(self._records + data.count(b"\n") + 1, "the line has no end")
            if end:
                yield data[:end]
        self._cut = bool(rest)

    def _decode(self, data: bytes) -> list[journal.AnyRecord]:
        """Decode whole lines."""
        try:
            records = _decoder.decode_lines(data)
        except msgspec.MsgspecError:
            records = []
        if len(records) == data.count(b"\n"):
            return records
        for number, line in enumerate(data.split(b"\n")[:-1], self._records + 1):
            try:
                _decoder.decode(line)
            except msgspec.MsgspecError as error:
                raise self._wrong(number, str(error)) from error
        raise self._wrong(self._records + 1, "not one record a line")

    def _store(self, records: list[journal.AnyRecord]) -> None:
        """Sort records by kind, and insert each kind at once."""
        variant = self._variant
        rows: dict[type[journal.AnyRecord], list[tuple[object, ...]]] = {
            kind: [] for kind in TABLES
        }
        for record in records:
            if isinstance(record, journal.Journal):
                self._open(record)
            else:
                rows[type(record)].append((variant, *_astuple(record)))
        for kind, batch in rows.items():
            if batch:
                self._db.executemany(self._inserts[kind], batch)

    def _open(self, header: journal.Journal) -> None:
        if header.schema > journal.SCHEMA:
            raise MachineError(
                f"{self._path} has schema {header.schema}, and this version knows up to "
                f"{journal.SCHEMA}: reconcile it with the version that wrote it"
            )
        self._header = header

    def _wrong(self, number: int, why: str) -> MachineError:
        return MachineError(f"{self._path}, line {number}: not a journal record: {why}")


def _insert(kind: type[journal.AnyRecord]) -> str:
    fields = ("variant", *kind.__struct_fields__)
    return (
        f"INSERT INTO {TABLES[kind]}({', '.join(fields)}) VALUES ({', '.join('?' * len(fields))})"
    )
