"""Somebody else's server: which verdicts its records allow, and which they do not."""

from collections.abc import Sequence

import pytest

from tests.lab.reconcile.foreign_runs import LOST, OK, SERVED, Foreign, began, gaps, logged, ran
from tests.lab.reconcile.harness import attempt, event
from vaultstorm_wire.journal import Record


def test_with_a_middleware_what_is_not_there_never_ran(server: Foreign) -> None:
    """It writes before the application is entered, and what is written survives a kill."""
    killed = [event("action", 10.0, detail="kill"), *server.ended]
    assert server.judge(SERVED, OK, LOST, runner=killed)["lost"][0] == "never"
    assert gaps(server) == {}


@pytest.mark.parametrize(
    "records, verdict",
    [
        ([began("lost"), ran("lost")], "once"),
        ([began("lost"), ran("lost", 500)], "once"),
        ([began("lost")], "unknown"),
        ([began("lost"), ran("lost"), began("lost"), ran("lost")], "twice"),
        ([began("lost"), ran("lost"), began("lost")], "unknown"),
    ],
)
def test_what_a_middleware_has_written(
    server: Foreign, records: Sequence[Record], verdict: str
) -> None:
    """Begun without an end may have run; a proxy may have passed it on twice."""
    assert server.judge([*SERVED, *records], OK, LOST)["lost"] == (verdict, None)


def test_without_a_journal_only_what_never_left_is_known(server: Foreign) -> None:
    """And the gap says so."""
    refused = attempt("connect.refused", id="refused")
    found = server.judge([], OK, LOST, refused)
    assert {id: verdict for id, (verdict, _) in found.items()} == {
        "ok": "unknown",
        "lost": "unknown",
        "refused": "never",
    }
    assert gaps(server) == {
        "no_executions_journal": "the application left no journal, and there was no access log"
    }


def test_a_journal_of_something_else_proves_nothing(server: Foreign) -> None:
    """As one that has other ids than the client's, or a file with no more than its head."""
    assert server.judge([ran("of nginx' own")], LOST)["lost"] == ("unknown", None)
    assert "has one of the attempts" in gaps(server)["no_executions_journal"]


def test_an_answer_that_is_in_no_journal_makes_the_rest_doubtful(server: Foreign) -> None:
    """A process may have had none: what is there counts, what is not may have run."""
    other = attempt("ok", id="other")
    silent = attempt("ok", id="tcp", sent=0)
    found = server.judge(SERVED, OK, other, LOST, silent)
    assert [found[id][0] for id in ("ok", "other", "lost", "tcp")] == [
        *("once", "unknown", "unknown", "never"),
    ]
    assert gaps(server) == {"executions_incomplete": "1 of 2 answers are in no journal"}


def test_a_journal_that_is_cut_off_may_have_had_more(server: Foreign) -> None:
    """So a full disk leaves it."""
    server.write("worker", 22, cut=b'{"record":"begun"')
    assert server.judge(SERVED, OK, LOST)["lost"] == ("unknown", None)
    assert list(gaps(server)) == ["worker_journal_cut_off"]


def test_an_error_that_the_server_gave_itself_never_reached_the_application(
    server: Foreign,
) -> None:
    """The middleware has not seen it; where it has, the application answered so."""
    by_server = attempt("http.503", id="server")
    by_app = attempt("http.500", id="app")
    found = server.judge([*SERVED, began("app"), ran("app", 500)], OK, by_server, by_app)
    assert found["server"] == ("never", None)
    assert found["app"] == ("once", "response")


@pytest.mark.parametrize(
    "line, verdict",
    [
        ([logged("lost")], "once"),
        ([logged("lost", 304)], "once"),
        ([logged("lost", 499)], "unknown"),
        ([logged("lost", 400)], "unknown"),
        ([logged("lost", 504)], "unknown"),
        ([logged("lost", 0)], "unknown"),
        ([logged("lost"), logged("lost")], "twice"),
        ([logged("lost"), logged("lost", 499)], "unknown"),
        ([], "never"),
    ],
)
def test_what_an_access_log_says(server: Foreign, line: Sequence[Record], verdict: str) -> None:
    """A status of 400 or above may be the server's own; 499 says that the client had gone."""
    assert server.judge([logged("ok"), *line], OK, LOST)["lost"] == (verdict, None)


def test_the_cause_of_an_answer_is_in_the_log(server: Foreign) -> None:
    """Whoever gave it."""
    found = server.judge([logged("ok"), logged("a", 503)], OK, attempt("http.503", id="a"))
    assert found["a"] == ("unknown", "response")


@pytest.mark.parametrize(
    "action, verdict",
    [
        ("signal HUP", "never"),
        ("signal USR2", "never"),
        ("signal QUIT", "never"),
        ("signal STOP", "never"),
        ("command nginx -s reload", "never"),
        ("command kill -HUP {pid}", "never"),
        ("command kill -USR1 7", "never"),
        ("kill", "unknown"),
        ("stop", "unknown"),
        ("signal KILL", "unknown"),
        ("signal TERM", "unknown"),
        ("signal ABRT", "unknown"),
        ("command kill 7", "unknown"),
        ("command kill -9 7", "unknown"),
        ("command pkill -KILL nginx", "unknown"),
        ("command sh -c 'kill -HUP 7; kill -SIGKILL 8'", "unknown"),
        ("command systemctl restart nginx", "unknown"),
        ("command ./deploy", "unknown"),
        ("command kill -STOP 7", "never"),
        ("command kill -s HUP 7", "never"),
        ("command pkill -HUP nginx", "never"),
        ("command sh -c 'kill -HUP 7; pkill worker'", "unknown"),
        ("command sh -c 'nginx -s reload; systemctl stop php-fpm'", "unknown"),
    ],
)
def test_a_log_lacks_what_a_process_had_that_was_killed(
    server: Foreign, action: str, verdict: str
) -> None:
    """Only what lets every request be finished leaves a log whole."""
    runner = [event("action", 9.0, detail=action), *server.ended]
    assert server.judge([logged("ok")], OK, LOST, runner=runner)["lost"][0] == verdict


@pytest.mark.parametrize(
    "detail, verdict",
    [
        *(("exit 0", "never"), ("signal 15", "never"), ("signal 3", "never")),
        *(("exit 1", "unknown"), ("signal 9", "unknown"), ("signal 11", "unknown")),
    ],
)
def test_a_log_is_whole_only_if_the_server_ended_as_it_was_asked_to(
    server: Foreign, detail: str, verdict: str
) -> None:
    """After the load; of a server that goes on, nobody knows what it has under way."""
    runner = [event("load_finished", 50.0), event("server_exited", 60.0, detail=detail)]
    assert server.judge([logged("ok")], OK, LOST, runner=runner)["lost"] == (verdict, None)


@pytest.mark.parametrize("runner", [[], [event("server_exited", 20.0, detail="exit 0")]])
def test_a_log_of_a_server_that_ended_early_or_not_at_all(
    server: Foreign, runner: Sequence[Record]
) -> None:
    """What it had under way is in no line."""
    found = server.judge([logged("ok")], OK, LOST, runner=runner)
    assert found["lost"][0] == "unknown"


@pytest.mark.parametrize("outcome", ["wait.timeout", "wait.local"])
def test_who_gave_up_may_have_been_executed_later(server: Foreign, outcome: str) -> None:
    """The server may have gone on with it until it was ended; a middleware would have said so."""
    gone = attempt(outcome, id="gone")
    assert server.judge([logged("ok")], OK, gone)["gone"][0] == "unknown"


def test_what_goes_on_may_come_yet_to_what_its_client_gave_up(server: Foreign) -> None:
    """A server that runs elsewhere outlives its records; who was cut off by it was not heard."""
    gone = attempt("wait.timeout", id="gone")
    found = server.judge(SERVED, OK, gone, LOST, runner=[event("load_finished", 50.0)])
    assert (found["gone"], found["lost"]) == (("unknown", None), ("never", None))


def test_a_log_that_lacks_an_answer_is_not_whole(server: Foreign) -> None:
    """Some are told to leave errors out, or some hosts; where the application writes, none is."""
    error = attempt("http.500", id="error")
    found = server.judge([logged("ok")], OK, error, LOST)
    assert [found[id][0] for id in ("ok", "error", "lost")] == ["once", "unknown", "unknown"]
    assert gaps(server) == {"executions_incomplete": "1 of 2 answers are in no journal"}


def test_behind_a_proxy_the_application_counts(server: Foreign) -> None:
    """Its log is what passed: no second execution, but the reason for an answer."""
    server.write("worker", 0, logged("ok"), logged("lost", 499), logged("a", 502))
    found = server.judge(SERVED, OK, LOST, attempt("http.502", id="a"))
    assert found == {
        "ok": ("once", None),
        "lost": ("never", None),
        "a": ("never", "response"),
    }
    assert server.rows("SELECT id, status FROM request ORDER BY id") == [
        *(("a", 502), ("lost", 499), ("ok", 200)),
    ]


def test_what_a_foreign_server_lacks_is_no_bug_of_ours(server: Foreign) -> None:
    """An execution that nobody sent, as of a readiness check, neither."""
    server.judge([*SERVED, ran("ready"), ran("ok")], OK)
