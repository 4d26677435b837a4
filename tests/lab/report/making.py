"""Makes run directories: a burst against a small accept queue, in six variants, without running it.

The numbers come from a seeded model, so that the same call always makes the same run.
"""

import json
import random
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from vaultstorm.reconcile import schema

EPOCH = 1795308969.868932
TABLES = ("attempt", "turned_away", "pause", "request", "execution", "event", "sample", "violation")

Row = dict[str, Any]
Rows = Iterator[tuple[str, Row]]


class Made(NamedTuple):
    """A variant to be made: `rows` gives its records for a number of attempts."""

    name: str
    title: str
    rows: Callable[[random.Random, int], Rows]
    expectations: Sequence[tuple[str, Any, bool]] = (("unexplained == 0", 0, True),)


def attempt(number: int, start: float, outcome: str, **more: Any) -> tuple[str, Row]:
    """Make an attempt's row, times relative to `EPOCH`."""
    row: Row = {
        "id": f"d11cbfd1f36d8faa-{number}-0",
        "connection": f"0.{number}",
        "nth": 0,
        "peer": "127.0.0.1:443",
        "local": f"127.0.{number // 60000}.1:{2000 + number % 60000}",
        "time": start,
        "start": start,
        "end": start + 0.004,
        "sent": 0,
        "received": 0,
        "syn_retries": 0,
        "outcome": outcome,
        "verdict": "never",
    }
    return "attempt", row | more


def event(time: float, role: str, name: str, **more: Any) -> tuple[str, Row]:
    """Make an event's row."""
    return "event", {"time": time, "role": role, "name": name, **more}


def sample(
    time: float, free: int, queued: int, waiting: int = 0, vault: tuple[int, int] = (0, 0)
) -> tuple[str, Row]:
    """Make a sample's row; `vault` are entries of the interface table, and threads held."""
    row = {"time": time, "free": free, "queued": queued, "turned_away": 0, "open": 3}
    held = {"interfaces": vault[0], "threads_held": vault[1]}
    return "sample", row | {"waiting": waiting, "in_flight": 1} | held


def served(number: int, start: float, took: float, status: int = 200) -> Rows:
    """Make an attempt that was answered, with its request and its execution."""
    answered = {"connect": 0.002, "tls": took, "send": 0.00006, "wait": 0.0009, "receive": 0.0001}
    end = start + sum(answered.values())
    outcome = "ok" if status < 400 else f"http.{status}"
    cause = None if outcome == "ok" else "response"
    made = attempt(number, start, outcome, end=end, verdict="once", cause=cause, **answered)
    yield made[0], made[1] | {"sent": 120, "received": 238}
    identity, peer = made[1]["id"], made[1]["local"]
    request = {"id": identity, "connection": number, "peer": peer, "method": "GET"}
    request |= {"target": "/AeXRSVault/status", "worker": 15715, "time": end - 0.0008}
    yield "request", request | {"dispatched": end - 0.0007, "answered": end, "status": status}
    yield (
        "execution",
        {"id": identity, "time": end - 0.0004, "worker": 15715, "method": "GET"}
        | {"target": "/AeXRSVault/status", "status": status},
    )


def life(until: float) -> Rows:
    """Make what happens in every variant."""
    yield event(-1.2, "runner", "variant_started")
    yield event(-1.1, "front", "worker_started", worker=15715)
    yield event(-0.8, "front", "ready")
    yield event(-0.02, "runner", "load_started")
    yield event(until + 0.05, "runner", "load_finished")
    yield event(until + 0.2, "front", "worker_stopped", worker=15715, detail="exit status 0")
    yield event(until + 0.4, "runner", "server_exited", detail="exit 0")


def overrun(rng: random.Random, attempts: int, style: str = "reset") -> Rows:
    """A spike on a queue of 10: a tenth gets in, the rest is turned away."""
    spread, until = attempts * 0.00002, 0.02 * (attempts // 10 + 1)
    yield from life(until)
    yield sample(-0.8, 10, 0)
    for number in range(attempts):
        start = number * 0.00002
        if number % 10 == 0:
            yield from served(number, start, 0.02 * (number // 10 + 1) + rng.random() / 100)
        elif style == "refuse" and number % 10 > 2:
            more = {"errno": "ECONNREFUSED", "connect": 0.0031, "cause": "backlog_full"}
            yield attempt(number, start, "connect.refused", end=start + 0.0031, **more)
        else:
            took = 0.003 + rng.random() / 500
            phases = {"connect": 0.0021, "tls": took - 0.0021}
            lost = attempt(number, start, "tls.reset", end=start + took, cause="backlog_full")
            yield lost[0], lost[1] | phases | {"errno": "ECONNRESET", "detail": "connect"}
            away = {"time": start + 0.0022, "peer": lost[1]["local"], "cause": "backlog_full"}
            yield "turned_away", away | {"how": "reset"}
    for n in range(min(int(until / 0.02), 6000)):
        yield sample(spread / 9 + n * 0.02, n % 3, 10 - n % 3, int(n % 7 == 0))
        if style != "reset":
            pause = {"time": 0.001 + n * 0.02, "until": 0.015 + n * 0.02, "style": style}
            yield "pause", pause | {"caught": 2 if n == 0 else 0}
    yield sample(until, 10, 0)


def calm(rng: random.Random, attempts: int) -> Rows:
    """Everybody is served."""
    yield from life(0.002 * attempts)
    yield sample(-0.8, 500, 0)
    for number in range(attempts):
        yield from served(number, number * 0.00002, 0.001 * number + rng.random() / 50)
    for n in range(20):
        yield sample(n * 0.0001 * attempts, 400 + 5 * n, 100 - 5 * n)


def dropped(rng: random.Random, attempts: int) -> Rows:
    """SYNs vanish, and are sent again after 1 s, 3 s, 7 s: nobody fails."""
    yield from life(8.0)
    yield sample(-0.8, 10, 0)
    for number in range(attempts):
        step = (0.002, 1.03, 3.05, 7.2)[min(3, number * 4 // attempts)]
        yield from served(number, number * 0.00002, step + rng.random() / 20)
    for n in range(12):
        until = 0.4 + n * 0.6
        yield "pause", {"time": 0.01 + n * 0.6, "until": until, "style": "drop", "caught": 0}
        yield sample(0.01 + n * 0.6, 0, 10)
        yield sample(until, 6, 4)


def recycled(rng: random.Random, attempts: int) -> Rows:
    """A worker dies with requests in its hands, the next one takes over."""
    until = 0.0005 * attempts
    yield from life(until)
    died = until / 2
    yield event(died - 0.01, "runner", "action", detail="recycle")
    yield event(died - 0.01, "front", "recycle", worker=15715, detail="on demand")
    yield event(died - 0.005, "front", "worker_stopping", worker=15715, detail="on demand")
    text = "A process serving application pool 'DefaultAppPool' exceeded time limits."
    yield event(died, "front", "event_log", worker=15715, event_id=1013, detail=text)
    yield event(died + 0.001, "front", "worker_died", worker=15715, detail="signal 9")
    yield event(died + 0.002, "front", "worker_started", worker=15716)
    yield event(died + 0.05, "front", "worker_serving", worker=15716)
    yield event(died + 0.1, "runner", "action", detail="gate closed")
    yield event(died + 0.101, "front", "gate_closed")
    yield event(died + 0.3, "runner", "action", detail="gate open")
    for number in range(attempts):
        start = number * 0.0005
        phases = {"connect": 0.001, "tls": 0.01, "send": 0.0001, "wait": 0.02}
        end = start + sum(phases.values())
        if start < died < end:
            outcome = ("wait.reset", "wait.closed", "wait.timeout", "receive.reset")[number % 4]
            verdict = ("once", "never", "twice", "unknown")[number // 4 % 4]
            cause = "Connection_Abandoned_By_AppPool" if number % 5 else None
            lost = attempt(number, start, outcome, end=end, cause=cause, verdict=verdict)
            yield lost[0], lost[1] | phases | {"sent": 120, "nth": number % 3}
            request = {"id": lost[1]["id"], "connection": 7, "peer": lost[1]["local"]}
            request |= {"method": "GET", "target": "/", "worker": 15715, "time": end - 0.02}
            yield "request", request | {"dispatched": end - 0.019, "cause": cause}
        else:
            yield from served(number, start, rng.random() / 100, 503 if number % 97 == 5 else 200)


BROKEN = Made("broken", "Backlog 10, as it was", overrun, [("causes.backlog_full > 0", 90, True)])
VARIANTS = (
    BROKEN,
    Made("workaround-dynamic-alone", "Dynamic backlog, listen() still says 10", overrun),
    Made("fixed-backlog", "Backlog 500", calm, [("lost == 0", 0, True), ("p99 < 5", 6.5, False)]),
    Made(
        "linux-drop",
        "Linux: SYNs are dropped",
        dropped,
        [("latency.total.p99 > 1000", 1031.2, True)],
    ),
    Made("windows-refuse", "SynAttackProtect off", lambda r, n: overrun(r, n, "refuse")),
    Made("fixed-recycle", "A recycle in the middle", recycled),
)


def make(directory: Path, variants: Sequence[Made] = VARIANTS, attempts: int = 100) -> Path:
    """Make the directory of a run; each variant makes the same number of attempts."""
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "run.db").unlink(missing_ok=True)
    db = sqlite3.connect(directory / "run.db")
    schema.create(db)
    for position, made in enumerate(variants):
        head = {"name": made.name, "position": position, "title": made.title, "options": "{}"}
        insert(db, "variant", [head])
        rows: dict[str, list[Row]] = {table: [] for table in TABLES}
        for table, row in made.rows(random.Random(position), attempts):
            rows[table].append(moved(row, EPOCH + 60 * position) | {"variant": made.name})
        for table in TABLES:
            insert(db, table, rows[table])
    schema.index(db)
    db.commit()
    result = summary(db, variants)
    db.close()
    (directory / "run.json").write_text(json.dumps(result))
    (directory / "scenario.toml").write_text('schema = 1\ntitle = "A burst & <a> backlog"\n')
    return directory


def moved(row: Row, by: float) -> Row:
    """Give the row with its moments, not its durations, moved."""
    names = ("time", "start", "end", "until", "dispatched", "answered")
    return {name: value + by if name in names else value for name, value in row.items()}


def insert(db: sqlite3.Connection, table: str, rows: Sequence[Row]) -> None:
    """Insert rows that may have different columns; what a row lacks is NULL, or 0 for a count."""
    if not rows:
        return
    names = list(dict.fromkeys(name for row in rows for name in row))
    columns = ", ".join(f'"{name}"' for name in names)
    marks = ", ".join("?" * len(names))
    db.executemany(
        f"INSERT INTO {table}({columns}) VALUES ({marks})",
        ([row.get(name) for name in names] for row in rows),
    )


def summary(db: sqlite3.Connection, variants: Sequence[Made]) -> Row:
    """Make what run.json says."""
    said = {}
    for made in variants:
        row = db.execute("SELECT * FROM summary WHERE variant = ?", (made.name,)).fetchone()
        checks = [
            {"check": check, "actual": actual, "passed": bool(passed)}
            for check, actual, passed in made.expectations
        ]
        total = [
            1000 * row[0]
            for row in db.execute(
                'SELECT "end" - time FROM attempt WHERE variant = ? AND received > 0 ORDER BY 1',
                (made.name,),
            )
        ] or [0.0]
        shares = {"p50": 0.5, "p90": 0.9, "p99": 0.99, "p99.9": 0.999, "max": 1}
        latency = {name: total[int(p * (len(total) - 1))] for name, p in shares.items()}
        said[made.name] = {
            **dict(zip(("attempts", "ok", "lost", "unexplained"), row[1:], strict=True)),
            "title": made.title,
            "expectations": checks,
            "latency_ms": {
                "connect": {name: ms / 50 for name, ms in latency.items()},
                "tls": {name: ms / 2 for name, ms in latency.items()},
                "response": None,
                "total": latency,
            },
            "seed": 15068129361727950762,
            "duration_s": 1.0,
            "options": {},
        }
    return {
        "schema": 1,
        "scenario": "backlog-burst",
        "passed": all(check[2] for made in variants for check in made.expectations),
        "title": "A burst of clients overruns the accept backlog",
        "article": "KB960007: AFD.SYS resets connections when a burst of DCOM activations fills it",
        "breaks": "A burst of clients overruns an accept queue of 10.",
        "why": "Windows completes the handshake and resets what the queue cannot hold.",
        "fixes": "A backlog as long as the burst; the AFD values do nothing on their own.",
        "variants": said,
        "out": "run",
    }
