"""What a scenario does to the server while the load runs, and when."""

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import msgspec

from vaultstorm.tables import convert, duration
from vaultstorm_client import thresholds
from vaultstorm_client.thresholds import Threshold
from vaultstorm_server.afd.policy import QueueStatistics
from vaultstorm_wire.errors import UsageError

ACTIONS: Final = ("gate closed", "gate open", "kill", "stop")
"""`kill` is SIGKILL to the front process, `stop` is SIGTERM."""

ENDED: Final = "ended"
"""Attempts that have ended on the client's side, whatever became of them."""

_COUNTS: Final = (
    *(name for name, kind in QueueStatistics.__annotations__.items() if kind is int),
    "pauses",
    ENDED,
)

Look = Callable[[], Mapping[str, Any] | None]


class Action(msgspec.Struct, frozen=True, kw_only=True):
    """One action; either `at` or `when` is set.

    Attributes:
        action: one of `ACTIONS`.
        at: seconds since the load began; 0 is before its first SYN.
        when: a condition on what the accept queue and the client have counted.
    """

    action: str
    at: float | None = None
    when: Threshold | None = None

    def __str__(self) -> str:
        moment = f"at {self.at:g} s" if self.at is not None else f"when {self.when}"
        return f"{self.action} {moment}"


class _Written(msgspec.Struct, frozen=True):
    action: str
    at: str | float | None = None
    when: str | None = None


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
    if written.action not in ACTIONS:
        raise UsageError(f"{where}: action = {written.action!r}: write {', '.join(ACTIONS)}")
    if (written.at is None) == (written.when is None):
        raise UsageError(f"{where}: give either at or when")
    if written.when is None:
        return Action(action=written.action, at=duration(written.at, f"{where}: at"))
    vocabulary = thresholds.Vocabulary(
        f"{where}: when", dict.fromkeys(_COUNTS, 0), _COUNTS, {}, "'queued + ended == 100'"
    )
    return Action(action=written.action, when=thresholds.read(written.when, vocabulary))


class Schedule:
    """Says which actions are due. They happen in their order: one that waits holds the next.

    Args:
        actions: as the scenario has them.
    """

    def __init__(self, actions: Sequence[Action]) -> None:
        self._pending = deque(actions)

    @property
    def pending(self) -> tuple[Action, ...]:
        """Those that have not happened."""
        return tuple(self._pending)

    def before(self) -> list[Action]:
        """Take the actions that come before the load."""
        due = []
        while self._pending and self._pending[0].at == 0:
            due.append(self._pending.popleft())
        return due

    def next(self, elapsed: float, look: Look) -> Action | None:
        """Take the next action if it is due.

        Args:
            elapsed: seconds since the load began.
            look: gives what is counted; None if it cannot be had. Called only where it matters.
        """
        if not self._pending:
            return None
        first = self._pending[0]
        if first.when is None:
            due = first.at is not None and first.at <= elapsed
        else:
            counted = look()
            due = counted is not None and first.when.reached(counted)
        return self._pending.popleft() if due else None
