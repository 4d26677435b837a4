"""Makes the run directory of a vault that hangs its pool, and of one that does not."""

import json
import random
from pathlib import Path
from typing import Any

from tests.lab.report.making import Made, Row, Rows, attempt, event, life, make, sample, served

WORKER = 15715
KEPT = {"blocks": 1234, "snapshots": 56, "lost": 0, "changed": 0}
AGENTS = {
    "agents": 16,
    "snapshots": {"begun": 70, "committed": 55, "failed": 15, "cut": 0},
    "acknowledged": {"blocks": 1234, "snapshots": 56, "bytes": 13_634_560},
    "verified": {"blocks": 1100, "snapshots": 50, "bytes": 9_899_744},
    "lost": 0,
    "corrupt": 0,
}
CHAIN = (
    (0.08, "reentrance", "2 methods are inside 3d63-6"),
    (1.21, "wrong_release", "3d63-4, with 1 method inside"),
    (1.29, "released_entry_touched", "3d63-4, by a method inside it"),
    (1.30, "released_entry_touched", "3d63-5, by a method inside it"),
    (1.46, "clean_up_died", "3d63-4: no entry is released any more"),
    (6.31, "table_full", "all 64 entries are taken: 3d63-82 waits for one"),
    (9.43, "pool_hung", "all 16 ISAPI threads wait for an entry"),
)


def lost(number: int, start: float, took: float, given: bool = True, **more: Any) -> Rows:
    """Make an attempt that its client gave up on, with the request that the worker had."""
    end = start + took
    row = {"nth": 3, "send": 0.001, "wait": took - 0.001, "sent": 163, "cause": "pool_hung"}
    made = attempt(number, start, "wait.timeout", end=end, **(row | more))
    yield made
    request = {"id": made[1]["id"], "connection": number, "peer": made[1]["local"]}
    request |= {"method": "POST", "target": "/AeXRSVault/interfaces", "time": start + 0.002}
    request |= {"worker": WORKER, "dispatched": start + 0.003} if given else {}
    yield "request", request | {"cause": "Connection_Dropped"}


def chain(*names: str) -> Rows:
    """Make the events of some steps."""
    for time, name, detail in CHAIN:
        if name in names:
            yield event(time, "front", name, worker=WORKER, detail=detail)


def hung(rng: random.Random, attempts: int) -> Rows:
    """The whole chain; then a hotfix is installed, and somebody meets a full queue."""
    yield from life(13.0)
    yield from chain(*(name for _, name, _ in CHAIN))
    yield sample(-0.8, 200, 0)
    for n in range(40):
        yield sample(n / 4, 200, 0, vault=(min(64, 2 * n), max(0, n - 24)))
    for number in range(attempts):
        yield from served(number, number / 20, rng.random() / 100)
    for n in range(8):
        yield from lost(attempts + n, 5.0 + n / 2, 4.0, n % 2 == 0)
    full = attempt(attempts + 9, 10.2, "http.503", cause="QueueFull", sent=163)
    yield full
    request = {"id": full[1]["id"], "connection": 1, "peer": full[1]["local"], "time": 10.21}
    yield "request", request | {"method": "POST", "target": "/", "cause": "QueueFull"}
    yield event(11.0, "runner", "action", detail="apply-hotfix TECH39579")
    for n in range(1, 7):
        text = f"TECH39579 {n}/6: a step that takes a whole sentence to be told to anybody"
        yield event(11.0 + n / 10, "front", "hotfix_step", detail=text)
    yield event(11.7, "front", "hotfix_applied", detail="TECH39579")


def calm(rng: random.Random, attempts: int) -> Rows:
    """Methods meet in an entry, and nothing follows."""
    yield from life(5.0)
    yield from chain("reentrance")
    for n in range(20):
        yield sample(n / 4, 200, 0, vault=(n % 7, 0))
    for number in range(attempts):
        yield from served(number, number / 20, rng.random() / 100)


HUNG = Made("broken", "as it was", hung)
CALM = Made("fixed", "with hotfix 12", calm)


def run(directory: Path, attempts: int = 100, **broken: Any) -> Path:
    """Make the run; `broken` is what run.json says otherwise of the variant that hangs."""
    make(directory, [HUNG, CALM], attempts)
    path = directory / "run.json"
    result = json.loads(path.read_text())
    said: Row = {"acknowledged": KEPT, "vault": AGENTS, "findings": []}
    result["variants"]["fixed"] |= said
    result["variants"]["broken"] |= said | broken
    result["passed"] = not result["variants"]["broken"]["findings"]
    path.write_text(json.dumps(result))
    return directory
