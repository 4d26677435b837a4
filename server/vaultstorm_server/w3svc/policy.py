"""A worker process's life as W3SVC sees it, and how soon the next one is started."""

from enum import StrEnum
from typing import Final


class State(StrEnum):
    """Where a worker process is in its life."""

    STARTING = "starting"
    SERVING = "serving"
    STOPPING = "stopping"
    DEAD = "dead"


class Change(StrEnum):
    """What happens to it."""

    HELLO = "hello"
    """It says that it pulls requests."""
    LOST = "lost"
    """Its channel broke, or it took too long to start; its process may still be there."""
    STOP = "stop"
    """It is told to end."""
    EXIT = "exit"
    """Its process has ended."""


TRANSITIONS: Final[dict[State, dict[Change, State]]] = {
    State.STARTING: {
        Change.HELLO: State.SERVING,
        Change.LOST: State.STOPPING,
        Change.STOP: State.STOPPING,
        Change.EXIT: State.DEAD,
    },
    State.SERVING: {
        Change.LOST: State.STOPPING,
        Change.STOP: State.STOPPING,
        Change.EXIT: State.DEAD,
    },
    State.STOPPING: {
        Change.LOST: State.STOPPING,
        Change.STOP: State.STOPPING,
        Change.EXIT: State.DEAD,
    },
    State.DEAD: {},
}

RESTART_DELAY_MIN: Final = 0.1
RESTART_DELAY_MAX: Final = 5.0
HOPELESS: Final = 3
"""Starts that fail in a row, none having worked before, after which the server does not come up."""


def restart_delay(failures: int) -> float:
    """Give the wait before a start, after so many in a row that never said hello.

    A worker that served is replaced at once; one that cannot start is not started in a tight loop.
    """
    if failures == 0:
        return 0.0
    return min(RESTART_DELAY_MIN * 2.0 ** min(failures - 1, 16), RESTART_DELAY_MAX)
