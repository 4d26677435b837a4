"""The servers of one test: started when it asks for them, ended with it."""

import itertools
import os
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final, Unpack

from vaultstorm.last_words import last_words
from vaultstorm.serving import serving
from vaultstorm.testing import log
from vaultstorm.testing.options import Wishes, options
from vaultstorm.testing.server import Server
from vaultstorm_wire.errors import MachineError, UsageError, VaultstormError

__tracebackhide__ = True  # pytest shows the line of the test instead

START_LIMIT: Final = 60.0
"""Seconds after which a server that is not ready will not be."""
GOOD_ORDER: Final = 2.0
"""Seconds for the end in good order: no answer is of use any more when the test is over."""


class Servers:
    """Starts servers, and ends them all together.

    Args:
        directory: where each keeps its records, in a directory of its own.
        tls: where the certificates are kept; one directory serves many.
    """

    def __init__(self, directory: Path, tls: Path | None = None) -> None:
        self._directory = directory
        self._tls = tls or directory / "tls"
        self._numbers = itertools.count(1)
        self._stack = ExitStack()
        self.all: list[Server] = []
        self.failed: list[Path] = []
        """The logs of those that did not come up."""

    def __call__(self, **wishes: Unpack[Wishes]) -> Server:
        """Start a server, and give it when it is ready; `Wishes` says what can be asked of it.

        Raises:
            UsageError: there is no such option, setting or value; says which there are.
            MachineError: it did not come up; says why.
        """
        unknown = wishes.keys() - Wishes.__annotations__.keys()
        if unknown:
            there = ", ".join(Wishes.__annotations__)
            raise UsageError(f"a server has no {', '.join(sorted(unknown))}; it has {there}")
        own = self._directory / f"server-{next(self._numbers)}"
        own.mkdir(parents=True)
        server = self._start(own, options(wishes))
        self.all.append(server)
        return server

    def __repr__(self) -> str:
        return f"<Servers: {self.all}>"

    def report(self) -> list[tuple[str, str]]:
        """Give what they have logged, each as a title and a text."""
        found = [
            (f"log of a server that did not start, {file}", "\n".join(log.lines(file)))
            for file in self.failed
        ]
        for server in self.all:
            found.append((f"log of {server.url}", "\n".join(log.lines(server.log))))
            errors = server.httperr()
            if errors:
                found.append((f"HTTPERR of {server.url}", "\n".join(errors)))
        return found

    def end(self) -> None:
        """End all of them, in good order.

        Raises:
            MachineError: one had ended by itself.
        """
        died = [server.died for server in self.all if server.died]
        for server in self.all:
            server.ask_to_stop()
        deadline = time.monotonic() + GOOD_ORDER
        for server in self.all:
            server.hurry(max(0.0, deadline - time.monotonic()))
        self._stack.close()
        if died:
            raise MachineError("; ".join(died))

    def _start(self, own: Path, wanted: list[str]) -> Server:
        file = own / "server.log"
        deadline = time.monotonic() + START_LIMIT

        def tick() -> None:
            if time.monotonic() > deadline:
                raise MachineError(f"it was not ready within {START_LIMIT:g} s")

        usual = [
            f"--tls-dir={self._tls}",
            f"--journal={own / 'journal'}",
            f"--set=vault.Directory={own / 'vault'}",
        ]
        try:
            with file.open("wb") as to:
                running = self._stack.enter_context(serving([*usual, *wanted], to, tick))
        except VaultstormError as error:
            words = last_words(file)
            if words is None:
                self.failed.append(file)
                raise MachineError(f"{error}; see {file}") from None
            kind = (
                UsageError if f"exit code {UsageError.exit_code} " in str(error) else MachineError
            )
            raise kind(words) from None
        return Server(running, file)


@contextmanager
def running_server(directory: str | os.PathLike[str], **wishes: Unpack[Wishes]) -> Iterator[Server]:
    """Run a server until the block ends, for fixtures of any scope, and for other test runners.

    Args:
        directory: where its records and certificates are kept.
        wishes: as of `Servers`.
    """
    servers = Servers(Path(directory))
    try:
        yield servers(**wishes)
    finally:
        servers.end()
