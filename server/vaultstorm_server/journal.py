"""The journal file of one server process."""

import asyncio
import contextlib
import os
from pathlib import Path

import structlog

from vaultstorm_server import clock
from vaultstorm_wire import journal
from vaultstorm_wire.errors import MachineError

log = structlog.get_logger()


class JournalFile:
    """Appends records to ``DIR/ROLE-PID.ndjson``; without a directory it keeps none.

    Args:
        directory: made if it is not there; None for no journal.
        role: ``front`` or ``worker``.
        loop: flushes once per turn of it, so that kill -9 costs at most the turn's records;
            without one, call `flush`.

    Raises:
        MachineError: the directory or the file cannot be made.
    """

    def __init__(
        self, directory: Path | None, role: str, loop: asyncio.AbstractEventLoop | None = None
    ) -> None:
        self.path = directory / f"{role}-{os.getpid()}.ndjson" if directory else None
        self._loop = loop
        self._flushing = False
        self._failed = False
        self._lines: journal.Lines | None = None
        if directory is None or self.path is None:
            return
        try:
            directory.mkdir(parents=True, exist_ok=True)
            self._file = self.path.open("ab", buffering=0)
        except OSError as error:
            raise MachineError(
                f"cannot write a journal in {directory}: {error.strerror}; "
                "name another directory with --journal"
            ) from error
        self._lines = journal.Lines(self._file.write)
        self.append(journal.Journal(time=clock.now(), role=role, pid=os.getpid()))
        self.flush()

    def append(self, record: journal.AnyRecord) -> None:
        """Keep `record` for the next flush."""
        if self._lines is None:
            return
        self._lines.append(record)
        if self._loop is not None and not self._flushing:
            self._flushing = True
            self._loop.call_soon(self.flush)

    def flush(self) -> None:
        """Write what was appended. A full disk is logged once; the server goes on without."""
        self._flushing = False
        if self._lines is None:
            return
        whole = self._file.seek(0, os.SEEK_END)
        try:
            self._lines.flush()
        except OSError as error:
            with contextlib.suppress(OSError):  # or half a line would spoil the next one's
                self._file.truncate(whole)
            if not self._failed:
                log.error("journal_incomplete", path=str(self.path), error=error.strerror)
            self._failed = True

    def close(self) -> None:
        """Flush and close."""
        self.flush()
        if self._lines is not None:
            self._file.close()
            self._lines = None
