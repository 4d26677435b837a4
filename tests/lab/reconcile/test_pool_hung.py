"""The cause `pool_hung`, at its boundaries."""

import pytest

from tests.lab.reconcile.harness import (
    LOCAL,
    WORKER,
    Run,
    attempt,
    event,
    execution,
    lost,
    request,
    sample,
)
from vaultstorm.events import WORKER_ENDS
from vaultstorm.reconcile.rules import TOLERANCE
from vaultstorm_wire.journal import Execution

NEAR = TOLERANCE - 0.001
FAR = TOLERANCE + 0.001
OTHER = WORKER + 1


def cause(run: Run) -> str | None:
    """Give the cause of the one attempt."""
    found: str | None = run.column("cause")["a"]
    return found


def hung(run: Run, full: float = 9.0, worker: int = WORKER) -> None:
    """Have a worker's table be full from a moment on."""
    run.front(event("table_full", full, worker), event("pool_hung", full + 0.1, worker))


@pytest.mark.parametrize("outcome", ["wait.timeout", "receive.timeout", "send.timeout"])
@pytest.mark.parametrize("says", ["Connection_Dropped", None])
def test_a_request_that_the_hung_worker_has(run: Run, outcome: str, says: str | None) -> None:
    """That its client went, as HTTP.SYS notes, follows from the hang and does not hide it."""
    run.client(attempt(outcome))
    run.front(request(answered=None, status=None, cause=says))
    hung(run)
    assert cause(run) == "pool_hung"


@pytest.mark.parametrize(
    "full, found",
    [
        (9.0, "pool_hung"),
        (11.0, "pool_hung"),
        (11.0 + NEAR, "pool_hung"),
        (11.0 + FAR, "server_busy"),
    ],
)
def test_the_table_was_full_before_the_attempt_ended(run: Run, full: float, found: str) -> None:
    """What filled it later is not why nobody answered."""
    run.client(attempt("wait.timeout"))
    run.front(lost("Connection_Dropped"))
    hung(run, full)
    assert cause(run) == found


@pytest.mark.parametrize("ending", WORKER_ENDS)
@pytest.mark.parametrize(
    "ended, found",
    [
        (9.5, "server_busy"),
        (10.0 - FAR, "server_busy"),
        (10.0 - NEAR, "pool_hung"),
        (10.5, "pool_hung"),
        (20.0, "pool_hung"),
        (8.0, "pool_hung"),
    ],
)
def test_a_worker_that_had_ended_holds_nobody_up(
    run: Run, ending: str, ended: float, found: str
) -> None:
    """If it ended before the attempt began; an end before its table was full was another life's."""
    run.client(attempt("wait.timeout"))
    run.front(lost("Connection_Dropped"))
    hung(run)
    run.front(event(ending, ended, WORKER))
    assert cause(run) == found


@pytest.mark.parametrize("full, found", [(WORKER, "pool_hung"), (OTHER, "server_busy")])
def test_another_workers_table_does_not_matter(run: Run, full: int, found: str) -> None:
    """To a request that a worker has been given."""
    run.client(attempt("wait.timeout"))
    run.front(lost("Connection_Dropped"))
    hung(run, worker=full)
    assert cause(run) == found


@pytest.mark.parametrize(
    "outcome, found",
    [
        ("wait.timeout", "pool_hung"),
        ("receive.timeout", "pool_hung"),
        ("send.timeout", "server_busy"),
    ],
)
def test_a_request_that_waited_for_the_hung_worker(run: Run, outcome: str, found: str) -> None:
    """In the pool's queue; one whose body had not come whole was not in it."""
    run.client(attempt(outcome))
    run.front(lost("Connection_Dropped", worker=None))
    hung(run)
    assert cause(run) == found


@pytest.mark.parametrize(
    "outcome, says",
    [
        ("http.503", "QueueFull"),
        ("http.503", "Disabled"),
        ("wait.closed", "Connection_Abandoned_By_AppPool"),
        ("wait.timeout", "Connection_Abandoned_By_AppPool"),
        ("wait.timeout", "QueueFull"),
    ],
)
def test_what_http_sys_did_itself_stays_its_own(run: Run, outcome: str, says: str) -> None:
    """It refused the request, or the worker ended with it: that is more than a client that went."""
    run.client(attempt(outcome))
    run.front(lost(says))
    hung(run)
    assert cause(run) == says


@pytest.mark.parametrize("outcome", ["wait.closed", "wait.reset", "http.500", "tls.timeout"])
def test_other_failures_beside_a_hang(run: Run, outcome: str) -> None:
    """What did not time out, or never had a request, has another cause."""
    run.client(attempt(outcome))
    if outcome == "http.500":
        run.front(request(status=500))
        run.worker(execution(status=500))
    run.front(sample(9.5, queued=0, opened=1))
    hung(run)
    expected = {"http.500": "response", "tls.timeout": "server_busy"}
    assert cause(run) == expected.get(outcome)


@pytest.mark.parametrize(
    "answered, found",
    [(10.6, "Connection_Dropped"), (11.0 - NEAR, "pool_hung"), (12.0, "pool_hung")],
)
def test_a_request_that_was_answered_did_not_hang(run: Run, answered: float, found: str) -> None:
    """Its client was too slow to take the answer."""
    run.client(attempt("receive.timeout"))
    run.front(request(answered=answered, cause="Connection_Dropped"))
    run.worker(execution())
    hung(run)
    assert cause(run) == found


@pytest.mark.parametrize(
    "began, found", [(10.4, "server_busy"), (10.5, "pool_hung"), (10.6, "pool_hung")]
)
def test_a_method_that_had_its_thread_before_took_its_own_time(
    run: Run, began: float, found: str
) -> None:
    """It had begun when the table was not full yet, and ended after its client had gone."""
    run.client(attempt("wait.timeout"))
    run.front(lost("Connection_Dropped"))
    run.worker(Execution(time=began, id="a", worker=WORKER, method="GET", target="/", status=200))
    hung(run, 10.5)
    assert cause(run) == found


def test_the_next_hang_of_a_worker_id_counts(run: Run) -> None:
    """The kernel gave the number again: the first life's end does not end the second's hang."""
    run.client(attempt("wait.timeout"))
    run.front(lost("Connection_Dropped"))
    run.front(event("table_full", 2.0, WORKER), event("worker_killed", 3.0, WORKER))
    hung(run)
    assert cause(run) == "pool_hung"


def test_a_connection_of_the_same_port_is_not_it(run: Run) -> None:
    """The request is found by its id."""
    run.client(attempt("wait.timeout", local=LOCAL), attempt("wait.timeout", id="b", local=LOCAL))
    run.front(lost("Connection_Dropped", "b"))
    hung(run)
    assert run.column("cause") == {"a": None, "b": "pool_hung"}
