"""What a probe asks of an RPC server: a bind, whether the resolver is alive, what is served."""

import socket
from collections.abc import Callable, Iterable
from typing import Final, TypeVar

from vaultstorm_client.failure import Failed, failed
from vaultstorm_client.rpc.answers import faulted
from vaultstorm_client.rpc.meaning import NO_RESOLVER, meaning
from vaultstorm_client.rpc.rejection import rejection
from vaultstorm_client.rpc.shared import STUB_MAX
from vaultstorm_wire.dcerpc import epm, mgmt, object_exporter
from vaultstorm_wire.dcerpc.connection import Connection, RemoteProtocolError, Role
from vaultstorm_wire.dcerpc.demonstration import IDEMONSTRATION
from vaultstorm_wire.dcerpc.events import (
    NEED_DATA,
    Bind,
    BindAck,
    BindNak,
    Context,
    Event,
    Fault,
    Request,
    Response,
)
from vaultstorm_wire.dcerpc.ndr import NdrError
from vaultstorm_wire.dcerpc.rem_unknown import IREM_UNKNOWN, IREM_UNKNOWN2
from vaultstorm_wire.dcerpc.remote_activation import IACTIVATION
from vaultstorm_wire.dcerpc.scm_activator import ISYSTEM_ACTIVATOR
from vaultstorm_wire.dcerpc.status import NCA_OP_RNG_ERROR
from vaultstorm_wire.dcerpc.syntax import NDR, Syntax
from vaultstorm_wire.outcome import Ending, Phase, answered_rpc, lost

_NAMES: Final[dict[bytes, str]] = {
    object_exporter.IOBJECT_EXPORTER.guid: "IObjectExporter",
    IACTIVATION.guid: "IActivation",
    ISYSTEM_ACTIVATOR.guid: "ISystemActivator",
    IREM_UNKNOWN.guid: "IRemUnknown",
    IREM_UNKNOWN2.guid: "IRemUnknown2",
    IDEMONSTRATION.guid: "IVaultstormDemonstration",
    epm.EPM.guid: "the endpoint mapper",
    mgmt.MGMT.guid: "the management interface",
}
_PROTOCOLS: Final = {
    0x07: "ncacn_ip_tcp",
    0x08: "ncadg_ip_udp",
    0x0F: "ncacn_np",
    0x1F: "ncacn_http",
}
"""By tower id (MS-DCOM 2.2.19.3: C706 table I-2; MS-RPCE 2.1)."""
_RESOLVER, _MANAGEMENT, _MAPPER = range(3)
_CONTEXTS: Final = (object_exporter.IOBJECT_EXPORTER, mgmt.MGMT, epm.EPM)
_ENTRIES: Final = 100
_SHOWN: Final = 12
"""Interfaces that are named one by one."""
_Out = TypeVar("_Out")


class Talk:
    """Speaks to an RPC server, one question after the other.

    Each gives what was seen, and raises Failed where the connection ends, what comes is no answer,
    or the answer is no.

    Args:
        armed: gives the socket, with the time that is left.

    """

    def __init__(self, armed: Callable[[], socket.socket]) -> None:
        self._phase = Phase.BIND
        self._armed = armed
        self._wire = Connection(Role.CLIENT, max_stub=STUB_MAX)
        self._refused: dict[int, str] = {}
        self._calls = 1

    def bind(self) -> dict[str, str]:
        """Propose the three interfaces that a resolver has."""
        contexts = tuple(Context(nth, syntax, (NDR,)) for nth, syntax in enumerate(_CONTEXTS))
        said = self._exchange(Bind(self._calls, contexts))
        if not isinstance(said, BindAck | BindNak):
            raise self._malformed(f"{type(said).__name__} is no answer to a bind")
        outcome = lost(Phase.BIND, Ending.REJECTED)
        for nth, syntax in enumerate(_CONTEXTS):
            why = rejection(said, nth)
            if why is None:
                continue
            self._refused[nth] = why.detail
            if isinstance(said, BindNak):
                means = f"the server refuses every bind: {why.detail}"
                raise Failed(outcome, why.detail, means, why.win32)
            if nth == _RESOLVER:
                raise Failed(outcome, f"{_name(syntax)}: {why.detail}", NO_RESOLVER, why.win32)
        assert isinstance(said, BindAck)
        refused = {_name(_CONTEXTS[nth]): why for nth, why in self._refused.items()}
        return {"fragments": f"{said.max_xmit} and {said.max_recv} bytes", **refused}

    def alive(self) -> dict[str, str]:
        """Call ServerAlive2."""
        ask = object_exporter.ServerAlive2In().encode()
        response = self._call(_RESOLVER, object_exporter.SERVER_ALIVE2, ask)
        if isinstance(response, Fault):
            if response.status == NCA_OP_RNG_ERROR:  # MS-DCOM 3.2.4.1.1.1: an older server
                return {"COM version": "5.1 or older: it does not know ServerAlive2"}
            raise _no(response)
        out = _decoded(object_exporter.ServerAlive2Out.decode, response)
        if out.status:
            raise _status(out.status, "ServerAlive2")
        strings = () if out.bindings is None else out.bindings.strings
        return {
            "COM version": f"{out.version.major}.{out.version.minor}",
            "bindings": _listed(f"{_protocol(b.tower)}:{b.address}" for b in strings),
        }

    def lookup(self) -> dict[str, str]:
        """Ask what is served: the management interface, or else the endpoint mapper."""
        if _MANAGEMENT not in self._refused:
            response = self._call(_MANAGEMENT, mgmt.INQ_IF_IDS, mgmt.InqIfIdsIn().encode())
            if isinstance(response, Response):
                out = _decoded(mgmt.InqIfIdsOut.decode, response)
                if not out.status:
                    return {"interfaces": _listed(_name(syntax) for syntax in out.interfaces)}
        if _MAPPER in self._refused:
            why = self._refused.get(_MANAGEMENT, "it does not tell")
            raise Failed(lost(Phase.BIND, Ending.REJECTED), why, "the server does not say what "
                          "it serves; activations may work all the same")  # fmt: skip
        ask = epm.EptLookupIn(
            epm.INQUIRE_ALL, None, None, epm.VERS_ALL, epm.NULL_HANDLE, _ENTRIES
        ).encode()
        response = self._call(_MAPPER, epm.EPT_LOOKUP, ask)
        if isinstance(response, Fault):
            raise _no(response)
        found = _decoded(epm.EptLookupOut.decode, response)
        if found.status not in (0, epm.EPT_S_NOT_REGISTERED):
            raise _status(found.status, "ept_lookup")
        return {"endpoints": _listed(_endpoint(entry) for entry in found.entries)}

    def _call(self, context: int, opnum: int, stub: bytes) -> Response | Fault:
        self._phase = Phase.SEND
        self._calls += 1
        said = self._exchange(Request(self._calls, context, opnum, stub))
        if not isinstance(said, Response | Fault):
            raise self._malformed(f"{type(said).__name__} is no answer to a call")
        return said

    def _exchange(self, event: Bind | Request) -> Event:
        try:
            self._armed().sendall(self._wire.send(event))
            self._enter(Phase.WAIT)
            while (said := self._wire.next_event()) is NEED_DATA:
                data = self._armed().recv(65536)
                if not data:
                    raise Failed(lost(self._phase, Ending.CLOSED), "FIN")
                self._enter(Phase.RECEIVE)
                self._wire.receive_data(data)
        except OSError as error:
            raise failed(self._phase, error) from error
        except RemoteProtocolError as error:
            raise self._malformed(str(error)) from error
        return said

    def _enter(self, phase: Phase) -> None:
        """Go on to the next phase of a call; a bind has but one."""
        self._phase = self._phase if self._phase is Phase.BIND else phase

    def _malformed(self, detail: str) -> Failed:
        return Failed(lost(self._phase, Ending.MALFORMED), detail)


def _decoded(decode: Callable[[bytes, bool], _Out], response: Response) -> _Out:
    try:
        return decode(response.stub, response.little)
    except NdrError as error:
        raise Failed(lost(Phase.RECEIVE, Ending.MALFORMED), str(error)) from error


def _no(said: Fault) -> Failed:
    outcome = answered_rpc(said.status)
    return Failed(outcome, faulted(said).detail or "", meaning(outcome))


def _status(status: int, what: str) -> Failed:
    outcome = answered_rpc(status)
    return Failed(outcome, f"{what} gives 0x{status:08x}", meaning(outcome))


def _name(syntax: Syntax) -> str:
    return _NAMES.get(syntax.guid, str(syntax))


def _protocol(tower: int) -> str:
    return _PROTOCOLS.get(tower, f"tower {tower}")


def _endpoint(entry: epm.Entry) -> str:
    tower = entry.tower
    interface = None if tower is None else tower.interface
    if tower is None or interface is None:
        return entry.annotation or "a tower of another kind"
    return f"{_name(interface)} at port {tower.port}" if tower.port else _name(interface)


def _listed(names: Iterable[str]) -> str:
    known = list(dict.fromkeys(names))
    shown = ", ".join(known[:_SHOWN])
    return f"{shown} and {len(known) - _SHOWN} more" if len(known) > _SHOWN else shown or "none"
