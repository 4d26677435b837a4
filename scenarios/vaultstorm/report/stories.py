"""Failed attempts told in full: which ones, and what both sides' records say about them."""

import sqlite3
from typing import Any, Final, NamedTuple

from vaultstorm.report import fates, hangs, ports, served, words
from vaultstorm.report.served import Step
from vaultstorm_wire.outcome import hresult_of

STORIES_MAX: Final = 20
"""How many are told."""

NEAR: Final = 0.05
"""Seconds before and after an attempt within which an event belongs to its story."""

SAME_PORT: Final = 1.0
"""Seconds within which a connection turned away is this one, not a later one from its port."""

SOON: Final = 1.0
"""Seconds after an action of the runner within which a loss is told with it."""

EVENTS_MAX: Final = 8
PAUSES_MAX: Final = 4

_FIELDS: Final = (
    *("variant", "id", "connection", "nth", "local", "time", "start"),
    *("connect", "tls", "bind", "send", "wait", "receive", "end"),
    *("sent", "received", "syn_retries", "outcome", "errno", "detail", "cause", "verdict"),
    *("peer", "operation", "win32"),
)

# Every outcome with every cause first, then each of these in every variant, then with every
# verdict, and only then second examples. Within that: what nothing explains, then what was executed
# although its client saw it fail. The first few of each kind are enough to choose from, and ranking
# only them saves most of the time. Ties are many, as a spike is due at one moment: the order of
# the journals, which rowid keeps, breaks them.
_CHOSEN: Final = f"""
WITH numbered AS (
    SELECT rowid AS number, variant, outcome, cause, verdict, time, row_number() OVER (
        PARTITION BY variant, outcome, cause, verdict ORDER BY time, rowid
    ) AS nth
    FROM attempt WHERE outcome <> 'ok'
), few AS (
    SELECT numbered.*, position FROM numbered JOIN variant ON variant.name = numbered.variant
    WHERE nth <= {STORIES_MAX}
), ranked AS (
    SELECT *,
        row_number() OVER (PARTITION BY outcome, cause ORDER BY position, time, number) AS first,
        row_number() OVER (PARTITION BY variant, outcome, cause ORDER BY time, number) AS second,
        row_number() OVER (
            PARTITION BY outcome, cause, verdict ORDER BY position, time, number
        ) AS third
    FROM few
)
SELECT number FROM ranked
ORDER BY min(first, 2), min(second, 2), min(third, 2), cause IS NOT NULL, verdict = 'never',
         second, position, time, number
LIMIT {STORIES_MAX}
"""


class Story(NamedTuple):
    """One failed attempt."""

    variant: str
    id: str
    outcome: str
    heading: str
    """What a person wants to know, in at most four sentences."""
    steps: tuple[Step, ...]


def tell(db: sqlite3.Connection) -> tuple[Story, ...]:
    """Choose the attempts and tell them, in the order in which they happened in each variant.

    The same run always gives the same stories.
    """
    numbers = [row[0] for row in db.execute(_CHOSEN)]
    fields = ", ".join(f'attempt."{name}"' for name in _FIELDS)
    rows = db.execute(
        f"SELECT {fields} FROM attempt JOIN variant ON variant.name = attempt.variant"
        f" WHERE attempt.rowid IN ({', '.join('?' * len(numbers))})"
        " ORDER BY variant.position, attempt.time, attempt.rowid",
        numbers,
    ).fetchall()
    return tuple(_story(db, dict(zip(_FIELDS, row, strict=True))) for row in rows)


def heading(attempt: dict[str, Any], worker: str = "", foreign: bool = False) -> str:
    """Say in sentences how an attempt ended, why, what of its `worker`, and whether it ran."""
    outcome, cause, nth = attempt["outcome"], attempt["cause"], attempt["nth"]
    after = words.milliseconds((attempt["end"] - attempt["start"]) * 1000)
    since = f"request {nth + 1} on its connection began" if nth else "its SYN"
    why = words.cause(cause, foreign)
    named = f" ({cause})" if cause else ""
    bound = f" {worker}" if worker else ""
    what, code = _what(attempt)
    return (
        f"{what} {words.short(attempt['id'])} {words.ended(outcome)}, {after} after {since}: "
        f"{why}{named}.{bound}{code} {words.executed(attempt['verdict'], outcome)}"
    )


def _what(attempt: dict[str, Any]) -> tuple[str, str]:
    """Say what kind of attempt it is, and in a sentence what an application on Windows shows."""
    operation = attempt.get("operation")
    if operation not in ports.NAMES:
        return "Attempt", ""
    code = hresult_of(attempt["outcome"], attempt["win32"])
    shows = f" The application shows {code}." if code else ""
    return f"At {ports.named(operation, [_port(attempt)])}, {operation}", shows


def _story(db: sqlite3.Connection, attempt: dict[str, Any]) -> Story:
    worker, about = _worker(db, attempt)
    steps = [
        *_client(attempt),
        *_turned_away(db, attempt),
        *_pauses(db, attempt),
        *served.requests(db, attempt),
        *served.begun(db, attempt),
        *served.executions(db, attempt),
        *_events(db, attempt, about),
        *_held(db, attempt),
    ]
    start = attempt["start"]
    told = (step._replace(time=step.time - start) for step in steps)
    return Story(
        variant=attempt["variant"],
        id=attempt["id"],
        outcome=attempt["outcome"],
        heading=heading(attempt, worker, _is_foreign(db, attempt["variant"])),
        steps=tuple(sorted(told, key=lambda step: round(step.time, 7))),
    )


def _is_foreign(db: sqlite3.Connection, variant: str) -> bool:
    query = "SELECT server FROM variant WHERE name = ?"
    row = db.execute(query, (variant,)).fetchone()
    return row is not None and row[0] == "foreign"


def _port(attempt: dict[str, Any]) -> int:
    """Give the server's port that it was aimed at."""
    return int(attempt["peer"].rpartition(":")[2])


def _worker(db: sqlite3.Connection, attempt: dict[str, Any]) -> tuple[str, list[int]]:
    """Say in a sentence what of its worker made it fail, and give the rows of the events for it."""
    variant = attempt["variant"]
    if fate := fates.of(db, attempt):
        return fates.sentence(fate), fates.events(db, variant, fate)
    if hang := hangs.of(db, attempt):
        return hangs.sentence(hang), hangs.events(db, variant, hang)
    return "", _done_before(db, attempt) if _is_foreign(db, variant) else []


def _done_before(db: sqlite3.Connection, attempt: dict[str, Any]) -> list[int]:
    """Give the row of what the runner last did to a foreign server, if that was just before."""
    rows = db.execute(
        "SELECT rowid FROM event WHERE variant = ? AND name = 'action' AND time BETWEEN ? AND ?"
        " ORDER BY time DESC LIMIT 1",
        (attempt["variant"], attempt["end"] - SOON, attempt["end"]),
    )
    return [row for (row,) in rows]


def _client(attempt: dict[str, Any]) -> list[Step]:
    """Tell what the client saw, phase by phase; the last phase it entered has the ending."""
    time, start = attempt["time"], attempt["start"]
    steps = []
    if start - time >= 0.0005:
        late = words.milliseconds((start - time) * 1000)
        steps.append(Step(time, "client", f"the attempt is due; the client begins it {late} late"))
    where = f"from {attempt['local']}" if attempt["local"] else "without a socket"
    if attempt["nth"]:
        number = attempt["nth"] + 1
        begin = f"request {number} on connection {attempt['connection']}, {where}"
    else:
        begin = f"SYN sent {where}" if attempt["local"] else f"begins {where}"
    steps.append(Step(start, "client", begin))
    size = words.count(attempt["sent"], "byte")
    done = {
        "connect": "TCP handshake complete",
        "tls": "TLS handshake complete",
        "bind": "RPC bind complete",
        "send": f"request sent, {size}",
        "wait": "first byte of the answer",
        "receive": f"answer complete, {words.count(attempt['received'], 'byte')}",
    }
    entered = [phase for phase in done if attempt[phase] is not None]
    passed, moment = entered[:-1], start
    for phase in passed:
        moment += attempt[phase]
        steps.append(Step(moment, "client", done[phase]))
    return [*steps, Step(attempt["end"], "client", _ending(attempt))]


def _ending(attempt: dict[str, Any]) -> str:
    notes = [attempt[name] for name in ("errno", "detail") if attempt[name]]
    if attempt["syn_retries"]:
        notes.append(f"SYN sent again {words.count(attempt['syn_retries'], 'time')}")
    if attempt["received"]:
        notes.append(f"{words.count(attempt['received'], 'byte')} received")
    return f"ends as {attempt['outcome']}" + (f" ({', '.join(notes)})" if notes else "")


def _turned_away(db: sqlite3.Connection, attempt: dict[str, Any]) -> list[Step]:
    row = db.execute(
        "SELECT time, cause, how FROM turned_away"
        " WHERE variant = ? AND peer = ? AND COALESCE(port = ?, TRUE) AND time BETWEEN ? AND ?"
        " ORDER BY abs(time - ?) LIMIT 1",
        (
            attempt["variant"],
            attempt["local"],
            _port(attempt),
            attempt["start"] - SAME_PORT,
            attempt["end"] + SAME_PORT,
            attempt["start"],
        ),
    ).fetchone()
    if row is None or attempt["nth"]:
        return []
    time, cause, how = row
    return [Step(time, "server", f"connection turned away by {how}: {words.cause(cause)}")]


def _pauses(db: sqlite3.Connection, attempt: dict[str, Any]) -> list[Step]:
    """Tell the pauses in which the attempt was trying to connect."""
    if attempt["nth"] or attempt["connect"] is None:
        return []
    reached = attempt["start"] + attempt["connect"]
    rows = db.execute(
        "SELECT time, until, style, caught FROM pause"
        " WHERE variant = ? AND COALESCE(port = ?, TRUE) AND until >= ? AND time <= ?"
        " ORDER BY time LIMIT ?",
        (
            *(attempt["variant"], _port(attempt)),
            *(attempt["start"] - 0.005, reached + 0.005, PAUSES_MAX),
        ),
    ).fetchall()
    steps = []
    for time, until, style, caught in rows:
        does = {"drop": "dropped"}.get(style, "refused")
        also = f"; {words.count(caught, 'finished handshake')} reset" if caught else ""
        steps.append(
            Step(time, "server", f"accept queue full: from here every SYN is {does}{also}")
        )
        if until <= attempt["end"] + NEAR:
            why = "" if style == "exhausted" else "a slot is free: "
            steps.append(Step(until, "server", f"{why}SYNs are answered again"))
    return steps


_ELSEWHERE: Final = """name IN ('pause_began', 'protection_began', 'protection_ended')
    AND COALESCE(port <> ?, FALSE)
    OR name = 'pause_began' AND EXISTS (SELECT 1 FROM pause
        WHERE pause.variant = event.variant AND pause.port IS event.port
            AND pause.time = event.time)"""
"""In SQL, that an event tells of another listener's queue, or what its pause tells already."""


def _events(db: sqlite3.Connection, attempt: dict[str, Any], about: list[int]) -> list[Step]:
    """Tell what happened meanwhile, and what became of the worker."""
    near = db.execute(
        f"SELECT rowid FROM event WHERE variant = ? AND time BETWEEN ? AND ? AND NOT ({_ELSEWHERE})"
        " ORDER BY time, rowid LIMIT ?",
        (
            *(attempt["variant"], attempt["start"] - NEAR, attempt["end"] + NEAR),
            *(_port(attempt), EVENTS_MAX),
        ),
    )
    told = list(dict.fromkeys([*about[:EVENTS_MAX], *(row for (row,) in near)]))
    steps = []
    for time, role, name, worker, number, detail in db.execute(
        "SELECT time, role, name, worker, event_id, detail FROM event"
        f" WHERE rowid IN ({', '.join('?' * len(told))}) ORDER BY time, rowid",
        told,
    ):
        side = "runner" if role == "runner" else "server"
        steps.append(Step(time, side, words.moment(name, worker, number, detail)))
    return steps


def _held(db: sqlite3.Connection, attempt: dict[str, Any]) -> list[Step]:
    """Tell what the accept queue held when the attempt began, and when it ended."""
    steps = []
    key = ports.KEYS.get(attempt["operation"])
    free, queued = (f"{key}_{name}" if key else name for name in ("free", "queued"))
    for moment in (attempt["start"], attempt["end"]):
        row = db.execute(
            f"SELECT time, {free}, {queued} FROM sample WHERE variant = ? AND time <= ?"
            " ORDER BY time DESC LIMIT 1",
            (attempt["variant"], moment),
        ).fetchone()
        listening = row is not None and (key is None or row[1] or row[2])
        if listening and attempt["start"] - NEAR <= row[0]:
            text = f"accept queue: {row[2]} waiting, {words.count(row[1], 'free slot')}"
            step = Step(row[0], "server", text)
            steps += [] if step in steps else [step]
    return steps
