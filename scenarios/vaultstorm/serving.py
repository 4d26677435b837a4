"""A server process of our own, from its start to its end: for demonstrations, tests and the lab."""

import os
import select
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any, Final

import msgspec

from vaultstorm_server import interpreter
from vaultstorm_wire.errors import MachineError

STOP_GRACE: Final = 10.0
"""Seconds a server gets to end after SIGTERM; it needs at most 5 (DESIGN 5)."""

ORPHAN_GRACE: Final = 5.0
"""Seconds its workers get to notice that it is gone."""

TICK: Final = 0.05
"""Seconds between two calls of `tick`."""


class Ready(msgspec.Struct, frozen=True):
    """The ready line of `vaultstorm serve`."""

    url: str
    ca: str | None
    pid: int
    admin: str
    workers: list[int]
    journal: str | None = None
    rpc: str | None = None
    """The resolver's URL; None if the server speaks no RPC."""

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
        self._asked = False

    def ask_to_stop(self) -> None:
        """Send SIGTERM, unless it was sent before: a second one would cut the good order short."""
        if not self._asked and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self._asked = True

    def stop(self) -> int:
        """Ask the server to end, and give its exit code; negative if a signal ended it."""
        self.ask_to_stop()
        try:
            return self.process.wait(STOP_GRACE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait()


@contextmanager
def serving(
    options: Sequence[str],
    log: int | IO[Any] | None = None,
    tick: Callable[[], None] | None = None,
) -> Iterator[Serving]:
    """Run ``vaultstorm serve`` with `options` in a process of its own until the block ends.

    It has a process group of its own: the terminal's Ctrl-C reaches us and not it, and whatever it
    leaves behind can be found. It ends with us, however we end: its standard input is a pipe.

    Args:
        options: as on the command line; without --port, --rpc-port and --admin-port, free ones
            are taken.
        log: where its log goes; None for where ours goes.
        tick: called again and again until it is ready; what it raises ends the wait.

    Raises:
        MachineError: it ended before it was ready; says what it printed.
    """
    names = ("port", "admin-port") if "--no-rpc" in options else ("port", "rpc-port", "admin-port")
    ports = [f"--{name}=0" for name in names]
    pipe = subprocess.PIPE
    process = subprocess.Popen(
        interpreter.command("vaultstorm", "serve", "--until-eof", *ports, *options),
        env=interpreter.environment(),
        stdin=pipe,
        stdout=pipe,
        stderr=log,
        process_group=0,
    )
    assert process.stdout is not None
    assert process.stdin is not None
    with process.stdin, process.stdout:
        try:
            while tick is not None and not select.select([process.stdout], [], [], TICK)[0]:
                tick()
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
            end_group(process.pid)


def end_group(group: int) -> None:
    """Wait for what a dead process has left: its children end by themselves, or are ended here."""
    deadline = time.monotonic() + ORPHAN_GRACE
    while members(group):
        if time.monotonic() > deadline:
            with suppress(ProcessLookupError, PermissionError):  # gone, or another user's
                os.killpg(group, signal.SIGKILL)
            return
        time.sleep(0.01)


def members(group: int) -> list[int]:
    """Give the pids of a process group, without those that are dead and not reaped."""
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return []
    except PermissionError:  # all of them are another user's
        pass
    return [pid for pid in map(int, filter(str.isdigit, os.listdir("/proc"))) if _in(group, pid)]


def _in(group: int, pid: int) -> bool:
    try:
        text = Path(f"/proc/{pid}/stat").read_text("utf-8", "replace")
    except OSError:  # it has ended meanwhile
        return False
    state, _, its_group = text.rpartition(")")[2].split()[:3]  # proc(5): the name may hold spaces
    return int(its_group) == group and state not in "ZX"
