"""DCOM bursts against a real server: both ports' gates, and what the records make of it."""

from pathlib import Path
from typing import Any

from tests.lab.tiny import DCOM, write
from vaultstorm import runner
from vaultstorm.scenario import load

APPID = "{8e5f1c6a-4b0d-4c57-9d3e-5a7b2f60c9d1}"


def run(directory: Path, variant: str) -> dict[str, Any]:
    """Run a scenario of one variant, in which everything adds up, and give the variant's result."""
    text = f'{DCOM}\n[variants.only]\ntitle = "x"\nwhy = "y"\n{variant}'
    outcome = runner.run(load(write(directory, text)), runner.Options((), directory / "out"))
    assert outcome.result["violations"] == []
    result: dict[str, Any] = outcome.result["variants"]["only"]
    assert [check for check in result["expectations"] if not check["passed"]] == []
    return result


def test_the_exporter_takes_ten_and_the_resolver_all(tmp_path: Path) -> None:
    """The gate holds the exporter's accepts back, also before there is one."""
    result = run(
        tmp_path,
        """actions = [{ at = 0, action = "gate exporter closed" },
                   { when = "exporter_queued + ended == 30", action = "gate exporter open" }]
        expect = ["rpc.activation.ok == 15", "rpc.call.ok == 10", "rpc.call.lost == 5",
                  "rpc.call.causes.backlog_full == 5", "rpc.call.verdicts.never == 5",
                  "rpc.call.verdicts.once == 10", "rpc_errors.0x800706BF == 5",
                  "rpc.call.errors.0x800706BF == 5", "rpc.activation.verdicts.once == 15",
                  "unexplained == 0"]""",
    )
    assert result["gaps"] == {}
    assert result["rpc"]["call"]["outcomes"]["ok"] == 10
    report = (tmp_path / "out" / "report.html").read_text()
    assert "The remote procedure call failed and did not execute." in report


def test_the_resolver_has_a_queue_of_its_own(tmp_path: Path) -> None:
    """Who is turned away at the resolver never comes to call; the component's value is no help."""
    run(
        tmp_path,
        f"""hotfixes = ["KB960007"]
        actions = [{{ at = 0, action = "gate resolver closed" }},
                   {{ when = "resolver_queued + ended == 15", action = "gate resolver open" }}]
        expect = ["rpc.activation.ok == 4", "rpc.activation.lost == 11", "rpc.call.ok == 4",
                  "rpc.activation.causes.backlog_full == 11", "rpc.call.attempts == 4",
                  "verdicts.once == 8", "verdicts.never == 11", "unexplained == 0"]
        server.rpc.ResolverBacklog = 4
        server.AppID."{APPID}".RpcProtSeqMaxCalls = 100""",
    )


def test_too_many_calls_at_once_are_answered_that_there_are(tmp_path: Path) -> None:
    """A fault is a complete answer: nobody is lost, and the server says that it did not run it."""
    run(
        tmp_path,
        """server.rpc = { CallLimit = 1, CallTime = "1s" }
        load = { clients = 5 }
        actions = [{ at = 0, action = "gate exporter closed" },
                   { when = "exporter_queued == 5", action = "gate exporter open" }]
        expect = ["lost == 0", "rpc.call.ok >= 1", "outcomes.rpc.0x1c010014 >= 1",
                  "causes.call_limit == outcomes.rpc.0x1c010014",
                  "rpc_errors.0x800706BB == causes.call_limit", "verdicts.twice == 0",
                  "verdicts.never == causes.call_limit", "unexplained == 0"]""",
    )


def test_the_hotfix_is_installed_while_threads_call(tmp_path: Path) -> None:
    """The restart resets what is under way; each has its cause, and none runs twice."""
    result = run(
        tmp_path,
        """server.rpc = { CallTime = "5ms" }
        load = { clients = 4, requests = 1000000, duration = "3s", keep_alive = false }
        actions = [{ when = "ended >= 20", action = "apply-hotfix KB960007" }]
        expect = ["ok > 0", "events.hotfix_applied == 1", "events.exporter_started >= 2",
                  "verdicts.twice + verdicts.unknown == 0", "unexplained == 0"]""",
    )
    assert set(result["causes"]) <= {"iisreset", "exporter_gone", "stopping", "response"}


def test_a_killed_server_has_no_verdict_on_the_calls_that_it_had(tmp_path: Path) -> None:
    """What waited in a queue was never run; what had been sent, nobody can know."""
    run(
        tmp_path,
        """server.rpc = { CallTime = "30s" }
        load = { clients = 5 }
        actions = [{ at = 0, action = "gate exporter closed" },
                   { when = "exporter_queued == 5", action = "gate exporter open" },
                   { when = "exporter_queued == 0", action = "kill" }]
        expect = ["rpc.call.lost == 5", "causes.server_died == 5", "verdicts.twice == 0",
                  "rpc.call.verdicts.unknown + rpc.call.verdicts.never == 5",
                  "unexplained == 0"]""",
    )
