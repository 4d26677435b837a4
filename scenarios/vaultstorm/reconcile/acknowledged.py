"""Is what the vault has acknowledged still there? Its directory, read without the server."""

import errno
import sqlite3
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any, Final, NamedTuple

from vaultstorm_server.w3wp.store_check import sha256_of
from vaultstorm_wire.errors import MachineError

KEPT: Final = "kept"
LOST: Final = "lost"
CHANGED: Final = "changed"
STATES: Final = (KEPT, LOST, CHANGED)
"""As it was acknowledged; not there; there, and it is something else or cannot be read."""

REMEMBERED: Final = 1 << 16
"""Names whose hash is kept in memory: blocks that many snapshots share come again and again."""

_OUR_OWN: Final = frozenset((errno.EMFILE, errno.ENFILE, errno.ENOMEM))
"""What ails who reads, and says nothing about what is kept."""


class Counts(NamedTuple):
    """What was acknowledged in a variant: each PUT that was answered so counts."""

    blocks: int
    snapshots: int
    lost: int
    changed: int


def states(directory: Path) -> Callable[[str, str, str], str]:
    """Give what tells the state of something acknowledged from kind, name and SHA-256.

    Every byte is read. In a directory that is not there everything is lost, and so is a name that
    no vault can keep. What stands there beside it, from another server say, does not matter.

    Args:
        directory: of the store.
    """

    @lru_cache(REMEMBERED)
    def found(kind: str, name: str) -> str | None:
        try:
            return sha256_of(directory, kind, name)
        except (ValueError, KeyError):
            return None
        except OSError as error:
            if error.errno in _OUR_OWN:
                raise
            return None if isinstance(error, NotADirectoryError) else ""

    def state(kind: str, name: str, sha256: str) -> str:
        hashed = found(kind, name)
        if hashed is None:
            return LOST
        return KEPT if hashed == sha256 else CHANGED

    return state


def check(db: sqlite3.Connection, variant: str, directory: Path) -> None:
    """Give every acknowledged block and snapshot of a variant its state, in the table's order.

    Raises:
        MachineError: the directory cannot be read here and now.
    """
    state = states(directory)
    failed: list[OSError] = []

    def told(*acknowledged: str) -> str | None:
        try:
            return state(*acknowledged)
        except OSError as error:
            failed.append(error)
            raise

    db.create_function("state_of", 3, told)
    try:
        db.execute(
            "UPDATE acknowledged SET state = state_of(kind, name, sha256) WHERE variant = ?",
            (variant,),
        )
    except sqlite3.OperationalError as error:
        if not failed:
            raise
        raise MachineError(
            f"cannot read what the vault keeps in {directory}: {failed[0].strerror}"
        ) from error
    finally:
        db.create_function("state_of", 3, None)


def counts(db: sqlite3.Connection, variant: str) -> dict[str, Any]:
    """Give what `run --json` says of what was acknowledged in a variant."""
    row = db.execute(
        """
        SELECT COALESCE(SUM(kind = 'block'), 0), COALESCE(SUM(kind = 'snapshot'), 0),
            COALESCE(SUM(state = 'lost'), 0), COALESCE(SUM(state = 'changed'), 0)
        FROM acknowledged WHERE variant = ?
        """,
        (variant,),
    ).fetchone()
    return Counts(*row)._asdict()
