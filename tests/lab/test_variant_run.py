"""One variant against a real server: actions on time, and whatever ends it."""

import os
import signal
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.lab.tiny import AGENTS, HANGING, HEAD, write
from vaultstorm import runner, variant_run
from vaultstorm.run_directory import toml
from vaultstorm.scenario import load
from vaultstorm.serving import members
from vaultstorm.watch import Watch
from vaultstorm_wire import journal
from vaultstorm_wire.errors import MachineError


def run(directory: Path, variant: str, *options: Any) -> dict[str, Any]:
    """Run a scenario of one variant, and give the variant's result."""
    text = f'{HEAD}\n[variants.only]\ntitle = "x"\nwhy = "y"\n{variant}'
    chosen = runner.Options((), directory / "out", *options)
    outcome = runner.run(load(write(directory, text)), chosen)
    result: dict[str, Any] = outcome.result["variants"]["only"]
    return result


def events(directory: Path) -> list[tuple[str, str | None]]:
    """Give what the runner has journalled, in order."""
    (path,) = (directory / "out/only/journal").glob("runner-*.ndjson")
    with path.open("rb") as lines:
        records = list(journal.read(lines))
    assert [record.time for record in records] == sorted(record.time for record in records)
    return [(e.name, e.detail) for e in records if isinstance(e, journal.Event)]


def failures(result: dict[str, Any]) -> list[str]:
    """Give what went otherwise than it was written."""
    return [check["actual"] for check in result["expectations"] if not check["passed"]]


def test_the_gate_is_closed_before_the_first_syn(tmp_path: Path) -> None:
    """The runner's journal tells the whole story in order."""
    result = run(
        tmp_path,
        """actions = [{ at = 0, action = "gate closed" },
                      { when = "queued + ended == 5", action = "gate open" }]""",
    )
    assert (result["ok"], result["lost"], result["passed"]) == (2, 3, True)
    assert events(tmp_path) == [
        ("variant_started", "only"),
        ("action", "gate closed"),
        ("load_started", None),
        ("action", "gate open"),
        ("load_finished", "exit 0"),
        ("server_exited", "exit 0"),
    ]


def test_a_server_that_is_killed_still_gives_verdicts(tmp_path: Path) -> None:
    """Kill -9 with five requests at the door: all have a cause, and none was executed."""
    result = run(
        tmp_path,
        """server = { afd = { Backlog = 5 } }
        actions = [{ at = "0s", action = "gate closed" }, { when = "queued == 5", action = "kill" }]
        expect = ["lost == 5", "causes.server_died == 5", "verdicts.never == 5", "unexplained == 0"]
        """,
    )
    assert failures(result) == []
    assert ("server_exited", "signal 9") in events(tmp_path)
    (front,) = (tmp_path / "out/only/journal").glob("front-*.ndjson")
    assert members(int(front.stem.partition("-")[2])) == []


def test_a_server_that_is_stopped_ends_in_good_order(tmp_path: Path) -> None:
    """What waits in its queue is turned away, and that is the cause."""
    result = run(
        tmp_path,
        """server = { afd = { Backlog = 5 } }
        actions = [{ at = "0s", action = "gate closed" }, { when = "queued == 5", action = "stop" }]
        expect = ["lost == 5", "causes.stopping == 5", "unexplained == 0"]""",
    )
    assert failures(result) == []
    assert ("server_exited", "exit 0") in events(tmp_path)


def test_an_action_that_never_comes_due_is_a_failure(tmp_path: Path) -> None:
    """By time or by condition: the run was not the one that is written down."""
    result = run(
        tmp_path,
        """actions = [{ when = "queued > 99", action = "kill" }, { at = "1h", action = "stop" }]""",
    )
    assert not result["passed"]
    assert failures(result) == [
        "the load ended before the action came due: kill when queued>99",
        "the load ended before the action came due: stop at 3600 s",
    ]


def test_an_action_on_a_server_that_has_ended_is_a_failure(tmp_path: Path) -> None:
    """It is said, and the run goes on to its end."""
    result = run(
        tmp_path,
        """load = { duration = "500ms", requests = 1000000, think = "10ms" }
        actions = [{ when = "ended > 5", action = "kill" },
                   { at = "400ms", action = "gate closed" }]""",
    )
    assert failures(result) == [
        "the server had ended before the action came due: gate closed at 0.4 s"
    ]


LONG = """server = { apppool = { RapidFailProtection = 0 } }
load = { duration = "400ms", requests = 1000000, think = "10ms" }
"""


def test_a_repetition_that_the_server_refuses_is_passed_over(tmp_path: Path) -> None:
    """Nobody serves right after a kill: that time is left out, and is no failure."""
    every = 'actions = [{ at = 0, every = "20ms", action = "worker kill" }]'
    assert failures(run(tmp_path, LONG + every)) == []
    kills = events(tmp_path).count(("action", "worker kill"))
    assert 1 <= kills < 20


def test_the_first_time_of_a_repetition_counts(tmp_path: Path) -> None:
    """One that the server never did is a failure, said once."""
    actions = """actions = [{ at = 0, action = "stop-pool" },
        { at = 0, every = "20ms", action = "worker kill" }]"""
    (said,) = failures(run(tmp_path, LONG + actions))
    assert said.startswith("worker kill at 0 s, every 0.02 s: ")
    assert " answers 409 to POST /worker/kill: " in said
    assert ("action", "worker kill") not in events(tmp_path)


@pytest.mark.parametrize("moment", ["server starts", "attempts ended"])
def test_an_exception_leaves_no_process(tmp_path: Path, moment: str) -> None:
    """Whatever is raised beside the server or the load, both are gone when it comes out."""
    scenario = load(write(tmp_path, HANGING))
    directory = tmp_path / "out"
    (directory / "journal").mkdir(parents=True)
    (directory / "server.toml").write_bytes(toml(scenario.settings(scenario.variants[0])))
    children: list[int] = []

    def show(line: Callable[[], str]) -> None:
        if moment in line():
            children.extend(_children())
            raise KeyError(moment)

    place = variant_run.Place(directory, tmp_path / "tls", 0, 1)
    with pytest.raises(KeyError, match=moment), Watch(60) as watch:
        variant_run.run(scenario, scenario.variants[0], place, watch, show)
    assert len(children) == (1 if moment == "server starts" else 2)
    assert not set(children) & set(_children())
    assert [pid for child in children for pid in members(child)] == []


def test_a_server_that_ends_by_itself_is_a_failure(tmp_path: Path) -> None:
    """Nobody asked it to: the variant's expectations cannot make up for that."""
    scenario = load(write(tmp_path, HANGING))
    directory = tmp_path / "out"
    (directory / "journal").mkdir(parents=True)
    (directory / "server.toml").write_bytes(toml(scenario.settings(scenario.variants[0])))

    killed: list[int] = []

    def show(line: Callable[[], str]) -> None:
        fronts = list((directory / "journal").glob("front-*.ndjson"))
        if not killed and "ended" in line() and '"queued":5' in fronts[0].read_text():
            killed.append(int(fronts[0].stem.partition("-")[2]))
            os.kill(killed[0], signal.SIGSEGV)

    place = variant_run.Place(directory, tmp_path / "tls", 0, 1)
    with Watch(60) as watch:
        failures = variant_run.run(scenario, scenario.variants[0], place, watch, show)
    assert failures == ["the server ended by itself, with signal 11"]


def _children() -> list[int]:
    """Give the pids of our own children."""
    text = Path(f"/proc/self/task/{os.getpid()}/children").read_text()
    return [int(pid) for pid in text.split()]


@pytest.fixture
def taken() -> Iterator[int]:
    """Hold a port that somebody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_a_server_that_does_not_start_says_why(tmp_path: Path, taken: int) -> None:
    """The variant and the server's own sentence are in the error."""
    with pytest.raises(MachineError, match=rf"^variant only: .*exit code 3.*: .*{taken}"):
        run(tmp_path, "", taken)


def test_the_load_is_what_the_scenario_says(tmp_path: Path) -> None:
    """Options reach the client: requests, keep-alive, path."""
    result = run(
        tmp_path,
        """server = { afd = { Backlog = 5 } }
        load = { requests = 2, keep_alive = false, path = "/nothing/here" }
        expect = ["attempts == 10", "outcomes.http.404 == 10", "reused.attempts == 0",
                  "burst.connects == 10", "causes.response == 10", "verdicts.once == 10"]""",
    )
    assert failures(result) == []
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_load_that_is_cut_while_it_starts_is_no_error(tmp_path: Path) -> None:
    """SIGINT meets an interpreter that does not handle it yet: the variant was interrupted."""
    scenario = load(write(tmp_path, HANGING))
    directory = tmp_path / "out"
    (directory / "journal").mkdir(parents=True)
    (directory / "server.toml").write_bytes(toml(scenario.settings(scenario.variants[0])))
    place = variant_run.Place(directory, tmp_path / "tls", 0, 1)
    with Watch(60) as watch:

        def show(line: Callable[[], str]) -> None:
            if "attempts ended" in line():
                watch.interrupted = True

        failures = variant_run.run(scenario, scenario.variants[0], place, watch, show)
    assert failures == ["interrupted"]


ONE = '[variants.only]\ntitle = "x"\nwhy = "y"\n'


def agents(directory: Path, load_: str, variant: str = "") -> dict[str, Any]:
    """Run agents against one server, and give the variant's result."""
    text = AGENTS.replace("requests = 2", load_)
    scenario = load(write(directory, f"{text}\n{ONE}{variant}"))
    outcome = runner.run(scenario, runner.Options(out=directory / "out"))
    result: dict[str, Any] = outcome.result["variants"]["only"]
    return result


def test_what_the_agents_find_lost_is_a_finding_and_no_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The burst ends with 1 then; here snapshots vanish between two of an agent."""
    removed: list[Path] = []

    def turn(self: Any) -> None:
        if not removed:
            removed.extend((tmp_path / "out/only/vault/snapshots").glob("*"))
            for path in removed:
                path.unlink()
        honest(self)

    honest = variant_run._VariantRun._turn
    monkeypatch.setattr(variant_run._VariantRun, "_turn", turn)
    result = agents(tmp_path, 'requests = 2\nthink = "500ms"')
    assert result["vault"]["lost"] > 0
    assert (result["acknowledged"]["lost"], result["acknowledged"]["changed"]) == (len(removed), 0)
    assert [finding.partition(":")[0] for finding in result["findings"]] == [
        "acknowledged",
        "read back by the agents",
    ]
    assert not result["passed"]
    assert ("load_finished", "exit 1") in events(tmp_path)
    assert (tmp_path / "out/only/vault").is_dir()


def test_a_server_that_is_killed_keeps_what_it_has_acknowledged(tmp_path: Path) -> None:
    """It is looked for as ever, here in a directory of the scenario's own, which stays."""
    own = tmp_path / "own"
    result = agents(
        tmp_path,
        'duration = "700ms"\nrequests = 1000000',
        f"""server = {{ vault = {{ Directory = "{own}" }} }}
        actions = [{{ when = "ended >= 12", action = "kill" }}]""",
    )
    assert failures(result) == []
    kept = result["acknowledged"]
    assert kept["blocks"] > 0
    assert (kept["lost"], kept["changed"]) == (0, 0)
    assert len(list((own / "snapshots").iterdir())) >= kept["snapshots"]
    assert not (tmp_path / "out/only/vault").exists()


def test_a_hotfix_is_installed_while_the_load_runs(tmp_path: Path) -> None:
    """By its steps; who met it has a cause."""
    result = agents(
        tmp_path,
        "requests = 20",
        """
        actions = [{ when = "ended >= 30", action = "apply-hotfix tech39579" }]
        expect = ["events.hotfix_step == 6", "events.hotfix_applied == 1", "unexplained == 0",
                  "acknowledged.lost == 0", "verdicts.twice + verdicts.unknown == 0"]
        """,
    )
    assert failures(result) == []
    assert ("action", "apply-hotfix TECH39579") in events(tmp_path)
