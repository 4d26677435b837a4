"""locust, which nothing of ours depends on: in a virtual environment of the bench's own."""

import subprocess
import sys
from pathlib import Path
from typing import Final

from bench.children import ROOT
from bench.peers import program

HOME: Final = ROOT / ".venv" / "locust"
"""Beside what `make install` makes, and gone with it after `make clean`."""
NAMED: Final = "locust>=2.40,<3"


def found() -> str | None:
    """Find it: anybody's in the PATH, else our own."""
    own = HOME / "bin" / "locust"
    return program("locust") or (str(own) if own.exists() else None)


def install(timeout: float = 300.0) -> str | None:
    """Try once to install it from PyPI.

    Returns:
        Why it could not be done, or None.
    """
    pip = [str(HOME / "bin" / "python"), "-m", "pip", "--disable-pip-version-check", "--quiet"]
    for argv in (
        [sys.executable, "-m", "venv", str(HOME)],
        [*pip, "install", NAMED],
    ):
        try:
            done = subprocess.run(
                argv, capture_output=True, text=True, timeout=timeout, check=False
            )
        except subprocess.TimeoutExpired:
            return f"pip took longer than {timeout:g} s"
        if done.returncode:
            return (done.stderr or done.stdout).strip().rpartition("\n")[2]
    return None


def command(binary: str, url: str, users: int, seconds: int) -> list[str]:
    """Give the command line of one process: all users as soon as may be, JSON on stdout.

    Its own ``--processes`` is not for this: a worker that asks without a pause sends no heartbeat,
    and is given up.
    """
    file = Path("bench", "locustfile.py")
    argv = [binary, "--headless", "--locustfile", str(file), "--host", url.rstrip("/")]
    argv += ["--users", str(users), "--spawn-rate", str(users), "--run-time", f"{seconds}s"]
    argv += ["--json", "--only-summary", "--loglevel", "ERROR", "--stop-timeout", "2"]
    return [*argv, "--exit-code-on-error", "0", "--reset-stats"]
