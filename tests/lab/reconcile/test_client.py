"""Somebody else's client, as the server saw it."""

from typing import Any

import msgspec
import pytest

from tests.lab.reconcile.harness import Run, event, execution, lost, request, turned_away
from vaultstorm.reconcile import Variant, reconcile
from vaultstorm.reconcile.client import NOTE
from vaultstorm_wire.errors import MachineError
from vaultstorm_wire.journal import Request

ENDED = {"schema": 1, "command": ["curl", "x"], "exit": 0, "signal": None, "duration_s": 1.5}


def seen(run: Run, client: bytes | None = None) -> dict[str, Any]:
    """Reconcile a run with a foreign client, and give what is said of it."""
    text = msgspec.json.encode(ENDED | {"url": "https://x/"}) if client is None else client
    if text:
        (run.folder / "client.json").write_bytes(text)
    assert reconcile(run.directory, [Variant("v", client="foreign")]) == []
    assert run.rows("SELECT kind FROM gap") == []
    found: dict[str, Any] = run.summary()["client"]
    return found


def counts(found: dict[str, Any]) -> tuple[Any, ...]:
    """Give received, distinct, repeated, answered, executed twice and given up."""
    return (*found["requests"].values(), found["executed_twice"], found["given_up"])


def test_a_client_that_did_nothing(run: Run) -> None:
    """All is zero; no burst.json is missed."""
    assert seen(run) == {
        "command": ["curl", "x"],
        "exit": 0,
        "signal": None,
        "duration_s": 1.5,
        "url": "https://x/",
        "connections": {"accepted": 0, "turned_away": 0},
        "requests": {"received": 0, "distinct": 0, "repeated": 0, "answered": 0},
        "executed_twice": 0,
        "given_up": 0,
        "causes": {},
    }


def test_with_our_own_client_nothing_is_said(run: Run) -> None:
    """It tells itself."""
    run.client()
    run.reconcile()
    assert run.summary()["client"] is None


def test_a_request_that_is_sent_again_with_its_id(run: Run) -> None:
    """Lost and never executed, lost and executed, given up, and answered at once."""
    run.front(
        lost("Connection_Dropped"),
        request(),
        lost("Connection_Dropped", "b"),
        request("b"),
        lost("Timer_EntityBody", "c", None),
        lost("Connection_Dropped", "c"),
        request("d"),
    )
    run.worker(execution(), execution("b"), execution("b"), execution("d"))
    found = seen(run)
    assert counts(found) == (7, 4, 3, 3, 1, 1)
    assert found["connections"] == {"accepted": 1, "turned_away": 0}
    assert list(found["causes"].values()) == [1]
    assert run.rows("SELECT key, received, executed, answered FROM client_request") == [
        *(("a", 2, 1, 1), ("b", 2, 2, 1), ("c", 2, 0, 0), ("d", 1, 1, 1)),
    ]


def test_without_an_id_method_and_target_tell_requests_apart(run: Run) -> None:
    """A second that follows no answer is a retry, and so is one that follows a 503."""
    run.front(
        lost("Connection_Dropped", None),  # type: ignore[arg-type]
        request(None),
        request("q", None, status=503, cause="QueueFull"),
        request("q"),
    )
    run.worker(execution(None), execution(None), execution("q"))
    found = seen(run)
    assert counts(found) == (4, 2, 2, 2, 1, 0)
    assert "note" not in found


def test_alike_requests_are_no_retries(run: Run) -> None:
    """Answered whole more than once: then nobody can tell what was executed twice."""
    run.front(request(None), request(None))
    run.worker(execution(None), execution(None))
    found = seen(run)
    assert (found["executed_twice"], found["given_up"]) == (None, 0)
    assert found["note"] == NOTE


LATER: dict[str, Any] = {"time": 11.0, "answered": 11.1}


@pytest.mark.parametrize(
    "front, given_up",
    [
        ([request(None), request(None, **LATER), request(None, time=12.0, status=None)], None),
        ([request(None), request(None, time=12.0, answered=None, status=None)], None),
        ([request(None), request(None, time=12.0, status=None), lost("x", "z")], 1),
    ],
    ids=["many", "after-an-answer", "another-for-sure"],
)
def test_of_alike_requests_nobody_knows_which_were_given_up(
    run: Run, front: list[Request], given_up: int | None
) -> None:
    """One that got no answer may be a new one, or a retry of it may be among the others."""
    run.front(*front)
    run.worker(*(execution(one.id) for one in front))
    found = seen(run)
    assert (found["executed_twice"], found["given_up"]) == (None, given_up)
    assert found["note"] == NOTE


def test_what_has_an_id_is_judged_beside_alike_requests(run: Run) -> None:
    """A health check that comes again and again hides nothing."""
    run.front(request(None), request(None, **LATER), lost("Connection_Dropped"), request())
    run.worker(execution(None), execution(None), execution(), execution())
    found = seen(run)
    assert (found["executed_twice"], found["given_up"]) == (1, 0)


def test_an_answer_of_500_and_above_that_is_asked_for_again_is_a_retry(run: Run) -> None:
    """And what was answered so was not given up."""
    run.front(request(None, status=503), request(None), request("x", status=503))
    run.worker(execution(None, 503), execution(None), execution("x", 503))
    assert counts(seen(run)) == (3, 2, 1, 2, 1, 0)


def test_a_server_that_was_killed_leaves_what_its_workers_wrote(run: Run) -> None:
    """An execution was received, whoever had no time to write that down."""
    run.worker(execution("k"))
    found = seen(run)
    assert counts(found) == (1, 1, 0, 0, 0, 1)
    assert found["causes"] == {"unanswered": 1}


def test_connections_that_were_turned_away_count_until_the_client_ended(run: Run) -> None:
    """What the server closes when it is stopped was not the client's."""
    run.front(turned_away(10.0), turned_away(20.0), turned_away(20.1, "stopping"))
    run.write("runner", 41, event("load_finished", 20.0))
    assert seen(run)["connections"]["turned_away"] == 2


def test_a_client_that_was_ended_by_a_signal(run: Run) -> None:
    """It has no exit code, so no condition on one holds."""
    found = seen(run, msgspec.json.encode({"command": ["c"], "signal": 9}))
    assert (found["exit"], found["signal"], found["duration_s"]) == (None, 9, None)


def test_a_client_that_left_nothing(run: Run) -> None:
    """The run was cut short."""
    assert seen(run, b"")["command"] == []


def test_what_does_not_say_how_a_client_ended(run: Run) -> None:
    """Said as it is."""
    (run.folder / "client.json").write_text("[]")
    with pytest.raises(MachineError, match="does not say how a client ended"):
        reconcile(run.directory, [Variant("v", client="foreign")])


def test_our_server_s_own_laws_still_hold(run: Run) -> None:
    """An answer that no worker gave is a bug of ours, whoever asked."""
    run.front(request("z"))
    found = reconcile(run.directory, [Variant("v", client="foreign")])
    assert [violation.kind for violation in found] == ["request_without_execution"]
