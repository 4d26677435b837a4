"""A running server, as a test sees it: what it is asked for, and what it has seen."""

import signal
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self, TypeVar
from urllib.parse import quote, urlsplit

from vaultstorm import control
from vaultstorm.serving import Serving, end_group
from vaultstorm.testing import log
from vaultstorm_wire import journal
from vaultstorm_wire.errors import MachineError, VaultstormError

__tracebackhide__ = True  # pytest shows the line of the test instead

PATIENCE: Final = 30.0
"""Seconds for an answer of the control plane: an iisreset answers when it is done."""
TICK: Final = 0.01
DEATH: Final = 5.0
"""Seconds from the connection that a dying server drops to its end."""
STATUS_PATH: Final = "/AeXRSVault/status"
_SIGNALS: Final = (signal.SIGTERM, signal.SIGINT, signal.SIGKILL)
BY_HAND: Final = (0, *(-number for number in _SIGNALS), *(128 + number for number in _SIGNALS))
"""How a server ends that somebody has ended; one that is told so twice gives 128 + the signal."""

T = TypeVar("T")
R = TypeVar("R", bound=journal.AnyRecord)


class Gate:
    """The application's accept, opened again at the end of a ``with`` block."""

    def __init__(self, open_: Callable[[], object]) -> None:
        self._open = open_

    def __enter__(self) -> Self:
        """Nothing more: it was set when it was made."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Let the application accept."""
        self._open()


class Server:
    """A server in processes of its own.

    Attributes:
        url: where it is reached, ``https://127.0.0.1:PORT``.
        ca: the file of the authority to trust; None without TLS.
        pid: of its front process.
        admin: the URL of its control plane, for `vaultstorm ctl --admin`.
        rpc: where DCOM activation is served; None if it is not.
        journal: the directory of its journals and of the HTTPERR log.
        log: the file of what it logs.
    """

    def __init__(self, serving: Serving, log: Path) -> None:
        ready = serving.ready
        assert ready.journal is not None
        self._serving = serving
        self.url: str = ready.url
        self.ca: str | None = ready.ca
        self.pid: int = ready.pid
        self.admin: str = ready.admin
        self.rpc: str | None = ready.rpc
        self.journal = Path(ready.journal)
        self.log = log

    def __repr__(self) -> str:
        return f"<Server {self.url}>"

    @property
    def host(self) -> str:
        """The address it listens on."""
        return urlsplit(self.url).hostname or ""

    @property
    def port(self) -> int:
        """The port it listens on."""
        return urlsplit(self.url).port or 0

    @property
    def workers(self) -> list[int]:
        """The pids of its worker processes."""
        return [worker["pid"] for worker in self.status()["pool"]["workers"]]

    @property
    def status_url(self) -> str:
        """A URL that a worker process answers, with 200 and a little JSON; any other gets 404."""
        return self.url + STATUS_PATH

    @property
    def in_flight(self) -> int:
        """How many requests the worker processes have at the moment."""
        return sum(worker["in_flight"] for worker in self.status()["pool"]["workers"])

    @property
    def queued(self) -> int:
        """How many connections wait in the accept queue at the moment."""
        waiting: int = self.status()["accept_queue"]["queue"]["queued"]
        return waiting

    # What it is told.

    def gate(self, state: str = "closed", of: str | None = None) -> Gate:
        """Hold the application's accept back (``closed``), or let it accept (``open``).

        While it is closed, as many connections as the accept queue is long are let in and wait;
        the others meet the overflow. In a ``with`` block it is opened again at the end.

        Args:
            state: how it is from here on.
            of: with RPC, the ``resolver``'s or the ``exporter``'s, in place of the application's.
        """
        which = () if of is None else (of,)
        self._post("gate", *which, state)
        return Gate(lambda: self._reopen(*which))

    def recycle(self) -> None:
        """Begin to replace all worker processes; `until` waits for what comes of it."""
        self._post("recycle")

    def iisreset(self) -> None:
        """Stop and start everything on the same port; comes back when that is done."""
        self._post("iisreset")

    def worker(self, what: str) -> list[int]:
        """Have a worker process killed (``kill``), stopped (``hang``), or all go on (``resume``).

        Returns:
            The pids of those it was done to.
        """
        pids: list[int] = self._post("worker", what)["pids"]
        return pids

    def apply_hotfix(self, name: str) -> None:
        """Install a hotfix, with the restarts that it needs; comes back when that is done."""
        self._post("apply-hotfix", name)

    def set(self, assignment: str) -> None:
        """Change a setting of the pool: ``apppool.PeriodicRestartRequests=100``."""
        self._post("set", assignment)

    def stop(self) -> int:
        """End it in good order, as by SIGTERM, and give its exit code."""
        return self._serving.stop()

    def kill(self) -> None:
        """End it at once, as by SIGKILL: what it holds is lost, and none of it is left."""
        self._serving.process.kill()
        self._serving.process.wait()
        end_group(self.pid)

    # What it has seen.

    def status(self) -> dict[str, Any]:
        """Give the state of all its parts."""
        answer: dict[str, Any] = self._ask("GET", "/status")
        return answer

    def executions(self, request_id: str | None = None) -> list[journal.Execution]:
        """Give what was executed, in order: of one X-Request-Id, or all.

        Each is written before its answer leaves the server: one that is not here has not run.
        """
        return [e for e in self._read("worker", journal.Execution) if request_id in (None, e.id)]

    def requests(self, request_id: str | None = None) -> list[journal.Request]:
        """Give the requests that came in and are over, answered or lost: of one id, or all."""
        return [r for r in self._read("front", journal.Request) if request_id in (None, r.id)]

    def turned_away(self) -> list[journal.TurnedAway]:
        """Give the connections that got no place in the accept queue, where the server saw them.

        A SYN that was refused or dropped (``overflow="refuse"`` or ``"drop"``) it does not see.
        """
        return self._read("front", journal.TurnedAway)

    def events(self, name: str | None = None) -> list[journal.Event]:
        """Give what happened to it, in order: everything, or what is of one name."""
        return [e for e in self._read("front", journal.Event) if name in (None, e.name)]

    def httperr(self) -> list[str]:
        """Give the lines of the HTTPERR log."""
        return log.httperr(self.journal)

    def until(self, condition: Callable[[], T], timeout: float = 10.0) -> T:
        """Wait until something is so, and give what `condition` returned.

        Raises:
            TimeoutError: it did not come to be.
        """
        deadline = time.monotonic() + timeout
        while not (found := condition()):
            if time.monotonic() > deadline:
                raise TimeoutError(f"not so within {timeout:g} s; see {self.log}")
            time.sleep(TICK)
        return found

    # How it ends.

    @property
    def died(self) -> str | None:
        """How it ended, if nobody has ended it; None if it runs."""
        code = self._serving.process.poll()
        return None if code is None or code in BY_HAND else f"{self!r} ended with exit code {code}"

    def ask_to_stop(self) -> None:
        """Have it end in good order, and do not wait."""
        self._serving.ask_to_stop()

    def hurry(self, patience: float) -> None:
        """Have it end at once if it has not ended within some seconds of being asked to."""
        try:
            self._serving.process.wait(patience)
        except subprocess.TimeoutExpired:  # somebody waits for an answer, or a worker hangs
            self._serving.process.terminate()

    @property
    def _running(self) -> bool:
        return self._serving.process.poll() is None

    def _read(self, role: str, kind: type[R]) -> list[R]:
        with suppress(MachineError):
            self.status()  # what happened before it is asked is in the journal when it answers
        found: list[R] = []
        for path in self.journal.glob(f"{role}-*.ndjson"):
            with path.open("rb") as lines:
                found += [record for record in journal.read(lines) if isinstance(record, kind)]
        return sorted(found, key=lambda record: record.time)

    def _reopen(self, *which: str) -> None:
        try:
            self._post("gate", *which, "open")
        except MachineError:
            try:
                self._serving.process.wait(DEATH)  # it may just have been killed
            except subprocess.TimeoutExpired:
                pass
            else:
                return
            raise

    def _post(self, *steps: str) -> Any:
        return self._ask("POST", "/" + "/".join(quote(step, safe="") for step in steps))

    def _ask(self, method: str, path: str) -> Any:
        if not self._running:
            raise MachineError(self.died or f"{self!r} has been ended")
        try:
            return control.ask(self.admin, method, path, PATIENCE)
        except VaultstormError as error:
            raise type(error)(str(error)) from None
