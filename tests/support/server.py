"""A server as a real process: started, asked, ended by its pid."""

import atexit
import contextlib
import functools
import http.client
import json
import shutil
import signal
import ssl
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from tests.support.command import command, environment
from vaultstorm_wire import journal

STATUS = "/AeXRSVault/status"
PATIENCE = 30.0
"""Seconds after which something that has not happened is a failure, on the busiest machine."""


class Answer(NamedTuple):
    """What an HTTP request got."""

    status: int
    headers: dict[str, str]
    body: bytes


class Server:
    """A running server.

    Attributes:
        process: the front process.
        url: where it is reached, ``https://127.0.0.1:PORT``.
        ca: the file of the authority to trust; None without TLS.
        pid: of the front process.
        rpc: where its resolver is reached, ``rpc://127.0.0.1:PORT``.
        admin: the URL of its control plane.
        workers: the pids of its workers when it was ready.
        journal: the directory of its journals and of the HTTPERR log.
    """

    def __init__(self, process: "subprocess.Popen[bytes]", ready: dict[str, Any]) -> None:
        assert ready["event"] == "ready"
        self.process = process
        self.url: str = ready["url"]
        self.ca: str | None = ready["ca"]
        self.pid: int = ready["pid"]
        self.rpc: str | None = ready["rpc"]
        self.admin: str = ready["admin"]
        self.workers: list[int] = ready["workers"]
        self.journal = Path(ready["journal"])

    @property
    def port(self) -> int:
        """The port it listens on."""
        port = urlsplit(self.url).port
        assert port is not None
        return port

    def connect(self) -> http.client.HTTPConnection:
        """Make a connection that verifies the certificate; it connects with its first request."""
        netloc = urlsplit(self.url).netloc
        if self.ca is None:
            return http.client.HTTPConnection(netloc, timeout=PATIENCE)
        context = ssl.create_default_context(cafile=self.ca)
        return http.client.HTTPSConnection(netloc, timeout=PATIENCE, context=context)

    def ask(
        self, method: str = "GET", path: str = STATUS, body: bytes | None = None, id: str = ""
    ) -> Answer:
        """Send one request on a connection of its own."""
        with contextlib.closing(self.connect()) as connection:
            connection.request(method, path, body, {"X-Request-Id": id} if id else {})
            response = connection.getresponse()
            return Answer(response.status, dict(response.getheaders()), response.read())

    def control(self, method: str, path: str) -> Any:
        """Ask the control plane."""
        netloc = urlsplit(self.admin).netloc
        with contextlib.closing(http.client.HTTPConnection(netloc, timeout=PATIENCE)) as admin:
            admin.request(method, path)
            response = admin.getresponse()
            assert response.status == 200, response.read()
            return json.loads(response.read())

    def status(self) -> Any:
        """Give what the control plane says of the server."""
        return self.control("GET", "/status")

    def queue(self) -> Any:
        """Give the accept queue's statistics."""
        return self.status()["accept_queue"]

    def gate(self, state: str) -> None:
        """Let the application accept (``open``), or hold it back (``closed``)."""
        self.control("POST", f"/gate/{state}")

    def records(self, role: str = "*") -> list[journal.AnyRecord]:
        """Read the journals of all processes of a role, as they are at the moment."""
        found: list[journal.AnyRecord] = []
        for path in sorted(self.journal.glob(f"{role}-*.ndjson")):
            with path.open("rb") as lines:
                found += journal.read(lines)
        return found

    def events(self) -> list[str]:
        """Give the names of what happened, in order."""
        return [e.name for e in self.records("front") if isinstance(e, journal.Event)]

    def httperr(self) -> list[str]:
        """Give the lines of the HTTPERR log, without the heading ones."""
        lines = "".join(path.read_text() for path in sorted(self.journal.glob("httperr*.log")))
        return [line for line in lines.splitlines() if not line.startswith("#")]

    def signal(self, number: signal.Signals) -> None:
        """Send the front process a signal."""
        self.process.send_signal(number)

    def wait(self) -> int:
        """Wait for its end, and give its exit status."""
        return self.process.wait(PATIENCE)


def until(condition: Callable[[], object]) -> None:
    """Wait until something is so; raise if it does not come to be."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.01)


@functools.cache
def tls_dir() -> Path:
    """Give a directory for certificates, made once for all servers of a test run."""
    directory = tempfile.mkdtemp(prefix="vaultstorm-tls-")
    atexit.register(shutil.rmtree, directory, ignore_errors=True)
    return Path(directory)


def start(
    journal_dir: Path, *options: str, stdout: int = subprocess.PIPE, through: Sequence[str] = ()
) -> "subprocess.Popen[bytes]":
    """Start ``vaultstorm serve`` and wait for nothing.

    Args:
        journal_dir: where it keeps its journals; its stderr goes to ``stderr.log`` in there.
        options: of the command line, or settings as ``section.Key=value``; without --port,
            --rpc-port and --admin-port, free ones are taken.
        stdout: as subprocess has it.
        through: a command that runs the one that follows it, as another user for example.
    """
    given = [option if option.startswith("--") else f"--set={option}" for option in options]
    usual = [
        "--port=0",
        "--rpc-port=0",
        "--admin-port=0",
        f"--tls-dir={tls_dir()}",
        f"--journal={journal_dir}",
    ]
    journal_dir.mkdir(parents=True, exist_ok=True)
    with (journal_dir / "stderr.log").open("ab") as stderr:
        return subprocess.Popen(
            [*through, *command("serve", *usual, *given)],
            env=environment(),
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=stderr,
        )


@contextlib.contextmanager
def running_server(
    journal_dir: Path, *options: str, through: Sequence[str] = ()
) -> Iterator[Server]:
    """Run a server on free ports until the block ends; the arguments are those of `start`."""
    process = start(journal_dir, *options, through=through)
    assert process.stdout is not None
    try:
        line = process.stdout.readline()
        assert line, (journal_dir / "stderr.log").read_text()
        yield Server(process, json.loads(line))
    finally:
        if process.poll() is None:
            process.terminate()
            try:
                process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                process.kill()  # its workers end by the end of their channels
                process.wait()
        process.stdout.close()
