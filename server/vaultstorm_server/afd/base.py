"""What the listeners of all overflow styles share: pace, gate, back-off, statistics, the end."""

import asyncio
import contextlib
import errno
import socket
import struct
import warnings
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import ClassVar, Final

import structlog
from msgspec import Struct

from vaultstorm_server import clock
from vaultstorm_server.afd import bind, kernel
from vaultstorm_server.afd.chronicle import Chronicle
from vaultstorm_server.afd.policy import AcceptQueue, QueueStatistics
from vaultstorm_server.journal import JournalFile
from vaultstorm_server.settings import Settings

log = structlog.get_logger()

Take = Callable[[socket.socket, str], None]
"""The application's accept: a non-blocking socket with TCP_NODELAY, and its peer as ``ip:port``."""

ACCEPT_CAPACITY_ERRNOS: Final = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})
"""What accept(2) raises when the process or the machine has nothing left to accept with.

Linux looks for a descriptor before it looks at the queue (do_accept), so no connection is lost.
"""

RETRY_AFTER: Final = 0.1
"""Seconds until the next accept when it failed with one of them."""

_RST_ON_CLOSE: Final = struct.pack("ii", 1, 0)  # SO_LINGER on, 0 s: close() sends RST


class ListenerStatistics(Struct, frozen=True, kw_only=True):
    """A listener as it is: the emulated queue, and the kernel's own beside it."""

    style: str
    listening: bool
    """Not so between a stop and the next start."""
    gate_open: bool
    paused: bool
    """SYNs are being refused or dropped."""
    pauses: int
    """How often they were, this time included."""
    out_of_descriptors: bool
    queue: QueueStatistics
    kernel: kernel.KernelView
    """Its counters since the listener was opened."""
    protecting: bool = False
    """TcpMaxPortsExhausted was reached, and the queue has not been empty since."""
    refused: int = 0
    """SYNs that count for it, as far as they were looked at."""


class Listener(ABC):
    """A listening socket whose accept queue overflows as AFD.SYS's does.

    The application takes one connection every AcceptInterval seconds; with 0, all that are queued
    once per loop turn, after the queue has been given what the kernel has. Where the loop comes
    late (its timers count milliseconds, and TLS takes its time), the application takes what has
    become due meanwhile: the real one does not wait for HTTP.SYS.

    It can be stopped and started again on its port: counts and gate outlive that, the connections
    in the queue and what growth had made do not.
    """

    style: ClassVar[str]
    pause_style: ClassVar[str] = "refuse"

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        sock: socket.socket,
        queue: AcceptQueue,
        settings: Settings,
        take: Take,
        journal: JournalFile,
    ) -> None:
        self._stopped = True
        self._loop = loop
        self._sock = sock
        self._queue = queue
        self._interval = settings.afd.AcceptInterval
        self._take = take
        self._gate_open = True
        self._ready_at = 0.0
        self._idle = True
        self._planned: asyncio.Handle | None = None
        self._growth: asyncio.TimerHandle | None = None
        self._retry: asyncio.TimerHandle | None = None
        self._exhausted = False
        self._paused_at: float | None = None
        self._pauses = 0
        self._caught = 0
        self._address: tuple[str, int] = sock.getsockname()[:2]
        self._chronicle = Chronicle(journal, self.port, self.pause_style)
        self._kernel_before = kernel.view(sock)
        self.start()

    @property
    def host(self) -> str:
        """The address it is bound to."""
        return self._address[0]

    @property
    def port(self) -> int:
        """The port it is bound to, also where 0 was asked for."""
        return self._address[1]

    def set_gate(self, open: bool) -> None:
        """Let the application take connections, or hold it back while the queue goes on filling."""
        self._gate_open = open
        self._settle()

    @property
    def queue(self) -> QueueStatistics:
        """What the emulated queue has counted."""
        if not self._stopped:
            self._settle()
        return self._queue.statistics()

    def statistics(self) -> ListenerStatistics:
        """Everything that was counted, and the kernel's view."""
        queue = self.queue
        return ListenerStatistics(
            style=self.style,
            listening=not self._stopped,
            gate_open=self._gate_open,
            paused=self._paused_at is not None,
            pauses=self._pauses,
            out_of_descriptors=self._exhausted,
            queue=queue,
            kernel=kernel.view(self._sock).since(self._kernel_before),
        )

    def start(self) -> None:
        """Listen with an empty queue; raises OSError if another has taken the port meanwhile."""
        if self._stopped:
            self._queue.listen_again()
            self._ready_at = 0.0
            self._idle = True
            self._listen()
            self._stopped = False

    def stop(self) -> None:
        """Stop listening and keep the port: a SYN gets RST, and what still waits is reset."""
        if self._stopped:
            return
        self._stopped = True
        for handle in (self._planned, self._growth, self._retry):
            if handle is not None:
                handle.cancel()
        self._planned = self._growth = self._retry = None
        self._unwatch()
        self._reset_waiting()
        self._end_pause()
        # Of a closed descriptor the port would go to the next client that connects from here.
        with contextlib.suppress(OSError):  # a full queue that refuses has shut it down already
            self._sock.shutdown(socket.SHUT_RD)

    def close(self) -> None:
        """Stop listening, and give the port back. Does nothing the second time."""
        self.stop()
        self._sock.close()

    @abstractmethod
    def _listen(self) -> None:
        """Begin to listen and to watch."""

    @abstractmethod
    def _watch(self) -> None:
        """Have the loop call `_wake` when connections arrive."""

    @abstractmethod
    def _unwatch(self) -> None:
        """Undo `_watch`; it may not be in force."""

    @abstractmethod
    def _wake(self) -> None:
        """Give the queue what has arrived."""

    @abstractmethod
    def _next(self) -> tuple[socket.socket, str] | None:
        """The queued connection that the application takes next; None if it cannot be had."""

    @abstractmethod
    def _adjust(self, now: float) -> None:
        """Bring the socket in line with the room that the queue has."""

    @abstractmethod
    def _reset_waiting(self) -> None:
        """Reset what waits for the application, here or in the kernel."""

    def _settle(self) -> None:
        """Plan what follows from the state of the queue; called after every change of it."""
        if self._stopped:
            return
        now = clock.now()
        self._queue.advance(now)
        self._adjust(now)
        due = self._queue.growth_due
        if due is not None and self._growth is None:
            self._growth = self._loop.call_later(max(0.0, due - now), self._grow)
        may_take = self._gate_open and self._may_take()
        if may_take and self._idle:
            self._ready_at = max(self._ready_at, now)  # time without work is not saved up
        self._idle = not may_take
        if self._planned is None and may_take:
            wait = self._ready_at - now if self._interval else 0.0
            self._planned = (
                self._loop.call_later(wait, self._turn)
                if wait > 0
                else self._loop.call_soon(self._turn)
            )

    def _may_take(self) -> bool:
        return self._queue.queued > 0

    def _grow(self) -> None:
        self._growth = None
        self._settle()

    def _turn(self) -> None:
        """Let the application take what is its due in this turn of the loop."""
        self._planned = None
        began = clock.now()
        try:
            for _ in range(self._queue.queued):
                if self._stopped or not self._gate_open or self._ready_at > began:
                    break
                connection = self._next()
                if connection is None:
                    break
                self._queue.accept(clock.now())
                self._ready_at += self._interval
                self._take(*connection)
        finally:
            self._settle()

    def _accept(self) -> tuple[socket.socket, str] | None:
        """Accept from the kernel: None if nothing is there, or nothing to accept it with."""
        try:
            sock, address = self._sock.accept()
        except BlockingIOError:
            self._recovered()
            return None
        except OSError as error:
            if error.errno not in ACCEPT_CAPACITY_ERRNOS:
                raise
            self._back_off(error)
            return None
        self._recovered()
        return sock, bind.name(address)

    def _back_off(self, error: OSError) -> None:
        """Leave the kernel's queue alone for a while, and say so the first time."""
        if self._stopped:
            return
        if not self._exhausted:
            self._exhausted = True
            reason = errno.errorcode[error.errno or 0]
            log.error("accept_suspended", port=self.port, errno=reason, error=error.strerror)
            self._chronicle.event("accept_suspended", reason)
        self._unwatch()  # it would report readable for ever
        self._retry = self._loop.call_later(RETRY_AFTER, self._try_again)

    def _try_again(self) -> None:
        self._retry = None
        self._watch()
        self._wake()

    def _recovered(self) -> None:
        if not self._exhausted:
            return
        self._exhausted = False
        log.info("accept_resumed", port=self.port)
        self._chronicle.event("accept_resumed")

    def _turn_away(self, sock: socket.socket, peer: str, cause: str) -> None:
        """Reset a connection whose handshake is done, as SynAttackProtect has it (KB903927)."""
        # The record first: the RST wakes the client, which may have the processor for long then.
        self._chronicle.turned_away(peer, cause)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RST_ON_CLOSE)
        sock.close()

    def _begin_pause(self, now: float) -> None:
        self._paused_at = now
        self._pauses += 1
        self._chronicle.pause_began(now)

    def _end_pause(self) -> None:
        if self._paused_at is not None:
            self._chronicle.pause_ended(self._paused_at, self._caught)
        self._paused_at = None
        self._caught = 0

    def __del__(self) -> None:
        if not getattr(self, "_stopped", True):
            warnings.warn(f"unclosed {self!r}", ResourceWarning, stacklevel=2, source=self)
            self._sock.close()

    def __repr__(self) -> str:
        if self._stopped:
            state = "closed" if self._sock.fileno() < 0 else "stopped"
        else:
            gate = "open" if self._gate_open else "closed"
            paused = ", paused" if self._paused_at is not None else ""
            state = f"{self._queue.queued} of {self._queue.capacity} queued, gate {gate}{paused}"
        return f"<{type(self).__name__} {bind.name(self._address)}: {state}>"
