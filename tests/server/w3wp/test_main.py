"""The worker's arguments."""

import contextlib
import os
import select
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from vaultstorm_server.settings import Vault
from vaultstorm_server.w3wp.__main__ import Options, parse
from vaultstorm_wire.errors import UsageError

ROOT = Path(__file__).parents[3]


def test_the_arguments_are_the_options() -> None:
    """Each pair is a field; numbers are read as numbers."""
    vault = '{"Directory":"/d","TECH39579":1}'
    words = ["--channel", "5", "--journal", "/j", "--vault", vault, "--frame-max", "9"]
    options = Options(channel=5, journal="/j", vault=vault, frame_max=9)
    assert parse(words) == (options, Vault(Directory="/d", TECH39579=1))


@pytest.mark.parametrize(
    "words",
    [
        "",
        "--channel",
        "--channel x",
        "--channel 5 --journal j --vault {} --frame-max 7 --other 1",
        "--channel 5 --journal j --vault {no --frame-max 7",
        '--channel 5 --journal j --vault {"IsapiThreads":0} --frame-max 7',
    ],
)
def test_other_arguments_are_wrong_usage(words: str) -> None:
    """Missing, odd, ill-typed and unknown arguments are a UsageError, not a traceback."""
    with pytest.raises(UsageError, match="started by the server only"):
        parse(words.split())


PARENT = """
import json, os, socket, subprocess, sys, time
ours, theirs = socket.socketpair()
worker = subprocess.Popen(
    [sys.executable, "-m", "vaultstorm_server.w3wp", "--channel", str(theirs.fileno()),
     "--journal", "", "--vault", json.dumps({"Directory": sys.argv[1]}), "--frame-max", "100"],
    pass_fds=(theirs.fileno(),))
theirs.close()
ours.recv(100)
print(worker.pid, flush=True)
time.sleep(3600)
"""


def test_a_stopped_worker_ends_with_its_front_process(tmp_path: Path) -> None:
    """SIGSTOP holds it, and the end of a front process that is killed sets it free to end."""
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, str(tmp_path)],
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(ROOT / "server")},
    )
    assert parent.stdout is not None
    pid = int(parent.stdout.readline())
    descriptor = os.pidfd_open(pid)
    try:
        os.kill(pid, signal.SIGSTOP)
        parent.kill()
        parent.communicate()
        readable, _, _ = select.select([descriptor], [], [], 30)
        assert readable, "it is still there"
    finally:
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(descriptor, signal.SIGKILL)
        os.close(descriptor)
