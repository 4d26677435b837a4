"""The pytest plugin, used as its users do: by suites of their own, in processes of their own."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import entry_points
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.support.command import environment
from tests.support.server import PATIENCE, until
from vaultstorm.serving import members

pytest_plugins = "pytester"

PLUGIN = (
    () if entry_points(group="pytest11", name="vaultstorm") else ("-p", "vaultstorm.pytest_plugin")
)
"""Where the installed metadata has no entry point, as before an install; twice is an error."""
INI = """
[pytest]
asyncio_mode = strict
asyncio_default_fixture_loop_scope = function
filterwarnings = error
"""
PASSING = """
import asyncio, contextlib, http.client, os, signal, socket, sys
from urllib.parse import urlsplit
import pytest

def get(server, request_id):
    with contextlib.closing(http.client.HTTPConnection(server.host, server.port)) as connection:
        connection.request("GET", urlsplit(server.status_url).path, None,
                           {"X-Request-Id": request_id})
        answer = connection.getresponse()
        answer.read()
        return answer.status

@pytest.mark.parametrize("backlog", [1, 3])
def test_exactly_as_many_get_in_as_there_are_places(vaultstorm_server, backlog):
    server = vaultstorm_server(backlog=backlog, tls=False)
    with server.gate(), contextlib.ExitStack() as stack:
        for _ in range(backlog + 2):
            stack.enter_context(contextlib.closing(
                socket.create_connection((server.host, server.port))))
        server.until(lambda: len(server.turned_away()) == 2)
        assert server.queued == backlog
        assert [record.cause for record in server.turned_away()] == ["backlog_full"] * 2

def test_two_servers_and_what_each_has_executed(vaultstorm_server):
    one = vaultstorm_server(tls=False, settings={"apppool.PeriodicRestartRequests": 100})
    two = vaultstorm_server(hotfixes="all", rpc=True)
    assert one.rpc is None and two.rpc.startswith("rpc://") and os.path.exists(two.ca)
    assert get(one, "a") == get(one, "b") == 200
    assert [run.id for run in one.executions()] == ["a", "b"]
    assert [request.status for request in one.requests("b")] == [200]
    assert len(one.executions("a")) == 1 and two.executions() == []
    before = one.workers
    one.recycle()
    one.until(lambda: one.workers and not set(one.workers) & set(before))
    assert get(one, "c") == 200

def test_a_server_that_the_test_kills(vaultstorm_server):
    server = vaultstorm_server(tls=False)
    os.kill(server.pid, signal.SIGKILL)
    server.until(lambda: server.stop() == -signal.SIGKILL)

@pytest.mark.asyncio
async def test_asyncio(vaultstorm_server):
    server = vaultstorm_server(tls=False)
    reader, writer = await asyncio.open_connection(server.host, server.port)
    writer.write(b"GET / HTTP/1.0\\r\\n\\r\\n")
    assert (await reader.read()).startswith(b"HTTP/1.1 404")
    writer.close()
    await writer.wait_closed()
    assert type(asyncio.get_running_loop()).__module__.startswith("asyncio.")
    assert "uvloop" not in sys.modules

@pytest.mark.anyio
@pytest.mark.parametrize("anyio_backend", [BACKEND])
async def test_anyio(vaultstorm_server, anyio_backend):
    import anyio
    server = vaultstorm_server(tls=False)
    async with await anyio.connect_tcp(server.host, server.port) as stream:
        await stream.send(b"GET / HTTP/1.0\\r\\n\\r\\n")
        assert (await stream.receive()).startswith(b"HTTP/1.1 404")
"""
FAILING = """
from pathlib import Path

def test_that_fails(vaultstorm_server):
    server = vaultstorm_server(tls=False)
    Path("pid").write_text(str(server.pid))
    server.worker("kill")
    server.until(lambda: server.events("worker_died"))
    assert server.executions("a")

def test_with_a_wrong_value(vaultstorm_server):
    vaultstorm_server(backlog=0)

def test_with_a_wrong_word(vaultstorm_server):
    vaultstorm_server(overflow="crash")

def test_with_a_wrong_name(vaultstorm_server):
    vaultstorm_server(backlogg=1)
"""
HANGING = """
import threading
from pathlib import Path

def test_that_does_not_end(vaultstorm_server):
    Path("part").write_text(str(vaultstorm_server().pid))
    Path("part").rename("pid")
    threading.Event().wait()
"""


def test_all_kinds_of_tests_in_several_processes(pytester: pytest.Pytester) -> None:
    """Sync, parametrised and async tests pass under pytest-xdist, without a warning."""
    pytester.makeini(INI)
    backend = "trio" if find_spec("trio") else "asyncio"
    pytester.makepyfile(PASSING.replace("[BACKEND]", f"[{backend!r}]"))
    result = pytester.runpytest_subprocess(*PLUGIN, "-n2")
    result.assert_outcomes(passed=6)


def test_a_failure_comes_with_the_log_and_wrong_settings_in_a_line(
    pytester: pytest.Pytester,
) -> None:
    """The log stands beside what failed; of us there is a sentence, and no traceback."""
    pytester.makeini(INI)
    pytester.makepyfile(FAILING)
    result = pytester.runpytest_subprocess(*PLUGIN)
    result.assert_outcomes(failed=4)
    assert members(int((pytester.path / "pid").read_text())) == []
    result.stdout.fnmatch_lines(
        [
            "E * assert *",
            "*- log of http://127.0.0.1:* -*",
            "* worker_died *",
            "> *vaultstorm_server(backlog=0)",
            "E * --set afd.Backlog = 0 is out of range: 1 to 65535",
            "> *vaultstorm_server(overflow=*",
            "E *'crash' is not one of 'reset', 'refuse', 'drop'*",
            "E *a server has no backlogg; it has backlog, overflow, *",
        ]
    )
    result.stdout.no_fnmatch_line("*servers.py*")


@pytest.fixture
def hanging(pytester: pytest.Pytester) -> Iterator[tuple["subprocess.Popen[bytes]", int]]:
    """Run a suite that waits for ever; give its process, and its server's pid."""
    pytester.makeini(INI)
    pytester.makepyfile(HANGING)
    process = subprocess.Popen(
        [sys.executable, "-m", "pytest", *PLUGIN, "-p", "no:cacheprovider"],
        cwd=pytester.path,
        env=environment(),
        stdout=subprocess.DEVNULL,
    )
    try:
        until((pytester.path / "pid").exists)
        yield process, int((pytester.path / "pid").read_text())
    finally:
        process.kill()
        process.wait()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL], ids=["ctrl-c", "kill"])
def test_a_suite_that_is_ended_leaves_no_server(
    hanging: tuple["subprocess.Popen[bytes]", int], number: signal.Signals
) -> None:
    """At Ctrl-C the fixture ends its servers; at a kill they notice by themselves."""
    process, pid = hanging
    assert members(pid)
    os.kill(process.pid, number)
    assert process.wait(PATIENCE) == (2 if number == signal.SIGINT else -number)
    until(lambda: not members(pid))


def test_a_suite_that_does_not_use_it_pays_nothing(tmp_path: Path) -> None:
    """Importing the plugin imports pytest, and of ours and of other libraries nothing else."""
    code = (
        "import sys, pytest; before = set(sys.modules); import vaultstorm.pytest_plugin;"
        "print(*sorted(set(sys.modules) - before))"
    )
    shown = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, env=environment(), text=True
    )
    assert shown.stdout.split() == ["vaultstorm", "vaultstorm.pytest_plugin"]
