"""Every ending of an RPC on real sockets, with the code and the message Windows has for it."""

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.client.harness import HOST, Fired, fire
from tests.client.rpc.fake_rpc import ACCEPTED, Behaviour, FakeRpc, Rpc
from vaultstorm_client.tally import Counts
from vaultstorm_wire.dcerpc import status as fault
from vaultstorm_wire.dcerpc.events import Bind, BindAck, ContextAnswer
from vaultstorm_wire.dcerpc.objref import StringBinding
from vaultstorm_wire.dcerpc.status import ContextResult, NakReason, ProviderReason
from vaultstorm_wire.dcerpc.syntax import NO_SYNTAX
from vaultstorm_wire.outcome import hresult_of, may_have_executed, message_of

HTTP = b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"
UNBOUND: dict[str, Any] = {"bind_timeout": 0.2}
UNANSWERED: dict[str, Any] = {"response_timeout": 0.2}
HALF_ANSWERED: dict[str, Any] = {"response_timeout": 1.0}
"""Time enough for a busy server to say half of it."""
UNAVAILABLE = "The RPC server is unavailable."
FAILED = "The remote procedure call failed."
DNE = "The remote procedure call failed and did not execute."
BUSY = "The RPC server is too busy to complete this operation."
PROTOCOL = "A remote procedure call (RPC) protocol error occurred."
CANCELLED = "The remote procedure call was cancelled."
UNKNOWN_IF = "The interface is unknown."


class Case(NamedTuple):
    """What a server does to a connection, and what a client makes of it."""

    behave: Behaviour
    outcome: str
    hresult: str
    message: str
    executed: bool = False
    options: dict[str, Any] = {}  # noqa: RUF012 - never written to


def reset_at_once(rpc: Rpc) -> None:
    """Turn the connection away as AFD does with SynAttackProtect: handshake, then RST."""
    rpc.peer.reset()


def reset_after_the_bind(rpc: Rpc) -> None:
    """Reset it with the bind read."""
    rpc.event()
    rpc.peer.reset()


def close_at_once(rpc: Rpc) -> None:
    """Close it without a word."""
    rpc.peer.finish()


def be_silent(rpc: Rpc) -> None:
    """Never answer the bind."""
    rpc.peer.silence()


def speak_http(rpc: Rpc) -> None:
    """Answer the bind with something else."""
    rpc.event()
    rpc.peer.say(HTTP)
    rpc.peer.silence()


def nak(reason: int) -> Behaviour:
    """Refuse the bind."""

    def behave(rpc: Rpc) -> None:
        rpc.nak(reason)
        rpc.peer.silence()

    return behave


def reject(result: ContextResult, reason: int = 0) -> Behaviour:
    """Answer the bind, and reject its context."""

    def behave(rpc: Rpc) -> None:
        rpc.bind(ContextAnswer(result, reason, NO_SYNTAX))
        rpc.peer.silence()

    return behave


def asked(then: Behaviour, share: float = 0.0) -> Behaviour:
    """Take a bind and a call, answer a share of it, and go on with `then`."""

    def behave(rpc: Rpc) -> None:
        rpc.bind()
        request = rpc.request()
        assert request is not None
        data = rpc.answer(request)
        rpc.peer.say(data[: int(len(data) * share)])
        then(rpc)

    return behave


def garbage(rpc: Rpc) -> None:
    """Say something that is not DCE/RPC."""
    rpc.peer.say(HTTP)
    rpc.peer.silence()


def faulting(status: int, did_not_execute: bool = False) -> Behaviour:
    """Answer every call with a fault."""
    return lambda rpc: rpc.fault(status, did_not_execute)


CASES: dict[str, Case] = {
    "reset-at-once": Case(reset_at_once, "bind.reset", "0x800706BF", DNE),
    "reset-after-bind": Case(reset_after_the_bind, "bind.reset", "0x800706BF", DNE),
    "closed-at-once": Case(close_at_once, "bind.closed", "0x800706BF", DNE),
    "bind-timeout": Case(be_silent, "bind.timeout", "0x8007071A", CANCELLED, False, UNBOUND),
    "bind-malformed": Case(speak_http, "bind.malformed", "0x800706C0", PROTOCOL),
    "nak-0": Case(nak(NakReason.NOT_SPECIFIED), "bind.rejected", "0x800706BF", DNE),
    "nak-1": Case(nak(NakReason.TEMPORARY_CONGESTION), "bind.rejected", "0x800706BB", BUSY),
    "nak-2": Case(nak(NakReason.LOCAL_LIMIT_EXCEEDED), "bind.rejected", "0x800706BB", BUSY),
    "nak-4": Case(
        nak(NakReason.PROTOCOL_VERSION_NOT_SUPPORTED), "bind.rejected", "0x800706C0", PROTOCOL
    ),
    "nak-8": Case(
        nak(NakReason.AUTHENTICATION_TYPE_NOT_RECOGNIZED),
        "bind.rejected",
        "0x800706D3",
        "The authentication service is unknown.",
    ),
    "nak-9": Case(
        nak(NakReason.INVALID_CHECKSUM), "bind.rejected", "0x80070005", "Access is denied."
    ),
    "ack-user": Case(reject(ContextResult.USER), "bind.rejected", "0x800706BF", DNE),
    "ack-provider-0": Case(
        reject(ContextResult.PROVIDER, ProviderReason.NOT_SPECIFIED),
        "bind.rejected",
        "0x800706BF",
        DNE,
    ),
    "ack-provider-1": Case(
        reject(ContextResult.PROVIDER, ProviderReason.ABSTRACT_SYNTAX),
        "bind.rejected",
        "0x800706B5",
        UNKNOWN_IF,
    ),
    "ack-provider-2": Case(
        reject(ContextResult.PROVIDER, ProviderReason.TRANSFER_SYNTAXES),
        "bind.rejected",
        "0x800706C2",
        "The transfer syntax is not supported by the RPC server.",
    ),
    "ack-provider-3": Case(
        reject(ContextResult.PROVIDER, ProviderReason.LOCAL_LIMIT_EXCEEDED),
        "bind.rejected",
        "0x800706BB",
        BUSY,
    ),
    "reset-asked": Case(asked(reset_at_once), "wait.reset", "0x800706BE", FAILED, True),
    "closed-asked": Case(asked(close_at_once), "wait.closed", "0x800706BE", FAILED, True),
    "wait-timeout": Case(
        asked(be_silent), "wait.timeout", "0x8007071A", CANCELLED, True, UNANSWERED
    ),
    "reset-half": Case(asked(reset_at_once, 0.5), "receive.reset", "0x800706BE", FAILED, True),
    "closed-half": Case(asked(close_at_once, 0.5), "receive.closed", "0x800706BE", FAILED, True),
    "receive-timeout": Case(
        asked(be_silent, 0.5), "receive.timeout", "0x800706BE", FAILED, True, HALF_ANSWERED
    ),
    "receive-malformed": Case(asked(garbage), "receive.malformed", "0x800706C0", PROTOCOL, True),
    "too-busy": Case(
        faulting(fault.NCA_SERVER_TOO_BUSY, True), "rpc.0x1c010014", "0x800706BB", BUSY
    ),
    "unknown-interface": Case(
        faulting(fault.NCA_UNK_IF, True), "rpc.0x1c010003", "0x800706B5", UNKNOWN_IF
    ),
    "opnum": Case(
        faulting(fault.NCA_OP_RNG_ERROR, True),
        "rpc.0x1c010002",
        "0x800706D1",
        "The procedure number is out of range.",
    ),
    "protocol-error": Case(
        faulting(fault.NCA_PROTO_ERROR), "rpc.0x1c01000b", "0x800706C0", PROTOCOL, True
    ),
    "out-args": Case(
        faulting(fault.NCA_OUT_ARGS_TOO_BIG),
        "rpc.0x1c010013",
        "0x8007046A",
        "Not enough server storage is available to process this command.",
        True,
    ),
    "unspecified-reject": Case(
        faulting(fault.NCA_UNSPEC_REJECT), "rpc.0x1c000009", "0x800706BE", FAILED, True
    ),
    "bad-activity": Case(
        faulting(fault.NCA_S_BAD_ACTID, True), "rpc.0x1c00000a", "0x800706BF", DNE
    ),
    "manager-not-entered": Case(
        faulting(fault.NCA_MANAGER_NOT_ENTERED, True), "rpc.0x1c00000c", "0x800706BF", DNE
    ),
    "cancelled": Case(
        faulting(fault.NCA_S_FAULT_CANCEL), "rpc.0x1c00000d", "0x8007071A", CANCELLED, True
    ),
    "unspecified-fault": Case(
        faulting(fault.NCA_S_FAULT_UNSPEC), "rpc.0x1c000012", "0x800706BE", FAILED, True
    ),
    "context-mismatch": Case(
        faulting(fault.NCA_S_FAULT_CONTEXT_MISMATCH),
        "rpc.0x1c00001a",
        "0x80070006",
        "The handle is invalid.",
        True,
    ),
    "bad-context": Case(
        faulting(fault.NCA_INVALID_PRES_CONTEXT_ID, True), "rpc.0x1c00001c", "0x800706C0", PROTOCOL
    ),
    "comm-failure": Case(
        faulting(fault.NCA_S_COMM_FAILURE),
        "rpc.0x1c010001",
        "0x8007071C",
        "The server was unable to communicate with the client.",
        True,
    ),
    "not-registered": Case(
        faulting(1753),
        "rpc.0x000006d9",
        "0x800706D9",
        "There are no more endpoints available from the endpoint mapper.",
        True,
    ),
    "access-denied": Case(
        faulting(fault.ERROR_ACCESS_DENIED),
        "rpc.0x00000005",
        "0x80070005",
        "Access is denied.",
        True,
    ),
    "bad-stub": Case(
        faulting(fault.RPC_X_BAD_STUB_DATA),
        "rpc.0x000006f7",
        "0x800706F7",
        "The stub received bad data.",
        True,
    ),
    "cannot-perform": Case(
        faulting(fault.RPC_S_CANNOT_PERFORM),
        "rpc.0x000006d8",
        "0x800706D8",
        "The server endpoint cannot perform the operation.",
        True,
    ),
}


AT_EITHER_PORT = [
    *(("activation", name) for name in CASES),
    # A limit that ends a call in good time may end a good activation on a busy machine.
    *(("call", name) for name, case in CASES.items() if not case.options),
]


def check(fired: Fired, operation: str, case: Case, outcomes: set[str] | None = None) -> None:
    """Check what is told of an operation that always failed, and where it did."""
    ours = fired.result["rpc"][operation]
    assert ours["attempts"] == fired.plan.clients
    assert set(ours["outcomes"]) <= (outcomes or {case.outcome})
    assert ours["errors"] == fired.result["rpc_errors"] == {case.hresult: ours["attempts"]}
    assert message_of(case.hresult) == case.message
    for record in fired.records:
        if record.operation == operation:
            assert hresult_of(record.outcome, record.win32) == case.hresult
            assert (record.win32 is None) == (record.outcome != "bind.rejected")
            assert may_have_executed(record.outcome) == case.executed


@pytest.mark.parametrize("operation, name", AT_EITHER_PORT)
def test_each_ending(tmp_path: Path, name: str, operation: str) -> None:
    """At either port, each ending has the outcome, the code and the message Windows has for it."""
    case = CASES[name]
    where = "resolver" if operation == "activation" else "exporter"
    with FakeRpc(**{where: case.behave}) as server:  # type: ignore[arg-type]
        fired = fire(server.resolver.port, tmp_path, "rpc", clients=2, **case.options)
    # A RST behind half of an answer may overtake it.
    both = {"receive.reset", "wait.reset"} if name == "reset-half" else None
    check(fired, operation, case, both)


@contextlib.contextmanager
def refusing() -> Iterator[int]:
    """Give a port that refuses: it is bound, and nobody listens."""
    with socket.socket() as bound:
        bound.bind((HOST, 0))
        yield bound.getsockname()[1]


@contextlib.contextmanager
def deaf() -> Iterator[int]:
    """Give a port whose accept queue is full, so that the kernel drops every SYN."""
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.create_server((HOST, 0), backlog=0))
        port = listener.getsockname()[1]
        stack.enter_context(socket.create_connection((HOST, port)))
        yield port


@pytest.mark.parametrize("operation", ["activation", "call"])
@pytest.mark.parametrize(
    "nobody, outcome",
    [(refusing, "connect.refused"), (deaf, "connect.timeout")],
    ids=["refused", "timeout"],
)
def test_no_connection(
    tmp_path: Path,
    nobody: Callable[[], contextlib.AbstractContextManager[int]],
    outcome: str,
    operation: str,
) -> None:
    """Where there is no TCP connection to either port, the server is unavailable."""
    case = Case(close_at_once, outcome, "0x800706BA", UNAVAILABLE)
    options: dict[str, Any] = {"clients": 2}
    with nobody() as port:
        if operation == "activation":
            fired = fire(port, tmp_path, "rpc", **options, connect_timeout=0.2)
        else:
            bindings = (StringBinding(7, f"{HOST}[{port}]"),)
            with FakeRpc(bindings=bindings) as server:
                fired = fire(server.resolver.port, tmp_path, "rpc", **options, connect_timeout=0.5)
    check(fired, operation, case)


@pytest.mark.parametrize("end", ["reset", "closed"])
def test_ended_between_the_bind_and_the_call(tmp_path: Path, end: str) -> None:
    """A connection that ends behind the bind_ack is lost in the send: the call did not execute."""
    bound, gate, ended = threading.Event(), threading.Event(), threading.Event()

    def behave(rpc: Rpc) -> None:
        bind = rpc.event()
        assert isinstance(bind, Bind)
        bound.set()
        gate.wait(20)
        rpc.send(BindAck(bind.call_id, (ACCEPTED,), 1, 5840, 5840, "0"))
        if end == "closed":
            rpc.peer.sock.shutdown(socket.SHUT_WR)
        rpc.peer.reset()
        ended.set()

    def hold_the_loop(counts: Counts) -> None:
        del counts
        if bound.is_set():
            gate.set()
            ended.wait(20)  # on loopback, what was sent has then arrived

    with FakeRpc(resolver=behave) as server:
        fired = fire(server.resolver.port, tmp_path, "rpc", progress=hold_the_loop)
    check(fired, "activation", Case(behave, f"send.{end}", "0x800706BF", DNE))
