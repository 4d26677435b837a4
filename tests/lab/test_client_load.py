"""Somebody else's client program: run at our server, and told from its side."""

import json
import os
import shutil
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.lab.tiny import AGENTS, DCOM, HEAD, session_members, write
from tests.support.command import command, environment
from tests.support.server import PATIENCE, until
from vaultstorm import runner, variant_run
from vaultstorm.foreign.orphans import children
from vaultstorm.run_directory import toml
from vaultstorm.scenario import load
from vaultstorm.watch import Watch
from vaultstorm_wire.errors import MachineError, UsageError

ONLY = '\n[variants.only]\ntitle = "x"\nwhy = "y"\n'
CLIENT = """
import http.client, os, sys, time
from urllib.parse import urlsplit
url = urlsplit(sys.argv[1])
for n in range(int(sys.argv[2])):
    for attempt in range(2):
        connection = http.client.HTTPConnection(url.hostname, url.port, timeout=float(sys.argv[3]))
        try:
            connection.request("GET", url.path, headers={"X-Request-Id": f"r{n}"})
            print(connection.getresponse().status)
            break
        except TimeoutError:
            print("timed out")
    else:
        sys.exit(1)
"""
"""Sends so many requests, each on a connection of its own, and each again after a time-out."""


def run(directory: Path, client: str, variant: str = "", head: str = HEAD) -> dict[str, Any]:
    """Run a client at one server, and give the variant's result."""
    chosen = runner.Options(out=directory / "out", client=client)
    outcome = runner.run(load(write(directory, f"{head}{ONLY}{variant}")), chosen)
    assert outcome.result["violations"] == []
    result: dict[str, Any] = outcome.result["variants"]["only"]
    assert outcome.status == (0 if result["passed"] else 1)
    return result


def written(directory: Path) -> dict[str, Any]:
    """Read what was written down of the client."""
    read: dict[str, Any] = json.loads((directory / "out/only/client.json").read_text())
    return read


def program(directory: Path, *arguments: object) -> str:
    """Write the client, and give its command."""
    path = directory / "client.py"
    path.write_text(CLIENT)
    return " ".join(["python", str(path), *map(str, arguments)])


def test_a_client_that_is_served_passes(tmp_path: Path) -> None:
    """What the scenario expects of our own load is not asked of it."""
    result = run(tmp_path, program(tmp_path, "{url}", 3, 20), 'expect = ["ok == 99"]')
    assert [check["check"] for check in result["expectations"]] == [
        "client.exit == 0",
        "client.executed_twice == 0",
        "client.given_up == 0",
    ]
    assert result["passed"]
    client = result["client"]
    assert (client["exit"], client["signal"]) == (0, None)
    assert client["requests"] == {"received": 3, "distinct": 3, "repeated": 0, "answered": 3}
    kept = written(tmp_path)
    assert kept["url"].startswith("http://127.0.0.1:")
    assert kept["url"].endswith("/AeXRSVault/status")
    assert kept["command"][2:] == [kept["url"], "3", "20"]
    assert (tmp_path / "out/only/client.log").read_text() == "200\n" * 3


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_curl_trusts_the_server_by_its_environment_and_by_its_option(tmp_path: Path) -> None:
    """Percent signs before braces are its own; a query can be added to the URL."""
    https = HEAD.replace('"http"', '"https"')
    quiet = "curl -sS -o /dev/null -o /dev/null -w '%{http_code}-{seed}-{variant} '"
    client = f"{quiet} {{url}}?n=1 --cacert {{ca}} {{url}}"
    result = run(tmp_path, client, 'load = { path = "/AeXRSVault/status" }', https)
    assert result["passed"]
    assert "200-5-only 200-5-only" in (tmp_path / "out/only/client.log").read_text()
    assert written(tmp_path)["command"][-1].startswith("https://")


def test_a_request_that_is_sent_again_is_executed_twice(tmp_path: Path) -> None:
    """The worker stands still, the client times out, and both are executed when it goes on."""
    result = run(
        tmp_path,
        program(tmp_path, "{url}", 1, 0.4),
        """actions = [{ at = 0, action = "worker hang" },
                      { when = "held == 2", action = "worker resume" }]
        server = { apppool = { MaxProcesses = 1 } }
        """,
    )
    assert result["client"]["executed_twice"] == 1
    assert not result["passed"]


def test_how_it_ends_is_a_finding(tmp_path: Path) -> None:
    """By its exit code, or by a signal; its server is well all the same."""
    result = run(tmp_path, "sh -c 'exit 3'")
    assert [check["check"] for check in result["expectations"] if not check["passed"]] == [
        "client.exit == 0"
    ]
    kept = written(tmp_path)
    assert (kept["exit"], kept["signal"]) == (3, None)


def test_an_action_that_never_came_due_is_noted(tmp_path: Path) -> None:
    """How long a client takes is its own affair."""
    result = run(
        tmp_path,
        program(tmp_path, "{url}", 2, 20),
        """actions = [{ when = "ended >= 2", action = "recycle" },
                      { when = "ended >= 99", action = "iisreset" }]""",
    )
    assert result["passed"]
    assert result["notes"][-1] == (
        "the client ended before the action came due: iisreset when ended>=99"
    )


def test_a_missing_client_is_said_before_anything_runs(tmp_path: Path) -> None:
    """No directory is made."""
    with pytest.raises(MachineError, match=r"^no-such-client is not installed; install it, or"):
        run(tmp_path, "no-such-client {url}")
    assert not (tmp_path / "out").exists()


FOREIGN = HEAD.replace("[server.afd]\nBacklog = 2\n", "") + '[target]\ncommand = ["x"]\n'


@pytest.mark.parametrize(
    "client, head, said",
    [
        ("", HEAD, "--client '': it names no program"),
        ("a 'b", HEAD, "--client .*: No closing quotation"),
        (
            "cat x | wc",
            HEAD,
            r"--client 'cat x | wc': no shell reads it, so | means nothing; write",
        ),
        ("true", FOREIGN, "--client: .* has a .target.; a client is tested against our own"),
        ("true", HEAD.replace('"http"', '"tcp"'), "--client: .*, variant only: its load is tcp"),
        ("true", DCOM, "--client: .*, variant only: its load is rpc://; a client program sp"),
        ("true", AGENTS, "--client: .*, variant only: workload = 'agent': only ours speaks"),
    ],
    ids=["empty", "quotation", "pipeline", "target", "tcp", "rpc", "agent"],
)
def test_what_cannot_be_run_by_a_client(tmp_path: Path, client: str, head: str, said: str) -> None:
    """It is said before anything runs."""
    with pytest.raises(UsageError, match=said.replace("|", "[|]")):
        run(tmp_path, client, "", head)
    assert not (tmp_path / "out").exists()


def test_the_time_limit_ends_client_and_server(tmp_path: Path) -> None:
    """However long the client would go on; how it ended is written down all the same."""
    scenario = load(write(tmp_path, f"{HEAD}{ONLY}"))
    directory = tmp_path / "out"
    (directory / "journal").mkdir(parents=True)
    (directory / "server.toml").write_bytes(toml(scenario.settings(scenario.variants[0])))
    place = variant_run.Place(directory, tmp_path / "tls", 0, 1, ("sh", "-c", "sleep 60; true"))
    before = children()
    with Watch(60) as watch:

        def show(line: Callable[[], str]) -> None:
            if "sh runs" in line():
                watch._deadline = 0.0

        failures = variant_run.run(scenario, scenario.variants[0], place, watch, show)
    assert failures == ["the time limit of 60 s was reached"]
    ended = json.loads((directory / "client.json").read_text())
    assert (ended["exit"], ended["signal"]) == (None, 2)
    assert children() == before


def test_an_interrupt_ends_client_and_server(tmp_path: Path) -> None:
    """Ctrl-C in the middle: 130, what is known is reported, and no process is left."""
    path = write(tmp_path, f"{HEAD}{ONLY}")
    out = tmp_path / "out"
    chosen = ["run", str(path), f"--out={out}", "--client=sh -c 'echo up; sleep 60'"]
    process = subprocess.Popen(
        command(*chosen),
        env=environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    log = out / "only/client.log"
    until(lambda: log.exists() and "up" in log.read_text())
    os.kill(process.pid, signal.SIGINT)
    _, errors = process.communicate(timeout=PATIENCE)
    assert (process.returncode, errors) == (130, b"")
    assert session_members(process.pid) == []
    assert written(tmp_path)["signal"] == 2
