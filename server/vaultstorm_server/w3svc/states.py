"""A worker process's life as W3SVC sees it."""

from enum import StrEnum
from typing import Final


class State(StrEnum):
    """Where a worker process is in its life."""

    STARTING = "starting"
    SERVING = "serving"
    SHUTTING_DOWN = "shutting down"
    """It takes no request any more, and its process may still be there."""
    DEAD = "dead"


class Change(StrEnum):
    """What happens to it."""

    HELLO = "hello"
    """It says that it pulls requests."""
    STOP = "stop"
    """It is told to end."""
    LOST = "lost"
    """Its channel broke, or it is killed."""
    EXIT = "exit"
    """Its process has ended, or is let go of."""


TRANSITIONS: Final[dict[State, dict[Change, State]]] = {
    State.STARTING: {
        Change.HELLO: State.SERVING,
        Change.LOST: State.SHUTTING_DOWN,
        Change.EXIT: State.DEAD,
    },
    State.SERVING: {
        Change.STOP: State.SHUTTING_DOWN,
        Change.LOST: State.SHUTTING_DOWN,
        Change.EXIT: State.DEAD,
    },
    State.SHUTTING_DOWN: {
        Change.LOST: State.SHUTTING_DOWN,
        Change.EXIT: State.DEAD,
    },
    State.DEAD: {},
}


class Ending(StrEnum):
    """Why a worker process is shutting down: what its exit will mean."""

    ASKED = "asked"
    """It was told to end, and has ShutdownTimeLimit to do so."""
    LOST = "lost"
    """Its channel ended, nobody knows why: its exit may tell."""
    CANCELLED = "cancelled"
    """It was killed because it is not wanted any more: no failure."""
    FAILED = "failed"
    """It was killed for a failure, which has been counted."""
