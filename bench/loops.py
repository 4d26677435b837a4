"""What stands below every HTTPS client in Python: ``-m bench.loops KIND PORT CLIENTS REQUESTS``.

KIND is ``epoll``, a loop of non-blocking sockets with ssl and nothing else, or ``uvloop``, streams
of asyncio on it. Each of CLIENTS makes REQUESTS connections one after the other, with one GET on
each, and keeps no record of any. Prints ``{"completed": …, "failed": …, "seconds": …}``.
"""

import asyncio
import contextlib
import json
import select
import socket
import ssl
import sys
import time
from collections.abc import Callable
from typing import Final

import uvloop

from bench.https import context, request

_GET: Final = request("/", close=True)
_ANY: Final = 65536


class Counts:
    """How the connections of a run ended."""

    def __init__(self) -> None:
        self.completed = self.failed = 0

    def ended(self, received: bytes) -> None:
        """Count one: what came has to be a whole answer, since the server has closed."""
        good = received.startswith(b"HTTP/1.1 200 ")
        self.completed += good
        self.failed += not good


class _Connection:
    """One connection of the epoll loop: handshake, request, answer, end."""

    def __init__(self, port: int, tls: ssl.SSLContext) -> None:
        self.socket = socket.socket()
        self.socket.setblocking(False)
        self.socket.connect_ex(("127.0.0.1", port))
        self.descriptor = self.socket.fileno()
        self.received = b""
        self._tls = tls
        self._step: Callable[[], bool] = self._connected

    def go_on(self) -> int:
        """Do what can be done; give what to wait for, 0 at the end."""
        try:
            while self._step():
                pass
        except ssl.SSLWantReadError:
            return select.EPOLLIN
        except ssl.SSLWantWriteError:
            return select.EPOLLOUT
        except OSError:
            self.received = b""
        return 0

    def _connected(self) -> bool:
        self.socket.getpeername()  # raises if the connect failed
        self.socket = self._wrapped = self._tls.wrap_socket(
            self.socket, do_handshake_on_connect=False, server_hostname="localhost"
        )
        self._step = self._handshake
        return True

    def _handshake(self) -> bool:
        self._wrapped.do_handshake()
        self._wrapped.send(_GET)
        self._step = self._receive
        return True

    def _receive(self) -> bool:
        data = self.socket.recv(_ANY)
        self.received += data
        return bool(data)


def epoll(port: int, clients: int, requests: int) -> Counts:
    """Run them all in one loop."""
    counts, tls = Counts(), context()
    poll = select.epoll()
    running: dict[int, tuple[_Connection, int]] = {}

    def begin(left: int) -> None:
        connection = _Connection(port, tls)
        running[connection.descriptor] = (connection, left)
        poll.register(connection.socket, select.EPOLLOUT)

    for _ in range(clients):
        begin(requests - 1)
    while running:
        for descriptor, _event in poll.poll():
            connection, left = running[descriptor]
            wanted = connection.go_on()
            if wanted:
                poll.modify(descriptor, wanted)
                continue
            del running[descriptor]
            connection.socket.close()
            counts.ended(connection.received)
            if left:
                begin(left - 1)
    return counts


async def streams(port: int, clients: int, requests: int) -> Counts:
    """Run each client as a task."""
    counts, tls = Counts(), context()

    async def client() -> None:
        for _ in range(requests):
            received = b""
            with contextlib.suppress(OSError):
                reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=tls)
                writer.write(_GET)
                received = await reader.read()
                writer.close()
            counts.ended(received)

    async with asyncio.TaskGroup() as group:
        for _ in range(clients):
            group.create_task(client())
    return counts


def main(kind: str, port: int, clients: int, requests: int) -> None:
    """Run, and say what came of it."""
    begun = time.perf_counter()
    if kind == "epoll":
        counts = epoll(port, clients, requests)
    else:
        counts = uvloop.run(streams(port, clients, requests))
    seconds = time.perf_counter() - begun
    print(json.dumps({**vars(counts), "seconds": seconds}))


if __name__ == "__main__":
    main(sys.argv[1], *map(int, sys.argv[2:5]))
