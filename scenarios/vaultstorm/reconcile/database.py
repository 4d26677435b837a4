"""The file run.db: written under another name, and there only once it is whole."""

import os
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

from vaultstorm_wire.errors import MachineError

NAME: Final = "run.db"

PRAGMAS: Final = (
    "PRAGMA journal_mode = OFF",  # a file that is thrown away on failure needs no way back
    "PRAGMA synchronous = OFF",  # and after a power cut it is made again from the journals
    "PRAGMA locking_mode = EXCLUSIVE",
    "PRAGMA cache_size = -131072",  # KiB: the indexes of a large run, within the memory it may use
)

_MACHINE: Final = frozenset(
    (
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_PERM,
        sqlite3.SQLITE_READONLY,
    )
)
"""Primary result codes (sqlite.org/rescode.html) that the machine, not our SQL, is to blame for."""


@contextmanager
def fresh(directory: Path) -> Iterator[sqlite3.Connection]:
    """Give a connection to a new run.db, in one transaction; it takes its name at the end.

    A run.db that stands is replaced then, and left alone if anything fails before.

    Raises:
        MachineError: the directory cannot be written, or the disk is full.
    """
    path = directory / NAME
    part = path.with_suffix(".db.part")
    with _blamed(path):
        part.unlink(missing_ok=True)
        try:
            with new(part) as db:
                yield db
            os.replace(part, path)
        except BaseException:
            part.unlink(missing_ok=True)
            raise


@contextmanager
def new(path: Path) -> Iterator[sqlite3.Connection]:
    """Give a connection to a new database that is, or becomes part of, the run.db beside it.

    All is one transaction.

    Raises:
        MachineError: it cannot be written.
    """
    with _blamed(path.with_name(NAME)), closing(sqlite3.connect(path, isolation_level=None)) as db:
        for pragma in PRAGMAS:
            db.execute(pragma)
        db.execute("BEGIN")
        yield db
        db.execute("COMMIT")


def beside(db: sqlite3.Connection) -> Path:
    """Give the path for a second database that is there only while the first is made."""
    _, _, path = db.execute("PRAGMA database_list").fetchone()
    return Path(f"{path}2")


def take_over(db: sqlite3.Connection, path: Path, tables: Iterable[str]) -> None:
    """Append what the tables of another database hold to those of the same definition.

    Without an index SQLite copies the rows as they are (`xferOptimization`), and in their order.
    """
    db.execute("COMMIT")  # nobody may ATTACH or DETACH in a transaction
    db.execute("ATTACH ? AS other", (str(path),))
    db.execute("BEGIN")
    for table in tables:
        db.execute(f"INSERT INTO main.{table} SELECT * FROM other.{table}")
    db.execute("COMMIT")
    db.execute("DETACH other")
    db.execute("BEGIN")


@contextmanager
def existing(directory: Path) -> Iterator[sqlite3.Connection]:
    """Give a connection that only reads the run.db of a run directory.

    Raises:
        MachineError: there is none, or it is no database.
    """
    path = directory / NAME
    try:
        uri = f"{path.absolute().as_uri()}?mode=ro"
        with closing(sqlite3.connect(uri, uri=True, isolation_level=None)) as db:
            db.execute("SELECT name FROM variant")
            yield db
    except sqlite3.DatabaseError as error:
        raise MachineError(f"cannot read {path}: {error}; `vaultstorm run` makes one") from error


@contextmanager
def _blamed(path: Path) -> Iterator[None]:
    """Say what the machine is to blame for as an error about a file."""
    try:
        yield
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode & 0xFF not in _MACHINE:
            raise
        raise _cannot_write(path, str(error)) from error
    except OSError as error:
        raise _cannot_write(path, error.strerror or str(error)) from error


def _cannot_write(path: Path, why: str) -> MachineError:
    return MachineError(
        f"cannot write {path}: {why}; free some space, or name another directory with --out"
    )
