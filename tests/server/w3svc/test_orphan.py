"""What is done about a worker process that was let go of."""

import asyncio
import os
import sys
from pathlib import Path

import pytest

from tests.server.w3svc.pooling import run, until
from vaultstorm_server.settings import AppPool
from vaultstorm_server.w3svc import orphan


@pytest.mark.parametrize(
    "exe, parameters, command",
    [
        ("", "-p %1%", []),
        ("/bin/dump", "", ["/bin/dump"]),
        ("/bin/dump", "-p %1% -o 'a file'", ["/bin/dump", "-p", "42", "-o", "a file"]),
        ("/bin/dump", "%1%/%1%", ["/bin/dump", "42/42"]),
    ],
)
def test_the_process_id_goes_where_it_is_asked_for(
    exe: str, parameters: str, command: list[str]
) -> None:
    """OrphanActionParams is split as a shell would; without an executable there is nothing."""
    settings = AppPool(OrphanActionExe=exe, OrphanActionParams=parameters)
    assert orphan.command(settings, 42) == command


def test_the_action_runs_and_is_reaped(tmp_path: Path) -> None:
    """It gets the pid, and leaves no zombie and no descriptor."""
    told = tmp_path / "told"
    settings = AppPool(
        OrphanActionExe=sys.executable,
        OrphanActionParams=f"""-c "import sys, os; os.symlink(sys.argv[1], '{told}')" %1%""",
    )

    async def scenario() -> None:
        before = os.listdir("/proc/self/fd")
        orphan.act(asyncio.get_running_loop(), settings, 42)
        await until(told.is_symlink)
        await until(lambda: os.listdir("/proc/self/fd") == before)

    run(scenario)
    assert os.readlink(told) == "42"
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)


@pytest.mark.parametrize(
    "exe, parameters, wrong",
    [
        ("/nowhere/at/all", "", "No such file"),
        ("/bin/true", "it's %1%", "No closing quotation"),
        ("\0", "", "null byte"),
    ],
)
def test_an_action_that_cannot_be_run_harms_nothing(
    exe: str, parameters: str, wrong: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is logged, with what is wrong."""

    async def scenario() -> None:
        settings = AppPool(OrphanActionExe=exe, OrphanActionParams=parameters)
        orphan.act(asyncio.get_running_loop(), settings, 42)

    run(scenario)
    assert wrong in capsys.readouterr().out
