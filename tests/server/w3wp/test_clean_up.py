"""The periodic task, and its death."""

import threading

import pytest

from vaultstorm_server.w3wp.clean_up import DoCleanUp


def test_it_runs_again_and_again_until_it_is_ended() -> None:
    """One run follows the other, a period apart."""
    runs, third = [], threading.Event()

    def run() -> None:
        runs.append(1)
        if len(runs) == 3:
            third.set()

    task = DoCleanUp(0.001, run, lambda error: pytest.fail(str(error)))
    task.start()
    assert third.wait(30)
    assert task.alive
    task.end()


def test_an_exception_ends_it_for_good(capsys: pytest.CaptureFixture[str]) -> None:
    """It says once what it died of, and does not run again."""
    runs: list[int] = []
    died: list[str] = []
    said = threading.Event()

    def run() -> None:
        runs.append(1)
        if len(runs) == 2:
            raise KeyError("1-7")

    def note(error: Exception) -> None:
        died.append(repr(error))
        said.set()

    task = DoCleanUp(0.001, run, note)
    task.start()
    assert said.wait(30)
    task._thread.join(30)
    assert (len(runs), died, task.alive) == (2, ["KeyError('1-7')"], False)
    assert "KeyError" in capsys.readouterr().err


def test_the_first_run_is_a_period_after_the_start() -> None:
    """What is ended within the first period has never run."""
    runs: list[int] = []
    task = DoCleanUp(3600, lambda: runs.append(1), lambda error: pytest.fail(str(error)))
    task.start()
    task.end()
    task._thread.join(30)
    assert not runs
