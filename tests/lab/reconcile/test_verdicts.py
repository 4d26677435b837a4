"""Every rule of the table of verdicts, with whole and with broken evidence."""

import pytest

from tests.lab.reconcile.harness import FRONT, WORKER, Run, attempt, event, execution, lost, request
from vaultstorm_wire.journal import Begun


def evidence(run: Run, state: str) -> None:
    """Break the evidence in one way."""
    if state == "worker journal cut off":
        run.write("worker", WORKER, cut=b'{"record":"execut')
    elif state == "worker journal missing":
        run.front(event("worker_started", worker=22))
    elif state == "no server journal":
        (run.journals / f"front-{FRONT}.ndjson").unlink()


BROKEN = ["worker journal cut off", "worker journal missing", "no server journal"]


@pytest.mark.parametrize("state", ["whole", *BROKEN])
def test_what_is_seen_is_certain(run: Run, state: str) -> None:
    """An execution that was written down counts, whatever else is missing."""
    run.client(attempt("wait.closed"))
    run.worker(execution())
    evidence(run, state)
    assert run.column("verdict") == {"a": "once"}


@pytest.mark.parametrize("state", ["whole", *BROKEN])
def test_what_is_not_seen_is_as_certain_as_the_evidence(run: Run, state: str) -> None:
    """`never` if all journals are whole, and else `unknown`."""
    run.client(attempt("wait.closed"))
    evidence(run, state)
    assert run.column("verdict") == {"a": "never" if state == "whole" else "unknown"}


@pytest.mark.parametrize("state", ["whole", *BROKEN])
def test_what_sent_nothing_executed_nothing(run: Run, state: str) -> None:
    """No evidence is needed where no request left: refused, reset in the handshake, tcp://."""
    run.client(
        attempt("connect.refused"), attempt("tls.reset", id="b"), attempt("ok", id="c", sent=0)
    )
    evidence(run, state)
    assert set(run.column("verdict").values()) == {"never"}


@pytest.mark.parametrize("state", ["whole", *BROKEN[:2]])
def test_what_no_worker_was_given_never_executed(run: Run, state: str) -> None:
    """HTTP.SYS refused it itself; what a worker was given depends on the worker's journal."""
    run.client(attempt("http.503"), attempt("wait.closed", id="b"))
    run.front(
        request("a", None, status=503, cause="QueueFull"),
        lost("Connection_Abandoned_By_AppPool", "b"),
    )
    evidence(run, state)
    assert run.column("verdict") == {"a": "never", "b": "never" if state == "whole" else "unknown"}


def test_what_a_worker_was_about_to_keep_is_unknown_without_its_execution(run: Run) -> None:
    """It may be on the disk; where the worker lived to write the execution down, that counts."""
    run.client(attempt("wait.closed"), attempt("wait.closed", id="b"), attempt("ok", id="c"))
    run.worker(*(Begun(time=10.5, id=id, worker=WORKER) for id in "bc"), execution("c"))
    assert run.column("verdict") == {"a": "never", "b": "unknown", "c": "once"}


def test_two_workers_make_it_twice(run: Run) -> None:
    """Executions count by id, wherever they happened."""
    run.client(attempt("ok"), attempt("ok", id="b"))
    run.front(event("worker_started", worker=22))
    run.write("worker", 22, execution(worker=22), execution("b", worker=22))
    run.worker(execution())
    assert [violation.kind for violation in run.reconcile()] == ["executed_twice"]
    assert run.rows("SELECT id, verdict FROM attempt") == [("a", "twice"), ("b", "once")]


def test_a_worker_journal_without_a_line_is_missing(run: Run) -> None:
    """A file that a crash left empty says nothing about what its worker did."""
    (run.journals / f"worker-{WORKER}.ndjson").write_bytes(b"")
    run.client(attempt("wait.closed"))
    assert run.column("verdict") == {"a": "unknown"}
    assert run.summary()["gaps"] == {"worker_journal_missing": 1}


def test_a_worker_that_only_a_request_names_is_missed(run: Run) -> None:
    """The record of its start may be lost as well as its journal."""
    run.client(attempt("wait.closed"))
    run.front(lost("Connection_Abandoned_By_AppPool", worker=22))
    assert run.column("verdict") == {"a": "unknown"}


def test_a_front_journal_that_names_no_worker_vouches_for_none(run: Run) -> None:
    """Cut behind its first line, it cannot say that no worker's journal is missing."""
    path = run.journals / f"front-{FRONT}.ndjson"
    path.write_bytes(path.read_bytes().splitlines(keepends=True)[0])
    run.client(attempt("wait.closed"))
    assert run.column("verdict") == {"a": "unknown"}


def test_a_journal_that_lacks_an_answered_request_proves_nothing(run: Run) -> None:
    """Cut between two records, it looks whole: one answer that is not in it tells."""
    run.client(attempt("ok"), attempt("wait.closed", id="b"), attempt("tls.reset", id="c"))
    run.front(request())
    assert len(run.reconcile()) == 2
    verdicts = dict(run.rows("SELECT id, verdict FROM attempt"))
    assert verdicts == {"a": "unknown", "b": "unknown", "c": "never"}
