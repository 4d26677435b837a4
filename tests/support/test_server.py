"""The helper that runs a server as a real process."""

from pathlib import Path

import pytest

from tests.support import server as support
from tests.support.server import Server, running_server, until


def test_a_server_ends_with_its_block_even_if_that_raises(tmp_path: Path) -> None:
    """The process has been waited for when the block is left, and it ended in good order."""
    servers: list[Server] = []

    def use() -> None:
        with running_server(tmp_path, "apppool.Name=Mine", "apppool.MaxProcesses=2") as server:
            servers.append(server)
            assert server.status()["pool"]["name"] == "Mine"
            raise RuntimeError("a test that fails")

    with pytest.raises(RuntimeError):
        use()
    assert len(servers[0].workers) == 2
    assert servers[0].process.returncode == 0


def test_what_does_not_come_to_be_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    """Until gives up when the time is over, and asks at least once."""
    monkeypatch.setattr(support, "PATIENCE", 0.0)
    asked = iter([True])
    until(lambda: next(asked))
    with pytest.raises(AssertionError, match="in vain"):
        until(lambda: False)
    assert list(asked) == []


def test_a_server_that_does_not_start_says_why(tmp_path: Path) -> None:
    """The failure carries what the process wrote to stderr."""

    def use() -> None:
        with running_server(tmp_path, "--port=70000"):
            pass

    with pytest.raises(AssertionError, match="70000"):
        use()
