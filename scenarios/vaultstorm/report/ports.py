"""The two ports of a DCOM burst: the resolver's, and the object exporters', each with its queue."""

import sqlite3
from collections.abc import Callable, Iterable
from typing import Final, NamedTuple

from vaultstorm.reconcile.schema import PORT

ACTIVATION: Final = "activation"
CALL: Final = "call"

NAMES: Final = {ACTIVATION: "resolver", CALL: "object exporter"}
"""Who listens, by what is asked for there; the words of the report."""
KEYS: Final = {ACTIVATION: "resolver", CALL: "exporter"}
"""Likewise, as the columns of `sample` begin."""


class Pause(NamedTuple):
    """An interval in which every SYN was refused or dropped."""

    time: float
    until: float
    style: str
    port: int | None = None


class Held(NamedTuple):
    """What an accept queue held from a moment on."""

    time: float
    queued: int
    free: int


class Side(NamedTuple):
    """One of the two.

    Attributes:
        operation: what is asked for there.
        numbers: the ports, as the clients went there.
        held: from when on it was listened to.
        pauses: of these ports.
    """

    operation: str
    numbers: tuple[int, ...]
    held: tuple[Held, ...]
    pauses: tuple[Pause, ...]

    @property
    def key(self) -> str:
        """What the page calls it where nobody reads it."""
        return KEYS[self.operation]

    @property
    def name(self) -> str:
        """Who it is, with its port: ``the resolver, port 135``."""
        return named(self.operation, self.numbers)


def named(operation: str, numbers: Iterable[int]) -> str:
    """Name who listens there."""
    ports = sorted(numbers)
    who = f"the {NAMES[operation]}{'s' if operation == CALL and len(ports) > 1 else ''}"
    if not ports:
        return who
    return f"{who}, port{'s' if len(ports) > 1 else ''} {', '.join(map(str, ports))}"


def numbers(db: sqlite3.Connection, variant: str) -> dict[str, tuple[int, ...]]:
    """Give the ports that clients went to, by operation; empty if nobody spoke RPC."""
    found: dict[str, list[int]] = {}
    for operation, port in db.execute(
        f"SELECT DISTINCT operation, {PORT} FROM attempt"
        " WHERE variant = ? AND operation IS NOT NULL ORDER BY 1, 2",
        (variant,),
    ):
        if operation in NAMES:
            found.setdefault(operation, []).append(port)
    return {operation: tuple(ports) for operation, ports in found.items()}


def sides(
    asked: dict[str, tuple[int, ...]],
    held: dict[str, Iterable[Held]],
    pauses: Iterable[Pause],
    merged: Callable[[Iterable[Pause]], tuple[Pause, ...]],
) -> tuple[Side, ...]:
    """Put together what belongs to each of the two.

    Args:
        asked: the ports, by operation.
        held: what their queues held, by operation.
        pauses: of all ports, in order of time.
        merged: joins those of one port that are too close to be told apart.
    """
    every = tuple(pauses)
    return tuple(
        Side(
            operation,
            asked[operation],
            _listening(held[operation]),
            merged(pause for pause in every if pause.port in (None, *asked[operation])),
        )
        for operation in NAMES
        if operation in asked
    )


def told(side: Side) -> str:
    """Say in a sentence how full its queue was."""
    if not side.held:
        return f"Nobody listened for {side.name}"
    queued, free = max(h.queued for h in side.held), min(h.free for h in side.held)
    who = side.name.partition(",")[0]
    many = "s'" if who.endswith("s") else "'s"
    return (
        f"{who[0].upper()}{who[1:].removesuffix('s')}{many} accept queue held up to {queued:,}, "
        f"and had as few as {free:,} slots free"
    )


def _listening(held: Iterable[Held]) -> tuple[Held, ...]:
    """Leave out the time before there was a queue: a listener has slots, free or held."""
    moments = list(held)
    first = next((n for n, one in enumerate(moments) if one.queued or one.free), len(moments))
    return tuple(moments[first:])
