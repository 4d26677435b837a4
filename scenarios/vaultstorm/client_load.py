"""Somebody else's client program as a variant's load, told from our server's side."""

import signal
import subprocess
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple
from urllib.parse import urlsplit

import msgspec

from vaultstorm.actions import Action
from vaultstorm.foreign import placeholders, programs
from vaultstorm.foreign.target import words
from vaultstorm.scenario import Scenario, Variant
from vaultstorm_client.plan import VAULT_STATUS, Plan
from vaultstorm_wire.errors import MachineError, UsageError

RESULT: Final = "client.json"
CHECKS: Final = ("client.exit == 0", "client.executed_twice == 0", "client.given_up == 0")
"""What is expected of a client, whatever the scenario expects of ours."""
_SCHEMES: Final = ("https", "http")
_ENDED: Final = ("turned_away", "finished", "lost")
"""What our server counts that has come to an end for the client, one way or the other."""
_TRUST: Final = ("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE", "CURL_CA_BUNDLE")
"""Where requests, OpenSSL and curl look for the authorities to trust."""


class Aim(NamedTuple):
    """What a client program is pointed at."""

    variant: str
    url: str
    """Of the server."""
    ca: str | None
    seed: int


def read(command: str, scenario: Scenario, variants: Iterable[Variant]) -> tuple[str, ...]:
    """Split the command of a client, and see that it can be run in place of our own.

    Raises:
        UsageError: it cannot; says why.
    """
    found = words(command, "--client")
    if scenario.foreign:
        raise UsageError(
            f"--client: {scenario.origin} has a [target]; a client is tested against our own server"
        )
    for variant in variants:
        where = f"--client: {scenario.origin}, variant {variant.name}"
        scheme = scenario.scheme(variant)
        if scheme not in _SCHEMES:
            raise UsageError(f"{where}: its load is {scheme}://; a client program speaks HTTP")
        if scenario.plan(variant, 0).agents:
            raise UsageError(f"{where}: workload = 'agent': only ours speaks to the vault")
    return found


class ClientLoad:
    """A client program at one server.

    Args:
        client: its words, with placeholders.
        plan: the load whose path it is given.
        aim: the server.
        directory: of the variant.

    Raises:
        MachineError: it is not installed.

    Attributes:
        command: what runs it.
        env: its whole environment.
        stdout: where it prints; None for its log.
    """

    def __init__(self, client: Sequence[str], plan: Plan, aim: Aim, directory: Path) -> None:
        self._url = f"{aim.url}{plan.path or VAULT_STATUS}"
        parts = urlsplit(aim.url)
        values = {
            "url": self._url,
            "ca": aim.ca or "",
            "host": parts.hostname or "",
            "port": str(parts.port),
            "seed": str(aim.seed),
            "variant": aim.variant,
        }
        self._said = placeholders.fill_words(client, values)
        self.command = [programs.find(self._said[0], None), *self._said[1:]]
        trust = dict.fromkeys(_TRUST, aim.ca) if aim.ca else {}
        self.env: Mapping[str, str] = programs.environment(
            {**trust, "VAULTSTORM_URL": self._url, "VAULTSTORM_CA": aim.ca or ""}
        )
        self.stdout: int | None = None
        self._directory = directory
        self._started = time.monotonic()
        self._notes: list[str] = []

    def begun(self) -> bool:
        """Tell whether it runs: nothing else can be seen of it."""
        return True

    def ended(self, counts: Mapping[str, int]) -> int:
        """Give how many of its connections and requests have ended, as the server counts."""
        return sum(counts.get(name, 0) for name in _ENDED)

    def line(self) -> str:
        """Say how far it is."""
        return f"{Path(self._said[0]).name} runs"

    def interrupt(self, process: "subprocess.Popen[bytes]") -> None:
        """Ask it and what it has started to end at once, as Ctrl-C in a terminal does."""
        programs.signal_group(process.pid, signal.SIGINT)

    def finish(self, code: int | None, cut: str | None) -> list[str]:
        """Write down how it ended; its exit code is a finding, and no error.

        Args:
            code: its exit code; None if it had to be killed.
            cut: why the run had to end.

        Raises:
            MachineError: it cannot be written down.
        """
        del cut
        number = 9 if code is None else -code if code < 0 else None
        result: dict[str, Any] = {
            "schema": 1,
            "command": self._said,
            "exit": code if number is None else None,
            "signal": number,
            "duration_s": round(time.monotonic() - self._started, 3),
            "url": self._url,
            "notes": self._notes,
        }
        path = self._directory / RESULT
        try:
            path.write_bytes(msgspec.json.format(msgspec.json.encode(result)) + b"\n")
        except OSError as error:
            raise MachineError(f"cannot write {path}: {error.strerror}") from error
        return []

    def unmet(self, actions: Sequence[Action]) -> list[str]:
        """Note actions that never came due: how long a client takes is its own affair."""
        self._notes += [f"the client ended before the action came due: {a}" for a in actions]
        return []
