"""Worker processes as the front process has them, for the tests of w3wp."""

import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

from vaultstorm_server.frames import Frames, append
from vaultstorm_server.messages import ToFront, ToWorker
from vaultstorm_server.settings import Vault

ROOT = Path(__file__).parents[3]


class Child:
    """A worker process, and the front's end of its channel."""

    def __init__(self, journal: Path | str, vault: Vault) -> None:
        self.sock, theirs = socket.socketpair()
        self.sock.settimeout(30)
        with theirs:
            self.process = subprocess.Popen(
                [
                    *(sys.executable, "-m", "vaultstorm_server.w3wp"),
                    *("--channel", str(theirs.fileno()), "--journal", str(journal)),
                    *("--vault", msgspec.json.encode(vault).decode()),
                    *("--frame-max", "100000"),
                ],
                pass_fds=(theirs.fileno(),),
                env={**os.environ, "PYTHONPATH": str(ROOT / "server")},
                stderr=subprocess.PIPE,
            )
        self._frames: Frames[ToFront] = Frames(ToFront)
        self._messages: list[ToFront] = []

    def send(self, *messages: ToWorker) -> None:
        """Send some messages in one piece."""
        out = bytearray()
        for message in messages:
            append(out, message)
        self.sock.sendall(out)

    def receive(self) -> ToFront:
        """Wait for the next message."""
        while not self._messages:
            data = self.sock.recv(65536)
            assert data, "the worker closed its channel"
            self._messages += self._frames.feed(data)
        return self._messages.pop(0)

    def receive_all(self) -> list[ToFront]:
        """Wait for the end of the channel, and give what came before it."""
        while data := self.sock.recv(65536):
            self._messages += self._frames.feed(data)
        messages, self._messages = self._messages, []
        return messages

    def end(self) -> tuple[int, bytes]:
        """Wait for its end: the exit status, and what it wrote to stderr."""
        _, errors = self.process.communicate(timeout=30)
        return self.process.returncode, errors


Start = Callable[..., Child]


@contextmanager
def starting() -> Iterator[Start]:
    """Give what starts workers, and leave none behind."""
    children: list[Child] = []
    with tempfile.TemporaryDirectory() as kept:

        def make(journal: Path | str = "", **settings: Any) -> Child:
            children.append(Child(journal, Vault(**{"Directory": kept, **settings})))
            return children[-1]

        try:
            yield make
        finally:
            for child in children:
                child.sock.close()
                child.process.kill()
                child.process.communicate()
