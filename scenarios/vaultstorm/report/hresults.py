"""What the application showed its user: every HRESULT that occurred, where, and why."""

import sqlite3
from typing import Final, NamedTuple

from vaultstorm.reconcile.verdicts import VERDICTS
from vaultstorm.report import ports, words
from vaultstorm_wire.outcome import OK, hresult_of, message_of

MEANS: Final[dict[str, str]] = {
    "0x800706BA": "Nobody is there, says the network: no connection came to be. Windows sends a "
    "refused SYN twice more before it says so (KB175523, TcpMaxConnectRetransmissions); a "
    "connection that stood and is reset it does not try again.",
    "0x800706BF": "The connection stood, and was gone before the request had been sent: the server "
    "cannot have run it, and whoever tries again does nothing twice.",
    "0x800706BE": "The request was sent whole, and no whole answer came, or a fault that says no "
    "more than this: it may have run. Only the server's own records tell; who tries again without "
    "them may do it twice.",
    "0x800706BB": "The server answered that it has too many calls in progress: it did not run this "
    "one.",
    "0x8007071A": "The client gave up, because nothing came back in the time that it allows, or it "
    "was interrupted. If the request had been sent, it may have run, or be running still.",
}
"""What the article's reader should know of a code, beside its message."""

OTHER: Final = "The server's own answer: it had the request, and says what became of it."

_WIRE: Final[dict[str, str]] = {
    "connect.refused": "SYN, then RST",
    "connect.timeout": "SYN, and no answer",
    "connect.reset": "the TCP handshake, then RST",
    "connect.closed": "the TCP handshake, then FIN",
    "bind.timeout": "the TCP handshake and a bind, and no answer",
    "bind.reset": "the TCP handshake, then RST instead of a bind_ack",
    "bind.closed": "the TCP handshake, then FIN instead of a bind_ack",
    "bind.rejected": "a bind, then a bind_nak, or a bind_ack that rejects it",
    "bind.malformed": "a bind, then what is no answer to it",
    "send.timeout": "a part of the request, and then nobody took more",
    "send.reset": "a part of the request, then RST",
    "send.closed": "a part of the request, then FIN",
    "wait.timeout": "the whole request, and no answer",
    "wait.reset": "the whole request, then RST",
    "wait.closed": "the whole request, then FIN",
    "wait.malformed": "the whole request, then what is no answer to it",
    "receive.timeout": "a part of the answer, and then no more",
    "receive.reset": "a part of the answer, then RST",
    "receive.closed": "a part of the answer, then FIN",
    "receive.malformed": "an answer that breaks the protocol",
}


class Place(NamedTuple):
    """Where a code occurred: one outcome at one port with one cause, in one variant."""

    variant: str
    at: str
    """Whose port it was, with its number."""
    outcome: str
    cause: str | None
    attempts: int
    executed: dict[str, int]
    """Attempts by verdict; those that there are."""

    @property
    def wire(self) -> str:
        """What went over the wire."""
        if self.outcome in _WIRE:
            return _WIRE[self.outcome]
        if self.outcome.endswith(".local"):
            return "nothing: the client's own machine gave up"
        return f"a whole answer: {self.outcome.partition('.')[2]}"


class Shown(NamedTuple):
    """One HRESULT.

    Attributes:
        code: as the application shows it; empty where Windows has none.
        message: that Windows has for it.
        means: what it tells, and what it does not.
    """

    code: str
    message: str
    means: str
    places: tuple[Place, ...]

    @property
    def attempts(self) -> int:
        """How many attempts ended with it."""
        return sum(place.attempts for place in self.places)


class Port(NamedTuple):
    """What came of one operation in one variant."""

    variant: str
    operation: str
    attempts: int
    ok: int
    executed: dict[str, int]

    @property
    def failed(self) -> int:
        """How many attempts got another answer, or none."""
        return self.attempts - self.ok


class Seen(NamedTuple):
    """All of a run.

    Attributes:
        ports: by variant, the resolver before the object exporter.
        shown: by code; the one that most attempts ended with comes first.
    """

    ports: tuple[Port, ...]
    shown: tuple[Shown, ...]

    @property
    def rows(self) -> list[tuple[str, dict[str, Port]]]:
        """By variant, what came of each operation."""
        found: dict[str, dict[str, Port]] = {}
        for port in self.ports:
            found.setdefault(port.variant, {})[port.operation] = port
        return list(found.items())


def read(db: sqlite3.Connection) -> Seen | None:
    """Read what the applications saw in all variants; None if nobody spoke RPC."""
    rows = db.execute(
        "SELECT name, operation, port, outcome, win32, cause, verdict, attempts"
        " FROM operations JOIN variant ON name = operations.variant"
        " ORDER BY position, operation, port, outcome, cause"
    ).fetchall()
    if not rows:
        return None
    seen: dict[tuple[str, str], Port] = {}
    places: dict[str, dict[tuple[object, ...], Place]] = {}
    for name, operation, port, outcome, win32, cause, verdict, attempts in rows:
        if operation not in ports.NAMES:
            continue
        had = seen.get((name, operation), Port(name, operation, 0, 0, {}))
        seen[name, operation] = had._replace(
            attempts=had.attempts + attempts,
            ok=had.ok + attempts * (outcome == OK),
            executed=_plus(had.executed, verdict, attempts),
        )
        if outcome != OK:
            code = hresult_of(outcome, win32) or ""
            own = ports.named(operation, [port])
            key = (name, operation, port, outcome, cause)
            place = places.setdefault(code, {}).get(key, Place(name, own, outcome, cause, 0, {}))
            places[code][key] = place._replace(
                attempts=place.attempts + attempts,
                executed=_plus(place.executed, verdict, attempts),
            )
    return Seen(
        tuple(seen.values()),
        tuple(sorted(map(_shown, places.items()), key=lambda one: (-one.attempts, one.code))),
    )


def executed(verdicts: dict[str, int]) -> str:
    """Say how often requests ran: ``never``, or ``9 once, 1 never``."""
    if len(verdicts) == 1:
        return next(iter(verdicts))
    return ", ".join(f"{verdicts[name]:,} {name}" for name in VERDICTS if name in verdicts)


def why(place: Place) -> str:
    """Say why an attempt failed there."""
    return words.cause(place.cause)


def _shown(item: tuple[str, dict[tuple[object, ...], Place]]) -> Shown:
    code, places = item
    message = (message_of(code) if code else None) or "No message is known for it."
    return Shown(code, message, MEANS.get(code, OTHER), tuple(places.values()))


def _plus(verdicts: dict[str, int], verdict: str, attempts: int) -> dict[str, int]:
    return {**verdicts, verdict: verdicts.get(verdict, 0) + attempts}
