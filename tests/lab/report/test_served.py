"""What the server wrote down of a request, as its protocol has it."""

from pathlib import Path
from typing import Any

import pytest

from tests.lab.report import bursting, making
from vaultstorm.report import data, served


def told(directory: Path, attempt: making.Row, *rows: tuple[str, making.Row]) -> list[str]:
    """Make a run of these rows, and tell what was written down of the attempt."""
    made = making.Made("v", "V", lambda _, __: iter([("attempt", attempt), *rows]))
    row: dict[str, Any] = {"operation": None, **attempt, "variant": "v"}
    with data.opened(making.make(directory, [made])) as source:
        steps = [*served.requests(source.db, row), *served.executions(source.db, row)]
    return [step.text for step in sorted(steps)]


def test_a_request_of_http(tmp_path: Path) -> None:
    """A worker has it, and HTTPERR its reason."""
    attempt, *rows = making.served(0, 0.0, 0.01)
    assert told(tmp_path, attempt[1], *rows) == [
        "request received: GET /AeXRSVault/status",
        "given to worker 15715",
        "worker 15715 executes GET /AeXRSVault/status: 200",
        "answered with 200",
    ]


def test_a_call(tmp_path: Path) -> None:
    """The front process executes it, and a status is written as RPC writes it."""
    attempt, *rows = bursting.served(0, "call", 0.0, 0.01)
    assert told(tmp_path, attempt[1], *rows) == [
        "request received: IVaultstormDemonstration::Work",
        "its method is called",
        "process 15714 executes Work c1f84b0e-…: 0x00000000",
        "answered with 0x00000000",
    ]


@pytest.mark.parametrize(
    "more, said",
    [
        (
            {"answered": 0.02, "status": 0x1C010014, "cause": "call_limit"},
            ["answered with 0x1c010014; RPC notes call_limit"],
        ),
        ({"dispatched": 0.01, "worker": 7, "cause": "connection_lost"}, ["its method is called"]),
        ({"cause": "stopping"}, []),
    ],
)
def test_what_became_of_a_call(tmp_path: Path, more: making.Row, said: list[str]) -> None:
    """The reason stands at the last moment that is known."""
    attempt = bursting.tried(0, "call", 0.0, "wait.reset")[1]
    row = {"id": attempt["id"], "connection": 1, "peer": "p", "method": "Work", "target": "I"}
    found = told(tmp_path, attempt, ("request", row | {"time": 0.001} | more))
    reason = f"; RPC notes {more['cause']}"
    assert [found[0].removesuffix(reason), *(text.removesuffix(reason) for text in found[1:])] == [
        *("request received: I::Work", *(text.removesuffix(reason) for text in said)),
    ]
    assert [text.endswith(reason) for text in found] == [*(False for _ in found[1:]), True]
