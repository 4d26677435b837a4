"""One connection to a vault and the interface that is open on it, for the bench."""

import contextlib
import hashlib
import json
from types import TracebackType
from typing import Final, Self

from bench.https import Answer, ask, connect, context, request

ROOT: Final = "/AeXRSVault/interfaces"
_TLS: Final = context()


class Refused(Exception):
    """An answer other than 2xx."""


class Interface:
    """Opens a connection and an interface; a context manager that ends the connection.

    Args:
        port: of the server on 127.0.0.1.
        timeout: of every wait, in seconds.

    Raises:
        OSError: there is no connection.
        ValueError: what answers is no HTTP server.
        Refused: no interface is to be had.
    """

    def __init__(self, port: int, timeout: float = 30.0) -> None:
        with contextlib.ExitStack() as stack:
            self.connection = stack.enter_context(connect(port, _TLS, timeout))
            opened = _agreed(ask(self.connection, ROOT, "POST"))
            self._base = f"{ROOT}/{json.loads(opened.body)['interface']}"
            stack.pop_all()

    def __enter__(self) -> Self:
        """Give it."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End the connection; the interface is left to DoCleanUp."""
        self.connection.close()

    def put_request(self, block: bytes) -> tuple[str, bytes]:
        """Give the name of a block, and the request that puts it."""
        name = hashlib.sha256(block).hexdigest()
        return name, request(f"{self._base}/blocks/{name}", "PUT", block)

    def get_request(self, name: str) -> bytes:
        """Give the request that reads a block."""
        return request(f"{self._base}/blocks/{name}")

    def put(self, name: str, block: bytes) -> None:
        """Put a block, which is acknowledged on return."""
        self._ask(f"blocks/{name}", "PUT", block)

    def commit(self, name: str, manifest: bytes) -> None:
        """Commit a snapshot, which is acknowledged on return."""
        self._ask(f"snapshots/{name}", "PUT", manifest)

    def read(self, kind: str, name: str) -> Answer:
        """Ask for a block (kind ``blocks``) or a manifest (``snapshots``), whatever the answer."""
        return ask(self.connection, f"{self._base}/{kind}/{name}")

    def _ask(self, path: str, method: str, body: bytes) -> None:
        _agreed(ask(self.connection, f"{self._base}/{path}", method, body))


def _agreed(answer: Answer) -> Answer:
    if not 200 <= answer.status < 300:
        raise Refused(f"{answer.status}: {answer.body[:200]!r}")
    return answer
