"""Hotfixes that are installed on a server that runs, of a real listener and real connections."""

import asyncio
import errno
import os
import signal
import socket
import sys
from pathlib import Path
from typing import cast

import pytest
import structlog

from tests.server.httpsys.serving import on_uvloop
from tests.server.staging import GET, Stage, staged
from tests.server.w3svc.pooling import GATED, gone, pool_of
from vaultstorm_server.hotfixes import HOTFIXES
from vaultstorm_server.installation import Installation
from vaultstorm_server.settings import HttpSys, Rpc, Settings, Vault
from vaultstorm_server.w3svc.pool import Pool
from vaultstorm_server.w3svc.process import CHANNEL
from vaultstorm_wire.errors import MachineError, UsageError

NAMES = pytest.mark.parametrize("name", sorted(HOTFIXES))
SERVICE = "the Recovery Solution Server Service"
FOLDER = r"%Program Files%\Altiris\Recovery Solution\Server\HTTPVault"
DONE: dict[str, list[object]] = {
    "TECH39579": [
        ("hotfix_step", f"TECH39579 1/6: stop {SERVICE}"),
        "end Disabled",
        ("hotfix_step", "TECH39579 2/6: stop IIS"),
        "end",
        ("hotfix_step", f"TECH39579 3/6: browse to {FOLDER}"),
        ("hotfix_step", "TECH39579 4/6: replace RsHttpVault.dll"),
        ["w3wp", "1", "0"],
        ("hotfix_step", "TECH39579 5/6: start IIS"),
        ("hotfix_step", f"TECH39579 6/6: restart {SERVICE}"),
        "start_pool",
        ("hotfix_applied", "TECH39579"),
    ],
    "KB908739": [
        ("hotfix_step", "KB908739 1/3: stop IIS"),
        "end",
        ("hotfix_step", "KB908739 2/3: replace Http.sys"),
        ("KB908739", 1),
        ("hotfix_step", "KB908739 3/3: restart the computer"),
        "rpc stopped",
        "start_pool",
        ("rpc started", 0),
        ("hotfix_applied", "KB908739"),
    ],
    "KB960007": [
        ("hotfix_step", "KB960007 1/2: replace Ole32.dll"),
        ("hotfix_step", "KB960007 2/2: restart the computer"),
        "rpc stopped",
        "end",
        "start_pool",
        ("rpc started", 1),
        ("hotfix_applied", "KB960007"),
    ],
}


class RpcDouble:
    """Says what was done to it; its port is taken as often as `robbed` says."""

    def __init__(self, did: list[object], robbed: int = 0) -> None:
        self._did = did
        self.robbed = robbed

    def stop(self) -> None:
        """Go down."""
        self._did.append("rpc stopped")

    def start(self, settings: Settings) -> None:
        """Come up."""
        if self.robbed:
            self.robbed -= 1
            raise OSError(errno.EADDRINUSE, "Address already in use")
        self._did.append(("rpc started", settings.rpc.KB960007))


def command(settings: Settings) -> list[str]:
    """Write a command that tells which hotfixes the settings have."""
    return ["w3wp", str(settings.vault.TECH39579), str(settings.httpsys.KB908739)]


def installation(stage: Stage, settings: Settings | None = None) -> Installation:
    """Make one for the stage."""
    pool = cast(Pool, stage.pool)
    rpc = RpcDouble(stage.did)
    return Installation(settings or Settings(), stage.reset, pool, rpc, command, stage.note)


def begin(stage: Stage, name: str) -> "asyncio.Task[float]":
    """Begin to install a hotfix."""
    return asyncio.get_running_loop().create_task(installation(stage).apply(name))


@NAMES
@on_uvloop
async def test_every_step_is_told_and_then_done(tmp_path: Path, name: str) -> None:
    """In the article's order; afterwards the server has it, and serves on the same port."""
    async with staged("reset", tmp_path) as stage:
        server = installation(stage)
        assert server.installed == []
        assert await server.apply(name.lower()) >= 0
        assert stage.did == DONE[name]
        assert server.installed == [name]
        assert await stage.get() == b"served"


@on_uvloop
async def test_what_a_client_sees_of_the_steps(tmp_path: Path) -> None:
    """Service stopped: 503, and what runs is answered; IIS stopped: refused; then served."""
    async with staged("reset", tmp_path) as stage:
        idle, busy = await stage.client(), await stage.client()
        assert await asyncio.to_thread(idle.get) == b"served"
        stage.pool.holding = True
        stage.pool.may_end.clear()
        await asyncio.to_thread(busy.send, GET)
        await stage.until(lambda: not stage.pool.requests[-1].ended)
        held = stage.pool.requests[-1]
        installing = begin(stage, "TECH39579")
        await stage.until(lambda: "end Disabled" in stage.did)

        await asyncio.to_thread(idle.send, GET)
        assert (await asyncio.to_thread(idle.answer))[0].startswith(b"HTTP/1.1 503")
        idle.close()
        stage.pool.may_end.set()
        await stage.until(lambda: not stage.listener.statistics().listening)
        await stage.refused()
        held.answer(200, [], b"late")
        assert (await asyncio.to_thread(busy.answer))[1] == b"late"
        busy.close()
        stage.pool.holding = False

        await installing
        assert stage.did == DONE["TECH39579"]
        assert await stage.get() == b"served"


@pytest.mark.parametrize(
    "name, listening, refused",
    [
        ("KB908739", [True, False, False, True], "N/A"),
        ("KB960007", [True, True, True], ""),
        ("TECH39579", [True, True, False, False, False, True, True], "Disabled"),
    ],
)
@on_uvloop
async def test_the_port_is_closed_from_the_stop_of_iis_to_its_start(
    tmp_path: Path, name: str, listening: list[bool], refused: str
) -> None:
    """As each step begins, and when all are done; the pool is started when IIS is, or after it."""
    async with staged("reset", tmp_path) as stage:
        seen = []

        def note(_: str, detail: str | None) -> None:
            seen.append((stage.listener.statistics().listening, stage.pool.refusal))

        pool = cast(Pool, stage.pool)
        await Installation(Settings(), stage.reset, pool, None, command, note).apply(name)
        assert [port for port, _ in seen] == listening
        assert [refusal for _, refusal in seen] == ["", *[refused] * (len(seen) - 2), ""]


@NAMES
@on_uvloop
async def test_what_is_installed_is_not_installed_again(tmp_path: Path, name: str) -> None:
    """Whether it was there from the start or came later; the others can still be."""
    async with staged("reset", tmp_path) as stage:
        every = Settings(vault=Vault(TECH39579=1), httpsys=HttpSys(KB908739=1), rpc=Rpc(KB960007=1))
        server = installation(stage, every)
        assert server.installed == list(HOTFIXES)
        with pytest.raises(MachineError, match=f"^{name} is installed already$"):
            await server.apply(name)
        assert stage.did == []

        later = installation(stage)
        await later.apply(name)
        with pytest.raises(MachineError, match="installed already"):
            await later.apply(name)
        for other in HOTFIXES.keys() - {name}:
            await later.apply(other)
        assert later.installed == list(HOTFIXES)


@on_uvloop
async def test_an_unknown_one_is_told_the_known(tmp_path: Path) -> None:
    """And nothing is done."""
    async with staged("reset", tmp_path) as stage:
        with pytest.raises(UsageError, match="there are KB908739, KB960007 and TECH39579"):
            await installation(stage).apply("all")
        assert stage.did == []


@on_uvloop
async def test_one_thing_at_a_time(tmp_path: Path) -> None:
    """No reset and no other hotfix during an installation, and none of it during a reset."""
    async with staged("reset", tmp_path) as stage:
        stage.pool.may_end.clear()
        installing = begin(stage, "TECH39579")
        await stage.until(lambda: stage.reset.under_way)
        for another in (stage.begin(), begin(stage, "KB908739"), begin(stage, "TECH39579")):
            with pytest.raises(MachineError, match="the installation of TECH39579 is under way"):
                await another
        stage.pool.may_end.set()
        await installing

        stage.pool.may_end.clear()
        resetting = stage.begin()
        await stage.until(lambda: ("iisreset_began", None) in stage.did)
        with pytest.raises(MachineError, match="an iisreset is under way"):
            await begin(stage, "KB908739")
        stage.pool.may_end.set()
        await resetting


@on_uvloop
async def test_a_caller_that_goes_away_does_not_end_it(tmp_path: Path) -> None:
    """What has been stopped is replaced and started, whoever still waits for it."""
    async with staged("reset", tmp_path) as stage:
        stage.pool.may_end.clear()
        caller = begin(stage, "TECH39579")
        await stage.until(lambda: "end Disabled" in stage.did)
        caller.cancel()
        with pytest.raises(asyncio.CancelledError):
            await caller
        stage.pool.may_end.set()
        await stage.reset.ended()
        assert stage.did == DONE["TECH39579"]


FAILED = ("hotfix_failed", "TECH39579: the server is stopping")


async def stopped(stage: Stage, installing: "asyncio.Task[float]") -> None:
    """See that an installation ends without starting anything."""
    with pytest.raises(MachineError, match="was stopped before TECH39579 was installed"):
        await installing
    assert stage.did.pop() == FAILED
    with pytest.raises(MachineError, match="the server is stopping"):
        await begin(stage, "KB908739")


@on_uvloop
async def test_a_server_that_stops_does_not_wait_for_the_service(tmp_path: Path) -> None:
    """What runs has its time from the stop itself, and not twice."""
    async with staged("reset", tmp_path) as stage:
        stage.pool.may_end.clear()
        installing = begin(stage, "TECH39579")
        await stage.until(lambda: "end Disabled" in stage.did)
        stage.stopping.set()
        await stopped(stage, installing)
        assert stage.did == DONE["TECH39579"][:2]


@pytest.mark.parametrize("taken, done", [(False, 4), (True, 8)])
@on_uvloop
async def test_a_server_that_stops_is_not_started_again(
    tmp_path: Path, taken: bool, done: int
) -> None:
    """It ends with the stop of IIS, or at its start, where another has taken the port."""
    async with staged("reset", tmp_path) as stage:
        client = await stage.client()
        stage.pool.holding = True
        await asyncio.to_thread(client.send, GET)
        await stage.until(lambda: stage.pool.requests != [])
        installing = begin(stage, "TECH39579")
        await stage.until(lambda: not stage.listener.statistics().listening)
        with socket.socket() as thief:
            if taken:
                thief.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                thief.bind(("127.0.0.1", stage.port))
                thief.listen()
            else:
                stage.stopping.set()
            stage.pool.requests[0].answer(200, [], b"answered")
            assert (await asyncio.to_thread(client.answer))[1] == b"answered"
            client.close()
            await stage.until(lambda: len(stage.did) >= done)
            stage.stopping.set()
            await stopped(stage, installing)
        assert stage.did == DONE["TECH39579"][:done]


@on_uvloop
async def test_workers_that_hang_are_killed_after_the_grace(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The article's case: the request that hangs is lost, and the next worker serves."""
    monkeypatch.setattr("vaultstorm_server.iis_reset.DRAIN_GRACE", 0.05)
    (tmp_path / "stage").mkdir()
    async with pool_of(tmp_path) as pool, staged("reset", tmp_path / "stage", pool) as stage:
        await pool.ready
        (worker,) = pool.statistics().workers
        client = await stage.client()
        await asyncio.to_thread(client.get, b"/answer")
        os.kill(worker.pid, signal.SIGSTOP)
        await asyncio.to_thread(client.send, GET)
        await stage.until(lambda: pool.requests.held == 1)
        replaced = [sys.executable, "-c", GATED, CHANNEL]
        server = Installation(Settings(), stage.reset, pool, None, lambda _: replaced, stage.note)
        await server.apply("TECH39579")
        assert await asyncio.to_thread(client.rest) == b""
        client.close()
        assert gone(worker.pid)
        assert stage.did[-1] == ("hotfix_applied", "TECH39579")
        again = await stage.client()
        assert await asyncio.to_thread(again.get, b"/answer") == b""
        again.close()
        assert pool.statistics().starts == 2


@on_uvloop
async def test_a_restart_waits_for_the_port_of_rpc(tmp_path: Path) -> None:
    """Another may have taken it meanwhile: said once, tried until it is free."""
    async with staged("reset", tmp_path) as stage:
        rpc = RpcDouble(stage.did, robbed=2)
        pool = cast(Pool, stage.pool)
        server = Installation(Settings(), stage.reset, pool, rpc, command, stage.note)
        with structlog.testing.capture_logs() as logs:
            await server.apply("KB960007")
        assert [entry["event"] for entry in logs].count("rpc_start_failed") == 1
        assert (stage.did, rpc.robbed) == (DONE["KB960007"], 0)


@pytest.mark.parametrize("at", ["the stop", "the start"])
@on_uvloop
async def test_a_server_that_stops_in_a_restart_does_not_start_rpc(tmp_path: Path, at: str) -> None:
    """Neither where requests still end, nor where another has the port of RPC."""
    async with staged("reset", tmp_path) as stage:
        rpc = RpcDouble(stage.did, robbed=10**6)
        pool = cast(Pool, stage.pool)
        server = Installation(Settings(), stage.reset, pool, rpc, command, stage.note)
        if at == "the stop":
            stage.pool.may_end.clear()
        installing = asyncio.get_running_loop().create_task(server.apply("KB960007"))
        await stage.until(lambda: ("end" if at == "the stop" else "start_pool") in stage.did)
        stage.stopping.set()
        stage.pool.may_end.set()
        with pytest.raises(MachineError, match="was stopped before KB960007 was installed"):
            await installing
        done = 4 if at == "the stop" else 5
        assert stage.did == [
            *DONE["KB960007"][:done],
            ("hotfix_failed", "KB960007: the server is stopping"),
        ]
