"""A run as a user meets it: real servers, real loads, and no process left behind."""

import json
import os
import signal
import socket
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.lab.tiny import AGENTS, FIXED, HANGING, HEAD, TINY, result, session_members, write
from tests.support.command import command, environment, vaultstorm
from tests.support.server import PATIENCE, until
from vaultstorm import reconcile, runner, terminal, variant_run
from vaultstorm.scenario import load
from vaultstorm_wire.errors import MachineError, UsageError


def test_every_variant_is_run_and_judged(tmp_path: Path) -> None:
    """Two of five find a slot, then all five do; result, records and report are there."""
    out = tmp_path / "out"
    outcome = runner.run(load(write(tmp_path)), runner.Options(out=out))
    assert outcome.status == 0
    assert outcome.report == out / "report.html"
    assert outcome.report.is_file()
    assert (out / "run.db").is_file()
    assert (out / "scenario.toml").read_text() == TINY
    kept = result(out)
    assert kept == outcome.result
    assert (kept["schema"], kept["scenario"], kept["passed"]) == (1, "tiny", True)
    assert [kept[key] for key in ("title", "breaks", "cut", "out")] == [
        *("Tiny", "It breaks.", None, str(out))
    ]
    assert list(kept["variants"]) == ["broken", "fixed"]
    broken = kept["variants"]["broken"]
    assert (broken["attempts"], broken["ok"], broken["lost"]) == (5, 2, 3)
    assert broken["causes"] == {"backlog_full": 3}
    assert broken["verdicts"] == {"once": 2, "never": 3, "twice": 0, "unknown": 0}
    assert broken["unexplained"] == 0
    assert broken["expectations"][1] == {"check": "lost == 3", "actual": 3, "passed": True}
    assert (broken["seed"], broken["options"]) == (5, {})
    assert kept["variants"]["fixed"]["options"] == {"server": {"afd": {"Backlog": 5}}}
    for name in ("broken", "fixed"):
        roles = {path.name.partition("-")[0] for path in (out / name / "journal").glob("*.ndjson")}
        assert roles == {"client", "front", "worker", "runner"}


def test_variants_follow_each_other_on_one_port(tmp_path: Path) -> None:
    """What the first server has left in the kernel does not keep the second from listening."""
    port = free_port()
    options = runner.Options(out=tmp_path / "out", port=port)
    assert runner.run(load(write(tmp_path)), options).status == 0
    for name in ("broken", "fixed"):
        burst = json.loads((tmp_path / "out" / name / "burst.json").read_text())
        assert burst["target"] == f"http://127.0.0.1:{port}"


def free_port() -> int:
    """Give a port that was free a moment ago."""
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        port: int = holder.getsockname()[1]
        return port


def test_options_of_the_run(tmp_path: Path) -> None:
    """One variant, a given seed; a result of nothing else."""
    options = runner.Options(variants=["fixed"], out=tmp_path / "out", seed=99)
    outcome = runner.run(load(write(tmp_path)), options)
    assert outcome.status == 0
    assert list(outcome.result["variants"]) == ["fixed"]
    assert outcome.result["variants"]["fixed"]["seed"] == 99


def test_an_expectation_that_does_not_hold_is_a_finding(tmp_path: Path) -> None:
    """Exit 1; the number that was expected otherwise stands in the result."""
    text = f"{HEAD}{FIXED}".replace("ok == 5", "ok == 4")
    outcome = runner.run(load(write(tmp_path, text)), runner.Options(out=tmp_path / "out"))
    assert outcome.status == 1
    assert not outcome.result["passed"]
    check = outcome.result["variants"]["fixed"]["expectations"][0]
    assert check == {"check": "ok == 4", "actual": 5, "passed": False}


def test_a_contradiction_in_the_records_is_our_bug(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exit 4, whatever the expectations say, and the result names it."""
    violation = reconcile.Violation("fixed", "id_twice", "5-0-0", "2 attempts carry it")
    honest = reconcile.reconcile
    monkeypatch.setattr(reconcile, "reconcile", lambda *given: [*honest(*given), violation])
    outcome = runner.run(
        load(write(tmp_path)), runner.Options(variants=["fixed"], out=tmp_path / "out")
    )
    assert outcome.status == 4
    assert not outcome.result["passed"]
    assert outcome.result["violations"] == [violation._asdict()]


def test_an_unknown_variant_leaves_nothing_behind(tmp_path: Path) -> None:
    """It is refused before the run directory is made."""
    with pytest.raises(UsageError, match="no variant 'none'"):
        runner.run(load(write(tmp_path)), runner.Options(["none"], tmp_path / "out"))
    assert not (tmp_path / "out").exists()


def start(*arguments: str, stdout: int = subprocess.PIPE) -> "subprocess.Popen[bytes]":
    """Start a run in a session of its own, with no signal ignored that the tests may ignore."""

    def hear() -> None:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_DFL)

    return subprocess.Popen(
        command("run", *arguments),
        env=environment(),
        start_new_session=True,
        stdout=stdout,
        preexec_fn=hear,
    )


def test_insisting_ends_everything_at_once(tmp_path: Path) -> None:
    """A second signal waits for no good order; even so no process is left."""
    out = tmp_path / "out"
    process = start(str(write(tmp_path, HANGING)), f"--out={out}", stdout=subprocess.DEVNULL)
    until(lambda: '"queued":5' in journals(out / "hanging", "front"))
    os.kill(process.pid, signal.SIGINT)
    os.kill(process.pid, signal.SIGTERM)
    assert process.wait(PATIENCE) == 130
    until(lambda: not session_members(process.pid))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_an_interrupt_ends_everything(tmp_path: Path, number: signal.Signals) -> None:
    """Exit 130; no process is left, and what had run is reconciled and reported."""
    out = tmp_path / "out"
    process = start(str(write(tmp_path, HANGING)), f"--out={out}", "--json=-")
    assert process.stdout is not None
    with process.stdout:
        until(lambda: '"queued":5' in journals(out / "hanging", "front"))
        assert len(session_members(process.pid)) == 4  # the run, front, worker, client
        os.kill(process.pid, number)
        shown = json.loads(process.stdout.read())
    assert process.wait(PATIENCE) == 130
    assert session_members(process.pid) == []
    assert shown == result(out)
    assert (shown["passed"], shown["cut"]) == (False, "interrupted")
    hanging = shown["variants"]["hanging"]
    assert hanging["attempts"] == hanging["lost"] == 5
    assert hanging["causes"] == {"client": 5}
    assert hanging["expectations"][-1]["actual"] == "interrupted"
    assert (out / "report.html").is_file()
    assert '"server_exited","detail":"exit 0"' in journals(out / "hanging", "runner")
    assert not (out / "fixed").exists()


def journals(directory: Path, role: str) -> str:
    """Give what the processes of a role have written down so far."""
    return "".join(path.read_text() for path in directory.glob(f"journal/{role}-*.ndjson"))


def test_the_time_limit_is_hard(tmp_path: Path) -> None:
    """Exit 1 and a word about it, instead of the 30 s that the load would wait."""
    out = tmp_path / "out"
    text = HANGING.replace('"50s"', '"4s"')
    process = start(str(write(tmp_path, text)), f"--out={out}")
    shown, _ = process.communicate(timeout=PATIENCE)
    assert process.returncode == 1
    assert b"FAILED: tiny, the time limit of 4 s was reached" in shown
    assert result(out)["cut"] == "the time limit of 4 s was reached"
    assert session_members(process.pid) == []


def test_a_full_disk_is_the_machines_doing(tmp_path: Path) -> None:
    """A journal that cannot be written ends the run with exit 3, and nothing stays behind."""
    text = TINY.replace("clients = 5", "clients = 5\nrequests = 50").replace("== 5", ">= 5")
    run = command("run", str(write(tmp_path, text)), f"--out={tmp_path / 'out'}", "--variant=fixed")
    limited = ["bash", "-c", 'ulimit -f 16 && exec "$@"', "bash", *run]
    process = subprocess.Popen(
        limited, env=environment(), start_new_session=True, stderr=subprocess.PIPE
    )
    _, said = process.communicate(timeout=PATIENCE)
    assert process.returncode == 3
    assert said.startswith(b"vaultstorm: variant fixed: the load ended with exit 3: cannot write")
    assert session_members(process.pid) == []


def test_what_had_run_before_an_error_is_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The machine fails the second variant: the first has its verdicts and its report."""
    honest = variant_run.run

    def failing(scenario: Any, variant: Any, *rest: Any) -> list[str]:
        if variant.name == "fixed":
            raise MachineError("the port is taken")
        return honest(scenario, variant, *rest)

    monkeypatch.setattr(variant_run, "run", failing)
    out = tmp_path / "out"
    with pytest.raises(MachineError, match="the port is taken"):
        runner.run(load(write(tmp_path)), runner.Options(out=out))
    kept = result(out)
    assert (list(kept["variants"]), kept["cut"]) == (["broken"], "the port is taken")
    assert not kept["passed"]
    assert (out / "report.html").is_file()


def test_a_load_that_was_killed_before_its_result_spoils_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has opened burst.json and written nothing: the variant before it is reported."""
    honest = variant_run.run

    def cut(scenario: Any, variant: Any, place: Any, watch: Any, show: Any) -> list[str]:
        if variant.name == "broken":
            return honest(scenario, variant, place, watch, show)
        (place.directory / "burst.json").touch()
        watch.interrupted = True
        return ["interrupted"]

    monkeypatch.setattr(variant_run, "run", cut)
    outcome = runner.run(load(write(tmp_path)), runner.Options(out=tmp_path / "out"))
    assert outcome.status == 130
    assert list(outcome.result["variants"]) == ["broken"]


def test_bad_paths_are_named() -> None:
    """Exit 2 and a sentence, for a file that is not there and a name that is not known."""
    for name in ("./none.toml", "/", "nothing"):
        ended = vaultstorm("run", name)
        assert (ended.returncode, ended.stdout) == (2, "")
        assert name in ended.stderr
        assert "Traceback" not in ended.stderr


def agents(directory: Path, name: str, expect: str = "") -> runner.Outcome:
    """Run agents against one variant."""
    variant = f'[variants.{name}]\ntitle = "x"\nwhy = "y"\nexpect = [{expect}]\n'
    scenario = load(write(directory, f"{AGENTS}\n{variant}"))
    return runner.run(scenario, runner.Options(out=directory / "out"))


def test_what_is_acknowledged_is_looked_for_on_the_disk(tmp_path: Path) -> None:
    """All of it is there; after that it is removed."""
    outcome = agents(
        tmp_path,
        "fixed",
        """
        "acknowledged.lost + acknowledged.changed == 0", "acknowledged.blocks == 12",
        "acknowledged.snapshots == 4", "vault.snapshots.committed == 4",
        "vault.lost + vault.corrupt == 0", "interfaces.peak > 0", "threads_held.peak == 0",
        "lost == 0", "unexplained == 0",
        """,
    )
    assert outcome.status == 0
    said = terminal.summary(outcome.result, None)
    assert "\nacknowledged: 12 blocks and 4 snapshots, none lost, none changed\n" in said
    variant = result(tmp_path / "out")["variants"]["fixed"]
    counts = {"blocks": 12, "snapshots": 4, "lost": 0, "changed": 0}
    assert (variant["acknowledged"], variant["findings"]) == (counts, [])
    assert variant["vault"]["snapshots"]["committed"] == 4
    assert not (tmp_path / "out/fixed/vault").exists()
    with reconcile.existing(tmp_path / "out") as db:
        query = "SELECT state, COUNT(*) FROM acknowledged GROUP BY state"
        assert db.execute(query).fetchall() == [("kept", 16)]


def test_acknowledged_data_that_is_lost_fails_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever is expected; what is left of it stays for whoever looks into it."""
    honest = variant_run.run

    def damaging(scenario: Any, variant: Any, place: Any, *rest: Any) -> list[str]:
        failures = honest(scenario, variant, place, *rest)
        first, *_, last = (place.directory / "vault/snapshots").iterdir()
        first.write_bytes(first.read_bytes()[:-1])
        last.unlink()
        return failures

    monkeypatch.setattr(variant_run, "run", damaging)
    outcome = agents(tmp_path, "broken")
    assert (outcome.status, outcome.result["passed"]) == (1, False)
    broken = outcome.result["variants"]["broken"]
    assert not broken["passed"]
    assert broken["acknowledged"] == {"blocks": 12, "snapshots": 4, "lost": 1, "changed": 1}
    (said,) = broken["findings"]
    assert said.startswith("acknowledged: 12 blocks and 4 snapshots, 1 lost, 1 changed; ")
    assert (tmp_path / "out/broken/vault/blocks").is_dir()
    assert f"\nbroken: {said[:60]}" in terminal.summary(outcome.result, None)
    assert "acknowledged: 12 blocks" in (tmp_path / "out/report.html").read_text()
