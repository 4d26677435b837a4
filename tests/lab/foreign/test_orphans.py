"""Daemons: they are found again, and ended."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.lab.foreign.tiny import HEAD, VARIANT, run
from vaultstorm.foreign import orphans
from vaultstorm_wire.errors import MachineError

DAEMON = """
import os, sys, time
if os.fork():
    os.wait()
    os._exit(0)
os.setsid()
if os.fork() == 0:
    open(sys.argv[1], "w").write(str(os.getpid()))
    time.sleep(60)
while not os.path.exists(sys.argv[1]) or not open(sys.argv[1]).read():
    time.sleep(0.01)
os._exit(0)
"""
"""Leaves its session, and its parent; ends when its pid is in a file."""


def is_gone(pid: int) -> bool:
    """Tell whether there is no such process, not even a dead one."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


def test_who_is_left_without_a_parent_is_ended(tmp_path: Path) -> None:
    """And reaped; a child that was there before is left alone."""
    told = tmp_path / "pid"
    with subprocess.Popen(["sleep", "60"]) as other:
        assert other.pid in orphans.children()
        with orphans.ended():
            subprocess.run([sys.executable, "-c", DAEMON, told], check=True)
            assert int(told.read_text()) in orphans.children()
        assert is_gone(int(told.read_text()))
        assert other.poll() is None
        other.kill()
    assert other.returncode == -signal.SIGKILL


def test_a_server_that_becomes_a_daemon_is_not_left_behind(tmp_path: Path) -> None:
    """It is told to stay in the foreground, and does not keep its port."""
    text = f"""{HEAD}[target]
command = ["{{python}}", "-c", '''{DAEMON}''', "{tmp_path}/pid"]
{VARIANT}"""
    with pytest.raises(MachineError, match=r"; it has to stay in the foreground$"):
        run(tmp_path, text)
    assert is_gone(int((tmp_path / "pid").read_text()))
