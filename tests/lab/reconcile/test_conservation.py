"""Wrong records, planted one by one: each is reported as what it is."""

import msgspec
import pytest

from tests.lab.reconcile.harness import WORKER, Run, attempt, event, execution, lost, request
from vaultstorm.reconcile.conservation import LISTED
from vaultstorm_wire.journal import Acknowledged


@pytest.fixture
def served(run: Run) -> Run:
    """Give a run in which three requests were served."""
    run.client(*[attempt("ok", id=id) for id in "abc"])
    run.front(*[request(id) for id in "abc"])
    run.worker(*[execution(id) for id in "abc"])
    return run


def found(run: Run) -> set[tuple[str, str | None]]:
    """Reconcile, and give kind and id of every violation."""
    violations = run.reconcile()
    table = run.rows("SELECT variant, kind, id, detail FROM violation")
    assert table == [tuple(violation) for violation in violations]
    assert {violation.variant for violation in violations} <= {"v"}
    return {(violation.kind, violation.id) for violation in violations}


def test_a_sound_run_violates_nothing(served: Run) -> None:
    """Everything adds up."""
    assert found(served) == set()


def test_an_execution_that_never_happened(served: Run) -> None:
    """Nobody sent what a worker says it executed."""
    served.worker(execution("x"))
    assert found(served) == {("execution_without_attempt", "x")}


def test_an_execution_without_an_id_is_not_the_clients(served: Run) -> None:
    """Somebody else asked the server, without naming the request."""
    served.worker(execution(None))
    served.front(request(None))
    assert found(served) == set()


def test_an_execution_that_is_lost(run: Run) -> None:
    """An answer came from the worker, for the front process and for the client."""
    run.client(attempt("ok"))
    run.front(request())
    assert found(run) == {("answer_without_execution", "a"), ("request_without_execution", "a")}


def test_an_answer_that_only_the_client_saw(run: Run) -> None:
    """The front process says nothing of it, and no worker executed it."""
    run.client(attempt("ok"))
    assert found(run) == {("answer_without_execution", "a")}


def test_an_answer_that_only_the_front_process_saw(run: Run) -> None:
    """The client lost it on the way, and no worker executed it."""
    run.client(attempt("receive.reset"))
    run.front(request())
    assert found(run) == {("request_without_execution", "a")}


def test_an_execution_that_is_doubled(served: Run) -> None:
    """The same id twice in a worker's journal."""
    served.worker(execution("b"))
    assert found(served) == {("executed_twice", "b")}


def test_an_id_that_two_attempts_carry(run: Run) -> None:
    """Two attempts and two executions: the id is at fault, not the server."""
    run.client(attempt("ok"), attempt("ok"))
    run.front(request(), request())
    run.worker(execution(), execution())
    assert found(run) == {("id_twice", "a")}


@pytest.mark.parametrize(
    "outcomes, details",
    [
        (
            {"ok": 4},
            [
                "attempts: 3 in the client journals, 4 in burst.json",
                "ok: 3 in the client journals, 4 in burst.json",
            ],
        ),
        (
            {"ok": 2, "wait.reset": 1},
            [
                "ok: 3 in the client journals, 2 in burst.json",
                "wait.reset: 0 in the client journals, 1 in burst.json",
            ],
        ),
    ],
)
def test_a_result_that_disagrees(served: Run, outcomes: dict[str, int], details: list[str]) -> None:
    """burst.json and the journals count the same attempts, outcome by outcome."""
    served.result(outcomes)
    violations = served.reconcile()
    assert {violation.kind for violation in violations} == {"attempts_differ"}
    assert [violation.detail for violation in violations] == details


def test_a_client_journal_that_is_missing(served: Run) -> None:
    """The burst says that it made attempts, and none is written down."""
    (served.journals / "client-31.ndjson").unlink()
    served.result({"ok": 3})
    kinds = {kind for kind, _ in found(served)}
    assert kinds == {"attempts_differ", "execution_without_attempt"}


@pytest.mark.parametrize("state", ["journal cut off", "no result"])
def test_a_client_that_crashed_is_no_bug_of_the_server(served: Run, state: str) -> None:
    """Its last attempts are not written down, so their executions belong to nobody."""
    served.worker(execution("x"))
    if state == "no result":
        (served.folder / "burst.json").unlink()
    else:
        served.write("client", 31, cut=b'{"record":"att')
        served.result({"ok": 4})
    assert found(served) == set()


@pytest.mark.parametrize("state", ["cut off", "missing"])
def test_what_a_broken_worker_journal_may_hide_is_no_violation(run: Run, state: str) -> None:
    """Answers whose execution is not seen: the record may be what is not there."""
    run.client(attempt("ok"))
    run.front(request(), event("worker_started", worker=22))
    if state == "cut off":
        run.write("worker", 22)
        run.write("worker", WORKER, cut=b"{")
    assert found(run) == set()


def test_a_refusal_needs_no_execution(run: Run) -> None:
    """Only what a worker answered must have been executed."""
    run.client(attempt("http.503"), attempt("wait.closed", id="b"))
    run.front(
        request("a", None, status=503, cause="QueueFull"),
        lost("Connection_Abandoned_By_AppPool", "b"),
    )
    assert found(run) == set()


@pytest.mark.parametrize("more", [0, 1, 7])
def test_a_flood_of_violations_is_counted(run: Run, more: int) -> None:
    """The first of a kind are listed, the others are a number."""
    run.client(attempt("ok", sent=0))
    run.worker(*[execution(f"{number:04}") for number in range(LISTED + more)])
    violations = run.reconcile()
    assert [v.id for v in violations[:LISTED]] == [f"{number:04}" for number in range(LISTED)]
    assert [(v.id, v.detail) for v in violations[LISTED:]] == (
        [(None, f"and {more} others")] if more else []
    )


def acknowledged(id: str, kind: str = "block") -> Acknowledged:
    """Give what the client wrote down of an answer."""
    return Acknowledged(time=10.9, id=id, kind=kind, name="n", sha256="00", bytes=1)


def kept(run: Run, blocks: int, snapshots: int) -> None:
    """Have burst.json say so of the agents."""
    path = run.folder / "burst.json"
    said = {"acknowledged": {"blocks": blocks, "snapshots": snapshots, "bytes": 9}, "lost": 0}
    path.write_bytes(msgspec.json.encode(msgspec.json.decode(path.read_bytes()) | {"vault": said}))


def test_acknowledgements_add_up(served: Run) -> None:
    """As many as the agents say, each of an attempt that was answered."""
    served.write("client", 31, acknowledged("a"), acknowledged("b"), acknowledged("c", "snapshot"))
    kept(served, 2, 1)
    assert found(served) == set()


@pytest.mark.parametrize("blocks, snapshots", [(1, 1), (3, 1), (2, 0), (2, 2)])
def test_acknowledgements_that_differ(served: Run, blocks: int, snapshots: int) -> None:
    """The agents count others than they have written down."""
    served.write("client", 31, acknowledged("a"), acknowledged("b"), acknowledged("c", "snapshot"))
    kept(served, blocks, snapshots)
    assert found(served) == {("acknowledged_differ", None)}


def test_an_acknowledgement_without_an_answer(served: Run) -> None:
    """Nobody sent it, or it was never answered so."""
    served.write("client", 31, attempt("http.503", id="d"), acknowledged("d"), acknowledged("x"))
    served.result({"ok": 3, "http.503": 1})
    kept(served, 2, 0)
    assert found(served) == {
        ("acknowledged_without_answer", "d"),
        ("acknowledged_without_answer", "x"),
    }


def test_a_journal_that_was_cut_off_says_nothing_of_acknowledgements(served: Run) -> None:
    """The attempt may be what is missing."""
    served.write("client", 31, acknowledged("x"), cut=b"{")
    kept(served, 9, 9)
    assert found(served) == set()
