"""Live progress: on a terminal only."""

import os
import pty
import subprocess
import sys

import pytest

from tests.support.command import environment
from vaultstorm.live import live


def test_nothing_in_a_pipe(capsys: pytest.CaptureFixture[str]) -> None:
    """The line is not even made."""

    def line() -> str:
        raise AssertionError

    with live() as show:
        show(line)
    assert capsys.readouterr() == ("", "")


def test_one_line_on_a_terminal() -> None:
    """It is drawn at once, and a second one right after it is not."""
    code = (
        "from vaultstorm.live import live\n"
        "with live() as show:\n"
        "    show(lambda: 'first of all')\n"
        "    show(lambda: 'second')\n"
    )
    terminal, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", code], env=environment(TERM="xterm"), stderr=theirs
    )
    os.close(theirs)
    assert process.wait(30) == 0
    shown = os.read(terminal, 65536)
    os.close(terminal)
    assert b"first of all" in shown
    assert b"second" not in shown
