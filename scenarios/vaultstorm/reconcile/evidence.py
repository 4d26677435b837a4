"""What the journals leave open, and when the server was last alive."""

import sqlite3
from collections.abc import Mapping
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from vaultstorm.events import WORKER_ENDS
from vaultstorm.reconcile import ids
from vaultstorm_wire.errors import MachineError

_ENDED: Final = ", ".join(f"'{name}'" for name in WORKER_ENDS)

GAPS: Final[dict[str, str]] = {
    "worker_journal_missing": f"""
        WITH kept AS (
            SELECT pid FROM journal
            WHERE variant = :variant AND role IN ('worker', 'front') AND pid NOT NULL),
        known AS (
            SELECT worker FROM event AS started
                WHERE variant = :variant AND name = 'worker_started' AND NOT EXISTS (
                    SELECT 1 FROM event WHERE variant = :variant AND worker = started.worker
                    GROUP BY worker HAVING MAX(name = 'worker_serving') = 0
                        AND MAX(name IN ({_ENDED})) = 1)
            UNION SELECT worker FROM request NOT INDEXED
                WHERE variant = :variant AND worker NOT NULL)
        SELECT 'worker ' || worker || ' was started and left no journal' FROM known
            WHERE worker NOT IN (SELECT pid FROM kept)
        UNION ALL SELECT 'the front process names no worker that it started'
            WHERE EXISTS (SELECT 1 FROM journal
                WHERE variant = :variant AND role = 'front' AND records > 0)
            AND NOT EXISTS (SELECT 1 FROM event
                WHERE variant = :variant AND name = 'worker_started')
        """,
    "worker_journal_cut_off": """
        SELECT file || ' ends in the middle of a record' FROM journal
        WHERE variant = :variant AND role = 'worker' AND cut
        """,
    "no_server_journal": """
        SELECT 'the front process left no journal' WHERE NOT EXISTS (
            SELECT 1 FROM journal WHERE variant = :variant AND role = 'front' AND records > 0)
        """,
    "front_journal_cut_off": """
        SELECT file || ' ends in the middle of a record' FROM journal
        WHERE variant = :variant AND role = 'front' AND cut
        """,
    "client_journal_cut_off": """
        SELECT file || ' ends in the middle of a record' FROM journal
        WHERE variant = :variant AND role = 'client' AND cut
        """,
}
"""What may be missing from the records of a run, and how it is noticed.

A worker that ended before it could serve has executed nothing, and may not have come to open its
journal: the front process wrote down its end, so it would have written down its service before.
What comes by RPC the front process executes itself, as RPCSS and the component's process.
"""

EXECUTIONS_UNSEEN: Final = (
    "worker_journal_missing",
    "worker_journal_cut_off",
    "no_server_journal",  # it alone says which workers there were
)
"""With one of these gaps, an execution that is not in the tables may still have been."""

RPC_UNSEEN: Final = (*EXECUTIONS_UNSEEN, "front_journal_cut_off")
"""Likewise, of one that came by RPC."""

ATTEMPTS_UNSEEN: Final = ("client_journal_cut_off", "no_result")
"""With one of these, an attempt that is not in the tables may still have been made."""


EXECUTED: Final = """(worker NOT IN (SELECT pid FROM journal
        WHERE variant = :variant AND role = 'front' AND pid NOT NULL)
    OR status = 0 AND method IN (
        'RemoteActivation', 'RemoteGetClassObject', 'RemoteCreateInstance', 'Work'))"""
"""In SQL, that a request which was answered and has no cause must have been executed: all that a
worker process was given, and by RPC what makes an object, or is a component's own method."""


_UNEXECUTED: Final = f"""
    INSERT INTO temp.unexecuted
    SELECT request.id, worker FROM ({ids.only_in("request", "execution")}) AS other
    CROSS JOIN request ON request.variant = :variant AND request.id = other.id
    WHERE worker NOT NULL AND status NOT NULL AND cause IS NULL AND {EXECUTED}
    """


class Acknowledged(msgspec.Struct, frozen=True):
    """What the agents say that the vault has acknowledged."""

    blocks: int
    snapshots: int


class Vault(msgspec.Struct, frozen=True):
    """What burst.json says about the agents."""

    acknowledged: Acknowledged


class Operation(msgspec.Struct, frozen=True):
    """What burst.json says about the activations, or the calls, of an rpc:// target."""

    attempts: int
    ok: int


class Result(msgspec.Struct, frozen=True):
    """What is held against the client journals: the burst's own counts, from burst.json."""

    attempts: int
    outcomes: dict[str, int]
    rpc: dict[str, Operation] | None = None
    """By operation; None for another target."""
    vault: Vault | None = None
    """None without agents."""


class Life(NamedTuple):
    """How the server ended. Seconds since 1970; None for what did not happen."""

    died: float | None
    """Its last sign of life, if a signal ended it."""
    stopped: float | None
    """When it began to stop in good order."""


def read_result(path: Path) -> Result | None:
    """Read burst.json; None if there is none.

    Raises:
        MachineError: it cannot be read, or is not the result of a burst.
    """
    try:
        return msgspec.json.decode(path.read_bytes(), type=Result)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise MachineError(f"cannot read {path}: {error.strerror}") from error
    except msgspec.MsgspecError as error:
        raise MachineError(f"{path} is not the result of a burst: {error}") from error


def note_gaps(db: sqlite3.Connection, variant: str, kinds: Mapping[str, str]) -> None:
    """Write down what is missing from a variant's records, of the kinds that there may be."""
    for kind, query in kinds.items():
        db.execute(
            f"INSERT INTO gap(variant, kind, detail) SELECT :variant, :kind, * FROM ({query})",
            {"variant": variant, "kind": kind},
        )


def note_gap(db: sqlite3.Connection, variant: str, kind: str, detail: str) -> None:
    """Write down one thing that is missing."""
    db.execute("INSERT INTO gap(variant, kind, detail) VALUES (?, ?, ?)", (variant, kind, detail))


def has_gap(db: sqlite3.Connection, variant: str, kinds: tuple[str, ...]) -> bool:
    """Tell whether one of some kinds of gap is there."""
    query = "SELECT kind FROM gap WHERE variant = ?"
    return any(kind in kinds for (kind,) in db.execute(query, (variant,)))


def note_unexecuted(db: sqlite3.Connection, variant: str) -> bool:
    """Fill the temporary table `unexecuted` with what was answered, and has no execution.

    Returns:
        Whether there is any: then a worker's journal lacks what the worker has done, and may lack
        more. So it is if the file ends between two records, as a disk that filled may leave it.
    """
    db.execute("DROP TABLE IF EXISTS temp.unexecuted")
    db.execute("CREATE TEMP TABLE unexecuted(id TEXT, worker INTEGER)")
    return bool(db.execute(_UNEXECUTED, {"variant": variant}).rowcount)


def life(db: sqlite3.Connection, variant: str) -> Life:
    """Find out how the server ended."""
    one = {"variant": variant}
    exits = """
        SELECT COALESCE(SUM(detail GLOB 'signal *'), 0), COUNT(*) FROM event
        WHERE variant = :variant AND name = 'server_exited'
        """
    by_signal, ended = db.execute(exits, one).fetchone()
    stopping = """
        SELECT MIN(time) FROM event
        WHERE variant = :variant AND role = 'front' AND name = 'stopping'
        """
    (stopped,) = db.execute(stopping, one).fetchone()
    sign = _last_sign(db, variant) if ended else None
    if by_signal:
        return Life(sign, stopped)
    return Life(None, sign if stopped is None else stopped)


def _last_sign(db: sqlite3.Connection, variant: str) -> float | None:
    """Give the latest time in the front process' journal."""
    query = """
        SELECT MAX(time) FROM (
            SELECT time FROM journal WHERE variant = :variant AND role = 'front'
            UNION ALL SELECT time FROM event WHERE variant = :variant AND role = 'front'
            UNION ALL SELECT time FROM sample WHERE variant = :variant
            UNION ALL SELECT time FROM turned_away WHERE variant = :variant
            UNION ALL SELECT until FROM pause WHERE variant = :variant
            UNION ALL SELECT MAX(time, COALESCE(dispatched, time), COALESCE(answered, time))
                FROM request WHERE variant = :variant)
        """
    (sign,) = db.execute(query, {"variant": variant}).fetchone()
    return None if sign is None else float(sign)
