"""A large run's journals, shared with a second process: it reads the later ones meanwhile."""

import sqlite3
import subprocess
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import accumulate
from pathlib import Path
from typing import Final

from vaultstorm.reconcile import database
from vaultstorm_server import interpreter
from vaultstorm_wire.errors import MachineError

MODULE: Final = "vaultstorm.reconcile.second"

WORTH: Final = 64 << 20
"""Bytes of journals from which a second process pays: two seconds' work for one process, of which
its start and the copying of its tables take a quarter."""


def split(sizes: Sequence[int]) -> int:
    """Say how many of the files, from the first, the first process reads.

    The larger share is as small as it can be. The order of the files stays, and with it the order
    of the rows: the later ones are copied behind the others.

    Args:
        sizes: of the files, in bytes.
    """
    total = sum(sizes)
    if total < WORTH:
        return len(sizes)
    shares = [max(first, total - first) for first in accumulate(sizes)]
    return shares.index(min(shares)) + 1


@contextmanager
def reading(
    db: sqlite3.Connection, variant: str, files: Sequence[Path], tables: Iterable[str]
) -> Iterator[None]:
    """Have a second process read journals during the block, and take over its tables behind it.

    Args:
        db: the database they belong in.
        variant: whose they are.
        files: the journals; with none, no process is started.
        tables: what is read into.

    Raises:
        MachineError: it could not read them, or not write.
    """
    if not files:
        yield
        return
    path = database.beside(db)
    path.unlink(missing_ok=True)
    command = interpreter.command(MODULE, variant, *map(str, (path, *files)))
    try:
        # A group of its own: Ctrl-C is for the first process, which ends the second.
        with subprocess.Popen(
            command,
            env=interpreter.environment(),
            stdin=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            process_group=0,
        ) as process:
            try:
                yield
                _, said = process.communicate()
            finally:
                process.kill()
        _check(process.returncode, said.decode().strip())
        database.take_over(db, path, tables)
    finally:
        path.unlink(missing_ok=True)


def _check(code: int, said: str) -> None:
    """Raise what a second process that ended with this code, and said this, has failed with."""
    if code == MachineError.exit_code:
        raise MachineError(said)
    if code < 0:
        raise MachineError(f"a process that read journals was ended by signal {-code}")
    if code:
        raise RuntimeError(f"a process that read journals ended with {code}: {said}")
