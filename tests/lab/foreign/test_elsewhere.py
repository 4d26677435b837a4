"""Servers that run already: reached, fired at, acted on by commands, and left as they are."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab.foreign.tiny import HEAD, SERVER, VARIANT, events, failures, run
from tests.support.command import environment
from tests.support.server import until
from vaultstorm.foreign import ready
from vaultstorm.foreign.values import free_port
from vaultstorm_wire.errors import MachineError


@pytest.fixture
def server(tmp_path: Path) -> Iterator[str]:
    """Run the tiny server, and give its URL; its journals are in `kept`."""
    port = free_port()
    (tmp_path / "kept").mkdir()
    (tmp_path / "server.py").write_text(SERVER)
    command = [sys.executable, str(tmp_path / "server.py"), "127.0.0.1", str(port), str(tmp_path)]
    env = environment(VAULTSTORM_JOURNAL=str(tmp_path / "kept"))
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, env=env) as process:
        try:
            until(lambda: ready.why_not("/", "http", "127.0.0.1", port) is None)
            yield f"http://127.0.0.1:{port}"
            os.kill(process.pid, 0)  # it runs on
            assert process.poll() is None
        finally:
            process.kill()


def test_a_server_that_runs_is_fired_at_and_left(tmp_path: Path, server: str) -> None:
    """Its journals are fetched, and a command is what can be done to it."""
    text = f"""{HEAD}[target]
url = "{server}"
ready = "/"
journal = "{tmp_path / "kept"}"
version = ["{{python}}", "-c", "print('v1')"]
{VARIANT}actions = [{{ at = 0, command = ["sh", "-c", "echo {{address}} > {tmp_path}/asked"] }}]
expect = ["lost == 0", "verdicts.once == 6"]
"""
    (tmp_path / "again").mkdir()
    for directory in (tmp_path / "again", tmp_path):  # the same ids are asked for in both runs
        result = run(directory, text)
        assert failures(result) == []
    assert (result["server"], result["version"]) == ("foreign", "v1")
    assert (tmp_path / "asked").read_text().strip() == server.removeprefix("http://")
    assert [name for name, _ in events(tmp_path)] == [
        *("variant_started", "action", "load_started", "load_finished"),
    ]


def test_journals_that_are_not_there_are_said(tmp_path: Path, server: str) -> None:
    """The run was not the one that is written; without a word of them verdicts are unknown."""
    (tmp_path / "empty").mkdir()
    text = f'{HEAD}[target]\nurl = "{server}"\njournal = "{tmp_path / "empty"}"\n{VARIANT}'
    assert failures(run(tmp_path, text)) == [f"there is no journal in {tmp_path / 'empty'}"]


def test_a_server_that_is_not_there_is_said(tmp_path: Path) -> None:
    """With its URL, and how long it was waited for."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    text = f'{HEAD}[target]\nurl = "{url}"\nready_timeout = 0.2\n{VARIANT}'
    said = rf"^variant only: {url} is not ready after 0\.2 s: nobody listens$"
    with pytest.raises(MachineError, match=said):
        run(tmp_path, text)
