"""A vault without a process around it, for the tests of w3wp."""

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from vaultstorm_server.settings import Vault as Settings
from vaultstorm_server.w3wp.answers import Answer
from vaultstorm_server.w3wp.interface_calls import InterfaceCalls
from vaultstorm_server.w3wp.interfaces import entries
from vaultstorm_server.w3wp.store import Store
from vaultstorm_server.w3wp.vault import Vault

BASE = "/AeXRSVault"


def digest_of(block: bytes) -> str:
    """Name a block."""
    return hashlib.sha256(block).hexdigest()


class Made:
    """A vault, and what it noted."""

    def __init__(self, directory: Path, **settings: Any) -> None:
        made = self.settings = Settings(Directory=str(directory), **settings)
        self.notes: list[tuple[str, str]] = []
        self.changes: list[tuple[int, int]] = []
        self.corrupted: list[str] = []
        table = entries(
            made.TECH39579, made.MaxInterfaces, made.InterfaceIdleTime, made.InterfaceMemory
        )
        self.calls = InterfaceCalls(
            table,
            made.IsapiThreads,
            lambda name, detail: self.notes.append((name, detail)),
            lambda *both: self.changes.append(both),
            self.corrupted.append,
            self._waiting,
        )
        self.store = Store(directory, made.Quota)
        self.kept = 0
        self.waits = 0
        self.vault = Vault(
            made, self.calls, self.store, self._keeping, lambda: {"pid": 4711}, self._waiting
        )

    def ask(self, method: str, path: str, body: bytes | str = b"") -> Answer:
        """Run one method at a path below the base."""
        body = body.encode() if isinstance(body, str) else body
        return self.vault.handle(method, BASE + path, body)

    def open(self) -> str:
        """Open an interface, and give its path."""
        answer = self.ask("POST", "/interfaces")
        assert answer.status == 201
        return f"/interfaces/{told(answer)['interface']}"

    def put(self, interface: str, block: bytes) -> Answer:
        """Put a block."""
        return self.ask("PUT", f"{interface}/blocks/{digest_of(block)}", block)

    @contextmanager
    def _waiting(self) -> Iterator[None]:
        self.waits += 1
        yield

    def _keeping(self) -> None:
        self.kept += 1

    @property
    def noted(self) -> list[str]:
        """The names of the notes."""
        return [name for name, _ in self.notes]


def told(answer: Answer) -> Any:
    """Read a JSON answer."""
    assert (b"Content-Type", b"application/json") in answer.headers
    return json.loads(answer.body)


def code(answer: Answer) -> tuple[int, str]:
    """Give status and code of an error, which has words for people too."""
    error = told(answer)
    assert error["status"] == answer.status
    assert error["error"]
    return answer.status, error["code"]
