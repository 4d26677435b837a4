"""A probe of small RPC servers, each broken in one layer."""

import socket
from collections.abc import Callable

import pytest

from tests.client.rpc.fake_rpc import ACCEPTED, FakeRpc, Rpc
from tests.support.misbehaving import Misbehaving, Peer
from vaultstorm_client.layers import Report
from vaultstorm_client.probe import Options, probe
from vaultstorm_wire.dcerpc import epm, mgmt, object_exporter
from vaultstorm_wire.dcerpc.events import ContextAnswer, Fault, Request, Response
from vaultstorm_wire.dcerpc.objref import DualStringArray, StringBinding
from vaultstorm_wire.dcerpc.orpc import ComVersion
from vaultstorm_wire.dcerpc.scm_activator import ISYSTEM_ACTIVATOR
from vaultstorm_wire.dcerpc.status import ContextResult
from vaultstorm_wire.dcerpc.syntax import NIL, NO_SYNTAX, Syntax, guid_of
from vaultstorm_wire.errors import UsageError

IMPATIENT = Options(timeout=1.0)
REFUSED = ContextAnswer(ContextResult.PROVIDER, 1, NO_SYNTAX)
BINDINGS = DualStringArray((StringBinding(7, "127.0.0.1"), StringBinding(7, "host")))
OTHER = Syntax(guid_of("11111111-2222-3333-4444-555555555555"), 1, 2)


def answer(request: Request) -> bytes:
    """Give the stub that a resolver answers with."""
    if request.context_id == 0:
        assert request.opnum == object_exporter.SERVER_ALIVE2
        return object_exporter.ServerAlive2Out(ComVersion(5, 7), BINDINGS, 0).encode()
    if request.context_id == 1:
        assert request.opnum == mgmt.INQ_IF_IDS
        return mgmt.InqIfIdsOut((ISYSTEM_ACTIVATOR, OTHER), 0).encode()
    assert request.opnum == epm.EPT_LOOKUP
    asked = epm.EptLookupIn.decode(request.stub)
    tower = epm.Tower.tcp(ISYSTEM_ACTIVATOR, 135, "127.0.0.1")
    entries = (epm.Entry(NIL, tower, "x"),)
    return epm.EptLookupOut(epm.NULL_HANDLE, entries, 0, asked.max_entries).encode()


def serve(rpc: Rpc, answers: tuple[ContextAnswer, ...] = (), faults: dict[int, int] | None = None):  # type: ignore[no-untyped-def]
    """Take a bind, and answer what a probe asks; some contexts with a fault."""
    rpc.bind(*answers)
    while (request := rpc.event()) is not None:
        assert isinstance(request, Request)
        status = (faults or {}).get(request.context_id)
        if status is None:
            rpc.send(Response(request.call_id, request.context_id, answer(request)))
        else:
            rpc.send(Fault(request.call_id, request.context_id, status, True))


def probed(behave: Callable[[Rpc], None], options: Options | None = None) -> Report:
    """Probe a server."""
    with FakeRpc(resolver=behave) as server:
        return probe(f"rpc://127.0.0.1:{server.resolver.port}", options or Options())


def test_a_good_resolver() -> None:
    """Every layer works, and shows what the server has told."""
    report = probed(serve)
    assert report.ok
    assert [layer.layer for layer in report.layers] == ["resolve", "tcp", "bind", "alive", "lookup"]
    *_, bind, alive, lookup = report.layers
    assert bind.seen == {"fragments": "5840 and 5840 bytes"}
    assert alive.seen == {
        "COM version": "5.7",
        "bindings": "ncacn_ip_tcp:127.0.0.1, ncacn_ip_tcp:host",
    }
    assert lookup.seen == {"interfaces": f"ISystemActivator, {OTHER}"}


@pytest.mark.parametrize("how", ["rejected", "fault"])
def test_without_the_management_interface(how: str) -> None:
    """The endpoint mapper tells what is served instead."""
    if how == "rejected":
        report = probed(lambda rpc: serve(rpc, (ACCEPTED, REFUSED, ACCEPTED)))
        refused = "bind_ack: provider rejection, abstract syntax (1)"
        assert report.layers[2].seen["the management interface"] == refused
    else:
        report = probed(lambda rpc: serve(rpc, faults={1: 5}))
    assert report.ok
    assert report.layers[-1].seen == {"endpoints": "ISystemActivator at port 135"}


def test_a_server_that_does_not_tell_what_it_serves() -> None:
    """It is alive all the same, and that is said."""
    report = probed(lambda rpc: serve(rpc, (ACCEPTED, REFUSED, REFUSED)))
    failed = report.layers[-1]
    assert (failed.layer, failed.outcome) == ("lookup", "bind.rejected")
    assert "activations may work all the same" in failed.means
    report = probed(lambda rpc: serve(rpc, faults={1: 5, 2: 5}))
    failed = report.layers[-1]
    assert (failed.layer, failed.outcome) == ("lookup", "rpc.0x00000005")
    assert failed.seen["Windows"] == "0x80070005 Access is denied."


def test_an_older_resolver() -> None:
    """One that does not know ServerAlive2 is alive: MS-DCOM takes it for version 5.1."""
    report = probed(lambda rpc: serve(rpc, faults={0: 0x1C010002}))
    assert report.ok
    assert "5.1 or older" in report.layers[3].seen["COM version"]


def test_no_resolver() -> None:
    """An RPC server on another port has no resolver's interface."""
    report = probed(lambda rpc: serve(rpc, (REFUSED, ACCEPTED, REFUSED)))
    failed = report.layers[-1]
    assert (failed.layer, failed.outcome) == ("bind", "bind.rejected")
    assert failed.seen["Windows"] == "0x800706B5 The interface is unknown."
    assert "port 135" in failed.means


def silent(rpc: Rpc) -> None:
    """Say nothing."""
    rpc.peer.silence()


def half(rpc: Rpc) -> None:
    """Say half of an answer, and FIN."""
    rpc.bind()
    request = rpc.event()
    assert isinstance(request, Request)
    said = rpc.wire.send(Response(request.call_id, 0, answer(request)))
    rpc.peer.say(said[: len(said) // 2])
    rpc.peer.finish()


def bound(then: Callable[[Rpc], None]) -> Callable[[Rpc], None]:
    """Take the bind and a call, and go on."""

    def behave(rpc: Rpc) -> None:
        rpc.bind()
        rpc.event()
        then(rpc)

    return behave


FAILURES: dict[str, tuple[Callable[[Rpc], None], str, str, str]] = {
    "reset": (lambda rpc: rpc.peer.reset(), "bind", "bind.reset", "0x800706BF"),
    "closed": (lambda rpc: rpc.peer.finish(), "bind", "bind.closed", "0x800706BF"),
    "silent": (silent, "bind", "bind.timeout", "0x8007071A"),
    "http": (lambda rpc: rpc.peer.say(b"HTTP/1.1 400 X\r\n\r\n"), "bind", "bind.malformed",
             "0x800706C0"),
    "nak": (lambda rpc: rpc.nak(1), "bind", "bind.rejected", "0x800706BB"),
    "call-reset": (bound(lambda rpc: rpc.peer.reset()), "alive", "wait.reset", "0x800706BE"),
    "call-closed": (bound(lambda rpc: rpc.peer.finish()), "alive", "wait.closed", "0x800706BE"),
    "call-silent": (bound(silent), "alive", "wait.timeout", "0x8007071A"),
    "half": (half, "alive", "receive.closed", "0x800706BE"),
    "fault": (lambda rpc: serve(rpc, faults={0: 0x1C010014}), "alive", "rpc.0x1c010014",
              "0x800706BB"),
}  # fmt: skip


@pytest.mark.parametrize("name", FAILURES)
def test_what_fails(name: str) -> None:
    """Each failure has its layer, its outcome, what Windows shows for it, and a meaning."""
    behave, layer, outcome, hresult = FAILURES[name]
    report = probed(behave, IMPATIENT if "silent" in name else None)
    failed = report.layers[-1]
    assert (failed.layer, failed.outcome) == (layer, outcome)
    assert failed.seen["Windows"].startswith(f"{hresult} ")
    assert failed.means


def test_nobody_listens() -> None:
    """A closed port is told as Windows tells it."""
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        report = probe(f"rpc://127.0.0.1:{nobody.getsockname()[1]}", Options())
    failed = report.layers[-1]
    assert (failed.layer, failed.outcome) == ("tcp", "connect.refused")
    assert failed.seen["Windows"] == "0x800706BA The RPC server is unavailable."


def test_a_path() -> None:
    """There is nothing that a path could ask for."""
    with pytest.raises(UsageError, match="--path /x: an rpc:// target has none"):
        probe("rpc://127.0.0.1", Options(path="/x"))


def test_http_fails_without_windows_words() -> None:
    """Only an rpc:// probe tells what an RPC client would report."""
    with Misbehaving(Peer.reset) as server:
        report = probe(f"http://127.0.0.1:{server.port}", Options())
    assert "Windows" not in report.layers[-1].seen
