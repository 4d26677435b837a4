"""What the server wrote down of one attempt's request: when it came, who had it, how it ended."""

import sqlite3
from typing import Any, NamedTuple


class Step(NamedTuple):
    """One record, or one moment of one."""

    time: float
    """Seconds since the attempt began."""
    side: str
    """``client``, ``server`` or ``runner``."""
    text: str


def requests(db: sqlite3.Connection, attempt: dict[str, Any]) -> list[Step]:
    """Tell what the front process wrote down."""
    rpc = attempt["operation"] is not None
    notes = "RPC notes" if rpc else "HTTPERR logs"
    steps = []
    for time, dispatched, answered, worker, method, target, status, cause in db.execute(
        "SELECT time, dispatched, answered, worker, method, target, status, cause FROM request"
        " WHERE variant = ? AND id = ? ORDER BY time",
        (attempt["variant"], attempt["id"]),
    ):
        logged = f"; {notes} {cause}" if cause else ""
        gone = "" if dispatched or answered else logged
        what = f"{target}::{method}" if rpc else f"{method} {target}"
        steps.append(Step(time, "server", f"request received: {what}{gone}"))
        if dispatched is not None:
            lost = "" if answered else logged
            whom = "its method is called" if rpc else f"given to worker {worker}"
            steps.append(Step(dispatched, "server", f"{whom}{lost}"))
        if status is not None and answered is None:  # of an access log, which has no more
            steps[-1] = Step(time, "server", f"the access log has {what}: {status}")
        if answered is not None:
            said = "nothing" if status is None else _status(status, rpc)
            steps.append(Step(answered, "server", f"answered with {said}{logged}"))
    return steps


def executions(db: sqlite3.Connection, attempt: dict[str, Any]) -> list[Step]:
    """Tell what who executes it wrote down."""
    rpc = attempt["operation"] is not None
    steps = []
    for time, worker, method, target, status, source in db.execute(
        "SELECT time, worker, method, target, status, source FROM execution"
        " WHERE variant = ? AND id = ? ORDER BY time",
        (attempt["variant"], attempt["id"]),
    ):
        who = f"{'process' if rpc else 'worker'} {worker} executes"
        what = f"{method} {target}: {_status(status, rpc)}"
        steps.append(Step(time, "server", f"{'the access log has' if source else who} {what}"))
    return steps


def begun(db: sqlite3.Connection, attempt: dict[str, Any]) -> list[Step]:
    """Tell that a method was begun, where nobody wrote down how it ended."""
    return [
        Step(time, "server", f"worker {worker} begins it")
        for time, worker in db.execute(
            "SELECT time, worker FROM begun WHERE variant = :variant AND id = :id AND NOT EXISTS ("
            " SELECT 1 FROM execution WHERE execution.variant = :variant AND execution.id = :id)"
            " ORDER BY time",
            {"variant": attempt["variant"], "id": attempt["id"]},
        )
    ]


def _status(status: int, rpc: bool) -> str:
    """Write a status as its protocol does."""
    return f"0x{status & 0xFFFFFFFF:08x}" if rpc else str(status)
