"""`vaultstorm ctl` against small real control planes."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.command import vaultstorm
from tests.support.plane import STATUS, Plane, running_plane
from vaultstorm.cli import ctl


@pytest.fixture
def plane() -> Iterator[Plane]:
    """Run a control plane in a thread."""
    with running_plane() as server:
        yield server


def test_status(plane: Plane) -> None:
    """Status is asked for with GET and laid out for reading."""
    ended = vaultstorm("ctl", "status", "--admin", plane.url)
    assert ended.returncode == 0
    assert plane.asked == ["GET /status"]
    assert ended.stdout.splitlines() == [
        "pid      5",
        "afd",
        "  free  10",
        "  gate  yes",
        "workers",
        "  - pid  6",
        "  - pid  7",
    ]


def test_status_as_json(plane: Plane, tmp_path: Path) -> None:
    """`--json -` takes the place of the text; a file is written beside it."""
    ended = vaultstorm("ctl", "status", "--admin", plane.url, "--json", "-")
    assert json.loads(ended.stdout) == STATUS
    file = tmp_path / "status.json"
    ended = vaultstorm("ctl", "status", "--admin", f"{plane.url}/", "--json", str(file))
    assert json.loads(file.read_text()) == STATUS
    assert "free" in ended.stdout


@pytest.mark.parametrize("which", ["resolver", "exporter"])
def test_the_gates_of_rpc(plane: Plane, which: str) -> None:
    """They are named before what becomes of them."""
    plane.body = b'{"gate": "x"}'
    ended = vaultstorm("ctl", "gate", which, "closed", "--admin", plane.url)
    assert ended.returncode == 0
    assert plane.asked == [f"POST /gate/{which}/closed"]


@pytest.mark.parametrize("value", ["open", "closed"])
def test_gate(plane: Plane, value: str) -> None:
    """The gate is set with POST."""
    plane.body = b'{"gate": "x"}'
    ended = vaultstorm("ctl", "gate", value, "--admin", plane.url)
    assert (ended.returncode, ended.stdout) == (0, "gate  x\n")
    assert plane.asked == [f"POST /gate/{value}"]


@pytest.mark.parametrize(
    "arguments, path",
    [
        (("recycle",), "/recycle"),
        (("iisreset",), "/iisreset"),
        (("stop-pool",), "/stop-pool"),
        (("start-pool",), "/start-pool"),
        (("worker", "kill"), "/worker/kill"),
        (("worker", "hang"), "/worker/hang"),
        (("worker", "resume"), "/worker/resume"),
        (("apply-hotfix", "TECH39579"), "/apply-hotfix/TECH39579"),
        (("apply-hotfix", "kb908739"), "/apply-hotfix/KB908739"),
        (("set", "apppool.MaxProcesses=2"), "/set/apppool.MaxProcesses%3D2"),
        (
            ("set", "apppool.PeriodicRestartSchedule=03:00, 15:30"),
            "/set/apppool.PeriodicRestartSchedule%3D03%3A00%2C%2015%3A30",
        ),
    ],
)
def test_an_action_is_one_post(plane: Plane, arguments: tuple[str, ...], path: str) -> None:
    """Whatever it is set to, it is one request, and the answer is shown."""
    plane.body = b'{"did": "it"}'
    ended = vaultstorm("ctl", *arguments, "--admin", plane.url)
    assert (ended.returncode, ended.stdout) == (0, "did  it\n")
    assert plane.asked == [f"POST {path}"]


@pytest.mark.parametrize(
    "arguments, said",
    [
        (("recylce",), "unknown action 'recylce', did you mean recycle?; there are status, gate"),
        (("zzz",), "unknown action 'zzz'; there are"),
        (("gate",), "write: ctl gate [resolver|exporter] open|closed"),
        (("gate", "ajar"), "write: ctl gate [resolver|exporter] open|closed"),
        (("worker",), "write: ctl worker kill|hang|resume"),
        (
            ("apply-hotfix",),
            "ctl apply-hotfix NAME, where NAME is one of KB908739, KB960007, TECH39579",
        ),
        (
            ("apply-hotfix", "all"),
            "there is no hotfix 'all'; there are KB908739, KB960007 and TECH39579",
        ),
        (("apply-hotfix", "TECH39759"), "did you mean TECH39579?"),
        (("set",), "write: ctl set KEY=VALUE"),
        (("set", "x"), "write it as apppool.PeriodicRestartRequests=500"),
        (("set", "apppool.MaxProceses=2"), "did you mean apppool.MaxProcesses?"),
        (("set", "apppool.MaxProcesses=65"), "out of range: 1 to 64"),
        (("set", "httpsys.TLS=0"), "when the server starts"),
        (("iisreset", "now"), "takes nothing after it: 'now'"),
    ],
)
def test_wrong_usage(plane: Plane, arguments: tuple[str, ...], said: str) -> None:
    """It is told what would be right, with exit code 2, and the server is not asked."""
    ended = vaultstorm("ctl", *arguments, "--admin", plane.url)
    assert ended.returncode == 2
    assert said in ended.stderr
    assert plane.asked == []


def test_what_cannot_be_done_at_the_moment_is_said(plane: Plane) -> None:
    """The server's own words, and exit code 3."""
    plane.status, plane.body = 409, b'{"error": "an iisreset is under way"}'
    ended = vaultstorm("ctl", "recycle", "--admin", plane.url)
    assert ended.returncode == 3
    assert "an iisreset is under way" in ended.stderr


def test_the_help_names_every_action_as_it_is_written() -> None:
    """Each action and what may follow it stands in the help."""
    text = vaultstorm("ctl", "--help").stdout
    for name, action in ctl.ACTIONS.items():
        assert name in text
        if action.values != ctl.GATES:
            assert "|".join(action.values) in text
    assert "gate open|closed" in text
    assert "gate resolver|exporter open|closed" in text


@pytest.mark.parametrize(
    "value, lines",
    [
        ({}, []),
        ([], []),
        (None, ["-"]),
        (True, ["yes"]),
        (1.50, ["1.5"]),
        (1795305824.9519, ["1795305824.952"]),
        ({"a": None, "b": [], "c": {}}, ["a  -", "b  -", "c  -"]),
        ([1, [2]], ["- 1", "- - 2"]),
        ([{"a": 1, "bb": 2}], ["- a   1", "  bb  2"]),
        ([{}], ["- -"]),
    ],
)
def test_layout(value: object, lines: list[str]) -> None:
    """Any JSON can be laid out."""
    assert ctl.readable(value) == lines
