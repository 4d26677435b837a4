"""A server on loopback that does to its connections whatever a test tells it to.

Each connection has a thread of its own, which runs the test's behaviour: a function of `Peer`.
"""

import contextlib
import re
import socket
import ssl
import struct
import threading
from collections.abc import Callable
from typing import Self

_LENGTH = re.compile(rb"\r\nContent-Length: ([0-9]+)\r\n")
_ID = re.compile(rb"\r\nX-Request-Id: ([^\r]+)\r\n")
_RESET = struct.pack("ii", 1, 0)

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
BYE = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"


class Peer:
    """One connection, as its behaviour sees it.

    Attributes:
        number: which connection of its server it is, beginning with 0.
        sock: the connection, through TLS if its server speaks TLS.
    """

    def __init__(self, server: "Misbehaving", sock: socket.socket, number: int) -> None:
        self.server = server
        self.sock = sock
        self.number = number
        self._unread = b""

    def head(self) -> bytes | None:
        """Read a request's head, and note its id; None at the client's end."""
        while b"\r\n\r\n" not in self._unread:
            data = self.sock.recv(65536)
            if not data:
                return None
            self._unread += data
        head, _, self._unread = self._unread.partition(b"\r\n\r\n")
        head += b"\r\n\r\n"
        found = _ID.search(head)
        if found is not None:
            self.server.seen.append(found[1].decode())
        return head

    def request(self) -> bytes | None:
        """Read a whole request, and note its id; None at the client's end."""
        head = self.head()
        if head is None:
            return None
        found = _LENGTH.search(head)
        length = int(found[1]) if found is not None else 0
        while len(self._unread) < length:
            self._unread += self.sock.recv(65536)
        body, self._unread = self._unread[:length], self._unread[length:]
        return head + body

    def say(self, data: bytes) -> None:
        """Send some bytes."""
        self.sock.sendall(data)

    def reset(self) -> None:
        """Send a RST."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        self.sock.close()

    def finish(self) -> None:
        """Send a FIN, behind a close_notify if this is TLS, and take what still comes."""
        if isinstance(self.sock, ssl.SSLSocket):
            self.sock = self.sock.unwrap()
        self.sock.shutdown(socket.SHUT_WR)
        self.silence()

    def silence(self) -> None:
        """Take what comes and say nothing, to the client's end."""
        while self.sock.recv(65536):
            pass


Behaviour = Callable[[Peer], None]


class Misbehaving:
    """Listens on a free port of 127.0.0.1 for as long as its `with` block lasts.

    Args:
        behave: what is done to each connection; it is closed afterwards.
        tls: for a server that speaks TLS.

    Attributes:
        seen: the ids of the requests read, in order.
        errors: what behaviours raised that is no error of the network.
    """

    def __init__(self, behave: Behaviour, tls: ssl.SSLContext | None = None) -> None:
        self.seen: list[str] = []
        self.errors: list[BaseException] = []
        self._behave = behave
        self._tls = tls
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
        self._open: set[socket.socket] = set()
        self._threads: list[threading.Thread] = []
        self._acceptor = threading.Thread(target=self._accept)
        self.port: int = self._listener.getsockname()[1]

    @property
    def connections(self) -> int:
        """How many connections have been accepted."""
        return len(self._threads)

    def __enter__(self) -> Self:
        self._acceptor.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._acceptor.join()
        self._listener.close()
        for sock in list(self._open):
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join()
        assert not self.errors, self.errors

    def _accept(self) -> None:
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:  # shut down
                return
            self._open.add(sock)
            thread = threading.Thread(target=self._serve, args=(sock, len(self._threads)))
            self._threads.append(thread)
            thread.start()

    def _serve(self, sock: socket.socket, number: int) -> None:
        peer = Peer(self, sock, number)
        try:
            if self._tls is not None:
                self._open.discard(sock)
                peer.sock = self._tls.wrap_socket(sock, server_side=True)
                self._open.add(peer.sock)
            self._behave(peer)
        except OSError:  # the client went away, or never liked this server
            pass
        except BaseException as error:
            self.errors.append(error)
        finally:
            self._open -= {sock, peer.sock}
            peer.sock.close()
            sock.close()


def answering(answer: bytes = OK) -> Behaviour:
    """Answer every request alike, and keep the connection."""

    def behave(peer: Peer) -> None:
        while peer.request() is not None:
            peer.say(answer)

    return behave


def once(answer: bytes, then: Behaviour = Peer.finish) -> Behaviour:
    """Read one request, say `answer`, and go on with `then`."""

    def behave(peer: Peer) -> None:
        if peer.request() is not None:
            peer.say(answer)
            then(peer)

    return behave
