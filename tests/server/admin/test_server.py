"""The control plane's place in the front process: its start, its end, and no signals."""

import asyncio
import signal
import socket
import subprocess
import sys

import pytest
import uvloop

from tests.server.admin.controlled import Server
from tests.support.command import environment
from vaultstorm_server.admin import bind
from vaultstorm_server.admin.server import Admin


def test_it_leaves_the_signals_alone_and_ends_with_its_socket_closed() -> None:
    """Uvicorn would take SIGTERM and SIGINT for itself; the front process needs them."""

    async def main() -> None:
        sock = bind.bind(0)
        address = sock.getsockname()
        before = [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)]
        admin = Admin(sock, Server())
        admin.start()
        reader, writer = await asyncio.open_connection(*address)
        writer.write(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert (await reader.readline()).startswith(b"HTTP/1.1 200")

        during = [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)]
        assert during == before
        await admin.stop()  # the kept connection does not hold it up
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(address)
        writer.close()

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main())


def test_it_can_be_stopped_before_it_was_started() -> None:
    """A start that fails elsewhere stops what was not running yet."""

    async def main() -> None:
        with bind.bind(0) as sock:
            await Admin(sock, Server()).stop()

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main())


def test_it_imports_of_uvicorn_only_what_serves() -> None:
    """Its command line and process managers would take a tenth of every start."""
    code = """
import sys, vaultstorm_server.admin.server
print([name for name in ("uvicorn.main", "uvicorn.supervisors") if name in sys.modules])
import uvicorn
print(uvicorn.config.Config is uvicorn.Config, callable(uvicorn.run))
"""
    ended = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, env=environment(), text=True
    )
    assert ended.stdout.splitlines() == ["[]", "True True"]
