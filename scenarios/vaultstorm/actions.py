"""What a scenario does to the server while the load runs, and when."""

import shlex
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, NamedTuple
from urllib.parse import quote

import msgspec
from msgspec.structs import replace

from vaultstorm import counts, expectation
from vaultstorm.expectation import Comparison
from vaultstorm.foreign import placeholders
from vaultstorm.foreign.target import signal_number
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

OCCUPY: Final = "occupy"
"""The verb of an action by which others take so many places of the accept queue."""
OCCUPIED_MAX: Final = 1000

APPLY: Final = "apply-hotfix"
"""The verb of an action that installs a hotfix, by its article's steps."""

SIGNAL: Final = "signal"
COMMAND: Final = "command"
"""How the records name what is done to a foreign server: this word, and the rest of it."""

Look = Callable[[], Mapping[str, Any] | None]


class Whom(NamedTuple):
    """Whom actions are done to, and so what can be done and waited for.

    Attributes:
        what: as messages say it.
        kinds: keys of an action of which it has one.
        words: what `action` may say; None for everything that our control plane knows.
        numbers: what `when` may speak of.
        names: the placeholders of a command.
    """

    what: str
    kinds: tuple[str, ...]
    words: tuple[str, ...] | None
    numbers: tuple[str, ...]
    names: tuple[str, ...] = ()


OURS: Final = Whom("our own server", ("action",), None, counts.NAMES)
STARTED: Final = Whom(
    "a [target]",
    ("action", SIGNAL, COMMAND),
    SIGNALS,
    (counts.ENDED,),
    (*placeholders.NAMES, placeholders.PID),
)
"""A foreign server that is started for the run."""
ELSEWHERE: Final = Whom("a [target] with url", (COMMAND,), (), (counts.ENDED,), placeholders.COMMON)
"""A foreign server that runs already."""


class Action(msgspec.Struct, frozen=True, kw_only=True):
    """One action; either `at` or `when` is set.

    Attributes:
        action: one of `ACTIONS`, a setting that is changed, or a hotfix that is installed; of a
            foreign server also a signal or a command, written as the records have it.
        at: seconds since the load began; 0 is before its first SYN.
        when: a condition on what the server and the client have counted.
        every: seconds between two times, from the first on, until the load ends; None for once.
        signal: the signal's name without ``SIG``, if it is one.
        command: the command's words, if it is one.
    """

    action: str
    at: float | None = None
    when: Threshold | Comparison | None = None
    every: float | None = None
    signal: str | None = None
    command: tuple[str, ...] = ()

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
    action: str | None = None
    signal: str | None = None
    command: tuple[str, ...] | None = None
    at: str | float | None = None
    when: str | None = None
    every: str | float | None = None


def read(tables: Sequence[object], where: str, whom: Whom = OURS) -> tuple[Action, ...]:
    """Read the `actions` of a variant.

    Raises:
        UsageError: one of them is wrong; says which, beginning with `where`.
    """
    read = tuple(_read(table, f"{where} {n}", whom) for n, table in enumerate(tables, 1))
    last = 0.0
    for n, action in enumerate(read, 1):
        if action.at is not None and action.at < last:
            raise UsageError(f"{where} {n}: it is earlier than one before it; they happen in order")
        last = action.at if action.at is not None else last
    return read


def _read(table: object, where: str, whom: Whom) -> Action:
    written = convert(table, _Written, where)
    done = _done(written, where, whom)
    if (written.at is None) == (written.when is None):
        raise UsageError(f"{where}: give either at or when")
    every = None
    if written.every is not None:
        every = duration(written.every, f"{where}: every")
        if not 0 < every < float("inf"):
            raise UsageError(f"{where}: every: longer than 0, and not for ever")
        if done.action in SIGNALS:
            raise UsageError(f"{where}: {done.action} ends the server: it cannot be repeated")
    if written.when is None:
        at = duration(written.at, f"{where}: at")
        if at == float("inf"):
            raise UsageError(f"{where}: at: a moment that comes")
        return replace(done, at=at, every=every)
    samples = "'queued + ended == 100' or 'held == waiting'"
    vocabulary = Vocabulary(
        f"{where}: when",
        dict.fromkeys(whom.numbers, 0),
        whom.numbers,
        {},
        samples if whom is OURS else f"'{counts.ENDED} >= 100'",
        form=expectation.FORM,
    )
    return replace(done, when=expectation.read_both(written.when, vocabulary), every=every)


def _done(written: _Written, where: str, whom: Whom) -> Action:
    """Give what is to be done, without its moment."""
    given = [kind for kind in ("action", SIGNAL, COMMAND) if getattr(written, kind) is not None]
    if not given and whom is OURS:
        raise UsageError(f"{where}: action is missing")
    if len(given) != 1:
        raise UsageError(f"{where}: give one of {', '.join(whom.kinds)}")
    if given[0] not in whom.kinds:
        others = (
            f"write {' or '.join(whom.kinds)}" if whom.kinds != OURS.kinds else "name a [target]"
        )
        raise UsageError(f"{where}: {given[0]}: it cannot be done to {whom.what}; {others}")
    if written.signal is not None:
        signal_number(written.signal, f"{where}: signal")
        return Action(action=f"{SIGNAL} {written.signal}", signal=written.signal)
    if written.command is not None:
        if not written.command or not written.command[0] or "\0" in "".join(written.command):
            raise UsageError(f"{where}: command: its first word names no program")
        placeholders.check(written.command, whom.names, f"{where}: command")
        return Action(action=f"{COMMAND} {shlex.join(written.command)}", command=written.command)
    assert written.action is not None  # the only kind that is left
    action = " ".join(written.action.split())
    if whom.words is None:
        return Action(action=_checked(action, where))
    if action not in whom.words:
        raise UsageError(
            f"{where}: action = {action!r}: that is for our own server; to {whom.what} can be done "
            f'{", ".join(whom.words)}, {SIGNAL} = "HUP" and {COMMAND} = ["…"]'
        )
    return Action(action=action)


def _checked(action: str, where: str) -> str:
    """Give an action as the control plane knows it. Raises UsageError if it cannot be done."""
    verb, _, rest = action.partition(" ")
    try:
        if verb == SET and rest:
            assignment.read(rest, AppPool())
        elif verb == APPLY and rest:
            return f"{APPLY} {find(rest)}"
        elif verb == OCCUPY and rest:
            _check_number(rest)
        elif action not in ACTIONS:
            near = nearest(action, ACTIONS)
            known = (
                f"write {', '.join(ACTIONS)}, {OCCUPY} N, {APPLY} NAME, "
                f"or {SET} {assignment.SECTION}.KEY=VALUE"
            )
            raise UsageError(f"did you mean {near}?" if near else known)
    except UsageError as error:
        raise UsageError(f"{where}: action = {action!r}: {error}") from error
    return action


def _check_number(places: str) -> None:
    if not places.isdecimal() or not 1 <= int(places) <= OCCUPIED_MAX:
        raise UsageError(f"write {OCCUPY} N, with 1 to {OCCUPIED_MAX} places")


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
