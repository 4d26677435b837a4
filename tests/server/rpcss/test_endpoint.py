"""Dispatch: what is refused before a method is entered, and what becomes of calls."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.server.rpcss.dcom import activate, caller, executed, this, work
from tests.server.rpcss.serving import (
    BIND,
    DEMONSTRATION,
    DID_NOT_EXECUTE,
    FEATURES,
    FIRST,
    LAST,
    NDR,
    NDR64,
    OBJECT_EXPORTER,
    ORPHANED,
    SCM,
    UNKNOWN,
    Client,
    results,
    rpc,
    serving,
)
from vaultstorm_server.rpcss.demonstration import Demonstration
from vaultstorm_server.rpcss.interfaces import Answer, Call
from vaultstorm_wire.dcerpc.demonstration import WORK, WorkIn
from vaultstorm_wire.dcerpc.object_exporter import SERVER_ALIVE
from vaultstorm_wire.journal import Execution, Request

LONG = 3600.0


@pytest.mark.parametrize(
    ("transfers", "result"),
    [
        ((NDR,), (0, 0)),
        ((NDR64, NDR), (0, 0)),
        ((NDR64,), (2, 2)),
        ((FEATURES,), (2, 2)),
    ],
    ids=["ndr", "ndr64 or ndr", "ndr64", "features"],
)
def test_only_ndr_is_spoken(
    tmp_path: Path, transfers: tuple[bytes, ...], result: tuple[int, int]
) -> None:
    """A Server 2003 has no NDR64 on x86, and knows no bind-time features."""
    with serving(tmp_path) as served, Client(served.port) as client:
        assert results(client.bind(OBJECT_EXPORTER, transfers=transfers)) == [result]


def test_an_unknown_interface_is_rejected(tmp_path: Path) -> None:
    """Beside one that is served; the exporter's are not the resolver's."""
    with serving(tmp_path) as served, Client(served.port) as client:
        assert results(client.bind(UNKNOWN, SCM, DEMONSTRATION)) == [(2, 1), (0, 0), (2, 1)]
        with caller(activate(served), SCM) as exporter:
            assert exporter.call(4).status == 0x1C010003


@pytest.mark.parametrize("opnum", [6, 7, 0xFFFF])
def test_an_unknown_operation_did_not_execute(tmp_path: Path, opnum: int) -> None:
    """nca_op_rng_error, and the journal has it."""
    with serving(tmp_path) as served, Client(served.port) as client:
        client.bind(OBJECT_EXPORTER)
        fault = client.call(opnum)
        assert (fault.status, fault.flags & DID_NOT_EXECUTE) == (0x1C010002, DID_NOT_EXECUTE)
        (record,) = served.records(Request)
        assert (record.method, record.target) == (f"opnum {opnum}", "IObjectExporter")
        assert (record.status, record.worker) == (0x1C010002, None)


@pytest.mark.parametrize("stub", [b"", b"\x05", bytes(31)])
def test_bad_stub_data_is_told(tmp_path: Path, stub: bytes) -> None:
    """RPC_X_BAD_STUB_DATA for what ends too early, and the connection goes on."""
    with serving(tmp_path) as served:
        made = activate(served)
        with caller(made) as client:
            assert client.call(WORK, stub, object=made.ipid).status == 0x6F7
            assert executed(work(client, made.ipid)) == 1


@pytest.mark.parametrize("limit", [1, 2, 3])
def test_calls_beyond_the_limit_are_too_many(tmp_path: Path, limit: int) -> None:
    """One fewer than the limit and the limit itself are let in, the next one is refused."""
    with serving(tmp_path, rpc(CallLimit=limit, CallTime=LONG)) as served:
        made = activate(served)
        clients = [caller(made) for _ in range(limit)]
        for number, client in enumerate(clients, 1):
            client.request(WORK, WorkIn(this()).encode(), object=made.ipid)
            served.until(
                lambda n=number: served.rpcss.statistics().calls_in_progress == n  # type: ignore[misc]
            )
        with caller(made) as surplus:
            fault = work(surplus, made.ipid)
        assert (fault.status, fault.flags & DID_NOT_EXECUTE) == (0x1C010014, DID_NOT_EXECUTE)
        refused = served.records(Request)[-1]
        assert (refused.cause, refused.status) == ("call_limit", 0x1C010014)
        assert (refused.worker, refused.id is not None) == (None, True)
        assert served.do(served.rpcss.statistics).calls_refused == 1
        # The resolver's calls are not the application's.
        activate(served)
        for client in clients:
            client.close()


ENDS: dict[str, Callable[[Client], object]] = {
    "close": Client.close,
    "reset": Client.reset,
    "orphaned": lambda client: client.send(ORPHANED, b"", call_id=client.calls),
    "second bind": lambda client: client.send(BIND, b""),
}


@pytest.mark.parametrize("end", ENDS)
def test_unfinished_requests_share_a_budget(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, end: str
) -> None:
    """One connection's takes another's away, and gives it back however the connection ends."""
    monkeypatch.setattr("vaultstorm_server.rpcss.endpoint.UNFINISHED_MAX", 100)
    with serving(tmp_path) as served, Client(served.port) as first, Client(served.port) as second:
        for client in (first, second):
            client.bind(OBJECT_EXPORTER)
        first.request(SERVER_ALIVE, bytes(99), flags=FIRST)
        served.until(lambda: served.rpcss.statistics().unfinished == 99)
        second.request(SERVER_ALIVE, bytes(2), flags=FIRST)
        assert second.receive().status == 0x1C00001B
        assert second.rest() == b""
        ENDS[end](first)
        served.until(lambda: served.rpcss.statistics().unfinished == 0)
        with Client(served.port) as third:
            third.bind(OBJECT_EXPORTER)
            third.request(SERVER_ALIVE, bytes(100), flags=FIRST, call_id=9)
            third.request(SERVER_ALIVE, b"", flags=LAST, call_id=9)
            assert third.receive().stub == bytes(4)


def test_calls_end_with_the_computer(tmp_path: Path) -> None:
    """They are not executed, their clients are reset, and the journal says why."""
    with serving(tmp_path, rpc(CallTime=LONG)) as served:
        made = activate(served)
        with caller(made) as client:
            client.request(WORK, WorkIn(this()).encode(), object=made.ipid)
            served.until(lambda: served.rpcss.statistics().calls_in_progress == 1)
            served.do(served.rpcss.stop)
            with pytest.raises(ConnectionResetError):
                client.receive()
        served.do(served.journal.flush)
        record = served.records(Request)[-1]
        assert (record.method, record.cause, record.status) == ("Work", "stopping", None)
        assert "Work" not in [execution.method for execution in served.records(Execution)]


def test_a_client_that_had_gone_lost_nothing_to_the_stop(tmp_path: Path) -> None:
    """Its call ends with the computer like the others, and the stop is not to blame."""
    with serving(tmp_path, rpc(CallTime=LONG)) as served:
        made = activate(served)
        with caller(made) as client:
            client.request(WORK, WorkIn(this()).encode(), object=made.ipid)
            served.until(lambda: served.rpcss.statistics().calls_in_progress == 1)
        served.until(lambda: served.rpcss.statistics().connections == 0)
        served.do(served.rpcss.stop)
        served.do(served.journal.flush)
        record = served.records(Request)[-1]
        assert (record.method, record.cause, record.status) == ("Work", "connection_lost", None)


def test_an_error_of_ours_is_a_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """nca_s_fault_unspec, counted as a bug; the server goes on."""

    def broken(self: Demonstration, call: Call) -> Answer:
        raise RuntimeError("a bug in the component")

    monkeypatch.setattr(Demonstration, "work", broken)
    with serving(tmp_path, bugs=1) as served:
        made = activate(served)
        with caller(made) as client:
            fault = work(client, made.ipid)
            assert (fault.status, fault.flags & DID_NOT_EXECUTE) == (0x1C000012, 0)
            assert client.call(9, object=made.ipid).status == 0x1C010002


def test_an_endpoint_shows_where_it_is(tmp_path: Path) -> None:
    """The representation tells port and connections."""
    with serving(tmp_path) as served:
        endpoint = served.rpcss._endpoint
        assert repr(endpoint) == f"<Endpoint on port {served.port}: 0 connections>"
        assert endpoint.calls_in_progress == 0
