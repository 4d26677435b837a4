"""A server process of our own, from its start to its end."""

import os
import signal
from pathlib import Path

import pytest

from vaultstorm.serving import members, serving
from vaultstorm_wire.errors import MachineError


def test_a_server_ends_in_good_order_with_its_block(tmp_path: Path) -> None:
    """Its ready line is read, and its exit code is 0."""
    with serving([f"--tls-dir={tmp_path}"]) as server:
        assert server.ready.url == f"https://{server.ready.address}"
        assert server.ready.pid == server.process.pid
        assert len(server.ready.workers) == 1
        assert server.ready.rpc is not None
        assert server.ready.rpc.startswith("rpc://127.0.0.1:")
    assert server.process.returncode == 0
    assert server.stop() == 0


def test_a_server_takes_nothing_from_the_current_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file of the user's may have the name of a module that the server imports."""
    (tmp_path / "select.py").write_text("raise SystemExit('shadowed')")
    monkeypatch.chdir(tmp_path)
    with serving([f"--tls-dir={tmp_path}"]) as server:
        assert server.ready.workers


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


def test_a_wait_for_readiness_can_be_given_up(tmp_path: Path) -> None:
    """What `tick` raises comes out, and the process that was starting is gone."""
    seen: list[int] = []

    def give_up() -> None:
        seen.extend(pid for pid in _children() if pid not in before)
        raise KeyError

    before = _children()
    with pytest.raises(KeyError), serving([f"--tls-dir={tmp_path}"], tick=give_up):
        pass
    (pid,) = seen
    assert pid not in _children()
    assert members(pid) == []


def _children() -> list[int]:
    """Give the pids of our own children."""
    text = Path(f"/proc/self/task/{os.getpid()}/children").read_text()
    return [int(pid) for pid in text.split()]


def test_a_killed_server_leaves_no_worker(tmp_path: Path) -> None:
    """Its workers are waited for as well: nothing of its process group is left."""
    with serving([f"--tls-dir={tmp_path}"]) as server:
        group = server.process.pid
        assert sorted(members(group)) == sorted([group, *server.ready.workers])
        server.process.kill()
    assert members(group) == []


def test_a_server_is_asked_to_stop_only_once(tmp_path: Path) -> None:
    """A second SIGTERM would end it at once, with another exit code."""
    with serving([f"--tls-dir={tmp_path}"]) as server:
        server.ask_to_stop()
        server.ask_to_stop()
        assert server.stop() == 0
