"""Real child processes: started, watched, reaped."""

import asyncio
import os
import signal
import sys
from collections.abc import Awaitable, Callable

import pytest
import uvloop

from vaultstorm_server.w3svc.process import CHANNEL, NUMBER, Process, describe

ECHO = "import os, sys; fd = int(sys.argv[1]); os.write(fd, os.read(fd, 9)); os.read(fd, 1)"


def run(scenario: Callable[[], Awaitable[None]]) -> None:
    """Run a coroutine function on uvloop."""

    async def main() -> None:
        await scenario()

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main())


def spawn(code: str) -> tuple[Process, "asyncio.Future[int]"]:
    """Start Python code, channel and number its arguments; give its future end."""
    loop = asyncio.get_running_loop()
    end: asyncio.Future[int] = loop.create_future()
    return Process(loop, [sys.executable, "-c", code, CHANNEL, NUMBER], 3, end.set_result), end


def assert_reaped(pid: int) -> None:
    """Nothing is left of a child, not even a zombie."""
    with pytest.raises(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)


def test_a_child_has_the_other_end_and_ends_by_its_end_of_file() -> None:
    """What is written comes back; closing our end ends it with 0, and nothing is left of it."""

    async def scenario() -> None:
        process, end = spawn(ECHO)
        process.sock.settimeout(30)
        process.sock.sendall(b"ping")
        assert process.sock.recv(9) == b"ping"
        process.sock.close()
        assert await end == 0
        assert_reaped(process.pid)
        process.kill()  # nothing happens any more

    run(scenario)


@pytest.mark.parametrize(
    "code, status",
    [
        ("raise SystemExit(7)", 7),
        ("import sys; sys.exit(int(sys.argv[2]))", 3),
        ("import os; os.kill(os.getpid(), 9)", -signal.SIGKILL),
    ],
)
def test_a_child_that_ends_by_itself_is_told(code: str, status: int) -> None:
    """Exit statuses and signals are told apart, and the child is reaped."""

    async def scenario() -> None:
        process, end = spawn(code)
        assert await end == status
        assert_reaped(process.pid)
        process.sock.close()

    run(scenario)


def test_reaping_waits_and_calls_nobody() -> None:
    """Reap leaves nothing behind at its return; the exit is not told after that."""

    async def scenario() -> None:
        process, end = spawn(ECHO)
        process.reap()
        assert_reaped(process.pid)
        await asyncio.sleep(0)
        assert not end.done()
        process.sock.close()

    run(scenario)


def test_a_command_that_does_not_exist_is_an_error_and_leaks_nothing() -> None:
    """OSError comes out; an unclosed socket would be a ResourceWarning, which is an error here."""

    async def scenario() -> None:
        loop = asyncio.get_running_loop()
        with pytest.raises(OSError, match="No such file"):
            Process(loop, ["/nowhere/w3wp.exe", CHANNEL], 1, print)

    run(scenario)


@pytest.mark.parametrize(
    "status, words",
    [(0, "exit status 0"), (3, "exit status 3"), (-9, "SIGKILL"), (-63, "signal 63")],
)
def test_an_end_is_described(status: int, words: str) -> None:
    """Signals have their names, where they have one."""
    assert describe(status) == words
