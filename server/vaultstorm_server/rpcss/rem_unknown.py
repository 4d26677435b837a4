"""IRemUnknown and IRemUnknown2: references to the interfaces of objects (MS-DCOM 3.1.1.5.6)."""

from vaultstorm_server import clock
from vaultstorm_server.rpcss import orpc
from vaultstorm_server.rpcss.bindings import bindings
from vaultstorm_server.rpcss.interfaces import Answer, Call, Faulted, Interface, Operation
from vaultstorm_server.rpcss.objects import Object, ObjectTable
from vaultstorm_server.rpcss.references import marshalled, standard
from vaultstorm_wire.dcerpc import rem_unknown as wire
from vaultstorm_wire.dcerpc.hresult import (
    CO_E_OBJNOTREG,
    E_INVALIDARG,
    E_NOINTERFACE,
    RPC_E_DISCONNECTED,
    RPC_E_INVALID_OBJECT,
    S_FALSE,
    S_OK,
)
from vaultstorm_wire.dcerpc.objref import NULL_GUID, DualStringArray, ObjRef, StdObjRef
from vaultstorm_wire.dcerpc.orpc import OrpcThat, OrpcThis

_THAT = OrpcThat()
_NOTHING = StdObjRef(0, 0, 0, 0, NULL_GUID)


class RemUnknown:
    """The one object of an exporter that nobody has to make.

    It has one IPID for both interfaces, which is never counted and never pinged.

    Args:
        objects: of all exporters.
        oxid: of its exporter.
        ipid: its own.
        resolver_port: for the references that it gives.
    """

    def __init__(self, objects: ObjectTable, oxid: int, ipid: bytes, resolver_port: int) -> None:
        self._objects = objects
        self._oxid = oxid
        self._ipid = ipid
        self._resolver_port = resolver_port

    def interfaces(self) -> tuple[Interface, Interface]:
        """Give what is to be registered; the second interface has all that the first has."""
        operations = {
            wire.REM_QUERY_INTERFACE: Operation("RemQueryInterface", self.rem_query_interface),
            wire.REM_ADD_REF: Operation("RemAddRef", self.rem_add_ref),
            wire.REM_RELEASE: Operation("RemRelease", self.rem_release),
        }
        more = {
            **operations,
            wire.REM_QUERY_INTERFACE2: Operation("RemQueryInterface2", self.rem_query_interface2),
        }
        return (
            Interface(wire.IREM_UNKNOWN, "IRemUnknown", operations, causal=True, limited=True),
            Interface(wire.IREM_UNKNOWN2, "IRemUnknown2", more, causal=True, limited=True),
        )

    def rem_query_interface(self, call: Call) -> Answer:
        """Give references to further interfaces of an object (opnum 3)."""
        self._see_target(call)
        asked = wire.RemQueryInterfaceIn.decode(call.stub, call.little)
        found = self._queried(asked.orpcthis, asked.ipid)
        if found is None or not asked.iids:
            hresult = E_INVALIDARG if found is not None else RPC_E_INVALID_OBJECT
            return Answer(wire.RemQueryInterfaceOut(_THAT, None, hresult).encode(), hresult)
        results = tuple(self._query(found, iid, asked.refs) for iid in asked.iids)
        hresult = _overall([result.hresult for result in results])
        return Answer(wire.RemQueryInterfaceOut(_THAT, results, hresult).encode(), hresult)

    def rem_query_interface2(self, call: Call) -> Answer:
        """Give them as object references (opnum 6)."""
        self._see_target(call)
        asked = wire.RemQueryInterface2In.decode(call.stub, call.little)
        found = self._queried(asked.orpcthis, asked.ipid)
        if found is None or not asked.iids:
            hresult = E_INVALIDARG if found is not None else RPC_E_INVALID_OBJECT
            nothing = ((hresult, None),) * len(asked.iids)
            return Answer(wire.RemQueryInterface2Out(_THAT, nothing, hresult).encode(), hresult)
        resolver = bindings(call.caller.local_host, self._resolver_port)
        references = [self._refer(found, iid, resolver) for iid in asked.iids]
        hresult = _overall([status for status, _ in references])
        out = wire.RemQueryInterface2Out(_THAT, tuple(references), hresult)
        return Answer(out.encode(), hresult)

    def rem_add_ref(self, call: Call) -> Answer:
        """Add references to interfaces (opnum 4)."""
        self._see_target(call)
        asked = wire.RemAddRefIn.decode(call.stub, call.little)
        orpc.check(asked.orpcthis)
        results = []
        for reference in asked.refs:
            found = self._objects.find(reference.ipid)
            if found is None or found.object.oxid != self._oxid:
                results.append(CO_E_OBJNOTREG)
                continue
            found.public += reference.public_refs
            found.private += reference.private_refs
            results.append(S_OK)
        return Answer(wire.RemAddRefOut(_THAT, tuple(results), S_OK).encode())

    def rem_release(self, call: Call) -> Answer:
        """Take references back; unknown ones have gone already (opnum 5)."""
        self._see_target(call)
        asked = wire.RemReleaseIn.decode(call.stub, call.little)
        orpc.check(asked.orpcthis)
        for reference in asked.refs:
            found = self._objects.find(reference.ipid)
            if found is not None and found.object.oxid == self._oxid:
                self._objects.release(found, reference.public_refs, reference.private_refs)
        return Answer(wire.RemReleaseOut(_THAT, S_OK).encode())

    def _see_target(self, call: Call) -> None:
        if call.object != self._ipid:
            raise Faulted(RPC_E_DISCONNECTED)

    def _queried(self, orpcthis: OrpcThis, ipid: bytes) -> Object | None:
        """Give the object that one of its interfaces stands for, and note that it is used."""
        orpc.check(orpcthis)
        found = self._objects.find(ipid)
        if found is None or found.object.oxid != self._oxid:
            return None
        found.object.used = clock.now()
        return found.object

    def _query(self, object: Object, iid: bytes, references: int) -> wire.RemQiResult:
        std = standard(self._objects, object, iid, references)
        if std is None:
            return wire.RemQiResult(E_NOINTERFACE, _NOTHING)
        return wire.RemQiResult(S_OK, std)

    def _refer(
        self, object: Object, iid: bytes, resolver: DualStringArray
    ) -> tuple[int, ObjRef | None]:
        reference = marshalled(self._objects, object, iid, resolver)
        return (S_OK if reference is not None else E_NOINTERFACE), reference


def _overall(hresults: list[int]) -> int:
    """Give the HRESULT of a query: S_FALSE if only some of it went well."""
    failed = sum(hresult != S_OK for hresult in hresults)
    if not failed:
        return S_OK
    return E_NOINTERFACE if failed == len(hresults) else S_FALSE
