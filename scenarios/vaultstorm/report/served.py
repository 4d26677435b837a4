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
        if answered is not None:
            said = "nothing" if status is None else _status(status, rpc)
            steps.append(Step(answered, "server", f"answered with {said}{logged}"))
    return steps


def executions(db: sqlite3.Connection, attempt: dict[str, Any]) -> list[Step]:
    """Tell what who executes it wrote down."""
    rpc = attempt["operation"] is not None
    return [
        Step(
            time,
            "server",
            f"{'process' if rpc else 'worker'} {worker} executes {method} {target}: "
            f"{_status(status, rpc)}",
        )
        for time, worker, method, target, status in db.execute(
            "SELECT time, worker, method, target, status FROM execution"
            " WHERE variant = ? AND id = ? ORDER BY time",
            (attempt["variant"], attempt["id"]),
        )
    ]


def _status(status: int, rpc: bool) -> str:
    """Write a status as its protocol does."""
    return f"0x{status & 0xFFFFFFFF:08x}" if rpc else str(status)
