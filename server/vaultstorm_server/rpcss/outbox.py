"""What goes out in a turn of the loop: first the journal, then the answers."""

import asyncio
from typing import Protocol

from vaultstorm_server.journal import JournalFile


class Writer(Protocol):
    """A connection that has something to send."""

    def write(self) -> None:
        """Send it."""


class Outbox:
    """Lets the answers of a turn go once the records of what was executed for them are on disk.

    One write of the journal serves all of them.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, journal: JournalFile) -> None:
        self._loop = loop
        self._journal = journal
        self._waiting: dict[Writer, None] = {}

    def add(self, writer: Writer) -> None:
        """Have `writer` write, soon."""
        if not self._waiting:
            self._loop.call_soon(self.flush)
        self._waiting[writer] = None

    def flush(self) -> None:
        """Write the journal, then let everybody write who has asked for it."""
        if not self._waiting:
            return
        self._journal.flush()
        waiting, self._waiting = self._waiting, {}
        for writer in waiting:
            writer.write()
