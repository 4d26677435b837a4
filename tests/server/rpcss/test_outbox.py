"""What goes out goes behind the journal, once a turn."""

import asyncio
from pathlib import Path

from vaultstorm_server.journal import JournalFile
from vaultstorm_server.rpcss.outbox import Outbox
from vaultstorm_wire.journal import Event


class Writer:
    """Sees how long the journal is when it may write."""

    def __init__(self, journal: JournalFile) -> None:
        self._journal = journal
        self.seen: list[int] = []

    def write(self) -> None:
        """Look at the file."""
        assert self._journal.path is not None
        self.seen.append(len(self._journal.path.read_bytes().splitlines()))


def test_the_journal_is_written_before_anybody_writes(tmp_path: Path) -> None:
    """Two writers that ask three times write once each, and find the record on disk."""

    async def turn() -> None:
        loop = asyncio.get_running_loop()
        file = JournalFile(tmp_path, "front")
        outbox = Outbox(loop, file)
        first, second = Writer(file), Writer(file)
        for writer in (first, second, first):
            outbox.add(writer)
        file.append(Event(time=1.0, name="executed"))
        assert first.seen == []
        await asyncio.sleep(0)
        assert (first.seen, second.seen) == ([2], [2])
        await asyncio.sleep(0)
        assert first.seen == [2]
        file.close()

    asyncio.run(turn())


def test_it_can_be_emptied_at_once(tmp_path: Path) -> None:
    """What was flushed is not written again when its turn comes."""

    async def turn() -> None:
        file = JournalFile(tmp_path, "front")
        outbox = Outbox(asyncio.get_running_loop(), file)
        writer = Writer(file)
        outbox.add(writer)
        outbox.flush()
        outbox.flush()
        await asyncio.sleep(0)
        assert writer.seen == [1]
        file.close()

    asyncio.run(turn())
