"""Every rule of the table of causes, at its boundaries."""

from typing import Any

import pytest

from tests.lab.reconcile.harness import (
    LOCAL,
    Run,
    attempt,
    event,
    execution,
    lost,
    pause,
    request,
    sample,
    turned_away,
)
from vaultstorm.reconcile.rules import TOLERANCE

NEAR = TOLERANCE - 0.001
FAR = TOLERANCE + 0.001


def cause(run: Run) -> str | None:
    """Give the cause of the one attempt."""
    found: str | None = run.column("cause")["a"]
    return found


def test_an_ok_attempt_has_no_cause(run: Run) -> None:
    """What succeeded needs no cause, and is not unexplained."""
    run.client(attempt("ok"))
    run.front(request())
    run.worker(execution())
    assert cause(run) is None
    assert run.rows("SELECT * FROM unexplained") == []


def test_what_nothing_explains_is_unexplained(run: Run) -> None:
    """A failure that no rule covers has no cause, and is listed."""
    run.client(attempt("tls.reset"))
    assert cause(run) is None
    assert run.rows("SELECT id FROM unexplained") == ["a"]


@pytest.mark.parametrize("outcome", ["connect.local", "tls.local", "wait.local"])
def test_the_clients_own_trouble_is_never_the_servers(run: Run, outcome: str) -> None:
    """`client` comes before everything that the server says of the same moment."""
    run.client(attempt(outcome))
    run.front(turned_away(10.5), pause(10.0, 11.0), lost("Connection_Dropped"))
    run.exited("signal 9")
    assert cause(run) == "client"


@pytest.mark.parametrize("says", ["backlog_full", "stopping", "no_descriptors"])
def test_a_connection_turned_away_has_the_servers_reason(run: Run, says: str) -> None:
    """Found by address and port, the reset has the cause that the server wrote down."""
    run.client(attempt("tls.reset"))
    run.front(turned_away(10.5, says))
    assert cause(run) == says


@pytest.mark.parametrize("outcome", ["connect.refused", "connect.timeout"])
@pytest.mark.parametrize(
    "begins, ends, inside",
    [
        (10.2, 10.3, True),
        (5.0, 20.0, True),
        (11.0, 12.0, True),
        (9.0, 10.0, True),
        (11.0 + NEAR, 12.0, True),
        (9.0, 10.0 - NEAR, True),
        (11.0 + FAR, 12.0, False),
        (9.0, 10.0 - FAR, False),
    ],
)
def test_a_pause_explains_what_overlaps_it(
    run: Run, outcome: str, begins: float, ends: float, inside: bool
) -> None:
    """Its ends and the tolerance around them belong to it, and nothing beyond."""
    run.client(attempt(outcome))
    run.front(pause(begins, ends, "refuse" if outcome.endswith("refused") else "drop"))
    assert cause(run) == ("backlog_full" if inside else None)


def test_pauses_that_touch_explain_everything_between_their_ends(run: Run) -> None:
    """An attempt on the point where one pause ends and the next begins is in both."""
    run.client(attempt("connect.refused", 10.0, 10.0))
    run.front(pause(9.0, 10.0), pause(10.0, 11.0))
    assert cause(run) == "backlog_full"


def test_a_long_pause_is_not_hidden_by_a_short_one_within(run: Run) -> None:
    """The pause that lasts longest counts, not the one that began last."""
    run.client(attempt("connect.refused", 10.0, 10.1))
    run.front(pause(1.0, 20.0), pause(2.0, 3.0))
    assert cause(run) == "backlog_full"


@pytest.mark.parametrize("outcome, style", [("connect.refused", "drop"), ("tls.timeout", "refuse")])
def test_a_pause_explains_only_what_its_style_does(run: Run, outcome: str, style: str) -> None:
    """Dropping SYNs refuses nobody, and refusing them lets nobody wait."""
    run.client(attempt(outcome))
    run.front(pause(10.2, 10.4, style))
    assert cause(run) is None


@pytest.mark.parametrize(
    "began, explained",
    [
        (10.0, True),
        (11.0, True),
        (10.0 - NEAR, True),
        (11.0 + NEAR, True),
        (10.0 - FAR, False),
        (11.0 + FAR, False),
    ],
)
def test_the_reset_that_the_server_cannot_see_belongs_to_the_pause_that_begins(
    run: Run, began: float, explained: bool
) -> None:
    """shutdown() resets what is in the kernel's queue: at the beginning, and at no other time."""
    run.client(attempt("tls.reset"))
    run.front(pause(began, 30.0))
    assert cause(run) == ("backlog_full" if explained else None)


def test_a_reset_of_a_connection_that_was_served_is_not_the_pauses(run: Run) -> None:
    """What carried a request, or was past its handshake, was accepted long ago."""
    run.client(
        attempt("wait.reset", id="tls done"),
        attempt("send.reset", id="reused", nth=1, tls=None, connect=None),
        attempt("wait.reset", id="has request", tls=None),
        attempt("wait.reset", id="plain", tls=None),
    )
    run.front(pause(10.5, 10.6), lost("Timer_EntityBody", id="has request"))
    assert run.column("cause") == {
        "tls done": None,
        "reused": None,
        "has request": "Timer_EntityBody",
        "plain": "backlog_full",
    }


@pytest.mark.parametrize("outcome", ["connect.timeout", "tls.timeout", "tls.reset"])
def test_a_dropped_handshake_is_the_backlogs(run: Run, outcome: str) -> None:
    """A client whose last ACK was dropped believes that it is connected, until it gives up."""
    run.client(attempt(outcome, 10.0, 20.0))
    run.front(pause(12.0, 13.0, "drop"))
    assert cause(run) == "backlog_full"


def test_what_http_sys_says_of_a_request_is_its_cause(run: Run) -> None:
    """HTTPERR's word counts for a lost request and for a refused one."""
    run.client(attempt("wait.closed"), attempt("http.503", id="b"))
    run.front(
        lost("Connection_Abandoned_By_AppPool"),
        request("b", None, status=503, cause="QueueFull"),
    )
    assert run.column("cause") == {"a": "Connection_Abandoned_By_AppPool", "b": "QueueFull"}


def test_an_answer_of_the_application_is_a_response(run: Run) -> None:
    """http.404 and http.500 from the application, seen by the front process or by the worker."""
    run.client(attempt("http.404"), attempt("http.500", id="b"), attempt("http.500", id="c"))
    run.front(request(status=404), request("c", status=200))
    run.worker(execution(status=404), execution("b", 500), execution("c", 200))
    assert run.column("cause") == {"a": "response", "b": "response", "c": None}


@pytest.mark.parametrize(
    "outcome, end, died",
    [
        ("tls.closed", 20.0, True),
        ("connect.refused", 50.0, True),
        ("tls.closed", 20.0 - NEAR, True),
        ("tls.closed", 20.0 - FAR, False),
        ("http.500", 50.0, False),
    ],
)
def test_a_killed_server_explains_what_ended_after_its_last_sign_of_life(
    run: Run, outcome: str, end: float, died: bool
) -> None:
    """In flight then, or begun later: lost with the server. An answer is not."""
    run.client(attempt(outcome, 10.0, end))
    run.front(event("gate_closed", 20.0))
    run.exited("signal 9")
    assert cause(run) == ("server_died" if died else None)


def test_the_end_of_a_pause_or_an_answer_is_a_sign_of_life(run: Run) -> None:
    """What was still written about counts, not only when it began."""
    run.client(attempt("tls.closed", 10.0, 29.0), attempt("tls.closed", 10.0, 31.0, id="b"))
    run.front(pause(5.0, 25.0), request("z", time=6.0, answered=30.0))
    run.worker(execution("z"))
    run.exited("signal 9")
    (run.folder / "burst.json").unlink()  # nobody knows who sent z
    assert run.column("cause") == {"a": None, "b": "server_died"}


@pytest.mark.parametrize("end, stopped", [(20.0 - FAR, False), (20.0 - NEAR, True), (40.0, True)])
def test_a_server_that_stops_explains_what_is_lost_from_then_on(
    run: Run, end: float, stopped: bool
) -> None:
    """From its `stopping`, whatever it goes on writing."""
    run.client(attempt("connect.refused", 10.0, end))
    run.front(event("stopping", 20.0), event("stopped", 24.0))
    run.exited("exit 0")
    assert cause(run) == ("server_stopped" if stopped else None)


def test_a_server_that_ended_by_itself_stopped_at_its_last_sign_of_life(run: Run) -> None:
    """Without a `stopping`, an exit code says that it was no signal."""
    run.client(attempt("tls.closed", 10.0, 20.0))
    run.front(event("gate_closed", 20.0))
    run.exited("exit 4")
    assert cause(run) == "server_stopped"


def test_a_running_server_explains_nothing_by_its_end(run: Run) -> None:
    """Silence alone is no death."""
    run.client(attempt("tls.closed", 10.0, 20.0))
    assert cause(run) is None


def test_a_pause_that_a_killed_server_did_not_end_lasted_until_its_death(run: Run) -> None:
    """Its end was never written; without a kill, a beginning alone explains nothing."""
    run.client(attempt("connect.refused", 10.0, 10.1))
    run.front(pause(3.0, 4.0), event("pause_began", 9.0, detail="refuse"))
    run.front(event("gate_open", 20.0))
    run.exited("signal 9")
    assert cause(run) == "backlog_full"


def test_the_beginning_of_a_pause_alone_explains_nothing(run: Run) -> None:
    """The server lives, so the end will be written, and says how long it was."""
    run.client(attempt("connect.refused", 10.0, 10.1))
    run.front(event("pause_began", 9.0, detail="refuse"))
    assert cause(run) is None


@pytest.mark.parametrize(
    "outcome, queued, opened, explained",
    [
        ("tls.timeout", 1, 0, True),
        ("tls.timeout", 0, 1, True),
        ("tls.timeout", 0, 0, False),
        ("connect.timeout", 1, 1, False),
        ("tls.reset", 1, 1, False),
    ],
)
def test_a_connection_that_the_server_had_not_come_to(
    run: Run, outcome: str, queued: int, opened: int, explained: bool
) -> None:
    """It stood, and was given up; but only while the server held connections at all."""
    run.client(attempt(outcome))
    run.front(sample(5.0, 0, 0), sample(10.5, queued, opened), sample(12.0, 0, 0))
    assert cause(run) == ("server_busy" if explained else None)


@pytest.mark.parametrize(
    "more, explained",
    [
        ({"answered": None, "status": None}, True),
        ({"answered": 11.5}, True),
        ({"answered": 10.6}, False),
    ],
)
def test_an_answer_that_came_after_the_client_had_given_up(
    run: Run, more: dict[str, Any], explained: bool
) -> None:
    """The server had the request; if it had answered in time, something else is the matter."""
    run.client(attempt("wait.timeout"))
    run.front(request(**more))
    run.worker(execution())
    assert cause(run) == ("server_busy" if explained else None)


@pytest.mark.parametrize(
    "outcome, says, found",
    [
        ("wait.timeout", "Connection_Dropped", "server_busy"),
        ("receive.timeout", "Connection_Dropped", "server_busy"),
        ("wait.reset", "Connection_Dropped", "Connection_Dropped"),
        ("wait.timeout", "Connection_Abandoned_By_AppPool", "Connection_Abandoned_By_AppPool"),
    ],
)
def test_a_hang_is_not_put_down_to_the_client(
    run: Run, outcome: str, says: str, found: str
) -> None:
    """It went because it got no answer; what the pool had given up stays the pool's."""
    run.client(attempt(outcome))
    run.front(lost(says))
    assert cause(run) == found


def test_a_client_that_went_although_it_had_been_answered_dropped_the_connection(run: Run) -> None:
    """The answer was out long before."""
    run.client(attempt("receive.timeout"))
    run.front(request(answered=10.6, cause="Connection_Dropped"))
    run.worker(execution())
    assert cause(run) == "Connection_Dropped"


@pytest.mark.parametrize("peer, time, found", [(LOCAL, 10.5, True), (LOCAL, 9.0, False)])
def test_a_timer_that_closed_this_very_connection(
    run: Run, peer: str, time: float, found: bool
) -> None:
    """HTTP.SYS closed it between two requests, as the client sent the next."""
    run.client(attempt("wait.closed", nth=3))
    run.front(event("Timer_ConnectionIdle", time, detail=peer))
    assert cause(run) == ("Timer_ConnectionIdle" if found else None)


@pytest.mark.parametrize("detail", ["signal 9", "exit 0"])
def test_who_gave_up_before_the_servers_end_waited_for_a_busy_one(run: Run, detail: str) -> None:
    """A server that ends behind a timeout, or right after it, is not what the client waited for."""
    run.client(attempt("tls.timeout", 10.0, 20.0))
    run.front(sample(10.0, queued=1, opened=0), sample(20.0 + NEAR, queued=0, opened=0))
    run.exited(detail)
    assert cause(run) == "server_busy"


@pytest.mark.parametrize("outcome", ["connect.refused", "wait.closed"])
@pytest.mark.parametrize(
    "began, ended, explained",
    [
        (11.0 + NEAR, 12.0, True),
        (11.0 + FAR, 12.0, False),
        (9.0, 10.0 - NEAR, True),
        (9.0, 10.0 - FAR, False),
        (5.0, 20.0, True),
        (5.0, None, True),
        (11.0 + FAR, None, False),
    ],
)
def test_an_iisreset_explains_what_overlaps_it(
    run: Run, outcome: str, began: float, ended: float | None, explained: bool
) -> None:
    """Nobody listens then, and what stood is closed; one that never ended goes on."""
    run.client(attempt(outcome))
    run.front(event("iisreset_began", 1.0), event("iisreset_ended", 2.0))
    run.front(event("iisreset_began", began))
    if ended is not None:
        run.front(event("iisreset_ended", ended))
    assert cause(run) == ("iisreset" if explained else None)


@pytest.mark.parametrize(
    "began, ended, how, explained",
    [
        (11.0 + NEAR, 12.0, "hotfix_applied", True),
        (11.0 + FAR, 12.0, "hotfix_applied", False),
        (9.0, 10.0 - NEAR, "hotfix_applied", True),
        (9.0, 10.0 - FAR, "hotfix_applied", False),
        (9.0, 10.0 - FAR, "hotfix_failed", False),
        (9.0, None, "", True),
    ],
)
def test_a_hotfix_is_installed_as_by_an_iisreset(
    run: Run, began: float, ended: float | None, how: str, explained: bool
) -> None:
    """From its first step to its end the services are stopped and started."""
    run.client(attempt("wait.closed"))
    run.front(event("hotfix_step", began, detail="1/2"))
    if ended is not None:
        run.front(event("hotfix_step", (began + ended) / 2, detail="2/2"), event(how, ended))
    assert cause(run) == ("iisreset" if explained else None)


def test_an_iisreset_is_the_last_to_be_blamed(run: Run) -> None:
    """What HTTP.SYS says of the request itself comes first; an answer needs no such cause."""
    run.client(attempt("wait.closed"), attempt("http.503", id="b"))
    run.front(event("iisreset_began", 10.0), event("iisreset_ended", 12.0))
    run.front(lost("Connection_Abandoned_By_AppPool"))
    assert run.column("cause") == {"a": "Connection_Abandoned_By_AppPool", "b": None}
