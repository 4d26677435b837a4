"""Logs, seen from outside: each case in a process of its own."""

import json
import os
import pty
import subprocess
import sys

from tests.support.command import environment

LOG = """
import logging, structlog
from vaultstorm.cli import logs
logs.choose({level!r})
logs.setup()
structlog.get_logger().info("paused", queue=10)
logging.getLogger("uvicorn.error").info("Started")
logging.getLogger("uvicorn.error").warning("odd %s", "thing")
try:
    raise ValueError("x")
except ValueError:
    structlog.get_logger().exception("failed")
"""


def run(
    level: str, stdout: int | None = None, stderr: int | None = None
) -> subprocess.CompletedProcess[bytes]:
    """Log a few events at `level`."""
    return subprocess.run(
        [sys.executable, "-c", LOG.format(level=level)],
        check=True,
        env=environment(),
        stdout=stdout,
        stderr=stderr,
        timeout=50,
    )


def test_json_in_a_pipe() -> None:
    """Every line is JSON with a UTC timestamp, whoever logged it; stdout stays empty."""
    ended = run("info", stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert ended.stdout == b""
    lines = [json.loads(line) for line in ended.stderr.splitlines()]
    assert [line["event"] for line in lines] == ["paused", "odd thing", "failed"]
    assert [line["level"] for line in lines] == ["info", "warning", "error"]
    assert lines[0]["queue"] == 10
    assert all(line["timestamp"].endswith("Z") for line in lines)
    assert "ValueError: x" in lines[2]["exception"]


def test_level() -> None:
    """What is less important than the level is left out, of structlog and of stdlib logging."""
    for level, count in (("debug", 4), ("info", 3), ("warning", 2), ("error", 1)):
        assert len(run(level, stderr=subprocess.PIPE).stderr.splitlines()) == count


def test_terminal() -> None:
    """On a terminal the lines are for people."""
    ours, theirs = pty.openpty()
    try:
        run("error", stderr=theirs)
        shown = os.read(ours, 65536).decode()
    finally:
        os.close(ours)
        os.close(theirs)
    assert "failed" in shown
    assert "ValueError: x" in shown
    assert '"event"' not in shown


def test_reader_that_has_left() -> None:
    """A stderr that nobody reads costs a server nothing."""
    reader, writer = os.pipe()
    os.close(reader)
    try:
        assert run("info", stderr=writer).returncode == 0
    finally:
        os.close(writer)


def test_what_logs_do_not_use_is_not_imported_for_them() -> None:
    """Rich, which would take most of the start, stays out, and can be imported afterwards."""
    code = (
        "import sys; from vaultstorm.cli import logs; logs.setup();"
        "print(any(name.partition('.')[0] == 'rich' for name in sys.modules)); import rich.console"
    )
    ended = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, env=environment(), timeout=50
    )
    assert ended.stdout == b"False\n"
