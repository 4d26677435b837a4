"""A worker's journal."""

import os
import resource
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from vaultstorm_server.messages import Work
from vaultstorm_server.w3wp.executions import Executions
from vaultstorm_wire import journal

WORK = Work(1, "r1", "PUT", "/x", [], b"")
ROOT = Path(__file__).parents[3]


def test_every_execution_is_in_the_file_at_once(tmp_path: Path) -> None:
    """Who reads the file finds what has been executed, while the worker goes on."""
    executions = Executions(str(tmp_path), 4711)
    executions.executed(WORK, 12.5, 201)
    with (tmp_path / "worker-4711.ndjson").open("rb") as lines:
        opening, execution = journal.read(lines)
    assert isinstance(opening, journal.Journal)
    assert (opening.role, opening.pid) == ("worker", 4711)
    assert execution == journal.Execution(
        time=12.5, id="r1", worker=4711, method="PUT", target="/x", status=201
    )


def test_what_is_about_to_be_kept_is_written_down_before(tmp_path: Path) -> None:
    """It is the request of the thread that asks, whatever other threads run."""
    executions = Executions(str(tmp_path), 4711)
    executions.run(WORK)
    other = Work(2, "r2", "PUT", "/y", [], b"")

    def keep() -> None:
        executions.run(other)
        executions.keeping()

    thread = threading.Thread(target=keep)
    thread.start()
    thread.join(30)
    executions.keeping()
    with (tmp_path / "worker-4711.ndjson").open("rb") as lines:
        begun = [record for record in journal.read(lines) if isinstance(record, journal.Begun)]
    assert [(record.id, record.worker) for record in begun] == [("r2", 4711), ("r1", 4711)]


def test_without_a_directory_none_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No file appears anywhere near."""
    monkeypatch.chdir(tmp_path)
    executions = Executions("", 1)
    executions.run(WORK)
    executions.keeping()
    executions.executed(WORK, 1.0, 200)
    assert not list(tmp_path.iterdir())


def test_a_directory_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    """The worker does not start without the journal that it is to keep."""
    with pytest.raises(OSError, match="No such file"):
        Executions(str(tmp_path / "no"), os.getpid())


def test_a_journal_that_cannot_be_written_is_given_up_and_said_so(tmp_path: Path) -> None:
    """The worker goes on: one line on stderr, and no half record after a whole one."""
    code = f"""
import resource, signal
from vaultstorm_server.w3wp.executions import Executions
from vaultstorm_server.messages import Work
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
executions = Executions({str(tmp_path)!r}, 1)
resource.setrlimit(resource.RLIMIT_FSIZE, (100, {resource.RLIM_INFINITY}))
for number in range(3):
    executions.executed(Work(1, "r" * 200, "GET", "/", [], b""), 1.0, 200)
"""
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={"PYTHONPATH": str(ROOT / "server")},
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )
    assert done.stderr.count("worker 1: journal incomplete: ") == 1
