"""A server process of our own, from its start to its end: for demonstrations, tests and the lab."""

import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import IO, Any, Final

import msgspec

from vaultstorm_wire.errors import MachineError

STOP_GRACE: Final = 10.0
"""Seconds a server gets to end after SIGTERM; it needs at most 5 (DESIGN 5)."""


class Ready(msgspec.Struct, frozen=True):
    """The ready line of `vaultstorm serve`."""

    url: str
    ca: str | None
    pid: int
    admin: str
    workers: list[int]
    journal: str | None = None

    @property
    def address(self) -> str:
        """Host and port, as in the URL."""
        return self.url.partition("://")[2]


class Serving:
    """A running server.

    Attributes:
        ready: what it said of itself.
        process: the process; wait for it, or end it with `stop`.
    """

    def __init__(self, ready: Ready, process: subprocess.Popen[bytes]) -> None:
        self.ready = ready
        self.process = process

    def stop(self) -> int:
        """Ask the server to end, and give its exit code; negative if a signal ended it."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(STOP_GRACE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait()


@contextmanager
def serving(options: Sequence[str], log: int | IO[Any] | None = None) -> Iterator[Serving]:
    """Run ``vaultstorm serve`` with `options` in a process of its own until the block ends.

    Args:
        options: as on the command line; without --port and --admin-port, free ones are taken.
        log: where its log goes; None for where ours goes.

    Raises:
        MachineError: it ended before it was ready; says what it printed.
    """
    command = [sys.executable, "-m", "vaultstorm", "serve", "--port=0", "--admin-port=0", *options]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log)
    assert process.stdout is not None
    with process.stdout:
        try:
            line = process.stdout.readline()
            if not line:
                code = process.wait()
                raise MachineError(
                    f"vaultstorm serve ended with exit code {code} before it was ready"
                )
            server = Serving(msgspec.json.decode(line, type=Ready), process)
            yield server
            server.stop()
        finally:
            if process.poll() is None:
                process.kill()
            process.wait()
