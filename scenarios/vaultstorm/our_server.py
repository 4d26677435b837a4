"""Our own server as a variant's: started with its settings, asked over its control plane."""

import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any
from urllib.parse import urlsplit

from vaultstorm.actions import OCCUPY, SIGNALS, Action
from vaultstorm.control import ask
from vaultstorm.counts import counted
from vaultstorm.last_words import because
from vaultstorm.serving import Serving, serving
from vaultstorm_wire.errors import MachineError


class OurServer:
    """A `vaultstorm serve` that is ready.

    Attributes:
        url: what the load is fired at.
        ca: whom the load trusts; None without TLS.
    """

    def __init__(self, server: Serving, scheme: str) -> None:
        ready = server.ready
        self.url = f"{scheme}://{ready.address}"
        if scheme == "rpc":
            assert ready.rpc is not None  # `serving` asks for it by its port
            self.url = ready.rpc
        self.ca = ready.ca if scheme == "https" else None
        self._server = server
        self._others: list[socket.socket] = []
        self._ending: str | None = None

    def poll(self) -> int | None:
        """Give its exit code, negative if a signal ended it; None while it runs."""
        return self._server.process.poll()

    def look(self, patience: float) -> dict[str, int] | None:
        """Give what it has counted; None if it cannot say."""
        try:
            status: Mapping[str, Any] = ask(self._server.ready.admin, "GET", "/status", patience)
        except MachineError:
            return None  # it is ending, or too busy to say: the next look will tell
        return counted(status, 0)

    def tick(self) -> None:
        """Look at its port: its own journal has that."""

    def act(self, action: Action, patience: float, meanwhile: Callable[[], None]) -> None:
        """Do one action to it, and wait until it is done. Raises MachineError."""
        del meanwhile
        verb, _, rest = action.action.partition(" ")
        if verb == OCCUPY:
            self._occupy(int(rest), patience)
            return
        if action.action not in SIGNALS:
            ask(self._server.ready.admin, "POST", action.path, patience)
            return
        self._ending = action.action
        if action.action == "kill":
            self._server.process.kill()
        else:
            self._server.ask_to_stop()

    def is_expected(self, code: int) -> bool:
        """Tell whether it has ended as it was asked to."""
        return self._ending is not None and (self._ending != "stop" or code == 0)

    def stop(self) -> int:
        """Ask it to end, and give its exit code."""
        self._ending = self._ending or "stop"
        self.leave()
        return self._server.stop()

    def leave(self) -> None:
        """Close what has occupied its accept queue."""
        for connection in self._others:
            connection.close()
        self._others.clear()

    def _occupy(self, places: int, patience: float) -> None:
        """Connect so often, as others do whom the client knows nothing of, and say nothing."""
        parts = urlsplit(self.url)
        try:
            for _ in range(places):
                address = (parts.hostname or "", parts.port or 0)
                self._others.append(socket.create_connection(address, patience))
        except OSError as error:
            raise MachineError(f"the places cannot be taken: {error.strerror or error}") from error

    def collect(self) -> list[str]:
        """Bring its records into the run: they are there."""
        return []


@contextmanager
def ours(
    options: list[str],
    scheme: str,
    log: Path,
    to: IO[bytes],
    wait: Callable[[], None],
) -> Iterator[OurServer]:
    """Start our server, and give it when it is ready; it ends with the block.

    Args:
        options: of `vaultstorm serve`.
        scheme: of the load.
        log: where the server writes: its file.
        to: the same, open.
        wait: called again and again until it is ready; what it raises ends the wait.

    Raises:
        MachineError: it ended before it was ready; says why.
    """
    ready = False
    try:
        with serving(options, to, wait) as server:
            ready = True
            made = OurServer(server, scheme)
            try:
                yield made
            finally:
                made.leave()
    except MachineError as error:
        if ready:
            raise
        raise MachineError(f"{error}{because(log)}") from error
