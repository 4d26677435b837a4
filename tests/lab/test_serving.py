"""A server process of our own, from its start to its end."""

import signal
from pathlib import Path

import pytest

from vaultstorm.serving import serving
from vaultstorm_wire.errors import MachineError


def test_a_server_ends_in_good_order_with_its_block(tmp_path: Path) -> None:
    """Its ready line is read, and its exit code is 0."""
    with serving([f"--tls-dir={tmp_path}"]) as server:
        assert server.ready.url == f"https://{server.ready.address}"
        assert server.ready.pid == server.process.pid
        assert len(server.ready.workers) == 1
    assert server.process.returncode == 0
    assert server.stop() == 0


def test_a_server_that_was_killed_says_by_what(tmp_path: Path) -> None:
    """A signal shows as a negative exit code."""
    with serving([f"--tls-dir={tmp_path}"]) as server:
        server.process.kill()
        assert server.stop() == -signal.SIGKILL


def test_a_block_that_raises_leaves_no_process(tmp_path: Path) -> None:
    """Whatever happens inside, the process has been waited for."""
    running = serving([f"--tls-dir={tmp_path}"])
    server = running.__enter__()
    assert not running.__exit__(KeyError, KeyError("x"), None)
    assert server.process.returncode is not None


def test_a_server_that_does_not_start_is_an_error(tmp_path: Path) -> None:
    """The exit code says which kind."""
    with (
        (tmp_path / "log").open("wb") as log,
        pytest.raises(MachineError, match="exit code 2"),
        serving(["--set=afd.Backlog=0"], log),
    ):
        pass
    assert b"afd.Backlog" in (tmp_path / "log").read_bytes()
