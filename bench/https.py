"""A blocking HTTPS client of a few lines, for the bench's own questions to a server."""

import socket
import ssl
from typing import Final, NamedTuple

LONGEST: Final = 1 << 20


class Answer(NamedTuple):
    """One whole answer."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes


def context() -> ssl.SSLContext:
    """Make a context for TLS 1.3 that believes any certificate: all servers here are our own."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    made.minimum_version = ssl.TLSVersion.TLSv1_3
    made.check_hostname = False
    made.verify_mode = ssl.CERT_NONE
    return made


def connect(port: int, tls: ssl.SSLContext, timeout: float = 30.0) -> ssl.SSLSocket:
    """Open one TLS connection to 127.0.0.1."""
    raw = socket.create_connection(("127.0.0.1", port), timeout)
    try:
        return tls.wrap_socket(raw, server_hostname="localhost")
    except BaseException:
        raw.close()
        raise


def request(path: str, method: str = "GET", body: bytes = b"", *, close: bool = False) -> bytes:
    """Write one request down; `close` asks for the end of the connection."""
    length = f"Content-Length: {len(body)}\r\n" if body or method in ("PUT", "POST") else ""
    if close:
        length += "Connection: close\r\n"
    return f"{method} {path} HTTP/1.1\r\nHost: localhost\r\n{length}\r\n".encode() + body


def ask(connection: ssl.SSLSocket, path: str, method: str = "GET", body: bytes = b"") -> Answer:
    """Send one request, and read its whole answer; the connection stays open.

    Raises:
        ConnectionError: it ended first.
        ValueError: what came is no answer with a Content-Length.
    """
    connection.sendall(request(path, method, body))
    return answer(connection)


def answer(connection: ssl.SSLSocket) -> Answer:
    """Read one whole answer.

    Raises:
        ConnectionError: it ended first.
        ValueError: what came is no answer with a Content-Length.
    """
    received = b""
    while b"\r\n\r\n" not in received:
        received += _receive(connection, received)
    head, _, body = received.partition(b"\r\n\r\n")
    status_line, *lines = head.decode("latin-1").split("\r\n")
    headers = [(name, value.strip()) for name, _, value in (line.partition(":") for line in lines)]
    lengths = [int(value) for name, value in headers if name.lower() == "content-length"]
    if len(lengths) != 1:
        raise ValueError(f"no single Content-Length in {head[:200]!r}")
    while len(body) < lengths[0]:
        body += _receive(connection, body)
    return Answer(int(status_line.split()[1]), headers, body)


def _receive(connection: ssl.SSLSocket, before: bytes) -> bytes:
    data = connection.recv(65536)
    if not data:
        raise ConnectionError("closed before the answer was complete")
    if len(before) > LONGEST:
        raise ValueError("an answer without an end")
    return data
