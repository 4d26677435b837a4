"""Somebody else's client, told from the server's side: in a sentence, and request by request."""

import shlex
import sqlite3
from typing import Final, NamedTuple

import msgspec

from vaultstorm.report import words
from vaultstorm.report.served import Step

REQUESTS_MAX: Final = 20
"""How many requests are told in full, in all variants together."""

EVENTS_MAX: Final = 8
NEAR: Final = 0.05
"""Seconds before and after a request within which an action belongs to it."""


class Connections(msgspec.Struct, frozen=True):
    """Those from which a request came, and those that were turned away before one could."""

    accepted: int = 0
    turned_away: int = 0


class Requests(msgspec.Struct, frozen=True):
    """What came, by what it is counted by: see docs/run-db.md, `client_request`."""

    received: int = 0
    distinct: int = 0
    repeated: int = 0
    answered: int = 0


class Seen(msgspec.Struct, frozen=True):
    """What run.json says of a client."""

    command: tuple[str, ...] = ()
    exit: int | None = None
    signal: int | None = None
    duration_s: float | None = None
    url: str | None = None
    connections: Connections = Connections()
    requests: Requests = Requests()
    executed_twice: int | None = None
    given_up: int | None = 0
    causes: dict[str, int] = {}
    note: str | None = None

    @property
    def line(self) -> str:
        """Its command, as ``--client`` takes it: the server's address is another each time."""
        words = [word.replace(self.url, "{url}") if self.url else word for word in self.command]
        return shlex.join(words).replace("'{url}'", "{url}")

    @property
    def unknown(self) -> str:
        """What cannot be told of it, as its requests are alike; empty if all can."""
        counts = {"executed twice": self.executed_twice, "given up": self.given_up}
        none = [f"what was {name}" for name, count in counts.items() if count is None]
        return " and ".join(none).capitalize() if self.note else ""

    @property
    def ended(self) -> str:
        """How its program ended."""
        if self.signal is not None:
            return f"ended by signal {self.signal}"
        return "did not end" if self.exit is None else f"exit {self.exit}"


class Told(NamedTuple):
    """One request, in all its tries."""

    variant: str
    key: str
    heading: str
    family: str
    """Its colour."""
    steps: tuple[Step, ...]


def sentence(seen: Seen) -> str:
    """Say what the server saw of it."""
    requests, away = seen.requests, seen.connections.turned_away
    took = f" after {words.milliseconds(seen.duration_s * 1000)}" if seen.duration_s else ""
    many = words.count(requests.received, "request") if requests.received else "no request"
    came = f"received {many}"
    if requests.received > requests.distinct:
        came += f", {requests.distinct:,} of them distinct"
    if away:
        came += f", and turned away {words.count(away, 'connection')} before any request came"
    said = [f"The client ended with {seen.ended}{took}" if seen.exit is not None else _cut(seen)]
    said.append(f"The server {came}")
    if requests.distinct:
        again = f"{_many(requests.repeated)} sent again" if requests.repeated else ""
        twice = f"{_many(seen.executed_twice)} executed twice" if seen.executed_twice else ""
        never = f"{_many(seen.given_up)} never answered" if seen.given_up else ""
        told = [part for part in (again, twice, never) if part]
        said.append(", ".join(told) if told else "Each was answered, and none was sent again")
    if seen.unknown:
        said.append(f"{seen.unknown} cannot be told, as requests are alike: {seen.note}")
    return ". ".join(said) + "."


def _cut(seen: Seen) -> str:
    return "The client was " + (seen.ended if seen.signal is not None else "not seen to end")


def _many(number: int) -> str:
    return f"{number:,} {'was' if number == 1 else 'were'}"


# What was executed twice first, then what was never answered, then what was sent again; the first
# of each in every variant before a second.
_CHOSEN: Final = """
WITH told AS (
    SELECT variant, key, method, target, received, executed, answered, cause, first, last,
        CASE WHEN executed > 1 THEN 0 WHEN answered = 0 THEN 1 ELSE 2 END AS kind
    FROM client_request
    WHERE variant IN (SELECT variant FROM client)
        AND (executed > 1 OR answered = 0 OR received > 1) AND (id NOT NULL OR served < 2)
), ranked AS (
    SELECT told.*, position,
        row_number() OVER (PARTITION BY told.variant, kind ORDER BY first, key) AS nth
    FROM told JOIN variant ON variant.name = told.variant
)
SELECT variant, key, method, target, received, executed, answered, cause, first, last, position
FROM ranked ORDER BY nth, kind, position, first LIMIT ?
"""


def tell(db: sqlite3.Connection) -> tuple[Told, ...]:
    """Choose requests of foreign clients and tell them, in the order of the variants."""
    rows = db.execute(_CHOSEN, (REQUESTS_MAX,)).fetchall()
    rows.sort(key=lambda row: (row[-1], row[-3]))
    return tuple(_told(db, *row[:-1]) for row in rows)


def _told(
    db: sqlite3.Connection,
    variant: str,
    key: str,
    method: str,
    target: str,
    received: int,
    executed: int,
    answered: int,
    cause: str | None,
    first: float,
    last: float,
) -> Told:
    times = {1: "once", 2: "twice"}
    ran = times.get(executed, f"{executed:,} times") if executed else "never"
    came = times.get(received, f"{received:,} times")
    end = "answered" if answered else "never answered"
    lost = "; before, it was lost" if answered else ""
    why = f"{lost}: {words.cause(cause)} ({cause})" if cause else ""
    steps = [*_tries(db, variant, key), *_executions(db, variant, key)]
    until = max([last, *(step.time for step in steps)])
    steps += _actions(db, variant, first, until)
    told = (step._replace(time=step.time - first) for step in steps)
    return Told(
        variant,
        key,
        f"{method} {target} was received {came}, executed {ran}, and {end}{why}.",
        "timeout" if executed > 1 else "closed" if not answered else "ok",
        tuple(sorted(told, key=lambda step: round(step.time, 7))),
    )


_OF_KEY: Final = "variant = ? AND (id = ? OR id IS NULL AND method || ' ' || target = ?)"


def _tries(db: sqlite3.Connection, variant: str, key: str) -> list[Step]:
    """Tell each time that it was received: on which connection, by which worker, how it ended."""
    steps: list[Step] = []
    rows = db.execute(
        "SELECT time, dispatched, answered, worker, connection, peer, status, cause FROM request"
        f" WHERE {_OF_KEY} ORDER BY time",
        (variant, key, key),
    ).fetchall()
    for time, dispatched, answered, worker, connection, peer, status, cause in rows:
        again = "received again" if steps else "received"
        why = f"; lost, HTTPERR logs {cause}" if cause else "; never answered"
        end = "" if status is not None else why
        on = f"on connection {connection} from {peer}"
        steps.append(Step(time, "server", f"{again} {on}{'' if dispatched else end}"))
        if dispatched is not None:
            steps.append(Step(dispatched, "server", f"given to worker {worker}{end}"))
        if answered is not None:
            logged = f"; HTTPERR logs {cause}" if cause else ""
            steps.append(Step(answered, "server", f"answered with {status}{logged}"))
    return steps


def _executions(db: sqlite3.Connection, variant: str, key: str) -> list[Step]:
    rows = db.execute(
        f"SELECT time, worker, status FROM execution WHERE {_OF_KEY} ORDER BY time",
        (variant, key, key),
    )
    return [
        Step(time, "server", f"worker {worker} executes it: {status}")
        for time, worker, status in rows
    ]


def _actions(db: sqlite3.Connection, variant: str, first: float, last: float) -> list[Step]:
    """Tell what the runner did meanwhile."""
    rows = db.execute(
        "SELECT time, detail FROM event WHERE variant = ? AND role = 'runner' AND name = 'action'"
        " AND time BETWEEN ? AND ? ORDER BY time LIMIT ?",
        (variant, first - NEAR, last + NEAR, EVENTS_MAX),
    )
    return [Step(time, "runner", detail or "action") for time, detail in rows]
