"""The processes that the bench starts: each one is ended by its own pid, whatever happens."""

import contextlib
import os
import random
import resource
import select
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Final, NamedTuple, Self

from bench.procfs import descendants

ROOT: Final = Path(__file__).resolve().parent.parent
PYTHON: Final = sys.executable
_LOOK_S: Final = 0.002
"""How often it is tried whether somebody listens: a start is measured by it."""


class BenchError(Exception):
    """A measurement that could not be made: says why, and means exit code 1."""


class Finished(NamedTuple):
    """What a process left behind."""

    output: str
    errors: str
    code: int
    cpu_s: float
    """User and system time, of its own children too."""


class Child:
    """One process, in a session of its own, so that Ctrl-C reaches the bench and not it.

    A context manager: the process has ended after the block.

    Args:
        argv: the program and its arguments.
        cpus: the processors it may run on; None for all.
        env: what to add to the environment.

    Attributes:
        cpu_s: its user and system time, of its own children too; 0 while it runs.
    """

    def __init__(
        self,
        argv: Sequence[str],
        *,
        cpus: Iterable[int] | None = None,
        env: Mapping[str, str] | None = None,
    ) -> None:
        self.argv = list(argv)
        self._output = b""
        self.cpu_s = 0.0
        with contextlib.ExitStack() as stack, affinity(cpus):
            self._errors = stack.enter_context(tempfile.TemporaryFile())
            self._process = subprocess.Popen(
                self.argv,
                cwd=ROOT,
                env={**os.environ, "PYTHONPATH": python_path(), **(env or {})},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._errors,
                start_new_session=True,
            )
            stack.pop_all()  # from here on, end() closes it
        self.pid = self._process.pid
        self._pidfd = os.pidfd_open(self.pid)

    def __enter__(self) -> Self:
        """Give the running process."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End it."""
        self.end()

    def line(self, timeout: float) -> str:
        """Read one line of its output.

        Raises:
            BenchError: it ended, or said nothing for `timeout` seconds.
        """
        deadline = time.monotonic() + timeout
        while b"\n" not in self._output:
            if not self._read(deadline):
                raise BenchError(f"{self.name} ended without a word: {self.errors()}")
        line, _, self._output = self._output.partition(b"\n")
        return line.decode()

    def say(self, text: str) -> None:
        """Write one line to its standard input."""
        assert self._process.stdin is not None
        self._process.stdin.write(text.encode() + b"\n")
        self._process.stdin.flush()

    def finish(self, timeout: float) -> Finished:
        """Read all of its output and wait for its end.

        Raises:
            BenchError: it took longer than `timeout` seconds; it has been ended then.
        """
        deadline = time.monotonic() + timeout
        try:
            while self._read(deadline):
                pass
            if not self._wait(deadline - time.monotonic()):
                raise BenchError(f"{self.name} did not end in {timeout:g} s")
        except BenchError:
            self.end()
            raise
        finished = Finished(
            self._output.decode(errors="replace"),
            self.errors(),
            self._process.returncode,
            self.cpu_s,
        )
        self.end()
        return finished

    def end(self, patience: float = 8.0) -> None:
        """End the process: SIGTERM, and SIGKILL for it and its children if that does not help."""
        if self._errors.closed:
            return
        if self._process.returncode is None:
            family = [self.pid, *descendants(self.pid)]
            signal.pidfd_send_signal(self._pidfd, signal.SIGTERM)
            if not self._wait(patience):
                for pid in family:
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(pid, signal.SIGKILL)
                self._wait(patience)
        os.close(self._pidfd)
        self._errors.close()
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None
            with contextlib.suppress(BrokenPipeError):
                pipe.close()

    def errors(self, longest: int = 2000) -> str:
        """Give the end of what it wrote to standard error."""
        size = self._errors.seek(0, os.SEEK_END)
        self._errors.seek(max(0, size - longest))
        return self._errors.read().decode(errors="replace").strip()

    @property
    def name(self) -> str:
        """What a person would call it."""
        if self.argv[0] == PYTHON:
            return " ".join(self.argv[1:4])
        return Path(self.argv[0]).name

    def _read(self, deadline: float) -> bool:
        """Take over some output; False at its end."""
        assert self._process.stdout is not None
        readable, _, _ = select.select(
            [self._process.stdout], [], [], max(0.0, deadline - time.monotonic())
        )
        if not readable:
            raise BenchError(f"{self.name} took too long: {self.errors()}")
        data = os.read(self._process.stdout.fileno(), 1 << 16)
        self._output += data
        return bool(data)

    def _wait(self, timeout: float) -> bool:
        """Wait for the end, and keep what it used."""
        readable, _, _ = select.select([self._pidfd], [], [], max(0.0, timeout))
        if not readable:
            return False
        _, status, usage = os.wait4(self.pid, 0)
        self._process.returncode = os.waitstatus_to_exitcode(status)
        self.cpu_s = usage.ru_utime + usage.ru_stime
        return True


def run(
    argv: Sequence[str],
    timeout: float,
    *,
    cpus: Iterable[int] | None = None,
    env: Mapping[str, str] | None = None,
) -> Finished:
    """Run a program to its end."""
    with Child(argv, cpus=cpus, env=env) as child:
        return child.finish(timeout)


@contextlib.contextmanager
def affinity(cpus: Iterable[int] | None) -> Iterator[None]:
    """Let what is started in the block run on `cpus` only."""
    before = os.sched_getaffinity(0)
    try:
        if cpus is not None:
            os.sched_setaffinity(0, cpus)
        yield
    finally:
        os.sched_setaffinity(0, before)


def two_cores() -> tuple[set[int] | None, set[int] | None]:
    """Give one core for the client and another for the server; None for both if there is one."""
    allowed = sorted(os.sched_getaffinity(0))
    return ({allowed[0]}, {allowed[1]}) if len(allowed) > 1 else (None, None)


def python_path() -> str:
    """Give the import path of the checkout, installed or not."""
    return os.pathsep.join(str(ROOT / name) for name in ("server", "client", "scenarios", "."))


def free_port() -> int:
    """Find a port that nobody listens on, below the range that connects take theirs from.

    By chance, so that two runs at the same time do not meet on one.
    """
    limits = Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()
    for _ in range(100):
        port = random.randrange(10_000, max(10_001, int(limits[0])))
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", port))
            return port
    raise BenchError("no free port on 127.0.0.1")


def wait_until_it_listens(port: int, child: Child, timeout: float = 20.0) -> None:
    """Connect until somebody answers.

    Raises:
        BenchError: nobody did.
    """
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(_LOOK_S)
    raise BenchError(f"{child.name} does not listen on port {port}: {child.errors()}")


def many_descriptors() -> int:
    """Allow this process and what it starts as many descriptors as may be; give their number."""
    _soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard
