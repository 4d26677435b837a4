"""The examples of the help: every one is a command line that works."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer.main

from tests.lab import tiny
from tests.support.command import vaultstorm
from tests.support.plane import Plane, running_plane
from vaultstorm.cli.app import program
from vaultstorm.cli.examples import EXAMPLES, Example, epilog

app = program()
ALL = [example for examples in EXAMPLES.values() for example in examples]


@pytest.fixture(scope="module")
def plane() -> Iterator[Plane]:
    """Run a control plane in a thread."""
    with running_plane() as server:
        yield server


def test_every_command_has_examples_of_its_own() -> None:
    """Those of a command begin with it, and a command without any is missed."""
    assert set(EXAMPLES) - {""} == set(typer.main.get_command(app).commands)  # type: ignore[attr-defined]
    for name, examples in EXAMPLES.items():
        assert examples
        assert all(example.line.startswith(f"vaultstorm {name}") for example in examples)


@pytest.mark.parametrize("example", ALL, ids=[example.line for example in ALL])
def test_an_example_is_a_command_line(
    example: Example, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The parser takes it, where the files are that it names."""
    monkeypatch.chdir(tmp_path)
    Path("tls").mkdir()
    Path("tls", "ca.pem").touch()
    name, *arguments = example.arguments
    command = typer.main.get_command(app).commands[name]  # type: ignore[attr-defined]
    with command.make_context(name, arguments) as context:
        assert context.params


@pytest.mark.parametrize("example", EXAMPLES["scenarios"] + EXAMPLES["doctor"])
def test_what_only_looks_is_run(example: Example) -> None:
    """The examples that start nothing end without an error of any kind."""
    ended = vaultstorm(*example.arguments)
    assert ended.returncode in (0, 1)
    assert ended.stdout
    assert ended.stderr == ""


@pytest.mark.parametrize("example", EXAMPLES["ctl"])
def test_what_asks_a_server_is_asked(example: Example, plane: Plane) -> None:
    """The examples of ctl are understood by a control plane."""
    ended = vaultstorm(*example.arguments, "--admin", plane.url)
    assert ended.returncode == 0, ended.stderr


def test_a_scenario_of_ones_own_is_run_and_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The examples of run and report work one after the other, in the folder of the scenario."""
    monkeypatch.chdir(tmp_path)
    tiny.write(tmp_path, name="my-scenario.toml")
    own = EXAMPLES["run"][-1]
    assert vaultstorm(*own.arguments).returncode == 0
    assert json.loads(Path("result.json").read_text())["passed"] is True
    Path("result", "report.html").unlink()
    (again,) = EXAMPLES["report"]
    assert vaultstorm(*again.arguments).returncode == 0
    assert Path("result", "report.html").is_file()


def test_an_epilog_shows_the_line_and_what_it_does() -> None:
    """The text is indented below the line."""
    assert epilog("report") == (
        "$ vaultstorm report result\n    make result/report.html anew from result/run.db"
    )
