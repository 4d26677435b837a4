"""TECH39579 on a real server: the chain step by step, what ends it, and what never begins it.

A long block and a short one are put at once on one interface; the disk is slow enough that the
short one has left, the idle time has passed and DoCleanUp has run while the long one is written.
"""

import contextlib
import hashlib
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.command import vaultstorm
from tests.support.server import PATIENCE, Answer, Server, running_server, until
from vaultstorm_wire.journal import Event, Request

BASE = "/AeXRSVault"
LONG = b"x" * 100_000
SETTINGS = (
    *("vault.DiskRate=100000", "vault.InterfaceIdleTime=100ms", "vault.DoCleanUpPeriod=20ms"),
    *("vault.MaxInterfaces=4", "vault.IsapiThreads=3", "httpsys.TLS=0", "afd.Backlog=50"),
    *("apppool.PendingReceives=3", "apppool.AppPoolQueueLength=10"),
)


def open_interface(server: Server) -> str:
    """Open an interface, and give its path."""
    answer = server.ask("POST", f"{BASE}/interfaces")
    assert answer.status == 201
    return f"{BASE}/interfaces/{json.loads(answer.body)['interface']}"


def put(server: Server, interface: str, block: bytes) -> Answer:
    """Put a block."""
    return server.ask("PUT", f"{interface}/blocks/{hashlib.sha256(block).hexdigest()}", block)


def put_under_way(server: Server, interface: str) -> tuple[threading.Thread, list[Any]]:
    """Put the long block, and come back while the worker writes it: its answer, or its end."""
    ends: list[Any] = []

    def wait_for_it() -> None:
        try:
            ends.append(put(server, interface, LONG))
        except OSError as error:
            ends.append(error)

    thread = threading.Thread(target=wait_for_it)
    thread.start()
    until(lambda: server.status()["pool"]["queue"]["held"] == 1)
    return thread, ends


def reentered(server: Server) -> Any:
    """Have a short method enter and leave beside a long one, and give the long one's end."""
    interface = open_interface(server)
    thread, ends = put_under_way(server, interface)
    assert server.ask("GET", f"{interface}/snapshots/none").status == 404
    thread.join(PATIENCE)
    return ends[0]


def events(server: Server, *names: str) -> list[str]:
    """Give the events of these names, in the order of the journal."""
    found = (record for record in server.records("front") if isinstance(record, Event))
    return [event.name for event in found if event.name in names]


def logged(server: Server) -> list[int | None]:
    """Give the numbers in the event log."""
    found = (record for record in server.records("front") if isinstance(record, Event))
    return [event.event_id for event in found if event.name == "event_log"]


@contextlib.contextmanager
def hanging(server: Server) -> Iterator[list[threading.Thread]]:
    """Break DoCleanUp, and open interfaces until no thread is left; give who waits."""
    answer = reentered(server)
    assert (answer.status, json.loads(answer.body)["code"]) == (500, "exception")
    until(lambda: "clean_up_died" in events(server, "clean_up_died"))
    for _ in range(4):
        interface = open_interface(server)
        assert server.ask("DELETE", interface).status == 200
    waiting = [threading.Thread(target=_open_whatever, args=(server,)) for _ in "123"]
    for thread in waiting:
        thread.start()
    try:
        until(lambda: "pool_hung" in events(server, "pool_hung"))
        yield waiting
    finally:
        for thread in waiting:
            thread.join(PATIENCE)
            assert not thread.is_alive()


def _open_whatever(server: Server) -> None:
    with contextlib.suppress(OSError, AssertionError):
        open_interface(server)


def test_the_pool_hangs_and_port_and_control_plane_answer(tmp_path: Path) -> None:
    """The chain's events in order; then the hang, then QueueFull, and iisreset ends it all.

    What was acknowledged before is still there.
    """
    with running_server(tmp_path, *SETTINGS) as server:
        before = open_interface(server)
        assert put(server, before, b"acknowledged").status == 201
        assert server.ask("DELETE", before).status == 200
        with hanging(server) as waiting:
            assert events(
                server,
                *("reentrance", "wrong_release", "released_entry_touched"),
                *("clean_up_died", "table_full", "pool_hung"),
            ) == [
                *("reentrance", "wrong_release", "released_entry_touched"),
                *("clean_up_died", "table_full", "pool_hung"),
            ]
            (worker,) = server.status()["pool"]["workers"]
            assert (worker["interfaces"], worker["threads_held"]) == (4, 3)

            probe = vaultstorm("probe", f"{server.url}{BASE}/status", "--timeout=300ms")
            assert probe.returncode == 1
            assert "nothing came back: the pool hangs" in " ".join(probe.stdout.split())
            room = 10 - server.status()["pool"]["queue"]["waiting"]  # the probe's has one place
            crowd = [threading.Thread(target=_open_whatever, args=(server,)) for _ in range(room)]
            for thread in crowd:
                thread.start()
            waiting += crowd
            until(lambda: server.status()["pool"]["queue"]["waiting"] == 10)
            assert server.ask().status == 503
            assert server.control("POST", "/iisreset")["iisreset"] == "done"
        assert put(server, open_interface(server), b"acknowledged").status == 200
    causes = [r.cause for r in server.records("front") if isinstance(r, Request)]
    assert "QueueFull" in causes


def test_with_the_hotfix_the_same_calls_do_no_harm(tmp_path: Path) -> None:
    """The long block is kept, every entry is released again, and DoCleanUp lives."""
    with running_server(tmp_path, *SETTINGS, "vault.TECH39579=1") as server:
        assert reentered(server).status == 201
        for _ in range(9):
            server.ask("DELETE", open_interface(server))
        until(lambda: json.loads(server.ask().body)["interfaces"]["entries"] == 0)
        assert json.loads(server.ask().body)["clean_up"] is True
    assert events(server, "reentrance", "wrong_release", "clean_up_died") == ["reentrance"]


def test_corrupted_memory_is_a_real_crash(tmp_path: Path) -> None:
    """The worker dies of SIGSEGV in the middle of the put: 1009, and the next worker serves."""
    with running_server(tmp_path, *SETTINGS, "vault.CorruptionCrash=1") as server:
        assert isinstance(reentered(server), OSError)
        until(lambda: 1009 in logged(server))
        assert put(server, open_interface(server), b"after").status == 201
    died = [r for r in server.records("front") if isinstance(r, Event) and r.name == "worker_died"]
    assert [event.detail for event in died] == ["SIGSEGV"]
    assert events(server, "corruption_crash", "clean_up_died") == ["corruption_crash"]


@pytest.mark.parametrize(
    "setting, number",
    [("vault.PingBlockedByHang=1", 1010), ("vault.ReportUnhealthy=1", 2262)],
)
def test_a_ping_may_notice(tmp_path: Path, setting: str, number: int) -> None:
    """Where it can, W3SVC replaces the worker, and nobody has to restart IIS."""
    patience = ("apppool.PingInterval=100ms", "apppool.PingResponseTime=300ms")
    slow_end = "apppool.ShutdownTimeLimit=500ms"
    with running_server(tmp_path, *SETTINGS, *patience, slow_end, setting) as server:
        with hanging(server):
            until(lambda: bool({number, number + 1} & set(logged(server))))
            until(lambda: server.ask().status == 200)
        assert put(server, open_interface(server), b"after").status == 201
