"""Journals into tables: every record of a variant's processes becomes one row."""

import functools
import operator
import sqlite3
from collections import defaultdict
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any, BinaryIO, Final

import msgspec

from vaultstorm.reconcile import share
from vaultstorm.reconcile.schema import USUAL
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

_GIVEN: Final = {"attempt": {"verdict": USUAL}}
"""What a row has beside the fields of its record and its variant."""

AT_ONCE: Final = 32
"""Rows inserted by one statement, which takes a fifth less for each. Of the widest record that
makes 704 parameters, and SQLite before 3.32 takes 999 (sqlite.org/limits.html)."""

_UNSET: Final = float("nan")
"""SQLite stores it as NULL (`sqlite3VdbeMemSetDouble`), and Python binds it in a fraction of the
time of None: for that it looks for an adapter first (`need_adapt` in CPython's statement.c)."""


def _unset_is_nan(kind: type[journal.AnyRecord]) -> type[msgspec.Struct]:
    """Give a record of the same name and fields that has `_UNSET` in the place of None."""
    fields: list[tuple[str, Any] | tuple[str, Any, Any]] = []
    for field in msgspec.structs.fields(kind):
        if field.required:
            fields.append((field.name, field.type))
        else:
            default = _UNSET if field.default is None else field.default
            fields.append((field.name, field.type, default))
    tag = kind.__struct_config__
    return msgspec.defstruct(
        kind.__name__, fields, kw_only=True, gc=False, tag_field=tag.tag_field, tag=tag.tag
    )


_ROWS: Final = {_unset_is_nan(kind): table for kind, table in TABLES.items()}
_decoder: Final[msgspec.json.Decoder[msgspec.Struct]] = msgspec.json.Decoder(
    functools.reduce(operator.or_, _ROWS, journal.Journal)
)
_astuple = msgspec.structs.astuple


def load(db: sqlite3.Connection, variant: str, folder: Path) -> None:
    """Read all journals of a folder, in the order of their names.

    A last line without its end was cut off by a crash: it is left out, and counted in `journal`.
    The role of a file is what its `Journal` record says, wherever in the file that stands.

    Raises:
        MachineError: the folder or a file cannot be read, or a line is no record; says which.
    """
    try:
        files = sorted(path for path in folder.iterdir() if path.suffix == ".ndjson")
        sizes = [path.stat().st_size for path in files]
    except OSError as error:
        raise MachineError(
            f"there are no journals of variant {variant}: {folder}: {error.strerror}"
        ) from error
    here = share.split(sizes)
    with share.reading(db, variant, files[here:], (*TABLES.values(), "journal")):
        for path in files[:here]:
            read(db, variant, path)


def read(db: sqlite3.Connection, variant: str, path: Path) -> None:
    """Read one journal.

    Raises:
        MachineError: it cannot be read, or a line is no record; says which.
    """
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
        self._inserts = {
            kind: (_insert(kind, variant), _insert(kind, variant, AT_ONCE)) for kind in _ROWS
        }

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

    def _decode(self, data: bytes) -> list[msgspec.Struct]:
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

    def _store(self, records: list[msgspec.Struct]) -> None:
        """Sort records by kind, and insert each kind at once."""
        kinds: defaultdict[type[msgspec.Struct], list[msgspec.Struct]] = defaultdict(list)
        for record in records:
            if isinstance(record, journal.Journal):
                self._open(record)
            else:
                kinds[type(record)].append(record)
        for kind, batch in kinds.items():
            one, several = self._inserts[kind]
            rest = len(batch) % AT_ONCE
            self._db.executemany(one, map(_astuple, batch[:rest]))
            values = chain.from_iterable(map(_astuple, batch[rest:]))
            width = AT_ONCE * len(kind.__struct_fields__)
            self._db.executemany(several, zip(*[values] * width, strict=True))

    def _open(self, header: journal.Journal) -> None:
        if header.schema > journal.SCHEMA:
            raise MachineError(
                f"{self._path} has schema {header.schema}, and this version knows up to "
                f"{journal.SCHEMA}: reconcile it with the version that wrote it"
            )
        self._header = header

    def _wrong(self, number: int, why: str) -> MachineError:
        return MachineError(f"{self._path}, line {number}: not a journal record: {why}")


def _insert(kind: type[msgspec.Struct], variant: str, rows: int = 1) -> str:
    """Give the statement that takes all fields of some records."""
    given = {"variant": variant, **_GIVEN.get(_ROWS[kind], {})}
    columns = ", ".join((*given, *kind.__struct_fields__))
    values = ", ".join((*map(_quoted, given.values()), *"?" * len(kind.__struct_fields__)))
    return f"INSERT INTO {_ROWS[kind]}({columns}) VALUES {', '.join([f'({values})'] * rows)}"


def _quoted(text: str) -> str:
    """Give a text as SQL has it."""
    return "'" + text.replace("'", "''") + "'"
