"""The samples of the time line."""

import asyncio
from pathlib import Path

import msgspec
import pytest

from vaultstorm_server.journal import JournalFile
from vaultstorm_server.sampler import Sampler
from vaultstorm_wire import journal
from vaultstorm_wire.journal import Sample

IDLE = Sample(time=1.0, free=10, queued=0, turned_away=0, open=0, waiting=0, in_flight=0)


def _written(path: Path | None) -> list[Sample]:
    assert path is not None
    with path.open("rb") as lines:
        return [record for record in journal.read(lines) if isinstance(record, Sample)]


@pytest.mark.asyncio
async def test_only_a_change_is_written(tmp_path: Path) -> None:
    """The same numbers at another time are no news; `stop` looks once more."""
    loop = asyncio.get_running_loop()
    file = JournalFile(tmp_path, "front", loop)
    seen = iter([1.0, 2.0, 3.0, 4.0])
    queued = [0]
    sampler = Sampler(
        loop, file, lambda: msgspec.structs.replace(IDLE, time=next(seen), queued=queued[0])
    )
    sampler.start()
    sampler.sample()
    queued[0] = 7
    sampler.sample()
    queued[0] = 8
    sampler.stop()
    sampler.stop()
    file.close()
    assert [(s.time, s.queued) for s in _written(file.path)] == [(1.0, 0), (3.0, 7), (4.0, 8)]


@pytest.mark.asyncio
async def test_without_a_journal_nobody_looks() -> None:
    """A server that keeps no journal spends nothing on samples."""

    def look() -> Sample:
        raise AssertionError("looked")

    sampler = Sampler(asyncio.get_running_loop(), JournalFile(None, "front"), look)
    sampler.start()
    sampler.stop()
