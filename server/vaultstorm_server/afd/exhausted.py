"""Overflow with TcpMaxPortsExhausted: RST to the SYN, and after so many the handshake, then RST."""

import asyncio
import socket
from typing import ClassVar, Final

import structlog
from msgspec.structs import replace

from vaultstorm_server.afd.base import ListenerStatistics, Take
from vaultstorm_server.afd.policy import AcceptQueue
from vaultstorm_server.afd.protection import Protection
from vaultstorm_server.afd.refusals import Count, Refusals
from vaultstorm_server.afd.refuse import RefuseListener
from vaultstorm_server.journal import JournalFile
from vaultstorm_server.settings import Settings
from vaultstorm_wire.errors import MachineError

log = structlog.get_logger()

LOOK_EVERY: Final = 0.001
"""Seconds between two looks at the count while SYNs are refused."""


class ExhaustedListener(RefuseListener):
    """Refuses until enough SYNs were refused, then listens again and resets the surplus.

    Only SYNs that were refused count: whose handshake was done when the queue became full is reset,
    as under protection. The count is the machine's, as the real one is, and is looked at, not
    waited for: a burst can have more SYNs refused than the limit says. Where the count cannot be
    had, protection acts.

    Args:
        loop: runs the listener.
        sock: bound, not listening.
        queue: of the application.
        settings: `afd` and `tcpip` count.
        take: the application's accept.
        journal: gets what is turned away.
        count: of the SYNs refused by the machine.

    Raises:
        MachineError: the count cannot be had.
    """

    style: ClassVar[str] = "exhausted"

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        sock: socket.socket,
        queue: AcceptQueue,
        settings: Settings,
        take: Take,
        journal: JournalFile,
        count: Count | None = None,
    ) -> None:
        self._protection = Protection(settings.tcpip.TcpMaxPortsExhausted)
        self._count = count or Refusals()
        self._before: int | None = 0
        self._counted = 0
        self._look: asyncio.TimerHandle | None = None
        if self._count() is None:
            raise MachineError(
                "tcpip.TcpMaxPortsExhausted needs the counters of /proc/net/snmp and "
                "/proc/net/netstat, which this system does not give: leave it at 0; use "
                "--overflow refuse; or a Linux kernel of its own"
            )
        super().__init__(loop, sock, queue, settings, take, journal)

    def statistics(self) -> ListenerStatistics:
        """Everything that was counted, and the kernel's view."""
        statistics = super().statistics()
        return replace(
            statistics, protecting=self._protection.acting, refused=self._protection.refused
        )

    def _listen(self) -> None:
        self._protection.emptied()
        super()._listen()

    def _refuses(self) -> bool:
        return not self._protection.acting and super()._refuses()

    def _pause(self) -> None:
        self._before = self._count()  # whom shutdown() resets in the kernel is refused, too
        self._counted = 0
        super()._pause()
        self._look = self._loop.call_later(LOOK_EVERY, self._look_again)

    def _look_again(self) -> None:
        self._look = None
        self._count_refused()
        if self._protection.acting:
            self._settle()
        else:
            self._look = self._loop.call_later(LOOK_EVERY, self._look_again)

    def _count_refused(self) -> None:
        """Tell the protection of those that were refused since it was last told."""
        if self._protection.acting:
            return
        count = self._count()
        if count is None or self._before is None:
            log.error("refusals_not_counted", port=self.port)
            began = self._protection.act()
        else:
            refused = max(0, count - self._before)
            began = self._protection.refuse(max(0, refused - self._counted))
            self._counted = max(refused, self._counted)
        if began:
            self._chronicle.event("protection_began", f"{self._protection.refused} refused")

    def _end_pause(self) -> None:
        if self._look is not None:
            self._look.cancel()
            self._look = None
        if self._paused_at is not None and not self._stopped:
            self._count_refused()
        super()._end_pause()

    def _adjust(self, now: float) -> None:
        super()._adjust(now)
        if self._queue.queued == 0 and self._paused_at is None:
            self._caught = 0
            if self._protection.emptied():
                self._chronicle.event("protection_ended")
