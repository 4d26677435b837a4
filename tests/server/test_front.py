"""The front process's own part: options, the ready line, and starts that fail.

What it does once it serves is in ``tests/system/test_serve.py``.
"""

import os
import sys
from pathlib import Path

import pytest

from tests.support.server import running_server, tls_dir
from vaultstorm_server.front import ServeOptions, print_line, serve
from vaultstorm_server.settings import Settings
from vaultstorm_wire import journal
from vaultstorm_wire.errors import MachineError, UsageError


def test_a_wrong_certificate_ends_the_start_and_its_workers(tmp_path: Path) -> None:
    """The workers are started before the certificate is looked at; none of them is left."""
    options = ServeOptions("127.0.0.1", 0, Settings(), tls_dir(), key=tmp_path, journal=tmp_path)

    with pytest.raises(UsageError, match="--cert"):
        serve(options)

    with (tmp_path / f"front-{os.getpid()}.ndjson").open("rb") as lines:
        events = [record for record in journal.read(lines) if isinstance(record, journal.Event)]
    lives = [(event.name, event.worker) for event in events if event.worker is not None]
    ((_, worker), _) = lives
    assert lives == [("worker_started", worker), ("worker_killed", worker)]
    with pytest.raises(ChildProcessError):
        os.waitpid(worker, os.WNOHANG)


def test_a_journal_that_cannot_be_kept_ends_the_start(tmp_path: Path) -> None:
    """A file where the directory should be is a MachineError, before any port is taken."""
    path = tmp_path / "file"
    path.touch()
    with pytest.raises(MachineError, match="--journal"):
        serve(ServeOptions("127.0.0.1", 0, Settings(), tls_dir(), journal=path))


def test_the_ready_line_holds_any_path(tmp_path: Path) -> None:
    """A directory whose name is not UTF-8 does not keep the server from coming up."""
    with running_server(tmp_path / os.fsdecode(b"\xff")) as server:
        assert server.journal == tmp_path / "\\xff"


def test_the_ready_line_is_one_line_and_flushed(capfd: pytest.CaptureFixture[str]) -> None:
    """It is out when the call returns."""
    print_line(b'{"event":"ready"}')
    assert capfd.readouterr().out == '{"event":"ready"}\n'


def test_without_a_stdout_there_is_nothing_to_print_to(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that was started with its stdout closed goes on."""
    monkeypatch.setattr(sys, "stdout", None)
    print_line(b"{}")
