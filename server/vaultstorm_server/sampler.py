"""What the front process holds, moment by moment, in its journal: the time line of a run."""

import asyncio
from collections.abc import Callable
from typing import Final

import msgspec

from vaultstorm_server.journal import JournalFile
from vaultstorm_wire.journal import Sample

INTERVAL: Final = 0.02
"""Seconds between two looks: a chart shows 50 ms, and a look costs a few microseconds."""


class Sampler:
    """Appends a `Sample` whenever a look finds something changed.

    Args:
        loop: whose timer it runs on.
        journal: takes the samples.
        look: says what there is at the moment.
    """

    def __init__(
        self, loop: asyncio.AbstractEventLoop, journal: JournalFile, look: Callable[[], Sample]
    ) -> None:
        self._loop = loop
        self._journal = journal
        self._look = look
        self._last: Sample | None = None
        self._timer: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Look now, and again and again until `stop`. Without a journal there is nothing to do."""
        if self._journal.path is not None:
            self._tick()

    def stop(self) -> None:
        """Look one last time."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
            self.sample()

    def sample(self) -> None:
        """Look once."""
        seen = self._look()
        if self._last is None or msgspec.structs.replace(seen, time=self._last.time) != self._last:
            self._last = seen
            self._journal.append(seen)

    def _tick(self) -> None:
        self.sample()
        self._timer = self._loop.call_later(INTERVAL, self._tick)
