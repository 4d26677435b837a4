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


@pytest.mark.parametrize("value", ["open", "closed"])
def test_gate(plane: Plane, value: str) -> None:
    """The gate is set with POST."""
    plane.body = b'{"gate": "x"}'
    ended = vaultstorm("ctl", "gate", value, "--admin", plane.url)
    assert (ended.returncode, ended.stdout) == (0, "gate  x\n")
    assert plane.asked == [f"POST /gate/{value}"]


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
