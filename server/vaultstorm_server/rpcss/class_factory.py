"""IClassFactory of the class objects: what RemoteGetClassObject is asked for."""

from typing import Final

from vaultstorm_server import clock
from vaultstorm_server.rpcss import orpc
from vaultstorm_server.rpcss.bindings import bindings
from vaultstorm_server.rpcss.interfaces import Answer, Call, Interface, Operation
from vaultstorm_server.rpcss.objects import ObjectTable
from vaultstorm_server.rpcss.references import INSTANCE, marshalled
from vaultstorm_wire.dcerpc import class_factory as wire
from vaultstorm_wire.dcerpc.hresult import E_NOINTERFACE, E_OUTOFMEMORY, S_OK
from vaultstorm_wire.dcerpc.orpc import OrpcThat
from vaultstorm_wire.dcerpc.rem_unknown import IID_ICLASSFACTORY
from vaultstorm_wire.dcerpc.syntax import guid_text

_THAT: Final = OrpcThat()


class ClassFactory:
    """Makes objects in an exporter that runs, without the resolver.

    Args:
        objects: where they are made.
        oxid: of the exporter.
        resolver_port: for the references that are given.
    """

    def __init__(self, objects: ObjectTable, oxid: int, resolver_port: int) -> None:
        self._objects = objects
        self._oxid = oxid
        self._resolver_port = resolver_port

    def interface(self) -> Interface:
        """Give what is to be registered."""
        return Interface(
            wire.ICLASS_FACTORY,
            "IClassFactory",
            {
                wire.CREATE_INSTANCE: Operation("CreateInstance", self.create_instance),
                wire.LOCK_SERVER: Operation("LockServer", self.lock_server),
            },
            causal=True,
            limited=True,
        )

    def create_instance(self, call: Call) -> Answer:
        """Make an object of the class object's class (opnum 3)."""
        target = orpc.target(self._objects, self._oxid, call, IID_ICLASSFACTORY)
        asked = wire.CreateInstanceIn.decode(call.stub, call.little)
        orpc.check(asked.orpcthis)
        if asked.iid not in INSTANCE:
            return _refused(E_NOINTERFACE)
        clsid = target.object.clsid
        made = self._objects.make(self._oxid, clsid, INSTANCE, clock.now())
        if made is None:
            return _refused(E_OUTOFMEMORY)
        resolver = bindings(call.caller.local_host, self._resolver_port)
        reference = marshalled(self._objects, made, asked.iid, resolver)
        out = wire.CreateInstanceOut(_THAT, reference, S_OK)
        return Answer(out.encode(), S_OK, guid_text(clsid))

    def lock_server(self, call: Call) -> Answer:
        """Say yes: an application here runs as long as the computer does (opnum 4)."""
        orpc.target(self._objects, self._oxid, call, IID_ICLASSFACTORY)
        orpc.check(wire.LockServerIn.decode(call.stub, call.little).orpcthis)
        return Answer(wire.LockServerOut(_THAT, S_OK).encode())


def _refused(hresult: int) -> Answer:
    return Answer(wire.CreateInstanceOut(_THAT, None, hresult).encode(), hresult)
