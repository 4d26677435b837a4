"""Somebody else's server: which causes can be known, and what is counted beside them."""

from collections.abc import Sequence
from typing import Any

import pytest

from tests.lab.reconcile.foreign_runs import LOST, OK, SERVED, Foreign, began
from tests.lab.reconcile.harness import attempt, event
from vaultstorm.reconcile import existing, foreign
from vaultstorm_wire.journal import Kernel, Record


@pytest.mark.parametrize(
    "runner, died, stopped",
    [
        (
            [event("load_finished", 50.0), event("server_exited", 60.0, detail="signal 9")],
            None,
            None,
        ),
        ([event("server_exited", 20.0, detail="signal 9")], 20.0, None),
        ([event("server_exited", 20.0, detail="exit 3")], None, 20.0),
        (
            [event("action", 15.0, detail="kill"), event("server_exited", 20.0, detail="signal 9")],
            15.0,
            None,
        ),
        (
            [
                event("action", 15.0, detail="stop"),
                event("server_exited", 20.0, detail="signal 15"),
            ],
            None,
            15.0,
        ),
        (
            [
                event("action", 15.0, detail="signal TERM"),
                event("server_exited", 20.0, detail="exit 0"),
            ],
            None,
            15.0,
        ),
        ([event("action", 15.0, detail="signal HUP"), event("load_finished", 50.0)], None, None),
        ([event("action", 15.0, detail="stop"), event("load_finished", 50.0)], None, 15.0),
    ],
)
def test_how_it_ended(
    server: Foreign, runner: Sequence[Record], died: float | None, stopped: float | None
) -> None:
    """What the runner did comes before what it saw; an end after the load explains nothing."""
    server.judge([], runner=runner)
    with existing(server.directory) as db:
        assert tuple(foreign.life(db, "v")) == (died, stopped)


def test_the_causes_that_can_be_known(server: Foreign) -> None:
    """The client itself, the server's end; a loss after a reload is not blamed on it."""
    runner = [
        event("action", 10.0, detail="signal HUP"),
        event("server_exited", 20.0, detail="signal 11"),
    ]
    found = server.judge(
        SERVED,
        OK,
        attempt("connect.local", id="client"),
        LOST,
        attempt("connect.refused", 20.0, 20.1, id="died"),
        runner=runner,
    )
    causes = {id: cause for id, (_, cause) in found.items()}
    assert causes == {"ok": None, "client": "client", "lost": None, "died": "server_died"}


def kernel(time: float, queued: int, overflows: int, backlog: int | None = 10) -> Kernel:
    """Give what the runner saw of the listening port."""
    return Kernel(time=time, queued=queued, backlog=backlog, overflows=overflows)


@pytest.mark.parametrize(
    "seen, cause",
    [
        ([kernel(10.5, 11, 1)], "backlog_full"),
        ([kernel(9.0, 11, 0), kernel(10.5, 11, 1)], "backlog_full"),
        ([kernel(9.0, 11, 1), kernel(10.5, 11, 2), kernel(10.6, 0, 2)], "backlog_full"),
        ([kernel(10.5, 10, 1)], None),
        ([kernel(10.5, 11, 0)], None),
        ([kernel(9.0, 11, 1)], None),
        ([kernel(9.0, 11, 1), kernel(9.5, 0, 1), kernel(10.5, 3, 2)], None),
        ([kernel(11.2, 11, 1)], None),
        ([kernel(10.5, 11, 1, None)], None),
        ([], None),
    ],
)
def test_a_full_backlog_is_seen_in_the_kernel(
    server: Foreign, seen: Sequence[Record], cause: str | None
) -> None:
    """More held than the backlog, and overflows counted, while the attempt lasted: 10 to 11 s."""
    found = server.judge(
        SERVED, OK, attempt("connect.timeout", id="a", sent=0), runner=[*seen, *server.ended]
    )
    assert found["a"] == ("never", cause)


@pytest.mark.parametrize(
    "outcome, more, cause",
    [
        ("connect.timeout", {}, "backlog_full"),
        ("tls.timeout", {}, "backlog_full"),
        ("tls.reset", {}, "backlog_full"),
        ("wait.timeout", {"tls": None}, "backlog_full"),
        ("wait.timeout", {}, None),
        ("connect.refused", {}, None),
        ("tls.reset", {"nth": 1}, None),
        ("wait.reset", {"tls": None, "received": 1}, None),
    ],
)
def test_only_a_fresh_connection_meets_a_full_backlog(
    server: Foreign, outcome: str, more: dict[str, Any], cause: str | None
) -> None:
    """Linux never refuses for it: who is refused has found no listener."""
    runner = [kernel(10.5, 11, 1), *server.ended]
    found = server.judge(SERVED, OK, attempt(outcome, id="a", **more), runner=runner)
    assert found["a"][1] == cause


def test_who_was_executed_had_got_in(server: Foreign) -> None:
    """However full the queue was."""
    runner = [kernel(10.5, 11, 1), *server.ended]
    found = server.judge(
        [*SERVED, began("a")], OK, attempt("wait.timeout", id="a", tls=None), runner=runner
    )
    assert found["a"] == ("unknown", None)


def test_losses_are_counted_after_actions(server: Foreign) -> None:
    """Once for each kind of action, within one second, whether or not there was a loss."""
    runner = [
        event("action", 9.9, detail="signal HUP"),
        event("action", 10.5, detail="signal HUP"),
        event("action", 10.0, detail="command true"),
        event("action", 30.0, detail="stop"),
        *server.ended,
    ]
    server.judge(
        SERVED,
        OK,
        attempt("wait.closed", 10.0, 10.5, id="a"),
        attempt("wait.closed", 10.0, 11.0, id="b"),
        attempt("wait.closed", 10.0, 11.5, id="c"),
        attempt("wait.closed", 10.0, 11.6, id="d"),
        attempt("http.500", 10.0, 10.6, id="e"),
        runner=runner,
    )
    assert server.summary()["lost_after_action"] == {"command true": 2, "signal HUP": 3, "stop": 0}
    assert server.summary()["server"] == "foreign"
