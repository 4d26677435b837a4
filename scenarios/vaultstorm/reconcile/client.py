"""Somebody else's client, as the server saw it: what it had executed twice, what it gave up on."""

import sqlite3
from collections import Counter
from pathlib import Path
from typing import Any, Final

import msgspec

from vaultstorm_wire.errors import MachineError

FOREIGN: Final = "foreign"
"""What `client` says of a variant whose client is not ours."""

UNANSWERED: Final = "unanswered"
"""Counted where nobody wrote down why a request got no answer: the server was killed with it."""

NOTE: Final = "give every request an X-Request-Id or a query of its own"
"""What has to be done to tell a retry from a request that is like another."""


_ALIKE: Final = """
    SELECT method || ' ' || target AS key, SUM(status IS NULL) AS unanswered FROM request
    WHERE variant = :variant AND id IS NULL GROUP BY 1
    HAVING SUM(status < 500) > 1 OR MAX(time) >= MIN(answered) FILTER (WHERE status < 500)
"""
"""In SQL, the keys of requests without an id that are no retries: another came after an answer."""


class Ended(msgspec.Struct, frozen=True):
    """How the client's program ended, from client.json."""

    command: list[str]
    exit: int | None = None
    signal: int | None = None
    duration_s: float | None = None
    url: str | None = None


def note(db: sqlite3.Connection, variant: str, path: Path) -> None:
    """Keep what client.json says; of a client that left none, that it did.

    Raises:
        MachineError: it cannot be read, or says something else.
    """
    try:
        ended = msgspec.json.decode(path.read_bytes(), type=Ended)
    except FileNotFoundError:
        ended = Ended([])
    except OSError as error:
        raise MachineError(f"cannot read {path}: {error.strerror}") from error
    except msgspec.MsgspecError as error:
        raise MachineError(f"{path} does not say how a client ended: {error}") from error
    command = msgspec.json.encode(ended.command).decode()
    db.execute(
        "INSERT INTO client(variant, command, exit, signal, duration_s, url)"
        " VALUES (?, ?, ?, ?, ?, ?)",
        (variant, command, ended.exit, ended.signal, ended.duration_s, ended.url),
    )


def count(db: sqlite3.Connection, variant: str) -> dict[str, Any] | None:
    """Give what `run --json` says of a foreign client; None if the client was ours.

    Requests are told apart by their X-Request-Id, and without one by method and target. Of those
    without one, a second that follows an answer is a new request and no retry: then nobody can say
    what was executed twice, nor, if one got no answer, what was given up. `executed_twice` and
    `given_up` are None then, with a note, unless others were.
    """
    row = db.execute(
        "SELECT command, exit, signal, duration_s, url FROM client WHERE variant = ?", (variant,)
    ).fetchone()
    if row is None:
        return None
    command, exit, signal, duration, url = row
    requests, judged = _requests(db, variant)
    connections = db.execute(
        """
        SELECT (SELECT COUNT(DISTINCT connection) FROM request WHERE variant = :variant),
            (SELECT COUNT(*) FROM turned_away WHERE variant = :variant AND time <= COALESCE((
                SELECT MAX(time) FROM event WHERE variant = :variant AND role = 'runner'
                    AND name = 'load_finished'), time))
        """,
        {"variant": variant},
    ).fetchone()
    causes: Counter[str] = Counter()
    for cause, times in db.execute(
        "SELECT cause, COUNT(*) FROM client_request WHERE variant = ? AND answered = 0 GROUP BY 1",
        (variant,),
    ):
        causes[cause or UNANSWERED] += times
    return {
        "command": msgspec.json.decode(command),
        "exit": exit,
        "signal": signal,
        "duration_s": duration,
        "url": url,
        "connections": dict(zip(("accepted", "turned_away"), connections, strict=True)),
        "requests": requests,
        **judged,
        "causes": dict(sorted(causes.items())),
        **({"note": NOTE} if None in judged.values() else {}),
    }


def _requests(db: sqlite3.Connection, variant: str) -> tuple[dict[str, int], dict[str, int | None]]:
    """Count the requests, and what is wrong with them as far as that is known."""
    row = db.execute(
        f"""
        WITH alike AS ({_ALIKE})
        SELECT COALESCE(SUM(received), 0), COUNT(*), COUNT(*) FILTER (WHERE received > 1),
            COUNT(*) FILTER (WHERE answered > 0),
            COUNT(*) FILTER (WHERE executed > 1 AND alike.key IS NULL),
            COUNT(alike.key), COALESCE(SUM(alike.unanswered), 0)
        FROM client_request LEFT JOIN alike ON client_request.id IS NULL
            AND alike.key = client_request.key
        WHERE variant = :variant
        """,
        {"variant": variant},
    ).fetchone()
    *counts, twice, alike, doubtful = row
    requests = dict(zip(("received", "distinct", "repeated", "answered"), counts, strict=True))
    given_up = requests["distinct"] - requests["answered"]
    return requests, {
        "executed_twice": None if alike and not twice else twice,
        "given_up": None if doubtful and not given_up else given_up,
    }
