"""Overflow as Linux has it: the SYN is dropped, and the client sends it again after 1, 3, 7 s."""

import select
import socket
from typing import ClassVar

import structlog

from vaultstorm_server import clock
from vaultstorm_server.afd import kernel
from vaultstorm_server.afd.base import Listener
from vaultstorm_wire.errors import MachineError

log = structlog.get_logger()


class DropListener(Listener):
    """Leaves the queueing to the kernel, and tells the policy what the kernel has done.

    A connection is accepted when the application takes it, not before. `listen(n)` lets n + 1 wait
    (sk_acceptq_is_full); `listen()` again changes n, which is how the queue grows and shrinks.
    Clients whose SYNs arrive in the same instant can all pass that test; those that find no room
    when their handshake ends believe they are connected, and their last ACK is what is dropped.
    """

    style: ClassVar[str] = "drop"
    pause_style: ClassVar[str] = "drop"

    def _listen(self) -> None:
        self._capacity = 0
        self._events = select.epoll()
        self._fit()
        _, limit = kernel.queue_and_limit(self._sock)
        if limit is None:
            raise MachineError(
                "--overflow drop needs TCP_INFO of a listener, which this system does not give: "
                "use --overflow reset; --overflow refuse; or a Linux kernel of its own"
            )
        if limit + 1 < self._capacity:
            log.warning(
                "kernel_backlog_cut", asked=self._capacity, fits=limit + 1, by="net.core.somaxconn"
            )
        # Edge-triggered: one wake-up for each arrival, none for what goes on waiting. The loop
        # knows only level-triggered descriptors, and an epoll descriptor is one.
        self._events.register(self._sock, select.EPOLLIN | select.EPOLLET)
        self._watch()

    def _watch(self) -> None:
        self._loop.add_reader(self._events.fileno(), self._wake)

    def _unwatch(self) -> None:
        self._loop.remove_reader(self._events.fileno())

    def _wake(self) -> None:
        self._events.poll(0, 1)
        self._settle()

    def _may_take(self) -> bool:
        return self._queue.queued > 0 and self._retry is None

    def _next(self) -> tuple[socket.socket, str] | None:
        connection = self._accept()
        if connection is not None:
            connection[0].setblocking(False)
        return connection

    def _adjust(self, now: float) -> None:
        self._feed(now)
        self._queue.advance(now)
        self._fit()
        waiting, limit = kernel.queue_and_limit(self._sock)
        full = waiting is not None and limit is not None and waiting > limit
        if full and self._paused_at is None:
            self._begin_pause(now)
        elif not full:
            self._end_pause()

    def _feed(self, now: float) -> None:
        """Tell the policy of the connections that wait and that it does not know."""
        waiting, _ = kernel.queue_and_limit(self._sock)
        while self._queue.queued < (waiting or 0) and not self._queue.full:
            self._queue.arrive(now)

    def _fit(self) -> None:
        """Have the kernel's queue hold as many as the policy's."""
        capacity = self._queue.capacity
        if capacity != self._capacity:
            self._sock.listen(capacity - 1)
            self._capacity = capacity

    def _reset_waiting(self) -> None:
        now = clock.now()
        self._feed(now)
        while (connection := self._accept()) is not None:
            if self._queue.queued:
                self._queue.abandon(now)
            self._turn_away(*connection, cause="stopping")

    def stop(self) -> None:
        """Stop listening and keep the port: a SYN gets RST, and what still waits is reset."""
        super().stop()
        self._events.close()
