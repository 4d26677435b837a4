"""The endpoint mapper: at which port an interface is served (C706, appendix O).

The resolver's own interfaces are in the map, though a Server 2003 leaves them out (MS-DCOM, note
2): whoever asks for them gets the answer he knows already.
"""

from collections.abc import Callable, Iterator
from typing import Final

from vaultstorm_server.rpcss.exporters import Exporters
from vaultstorm_server.rpcss.interfaces import Answer, Call, Faulted, Interface, Operation
from vaultstorm_wire.dcerpc import epm as wire
from vaultstorm_wire.dcerpc.demonstration import IDEMONSTRATION
from vaultstorm_wire.dcerpc.epm import Entry, Tower
from vaultstorm_wire.dcerpc.status import NCA_S_FAULT_CONTEXT_MISMATCH
from vaultstorm_wire.dcerpc.syntax import NDR, NIL, Syntax

# Opnums that change the map, which only the machine's own servers may, and one that names it.
_EPT_INSERT, _EPT_DELETE, _EPT_INQ_OBJECT, _EPT_MGMT_DELETE = 0, 1, 5, 6

HANDLES_MAX: Final = 16
"""Lookups of one client that may have begun and not ended."""

Matches = Callable[[Syntax, Syntax], bool]

VERSIONS: Final[dict[int, Matches]] = {
    wire.VERS_ALL: lambda had, asked: True,
    wire.VERS_COMPATIBLE: lambda had, asked: had.major == asked.major and had.minor >= asked.minor,
    wire.VERS_EXACT: lambda had, asked: had[1:] == asked[1:],
    wire.VERS_MAJOR_ONLY: lambda had, asked: had.major == asked.major,
    wire.VERS_UPTO: lambda had, asked: had[1:] <= asked[1:],
}
"""What an interface that is registered is to one that is asked for (rpc_c_vers_*)."""


class EndpointMapper:
    """Answers from what is registered at the moment of the first question.

    Args:
        resolver: the interfaces of its own port.
        exporters: the others.
        port: the resolver's own.
        draw: gives random bytes.
    """

    def __init__(
        self,
        resolver: tuple[Interface, ...],
        exporters: Exporters,
        port: int,
        draw: Callable[[int], bytes],
    ) -> None:
        self._resolver = resolver
        self._exporters = exporters
        self._port = port
        self._draw = draw
        self._object = draw(16)

    def interface(self) -> Interface:
        """Give what is to be registered."""
        return Interface(
            wire.EPM,
            "epm",
            {
                _EPT_INSERT: Operation("ept_insert", self.ept_change),
                _EPT_DELETE: Operation("ept_delete", self.ept_change),
                wire.EPT_LOOKUP: Operation("ept_lookup", self.ept_lookup),
                wire.EPT_MAP: Operation("ept_map", self.ept_map),
                wire.EPT_LOOKUP_HANDLE_FREE: Operation(
                    "ept_lookup_handle_free", self.ept_lookup_handle_free
                ),
                _EPT_INQ_OBJECT: Operation("ept_inq_object", self.ept_inq_object),
                _EPT_MGMT_DELETE: Operation("ept_mgmt_delete", self.ept_change),
            },
        )

    def entries(self, address: str) -> Iterator[Entry]:
        """Give the whole map, for a client that has reached us at `address`."""
        if ":" in address:  # a floor of IP has four octets: whoever asked knows the address
            address = "0.0.0.0"
        for each in self._resolver:
            yield Entry(NIL, Tower.tcp(each.syntax, self._port, address), "DCOM resolver")
        for exporter in self._exporters:
            yield Entry(
                exporter.application.clsid,
                Tower.tcp(IDEMONSTRATION, exporter.port, address),
                f"application {exporter.application.name}",
            )

    def ept_lookup(self, call: Call) -> Answer:
        """List the map, or those of it that fit, as many at a time as the client can take."""
        asked = wire.EptLookupIn.decode(call.stub, call.little)
        if asked.handle == wire.NULL_HANDLE:
            fits = _filter(asked)
            found = [entry for entry in self.entries(call.caller.local_host) if fits(entry)]
        else:
            found = _resume(call, asked.handle)
        some, rest = found[: asked.max_entries], found[asked.max_entries :]
        handle = self._suspend(call, rest) if rest and some else wire.NULL_HANDLE
        status = 0 if some else wire.EPT_S_NOT_REGISTERED
        out = wire.EptLookupOut(handle, tuple(some), status, asked.max_entries)
        return Answer(out.encode(), status)

    def ept_map(self, call: Call) -> Answer:
        """Complete a tower: which port serves this interface in this transfer syntax over TCP."""
        asked = wire.EptMapIn.decode(call.stub, call.little)
        if asked.handle != wire.NULL_HANDLE:
            raise Faulted(NCA_S_FAULT_CONTEXT_MISMATCH)  # every answer is whole: none was given
        towers: tuple[Tower, ...] = ()
        tower = asked.tower
        # The port and the address in the client's tower are blanks for us to fill in. Without a
        # floor for a port it is not one of ncacn_ip_tcp.
        if tower is not None and tower.port is not None and tower.transfer == NDR:
            towers = tuple(self._mapped(tower.interface, asked.object, call))
        status = 0 if towers else wire.EPT_S_NOT_REGISTERED
        out = wire.EptMapOut(wire.NULL_HANDLE, towers[: asked.max_towers], status, asked.max_towers)
        return Answer(out.encode(), status)

    def ept_lookup_handle_free(self, call: Call) -> Answer:
        """Forget a lookup that has not come to its end."""
        asked = wire.EptLookupHandleFreeIn.decode(call.stub, call.little)
        if asked.handle != wire.NULL_HANDLE:
            _resume(call, asked.handle)
        return Answer(wire.EptLookupHandleFreeOut(wire.NULL_HANDLE, 0).encode())

    def ept_inq_object(self, call: Call) -> Answer:
        """Give the mapper's own guid, which is another one after every start."""
        return Answer(self._object + _status(0))

    def ept_change(self, call: Call) -> Answer:
        """Refuse, whatever was to be put in or taken out."""
        return Answer(_status(wire.EPT_S_CANT_PERFORM_OP), wire.EPT_S_CANT_PERFORM_OP)

    def _mapped(self, asked: Syntax | None, object: bytes | None, call: Call) -> Iterator[Tower]:
        if asked is None:
            return
        compatible = VERSIONS[wire.VERS_COMPATIBLE]
        for entry in self.entries(call.caller.local_host):
            had = entry.tower.interface if entry.tower is not None else None
            if had is None or had.guid != asked.guid or not compatible(had, asked):
                continue
            if object in (None, NIL) or entry.object in (NIL, object):
                assert entry.tower is not None
                yield entry.tower

    def _suspend(self, call: Call, rest: list[Entry]) -> bytes:
        handles = call.caller.handles
        if len(handles) >= HANDLES_MAX:
            handles.pop(next(iter(handles)))
        handle = bytes(4) + self._draw(16)
        handles[handle] = rest
        return handle


def _resume(call: Call, handle: bytes) -> list[Entry]:
    """Give what is left of a lookup, and forget it."""
    rest = call.caller.handles.pop(handle, None)
    if not isinstance(rest, list):
        raise Faulted(NCA_S_FAULT_CONTEXT_MISMATCH)
    return rest


def _status(status: int) -> bytes:
    return status.to_bytes(4, "little")


def _filter(asked: wire.EptLookupIn) -> Callable[[Entry], bool]:
    kind = asked.inquiry_type
    of_interface = kind in (wire.INQUIRE_BY_INTERFACE, wire.INQUIRE_BY_BOTH)
    of_object = kind in (wire.INQUIRE_BY_OBJECT, wire.INQUIRE_BY_BOTH)
    matches = VERSIONS.get(asked.version_option, VERSIONS[wire.VERS_ALL])
    wanted = asked.interface

    def fits(entry: Entry) -> bool:
        if of_object and asked.object is not None and entry.object != asked.object:
            return False
        if not of_interface or wanted is None:
            return True
        had = entry.tower.interface if entry.tower is not None else None
        return had is not None and had.guid == wanted.guid and matches(had, wanted)

    return fits
