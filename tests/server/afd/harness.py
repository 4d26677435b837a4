"""Clients that say how each connection ended, and a listener with everything around it."""

import asyncio
import errno
import select
import socket
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

from vaultstorm_server.afd import bind
from vaultstorm_server.afd.listener import Listener, Take, open_listener
from vaultstorm_server.journal import JournalFile
from vaultstorm_server.settings import Afd, Settings, Tcpip
from vaultstorm_wire import journal

T = TypeVar("T", bound=journal.Record)

_ENDINGS = {errno.ECONNREFUSED: "refused", errno.ECONNRESET: "reset"}


def styled(style: str, **afd: Any) -> Settings:
    """Give the settings of an overflow style, of which one is not asked for by its name."""
    exhausted = Tcpip(TcpMaxPortsExhausted=5)
    tcpip = exhausted if style == exhausted.style else Tcpip(Overflow=style)
    return Settings(afd=Afd(**afd), tcpip=tcpip)


class Client:
    """A non-blocking connect, and what has become of it."""

    def __init__(self, address: tuple[str, int]) -> None:
        family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        self.sock = socket.socket(family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
        self._state = "connecting"
        code = self.sock.connect_ex(address)
        if code not in (0, errno.EINPROGRESS):
            self._state = _ENDINGS.get(code, errno.errorcode[code])
        self.local = bind.name(self.sock.getsockname())

    @property
    def state(self) -> str:
        """``connecting``, ``connected``, ``refused``, ``reset`` or ``closed``; the last is kept."""
        if self._state in ("connecting", "connected"):
            self._state = self._look()
        return self._state

    def _look(self) -> str:
        poll = select.poll()
        poll.register(self.sock, select.POLLIN | select.POLLOUT)
        if not poll.poll(0):
            return "connecting"
        try:
            if code := self.sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
                return _ENDINGS.get(code, errno.errorcode[code])
            return "connected" if self.sock.recv(1) else "closed"
        except BlockingIOError:
            return "connected"
        except ConnectionResetError:
            return "reset"


class Stage:
    """Opens listeners, connects to them, keeps what the application took, and cleans up."""

    def __init__(self, directory: Path) -> None:
        self.journal = JournalFile(directory, "front")
        self.taken: list[tuple[socket.socket, str]] = []
        self._clients: list[Client] = []
        self._listeners: list[Listener] = []

    def open(
        self,
        overflow: str = "reset",
        host: str = "127.0.0.1",
        gate: bool = True,
        take: Take | None = None,
        **afd: Any,
    ) -> Listener:
        """Open a listener on a free port; what it gives is in `taken` unless `take` is given."""
        listener = open_listener(
            asyncio.get_running_loop(),
            host,
            0,
            styled(overflow, **afd),
            take or (lambda sock, peer: self.taken.append((sock, peer))),
            self.journal,
        )
        self.keep(listener)
        listener.set_gate(gate)
        return listener

    def keep(self, listener: Listener) -> None:
        """Close a listener at the end that was opened elsewhere."""
        self._listeners.append(listener)

    def connect(self, listener: Listener, count: int) -> list[Client]:
        """Start `count` connects in one tight loop."""
        clients = [Client((listener.host, listener.port)) for _ in range(count)]
        self._clients += clients
        return clients

    def records(self, kind: type[T]) -> list[T]:
        """The records of one kind that were journalled."""
        self.journal.flush()
        assert self.journal.path is not None
        with self.journal.path.open("rb") as lines:
            return [record for record in journal.read(lines) if isinstance(record, kind)]

    def close(self) -> None:
        """Close all of it."""
        for listener in self._listeners:
            listener.close()
        for client in self._clients:
            client.sock.close()
        for sock, _ in self.taken:
            sock.close()
        self.journal.close()


def states(clients: Sequence[Client]) -> Counter[str]:
    """How many clients are in which state."""
    return Counter(client.state for client in clients)


def seen(listener: Listener) -> int:
    """How many connections the queue has judged."""
    queue = listener.statistics().queue
    return queue.admitted + queue.turned_away


async def until(condition: Callable[[], bool]) -> None:
    """Let the loop run until `condition` holds; a vain wait ends by TimeoutError."""
    async with asyncio.timeout(30):
        while not condition():  # noqa: ASYNC110 - it depends on the kernel, which sets no Event
            await asyncio.sleep(0.002)
