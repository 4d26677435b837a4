"""Python's own http.client: one connection object for each thread, kept for all its requests."""

import http.client
from collections.abc import Callable
from urllib.parse import urlsplit

from bench.clients import load

asked = load.read()
parts = urlsplit(asked.url)


def sender() -> Callable[[str], int]:
    """Make a thread's connection."""
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection: http.client.HTTPConnection = kind(parts.netloc)

    def send(name: str) -> int:
        try:
            connection.request(asked.method, parts.path, asked.body, {"X-Request-Id": name})
            response = connection.getresponse()
            response.read()
        except OSError:
            connection.close()  # or it refuses every further request: CannotSendRequest
            raise
        return response.status

    return send


load.leave(load.by_threads(asked, sender))
