"""What a scenario does to the server while the load runs, and when."""

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final
from urllib.parse import quote

import msgspec

from vaultstorm import counts, expectation
from vaultstorm.expectation import Comparison
from vaultstorm.tables import convert, duration
from vaultstorm_client.thresholds import Threshold, Vocabulary
from vaultstorm_server.admin import assignment
from vaultstorm_server.configuration import nearest
from vaultstorm_server.hotfixes import find
from vaultstorm_server.settings import AppPool
from vaultstorm_wire.errors import UsageError

SIGNALS: Final = ("kill", "stop")
"""`kill` is SIGKILL to the front process, `stop` is SIGTERM."""

ACTIONS: Final = (
    *("gate closed", "gate open"),
    *(
        f"gate {which} {state}"
        for which in ("resolver", "exporter")
        for state in ("closed", "open")
    ),
    *(*SIGNALS, "recycle", "iisreset", "stop-pool", "start-pool"),
    *("worker kill", "worker hang", "worker resume"),
)
"""What can be done, beside these two; to a worker: SIGKILL, SIGSTOP and SIGCONT."""

GATE: Final = "gate"
"""The verb of an action that holds accepts back, or lets them go on."""

SET: Final = "set"
"""The verb of an action that changes a setting of the application pool."""

APPLY: Final = "apply-hotfix"
"""The verb of an action that installs a hotfix, by its article's steps."""

Look = Callable[[], Mapping[str, Any] | None]


class Action(msgspec.Struct, frozen=True, kw_only=True):
    """One action; either `at` or `when` is set.

    Attributes:
        action: one of `ACTIONS`, a setting that is changed, or a hotfix that is installed.
        at: seconds since the load began; 0 is before its first SYN.
        when: a condition on what the server and the client have counted.
        every: seconds between two times, from the first on, until the load ends; None for once.
    """

    action: str
    at: float | None = None
    when: Threshold | Comparison | None = None
    every: float | None = None

    @property
    def path(self) -> str:
        """Where the control plane has it."""
        verb, _, rest = self.action.partition(" ")
        words = rest.split() if verb == GATE else [rest]
        return "/".join(["", verb, *(quote(word, safe="") for word in words if word)])

    def __str__(self) -> str:
        moment = f"at {self.at:g} s" if self.at is not None else f"when {self.when}"
        again = f", every {self.every:g} s" if self.every is not None else ""
        return f"{self.action} {moment}{again}"


class _Written(msgspec.Struct, frozen=True):
    action: str
    at: str | float | None = None
    when: str | None = None
    every: str | float | None = None


def read(tables: Sequence[object], where: str) -> tuple[Action, ...]:
    """Read the `actions` of a variant.

    Raises:
        UsageError: one of them is wrong; says which, beginning with `where`.
    """
    read = tuple(_read(table, f"{where} {n}") for n, table in enumerate(tables, 1))
    last = 0.0
    for n, action in enumerate(read, 1):
        if action.at is not None and action.at < last:
            raise UsageError(f"{where} {n}: it is earlier than one before it; they happen in order")
        last = action.at if action.at is not None else last
    return read


def _read(table: object, where: str) -> Action:
    written = convert(table, _Written, where)
    name = _checked(" ".join(written.action.split()), where)
    if (written.at is None) == (written.when is None):
        raise UsageError(f"{where}: give either at or when")
    every = None
    if written.every is not None:
        every = duration(written.every, f"{where}: every")
        if not 0 < every < float("inf"):
            raise UsageError(f"{where}: every: longer than 0, and not for ever")
        if name in SIGNALS:
            raise UsageError(f"{where}: {name} ends the server: it cannot be repeated")
    if written.when is None:
        at = duration(written.at, f"{where}: at")
        if at == float("inf"):
            raise UsageError(f"{where}: at: a moment that comes")
        return Action(action=name, at=at, every=every)
    vocabulary = Vocabulary(
        f"{where}: when",
        dict.fromkeys(counts.NAMES, 0),
        counts.NAMES,
        {},
        "'queued + ended == 100' or 'held == waiting'",
        form=expectation.FORM,
    )
    when = expectation.read_both(written.when, vocabulary)
    return Action(action=name, when=when, every=every)


def _checked(action: str, where: str) -> str:
    """Give an action as the control plane knows it. Raises UsageError if it cannot be done."""
    verb, _, rest = action.partition(" ")
    try:
        if verb == SET and rest:
            assignment.read(rest, AppPool())
        elif verb == APPLY and rest:
            return f"{APPLY} {find(rest)}"
        elif action not in ACTIONS:
            near = nearest(action, ACTIONS)
            known = (
                f"write {', '.join(ACTIONS)}, {APPLY} NAME, or {SET} {assignment.SECTION}.KEY=VALUE"
            )
            raise UsageError(f"did you mean {near}?" if near else known)
    except UsageError as error:
        raise UsageError(f"{where}: action = {action!r}: {error}") from error
    return action


class _Repeated:
    """An action that happens again."""

    __slots__ = ("action", "due", "every")

    def __init__(self, action: Action, every: float, began: float) -> None:
        self.action = action
        self.every = every
        self.due = began + every

    def taken(self, elapsed: float) -> bool:
        """Tell whether it is due; moments that were missed are not made up for."""
        if elapsed < self.due:
            return False
        self.due += self.every * (1 + (elapsed - self.due) // self.every)
        return True


class Schedule:
    """Says which actions are due. They happen in their order: one that waits holds the next.

    One that is repeated holds nobody back once it has happened for the first time.

    Args:
        actions: as the scenario has them.
    """

    def __init__(self, actions: Sequence[Action]) -> None:
        self._pending = deque(actions)
        self._repeated: list[_Repeated] = []

    @property
    def pending(self) -> tuple[Action, ...]:
        """Those that have not happened."""
        return tuple(self._pending)

    def before(self) -> list[Action]:
        """Take the actions that come before the load."""
        due = []
        while self._pending and self._pending[0].at == 0:
            due.append(self._take(0.0))
        return due

    def next(self, elapsed: float, look: Look) -> Action | None:
        """Take the next action if one is due.

        Args:
            elapsed: seconds since the load began.
            look: gives what is counted; None if it cannot be had. Called only where it matters.
        """
        if self._pending and self._is_due(self._pending[0], elapsed, look):
            return self._take(elapsed)
        return next((one.action for one in self._repeated if one.taken(elapsed)), None)

    def _is_due(self, action: Action, elapsed: float, look: Look) -> bool:
        if action.when is None:
            return action.at is not None and action.at <= elapsed
        counted = look()
        return counted is not None and action.when.reached(counted)

    def _take(self, elapsed: float) -> Action:
        action = self._pending.popleft()
        if action.every is not None:
            self._repeated.append(_Repeated(action, action.every, elapsed))
        return action
