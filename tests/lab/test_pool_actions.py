"""What a scenario does to the application pool, against a real server."""

from pathlib import Path

from tests.lab.test_variant_run import events, failures, run


def test_who_is_hit_by_a_crash_is_known_to_the_last_request(tmp_path: Path) -> None:
    """A hung worker holds what it has been given, and a kill takes exactly that with it."""
    result = run(
        tmp_path,
        """server = { afd = { Backlog = 5 }, apppool = { PendingReceives = 2 } }
        actions = [{ at = 0, action = "worker hang" },
                   { when = "held + waiting == 5", action = "worker kill" }]
        expect = ["lost == 2", "ok == 3", "causes.Connection_Abandoned_By_AppPool == lost",
                  "verdicts.never == 2", "verdicts.once == 3", "events.1009 == 1",
                  "events.worker_died == 1", "events.recycle == 0", "unexplained == 0"]""",
    )
    assert failures(result) == []
    assert result["events"]["1009"] == 1
    actions = [detail for name, detail in events(tmp_path) if name == "action"]
    assert actions == ["worker hang", "worker kill"]


def test_a_queue_is_filled_to_the_last_place(tmp_path: Path) -> None:
    """One more than its limit is refused, and what waited is answered once the worker goes on."""
    result = run(
        tmp_path,
        """server.afd.Backlog = 20
        server.apppool = { PendingReceives = 1, AppPoolQueueLength = 10 }
        load = { clients = 12 }
        actions = [{ at = 0, action = "worker hang" },
                   { when = "held + waiting + ended == 12", action = "worker resume" }]
        expect = ["ok == 11", "outcomes.http.503 == 1", "causes.QueueFull == outcomes.http.503",
                  "verdicts.once == ok", "verdicts.never == 1", "events.event_log == 0"]""",
    )
    assert failures(result) == []


def test_a_pool_is_stopped_and_started_and_everything_is_reset(tmp_path: Path) -> None:
    """Each is waited for, so that the next is done to what it has made of the pool."""
    result = run(
        tmp_path,
        """server.afd.Backlog = 5
        load = { requests = 1000000, duration = "10s", think = "5ms" }
        actions = [{ when = "ended >= 5", action = "stop-pool" },
                   { when = "serving + stopping == 0", action = "start-pool" },
                   { when = "serving == 1", action = "iisreset" },
                   { when = "serving == 1", action = "stop" }]
        expect = ["ok > 0", "causes.Disabled > 0", "events.pool_stopped > 1",
                  "events.worker_serving == 3", "events.iisreset_began == 1",
                  "events.iisreset_ended == 1", "unexplained == 0", "verdicts.twice == 0"]""",
    )
    assert failures(result) == []


def test_a_setting_is_changed(tmp_path: Path) -> None:
    """The pool recycles for it, and the event log tells so if that was what was set."""
    result = run(
        tmp_path,
        """server.afd.Backlog = 5
        load = { requests = 1000000, duration = "10s", think = "5ms" }
        actions = [{ at = 0, action = "set apppool.LogEventOnRecycle=64" },
                   { when = "starts + serving + stopping == 3", action = "stop" }]
        expect = ["events.setting_changed == 1", "events.recycle == 1", "events.event_log == 1",
                  "unexplained == 0"]""",
    )
    assert failures(result) == []


def test_an_action_is_repeated_while_the_load_lasts(tmp_path: Path) -> None:
    """With the hotfix, recycles again and again cost nobody an answer."""
    result = run(
        tmp_path,
        """server = { afd = { Backlog = 5 } }
        hotfixes = ["KB908739"]
        load = { requests = 1000000, duration = "3s" }
        actions = [{ at = "100ms", every = "200ms", action = "recycle" }]
        expect = ["lost == 0", "ok == attempts", "events.recycle > 1", "verdicts.once == ok"]""",
    )
    assert failures(result) == []
    assert events(tmp_path).count(("action", "recycle")) > 1


def test_what_the_server_refuses_is_a_failure_said_once(tmp_path: Path) -> None:
    """No worker serves in a pool that is stopped; the run goes on to its end."""
    result = run(
        tmp_path,
        """server = { afd = { Backlog = 5 } }
        load = { requests = 1000000, duration = "1s", think = "10ms" }
        actions = [{ at = 0, action = "stop-pool" },
                   { when = "serving == 0", every = "50ms", action = "worker kill" }]
        expect = ["ok == 0", "causes.Disabled == attempts", "verdicts.never == attempts"]""",
    )
    (said,) = failures(result)
    assert said.startswith("worker kill when serving==0, every 0.05 s: ")
    assert "no worker process is there to kill" in said
