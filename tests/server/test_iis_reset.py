"""A reset of a real listener and real connections; a pool that ends when it is told to."""

import asyncio
import contextlib
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.server.httpsys.serving import on_uvloop
from tests.server.staging import GET, Stage, staged
from vaultstorm_wire.errors import MachineError

STYLES = pytest.mark.parametrize("style", ["drop", "refuse", "reset"])
DONE = [("iisreset_began", None), "end", "start_pool", ("iisreset_ended", None)]


@STYLES
@on_uvloop
async def test_everything_is_stopped_and_started_on_the_same_port(
    tmp_path: Path, style: str
) -> None:
    """In flight: answered; idle: FIN; new: refused until it is done; then served; twice."""
    async with staged(style, tmp_path) as stage:
        for count in (1, 2):
            idle, busy = await stage.client(), await stage.client()
            assert await asyncio.to_thread(idle.get) == b"served"
            stage.pool.holding = True
            stage.pool.may_end.clear()
            await asyncio.to_thread(busy.send, GET)
            await stage.until(lambda: not stage.pool.requests[-1].ended)
            resetting = stage.begin()

            assert await asyncio.to_thread(idle.rest) == b""
            idle.close()
            await stage.refused()
            stage.pool.requests[-1].answer(200, [], b"late")
            assert (await asyncio.to_thread(busy.answer))[1] == b"late"
            assert await asyncio.to_thread(busy.rest) == b""
            busy.close()
            await stage.until(lambda: stage.did[-1] == "end")
            await stage.refused()
            stage.pool.holding = False
            stage.pool.may_end.set()

            assert await resetting >= 0
            assert stage.listener.port == stage.port
            assert await stage.get() == b"served"
            assert stage.did == DONE * count


@on_uvloop
async def test_the_grace_of_a_request_in_flight_has_an_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A request that is not answered is lost, once, and the reset goes on."""
    monkeypatch.setattr("vaultstorm_server.iis_reset.DRAIN_GRACE", 0.05)
    async with staged("reset", tmp_path) as stage:
        stage.pool.holding = True
        client = await stage.client()
        await asyncio.to_thread(client.send, GET)
        await stage.until(lambda: stage.pool.requests != [])
        await stage.reset.run()

        assert await asyncio.to_thread(client.rest) == b""
        client.close()
        assert stage.pool.requests[0].ended
        assert stage.http.statistics().reasons == {"Connection_Abandoned_By_AppPool": 1}


@STYLES
@on_uvloop
async def test_a_closed_gate_stays_closed(tmp_path: Path, style: str) -> None:
    """What waited in the accept queue is reset; what comes later waits there again."""
    async with staged(style, tmp_path) as stage:
        stage.listener.set_gate(False)
        waiting = await stage.client()
        await stage.until(lambda: stage.listener.queue.queued == 1)
        await stage.reset.run()
        with pytest.raises(ConnectionResetError):
            await asyncio.to_thread(waiting.rest)
        waiting.close()

        getting = asyncio.ensure_future(stage.get())
        await stage.until(lambda: stage.listener.queue.queued == 1)
        assert stage.pool.requests == []
        stage.listener.set_gate(True)
        assert await getting == b"served"
        queue = stage.listener.queue
        assert (queue.admitted, queue.abandoned, queue.accepted) == (2, 1, 1)


@on_uvloop
async def test_one_at_a_time(tmp_path: Path) -> None:
    """A second one is refused with a word, and the first goes on; then there may be another."""
    async with staged("reset", tmp_path) as stage:
        stage.pool.may_end.clear()
        first = stage.begin()
        await stage.until(lambda: stage.reset.under_way)
        with pytest.raises(MachineError, match="an iisreset is under way"):
            await stage.reset.run()
        with pytest.raises(MachineError, match="under way"):
            stage.reset.check()
        stage.pool.may_end.set()
        await first
        stage.reset.check()
        await stage.reset.run()

        assert stage.did == DONE * 2


@on_uvloop
async def test_a_caller_that_goes_away_does_not_end_it(tmp_path: Path) -> None:
    """What has been stopped is started, whoever still waits for it."""
    async with staged("reset", tmp_path) as stage:
        stage.pool.may_end.clear()
        caller = stage.begin()
        await stage.until(lambda: "end" in stage.did)
        caller.cancel()
        with pytest.raises(asyncio.CancelledError):
            await caller
        assert stage.reset.under_way
        stage.pool.may_end.set()

        await stage.reset.ended()
        assert stage.did == DONE
        assert await stage.get() == b"served"


@pytest.mark.parametrize("when", ["drain", "end"])
@on_uvloop
async def test_a_server_that_stops_is_not_started_again(tmp_path: Path, when: str) -> None:
    """Whatever the reset is at, it finishes that, starts nothing, and says why."""
    async with staged("reset", tmp_path) as stage:
        client = await stage.client()
        stage.pool.holding = True
        stage.pool.may_end.clear()
        await asyncio.to_thread(client.send, GET)
        await stage.until(lambda: stage.pool.requests != [])
        resetting = stage.begin()
        if when == "end":
            stage.pool.requests[0].answer(200, [], b"")
            client.close()
            await stage.until(lambda: "end" in stage.did)
        else:
            await stage.until(lambda: stage.reset.under_way)
        stage.stopping.set()
        with pytest.raises(MachineError, match="the server is stopping"):
            stage.reset.check()
        stage.pool.requests[0].answer(200, [], b"")
        client.close()
        stage.pool.may_end.set()

        with pytest.raises(MachineError, match="was stopped before its reset had ended"):
            await resetting
        await stage.reset.ended()
        assert stage.did == [("iisreset_began", None), "end", ("iisreset_ended", "stopping")]
        await stage.refused()


@contextlib.contextmanager
def thief(stage: Stage) -> Iterator[None]:
    """Listen on the stage's port while it does not."""
    with socket.socket() as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind(("127.0.0.1", stage.port))
        sock.listen()
        yield


@pytest.mark.parametrize("stops", [False, True])
@on_uvloop
async def test_a_port_that_another_has_taken_is_waited_for(tmp_path: Path, stops: bool) -> None:
    """Until it is free, or the server stops."""
    async with staged("reset", tmp_path) as stage:
        stage.pool.may_end.clear()
        resetting = stage.begin()
        await stage.until(lambda: "end" in stage.did)
        with thief(stage):
            stage.pool.may_end.set()
            await stage.until(lambda: "start_pool" in stage.did)
            await asyncio.sleep(0)
            assert not resetting.done()
            if stops:
                stage.stopping.set()
                with pytest.raises(MachineError):
                    await resetting
                assert stage.did[-1] == ("iisreset_ended", "stopping")
                return
        await resetting
        assert await stage.get() == b"served"


@on_uvloop
async def test_without_a_reset_there_is_nothing_to_wait_for(tmp_path: Path) -> None:
    """The end of a server that was never reset is not held up."""
    async with staged("reset", tmp_path) as stage:
        assert not stage.reset.under_way
        await stage.reset.ended()
