"""IObjectExporter: where an object exporter is, who still wants which objects, who is alive."""

from typing import Final

from vaultstorm_server import clock
from vaultstorm_server.rpcss.bindings import AUTHN_HINT, bindings
from vaultstorm_server.rpcss.exporters import Exporters
from vaultstorm_server.rpcss.interfaces import Answer, Call, Interface, Operation
from vaultstorm_server.rpcss.ping_sets import ERROR_SUCCESS, OR_INVALID_OXID, PingSets
from vaultstorm_wire.dcerpc import object_exporter as wire
from vaultstorm_wire.dcerpc.objref import NULL_GUID
from vaultstorm_wire.dcerpc.orpc import COMVERSION

BACKOFF: Final = 0
"""PingBackoffFactor: ping as often as is specified (MS-DCOM 3.1.2.5.1.3)."""


class Resolver:
    """The object resolver's own interface (MS-DCOM 3.1.2.5.1).

    Args:
        exporters: that OXIDs are of.
        pings: the ping sets.
        port: the resolver's own.
    """

    def __init__(self, exporters: Exporters, pings: PingSets, port: int) -> None:
        self._exporters = exporters
        self._pings = pings
        self._port = port

    def interface(self) -> Interface:
        """Give what is to be registered."""
        return Interface(
            wire.IOBJECT_EXPORTER,
            "IObjectExporter",
            {
                wire.RESOLVE_OXID: Operation("ResolveOxid", self.resolve_oxid),
                wire.SIMPLE_PING: Operation("SimplePing", self.simple_ping),
                wire.COMPLEX_PING: Operation("ComplexPing", self.complex_ping),
                wire.SERVER_ALIVE: Operation("ServerAlive", self.server_alive),
                wire.RESOLVE_OXID2: Operation("ResolveOxid2", self.resolve_oxid2),
                wire.SERVER_ALIVE2: Operation("ServerAlive2", self.server_alive2),
            },
        )

    def resolve_oxid(self, call: Call) -> Answer:
        """Give an exporter's bindings, whatever protocol sequences are asked for: it has one."""
        asked = wire.ResolveOxidIn.decode(call.stub, call.little)
        found = self._exporters.by_oxid(asked.oxid)
        if found is None:
            out = wire.ResolveOxidOut(None, NULL_GUID, 0, OR_INVALID_OXID)
        else:
            where = bindings(call.caller.local_host, found.port)
            out = wire.ResolveOxidOut(where, found.ipid_rem_unknown, AUTHN_HINT, ERROR_SUCCESS)
        return Answer(out.encode(), out.status)

    def resolve_oxid2(self, call: Call) -> Answer:
        """Give an exporter's bindings and its COM version."""
        asked = wire.ResolveOxid2In.decode(call.stub, call.little)
        found = self._exporters.by_oxid(asked.oxid)
        if found is None:
            out = wire.ResolveOxid2Out(None, NULL_GUID, 0, COMVERSION, OR_INVALID_OXID)
        else:
            where = bindings(call.caller.local_host, found.port)
            out = wire.ResolveOxid2Out(
                where, found.ipid_rem_unknown, AUTHN_HINT, COMVERSION, ERROR_SUCCESS
            )
        return Answer(out.encode(), out.status)

    def simple_ping(self, call: Call) -> Answer:
        """Keep a ping set alive."""
        asked = wire.SimplePingIn.decode(call.stub, call.little)
        status = self._pings.simple_ping(asked.setid, clock.now())
        return Answer(wire.SimplePingOut(status).encode(), status)

    def complex_ping(self, call: Call) -> Answer:
        """Make or change a ping set."""
        asked = wire.ComplexPingIn.decode(call.stub, call.little)
        setid, status = self._pings.complex_ping(
            asked.setid, asked.sequence, asked.add, asked.delete, clock.now()
        )
        return Answer(wire.ComplexPingOut(setid, BACKOFF, status).encode(), status)

    def server_alive(self, call: Call) -> Answer:
        """Say so."""
        wire.ServerAliveIn.decode(call.stub, call.little)
        return Answer(wire.ServerAliveOut(ERROR_SUCCESS).encode())

    def server_alive2(self, call: Call) -> Answer:
        """Say so, with the version of COM and the resolver's bindings."""
        wire.ServerAlive2In.decode(call.stub, call.little)
        where = bindings(call.caller.local_host, self._port)
        return Answer(wire.ServerAlive2Out(COMVERSION, where, ERROR_SUCCESS).encode())
