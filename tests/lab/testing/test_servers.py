"""The servers of a test, together."""

import os
import signal
from pathlib import Path
from typing import Any

import pytest

from tests.support.server import tls_dir, until
from vaultstorm.serving import members
from vaultstorm.testing import Servers, running_server
from vaultstorm_wire.errors import MachineError, UsageError


def test_all_end_together_even_if_one_hangs(tmp_path: Path) -> None:
    """A worker that is stopped with a request does not hold the end up, and nothing is left."""
    servers = Servers(tmp_path, tls_dir())
    one, two = servers(tls=False), servers(tls=False)
    one.worker("hang")
    servers.end()
    assert members(one.pid) == members(two.pid) == []
    assert [server.journal.parent.name for server in servers.all] == ["server-1", "server-2"]


def test_the_report_has_each_log_and_what_http_sys_has_logged(tmp_path: Path) -> None:
    """HTTPERR is there only if it has a line."""
    servers = Servers(tmp_path, tls_dir())
    try:
        server = servers(tls=False)
        assert [title for title, _ in servers.report()] == [f"log of {server.url}"]
        (server.journal / "httperr1.log").write_text("#head\nConnection_Dropped\n")
        assert servers.report()[1] == (f"HTTPERR of {server.url}", "Connection_Dropped")
    finally:
        servers.end()


@pytest.mark.parametrize(
    "wishes, said",
    [
        ({"backlog": 0}, "afd.Backlog = 0 is out of range"),
        ({"overflow": "crash"}, "'crash' is not one of"),
        ({"hotfixes": "KB1"}, "KB1"),
        ({"settings": {"apppool.Nmae": 1}}, "no apppool.Nmae"),
        ({"nmae": 1, "eman": 2}, "no eman, nmae; it has backlog"),
    ],
    ids=["range", "word", "hotfix", "setting", "argument"],
)
def test_what_is_asked_wrongly_is_said(tmp_path: Path, wishes: Any, said: str) -> None:
    """In the server's own sentence, as what it is: wrong usage."""
    servers = Servers(tmp_path, tls_dir())
    with pytest.raises(UsageError, match=said):
        servers(**wishes)
    assert servers.report() == []
    servers.end()


def test_a_server_that_the_machine_does_not_want(tmp_path: Path) -> None:
    """What no option can mend is no wrong usage."""
    (tmp_path / "tls").mkdir()
    (tmp_path / "tls").chmod(0o777)
    servers = Servers(tmp_path)
    with pytest.raises(MachineError, match="others may write"):
        servers()


def test_a_server_that_ends_by_itself_is_told_at_the_end(tmp_path: Path) -> None:
    """SIGKILL is somebody's doing; what else may end it is not."""
    servers = Servers(tmp_path, tls_dir())
    killed, failed = servers(tls=False), servers(tls=False)
    os.kill(killed.pid, signal.SIGKILL)
    os.kill(failed.pid, signal.SIGUSR1)
    until(lambda: failed.died)
    with pytest.raises(MachineError, match=f"{failed.port}> ended with exit code -10"):
        servers.end()
    assert members(killed.pid) == members(failed.pid) == []


def test_a_server_for_other_fixtures_and_runners(tmp_path: Path) -> None:
    """It lives as long as its block; its directory may be a text, as tempfile gives it."""
    with running_server(str(tmp_path), tls=False, workers=2) as server:
        server.until(lambda: len(server.workers) == 2)
    assert members(server.pid) == []
