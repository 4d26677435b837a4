"""Somebody else's server: which verdicts and causes its records allow, and which they do not."""

from collections.abc import Sequence
from typing import Any

import pytest

from tests.lab.reconcile.harness import Run, attempt, event
from vaultstorm.reconcile import Variant, existing, foreign, reconcile
from vaultstorm_wire.journal import Attempt, Begun, Execution, Kernel, Record


def ran(id: str, status: int = 200, **more: Any) -> Execution:
    """Give what a middleware writes down; of a log with `source`."""
    fields: dict[str, Any] = {"time": 10.5, "worker": 21, "method": "GET", "target": "/"} | more
    return Execution(id=id, status=status, **fields)


def logged(id: str, status: int = 200) -> Execution:
    """Give a line of an access log."""
    return ran(id, status, source="access_log", worker=0, time=10.0)


def began(id: str) -> Begun:
    """Give what a middleware writes before the application is entered."""
    return Begun(time=10.4, id=id, worker=21)


class Foreign(Run):
    """A run against a foreign server that has ended as it was asked to, after the load."""

    def __init__(self, run: Run) -> None:
        self.directory, self.folder, self.journals = run.directory, run.folder, run.journals
        for path in self.journals.iterdir():
            path.unlink()
        self.ended = [event("load_finished", 50.0), event("server_exited", 60.0, detail="exit 0")]

    def judge(
        self, records: Sequence[Record], *attempts: Attempt, runner: Sequence[Record] | None = None
    ) -> dict[str, Any]:
        """Reconcile, and give id, verdict and cause of every attempt; nothing is a violation."""
        self.client(*attempts)
        if records:
            self.worker(*records)  # type: ignore[arg-type]
        done = self.ended if runner is None else runner
        self.write("runner", 41, *done)  # type: ignore[arg-type]
        assert reconcile(self.directory, [Variant("v", server="foreign")]) == []
        return {
            id: tuple(rest) for id, *rest in self.rows("SELECT id, verdict, cause FROM attempt")
        }


@pytest.fixture
def server(run: Run) -> Foreign:
    """Give a run against a foreign server without a record."""
    return Foreign(run)


OK = attempt("ok", id="ok")
SERVED = [began("ok"), ran("ok")]
LOST = attempt("wait.closed", id="lost")


def gaps(run: Run) -> dict[str, str]:
    """Give what is missing from the records."""
    return dict(run.rows("SELECT kind, detail FROM gap"))


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
