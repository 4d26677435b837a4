"""Activations and calls: whose port it was, what RPC wrote down, and who executed."""

from typing import Any

import pytest

from tests.lab.reconcile.harness import (
    FRONT,
    LOCAL,
    Run,
    attempt,
    event,
    execution,
    request,
    sample,
)
from vaultstorm.reconcile.rules import TOLERANCE
from vaultstorm_wire.journal import Attempt, Event, Execution, Pause, Request, Sample, TurnedAway

RESOLVER, EXPORTER = 135, 40135


def tried(operation: str, outcome: str, id: str = "a", **more: Any) -> Attempt:
    """Give an activation or a call, from 10 to 11, at its own port."""
    port = RESOLVER if operation == "activation" else EXPORTER
    fields = {"tls": None, "bind": 0.1, "operation": operation} | more
    made = attempt(outcome, id=id, **fields)
    sent = 100 * outcome.startswith(("ok", "rpc", "wait", "receive"))
    kept = {name: getattr(made, name) for name in made.__struct_fields__}
    return Attempt(**{**kept, "peer": f"127.0.0.1:{port}", "sent": sent})


def asked(id: str = "a", method: str = "Work", worker: int | None = FRONT, **more: Any) -> Request:
    """Give RPC's side of a request, which the front process executes; S_OK if nothing is said."""
    fields: dict[str, Any] = {"method": method, "target": "IVaultstormDemonstration", "status": 0}
    made = request(id, worker, **({"status": 0} | more))
    kept = {name: getattr(made, name) for name in made.__struct_fields__}
    return Request(**{**kept, **fields, **more})


def ran(id: str = "a", method: str = "Work") -> Execution:
    """Give the front process' own record of an execution."""
    return Execution(time=10.55, id=id, worker=FRONT, method=method, target="ipid", status=0)


def away(port: int | None) -> TurnedAway:
    """Give a reset at one of the server's ports."""
    return TurnedAway(time=10.5, peer=LOCAL, cause="backlog_full", how="reset", port=port)


def paused(port: int | None, style: str = "refuse", time: float = 10.2) -> Pause:
    """Give an interval without room at one of the server's ports."""
    return Pause(time=time, until=time + 0.2, style=style, port=port)


@pytest.mark.parametrize(
    "port, explained",
    [(EXPORTER, True), (None, True), (RESOLVER, False), (135, False), (0, False), (140135, False)],
)
def test_a_reset_belongs_to_the_port_that_it_names(
    run: Run, port: int | None, explained: bool
) -> None:
    """From one port of its own a client may have been to two of the server's at the same time."""
    run.client(tried("call", "bind.reset"))
    run.front(away(port))
    assert run.column("cause") == {"a": "backlog_full" if explained else None}


def test_two_ports_of_the_server_and_one_of_the_client(run: Run) -> None:
    """Each attempt has the reset of its own port, whichever came first."""
    run.client(tried("activation", "bind.reset", "first"), tried("call", "bind.reset", "second"))
    stopping = TurnedAway(time=10.5, peer=LOCAL, cause="stopping", how="reset", port=RESOLVER)
    run.front(away(EXPORTER), stopping)
    assert run.column("cause") == {"first": "stopping", "second": "backlog_full"}


@pytest.mark.parametrize("style", ["refuse", "exhausted"])
@pytest.mark.parametrize(
    "port, explained", [(EXPORTER, True), (None, True), (RESOLVER, False), (35, False)]
)
def test_a_pause_belongs_to_the_port_that_it_names(
    run: Run, port: int | None, style: str, explained: bool
) -> None:
    """What 135 refuses says nothing of the object exporter; until it protects, it refuses."""
    run.client(tried("call", "connect.refused", connect=0.1, bind=None))
    run.front(paused(port, style))
    assert run.column("cause") == {"a": "backlog_full" if explained else None}


def test_a_longer_pause_of_another_port_hides_none(run: Run) -> None:
    """Each port has its own, and what nobody named counts for all."""
    run.client(
        tried("call", "connect.refused"),
        tried("activation", "connect.refused", "b"),
    )
    run.front(paused(RESOLVER, time=1.0), paused(EXPORTER, time=10.1), paused(None, time=2.0))
    assert run.column("cause") == {"a": "backlog_full", "b": None}


@pytest.mark.parametrize("port, explained", [(EXPORTER, True), (RESOLVER, False)])
def test_the_reset_that_the_server_cannot_see_has_a_port_too(
    run: Run, port: int, explained: bool
) -> None:
    """shutdown() resets what one listener's queue holds, and no other's."""
    run.client(tried("call", "bind.reset"))
    run.front(Pause(time=10.5, until=30.0, style="exhausted", port=port))
    assert run.column("cause") == {"a": "backlog_full" if explained else None}


@pytest.mark.parametrize("port, explained", [(EXPORTER, True), (RESOLVER, False), (None, True)])
def test_a_pause_that_a_killed_server_did_not_end_has_a_port(
    run: Run, port: int | None, explained: bool
) -> None:
    """It began, and lasted until the death; a later pause of another port has nothing to say."""
    run.client(tried("call", "connect.refused"))
    run.front(Event(time=9.0, name="pause_began", detail="refuse", port=port))
    run.front(Pause(time=9.5, until=9.6, style="refuse", port=443), event("gate_open", 20.0))
    run.exited("signal 9")
    assert run.column("cause") == {"a": "backlog_full" if explained else None}


@pytest.mark.parametrize(
    "operation, resolver, exporter, explained",
    [
        ("activation", 1, 0, True),
        ("activation", 0, 1, False),
        ("call", 0, 1, True),
        ("call", 1, 0, False),
    ],
)
def test_who_waited_for_accept_waited_at_its_own_port(
    run: Run, operation: str, resolver: int, exporter: int, explained: bool
) -> None:
    """Nobody answered the bind, and the accept queue of that port held somebody."""
    run.client(tried(operation, "bind.timeout"))
    held = sample(10.5, 7, 7)
    kept = {name: getattr(held, name) for name in held.__struct_fields__}
    more = {"resolver_queued": resolver, "exporter_queued": exporter}
    run.front(Sample(**{**kept, **more}))
    assert run.column("cause") == {"a": "server_busy" if explained else None}


@pytest.mark.parametrize(
    "outcome, more, found",
    [
        (
            "rpc.0x1c010014",
            {"worker": None, "status": 0x1C010014, "cause": "call_limit"},
            "call_limit",
        ),
        ("rpc.0x80040154", {"status": 0x80040154}, "response"),
        ("rpc.0x80040154", {"status": 0x80040154 - (1 << 32)}, "response"),
        ("rpc.0x1c010002", {"worker": None, "status": 0x1C010002}, "response"),
        ("rpc.0x80040154", {"status": 0x80004002}, None),
    ],
)
def test_an_answer_that_is_an_error_was_given_by_the_server(
    run: Run, outcome: str, more: dict[str, Any], found: str | None
) -> None:
    """Its own record has the same status; refused for the call limit, it says so."""
    run.client(tried("call", outcome))
    run.front(asked(**more))
    assert run.column("cause") == {"a": found}
    assert run.column("verdict") == {"a": "never"}


@pytest.mark.parametrize(
    "outcome, found", [("wait.timeout", "server_busy"), ("wait.reset", "connection_lost")]
)
def test_a_connection_that_was_gone_before_the_answer(run: Run, outcome: str, found: str) -> None:
    """Who gave up waited for a busy server; whose connection was reset lost it."""
    run.client(tried("call", outcome))
    run.front(asked(status=None, answered=None, cause="connection_lost"), ran())
    assert run.column("cause") == {"a": found}
    assert run.column("verdict") == {"a": "once"}


def test_what_made_the_connection_go_comes_first(run: Run) -> None:
    """That it was gone is no cause where the server says why."""
    run.client(tried("call", "wait.reset"))
    run.front(asked(status=None, answered=None, cause="connection_lost"))
    run.front(event("hotfix_step", 10.9, detail="2/2"), event("hotfix_applied", 12.0))
    assert run.column("cause") == {"a": "iisreset"}


@pytest.mark.parametrize(
    "port, started, restarted, found",
    [
        (EXPORTER, 1.0, 5.0, "exporter_gone"),
        (EXPORTER, 6.0, 5.0, None),
        (RESOLVER, 6.0, 5.0, "exporter_gone"),
        (EXPORTER, 1.0, 12.0, None),
    ],
)
def test_an_object_does_not_outlive_a_restart(
    run: Run, port: int, started: float, restarted: float, found: str | None
) -> None:
    """Its port is nobody's until the application is activated again, there or on another."""
    run.client(tried("call", "connect.refused"))
    run.front(Event(time=started, name="exporter_started", detail="guid", port=port))
    run.front(event("hotfix_step", restarted, detail="2/2"))
    run.front(event("hotfix_applied", restarted + 1.0))
    assert run.column("cause") == {"a": found}


def test_the_front_process_executes_what_comes_by_rpc(run: Run) -> None:
    """Its own journal has the records of it, and it needs no worker's."""
    run.client(
        tried("activation", "ok", "a"),
        tried("call", "ok", "b"),
        tried("call", "wait.reset", "c"),
        tried("call", "bind.reset", "d"),
    )
    run.front(asked("a", "RemoteCreateInstance"), ran("a", "RemoteCreateInstance"))
    run.front(asked("b"), ran("b"))
    assert run.column("verdict") == {"a": "once", "b": "once", "c": "never", "d": "never"}
    assert run.summary()["gaps"] == {}


@pytest.mark.parametrize("method", ["ServerAlive2", "RemQueryInterface", "SimplePing"])
def test_what_executes_nothing_needs_no_record_of_it(run: Run, method: str) -> None:
    """Only what makes an object, and a component's own method, leaves one."""
    run.client(tried("call", "ok", "b"))
    run.front(asked("b"), ran("b"), asked("other", method), asked("no", status=0x80040154))
    assert run.reconcile() == []


@pytest.mark.parametrize("method", ["RemoteActivation", "RemoteCreateInstance", "Work"])
def test_an_answer_without_an_execution_is_a_bug(run: Run, method: str) -> None:
    """S_OK, and nothing that says that it ran."""
    run.client(tried("call", "ok"))
    run.front(asked(method=method))
    assert {violation.kind for violation in run.reconcile()} == {
        "answer_without_execution",
        "request_without_execution",
    }


@pytest.mark.parametrize(
    "outcome, end, verdict",
    [
        ("wait.reset", 20.0, "unknown"),
        ("receive.closed", 20.0, "unknown"),
        ("bind.reset", 20.0, "never"),
        ("wait.reset", 20.0 - TOLERANCE - 0.001, "never"),
    ],
)
def test_what_a_killed_process_was_about_to_run(
    run: Run, outcome: str, end: float, verdict: str
) -> None:
    """Between the execution and the record of it, nobody can know; before the request, it is."""
    run.client(tried("call", outcome, end=end))
    run.front(event("gate_closed", 20.0))
    run.exited("signal 9")
    run.reconcile()
    assert run.rows("SELECT verdict FROM attempt") == [verdict]


def test_a_journal_that_was_cut_off_may_have_had_the_execution(run: Run) -> None:
    """Unknown by RPC, as the front process executes it; never by HTTP, whose workers do."""
    run.client(
        tried("call", "wait.reset", "a"), attempt("wait.reset", id="b"), tried("call", "ok", "c")
    )
    run.write("front", FRONT, cut=b'{"rec')
    assert run.column("verdict") == {"a": "unknown", "b": "never", "c": "unknown"}


def test_workers_are_judged_as_before(run: Run) -> None:
    """A request that a worker process was given and answered must be in that worker's journal."""
    run.client(attempt("ok"), tried("call", "ok", "b"))
    run.front(request(), asked("b"), ran("b"))
    assert {violation.id for violation in run.reconcile()} == {"a"}
    run.worker(execution())
    assert run.reconcile() == []


def test_burst_and_journals_count_the_same_operations(run: Run) -> None:
    """A difference of either is a violation."""
    run.client(tried("activation", "ok", "a"), tried("call", "bind.reset", "b"))
    run.front(asked("a", "RemoteCreateInstance"), ran("a", "RemoteCreateInstance"))
    run.front(away(EXPORTER))
    text = (
        '{"attempts": 2, "outcomes": {"ok": 1, "bind.reset": 1},'
        ' "rpc": {"activation": {"attempts": 2, "ok": 1}, "call": {"attempts": 1, "ok": 0}}}'
    )
    (run.folder / "burst.json").write_text(text)
    (found,) = run.reconcile()
    assert (found.kind, found.detail) == (
        "attempts_differ",
        "rpc.activation: 1 in the client journals, 2 in burst.json",
    )
