"""Readiness, one look at a time, against real sockets."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from vaultstorm.foreign import ready


@contextmanager
def answering(answer: bytes | None) -> Iterator[int]:
    """Listen, and give every connection this answer; with None, close it at once."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                with connection:
                    if answer is not None and connection.recv(9999):
                        connection.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield server.getsockname()[1]
        finally:
            server.shutdown(socket.SHUT_RDWR)
            thread.join()


def response(status: str) -> bytes:
    """Give a whole answer."""
    return f"HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n".encode()


@pytest.mark.parametrize(
    "answer, path, said",
    [
        (response("200 OK"), "/", None),
        (response("404 Not Found"), "/", None),
        (response("499 Hm"), "/", None),
        (response("500 No"), "/", "it answers 500 to GET /"),
        (b"hello\r\n", "/", "it answers no HTTP: hello\r\n"),
        (b"hello", "connect", None),
        (None, "connect", "it closes connections at once"),
    ],
    ids=range(7),
)
def test_what_is_missing_is_said(answer: bytes | None, path: str, said: str | None) -> None:
    """Below 500 is ready; a connection has to stand."""
    with answering(answer) as port:
        assert ready.why_not(path, "http", "127.0.0.1", port) == said


def test_nobody_listens() -> None:
    """That is said, for both kinds."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    for path in ("/", "connect"):
        assert ready.why_not(path, "http", "127.0.0.1", port) == "nobody listens"


def test_what_cannot_be_asked_is_said() -> None:
    """A path with a space; a server without TLS."""
    with answering(response("200 OK")) as port:
        said = ready.why_not("/a b", "http", "127.0.0.1", port)
        assert said is not None
        assert "'/a b'" in said or "/a b" in said
        assert ready.why_not("/", "https", "127.0.0.1", port) is not None
