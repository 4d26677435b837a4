"""Activation: an object is made, and its client told where it is (MS-DCOM 3.1.2.5.2)."""

from typing import Final, NamedTuple

from vaultstorm_server import clock
from vaultstorm_server.rpcss.bindings import AUTHN_HINT, bindings
from vaultstorm_server.rpcss.exporter import Exporter
from vaultstorm_server.rpcss.exporters import Exporters
from vaultstorm_server.rpcss.interfaces import Answer, Call, Interface, Operation
from vaultstorm_server.rpcss.objects import Object, ObjectTable
from vaultstorm_server.rpcss.orpc import is_compatible
from vaultstorm_server.rpcss.references import CLASS_OBJECT, INSTANCE, marshalled
from vaultstorm_wire.dcerpc import remote_activation, scm_activator
from vaultstorm_wire.dcerpc.hresult import (
    CO_E_SERVER_EXEC_FAILURE,
    CO_S_NOTALLINTERFACES,
    E_INVALIDARG,
    E_NOINTERFACE,
    E_NOTIMPL,
    E_OUTOFMEMORY,
    REGDB_E_CLASSNOTREG,
    RPC_E_VERSION_MISMATCH,
    S_OK,
    succeeded,
)
from vaultstorm_wire.dcerpc.objref import NULL_GUID, DualStringArray, ObjRef
from vaultstorm_wire.dcerpc.orpc import OrpcThat, OrpcThis
from vaultstorm_wire.dcerpc.syntax import guid_text

MODE_GET_CLASS_OBJECT: Final = 0xFFFFFFFF
"""The Mode of a RemoteActivation that wants the class object (MS-DCOM 3.1.2.5.2.3.1)."""

_THAT: Final = OrpcThat()


class Activation(NamedTuple):
    """What became of an activation; what is told of it only if the HRESULT is a success.

    Attributes:
        hresult: of the whole.
        exporter: where the object is.
        results: an HRESULT and a reference for each interface that was asked for.
    """

    hresult: int
    exporter: Exporter | None = None
    results: tuple[tuple[int, ObjRef | None], ...] = ()


class Activator:
    """IActivation and IRemoteSCMActivator, three methods of one meaning (3.1.2.5.2.3).

    Args:
        objects: where objects are made.
        exporters: where applications are started.
        port: the resolver's own.
    """

    def __init__(self, objects: ObjectTable, exporters: Exporters, port: int) -> None:
        self._objects = objects
        self._exporters = exporters
        self._port = port

    def interfaces(self) -> tuple[Interface, Interface]:
        """Give what is to be registered."""
        activation = {
            remote_activation.REMOTE_ACTIVATION: Operation(
                "RemoteActivation", self.remote_activation
            )
        }
        scm = {
            scm_activator.REMOTE_GET_CLASS_OBJECT: Operation(
                "RemoteGetClassObject", self.remote_get_class_object
            ),
            scm_activator.REMOTE_CREATE_INSTANCE: Operation(
                "RemoteCreateInstance", self.remote_create_instance
            ),
        }
        return (
            Interface(remote_activation.IACTIVATION, "IActivation", activation, causal=True),
            Interface(scm_activator.ISYSTEM_ACTIVATOR, "IRemoteSCMActivator", scm, causal=True),
        )

    def remote_activation(self, call: Call) -> Answer:
        """Activate as clients before COM 5.6 do, and those who choose to (opnum 0)."""
        asked = remote_activation.RemoteActivationIn.decode(call.stub, call.little)
        iids = CLASS_OBJECT if asked.mode == MODE_GET_CLASS_OBJECT else INSTANCE
        if asked.object_name is not None or asked.storage is not None:
            done = Activation(E_NOTIMPL)  # no object here can be loaded from a file or a storage
        else:
            done = self._activate(call, asked.orpcthis, asked.clsid, asked.iids, iids)
        where = self._where(call, done)
        out = remote_activation.RemoteActivationOut(
            _THAT,
            done.hresult,
            *where,
            done.results or ((done.hresult, None),) * len(asked.iids),
        )
        return _answer(out.encode(), done, asked.clsid)

    def remote_get_class_object(self, call: Call) -> Answer:
        """Give the class object (opnum 3)."""
        asked = scm_activator.RemoteGetClassObjectIn.decode(call.stub, call.little)
        return self._scm(call, asked, CLASS_OBJECT, scm_activator.RemoteGetClassObjectOut)

    def remote_create_instance(self, call: Call) -> Answer:
        """Make an object (opnum 4)."""
        asked = scm_activator.RemoteCreateInstanceIn.decode(call.stub, call.little)
        return self._scm(call, asked, INSTANCE, scm_activator.RemoteCreateInstanceOut)

    def _scm(
        self,
        call: Call,
        asked: scm_activator.RemoteGetClassObjectIn,
        offered: frozenset[bytes],
        out: type[scm_activator.RemoteGetClassObjectOut],
    ) -> Answer:
        done = self._activate(call, asked.orpcthis, asked.clsid, asked.iids, offered)
        told = out(
            _THAT,
            done.hresult,
            *self._where(call, done),
            asked.iids if done.results else (),
            done.results,
        )
        return _answer(told.encode(), done, asked.clsid)

    def _activate(
        self,
        call: Call,
        orpcthis: OrpcThis,
        clsid: bytes,
        iids: tuple[bytes, ...],
        offered: frozenset[bytes],
    ) -> Activation:
        if not is_compatible(orpcthis.version):
            return Activation(RPC_E_VERSION_MISMATCH)
        if not self._exporters.is_registered(clsid):
            return Activation(REGDB_E_CLASSNOTREG)
        if not iids:
            return Activation(E_INVALIDARG)
        if offered.isdisjoint(iids):
            return Activation(E_NOINTERFACE)
        exporter = self._exporters.start(clsid)
        if exporter is None:
            return Activation(CO_E_SERVER_EXEC_FAILURE)
        made = self._objects.make(exporter.oxid, clsid, offered, clock.now())
        if made is None:
            return Activation(E_OUTOFMEMORY)
        resolver = bindings(call.caller.local_host, self._port)
        results = tuple(self._refer(made, iid, resolver) for iid in iids)
        whole = all(reference is not None for _, reference in results)
        return Activation(S_OK if whole else CO_S_NOTALLINTERFACES, exporter, results)

    def _refer(
        self, made: Object, iid: bytes, resolver: DualStringArray
    ) -> tuple[int, ObjRef | None]:
        reference = marshalled(self._objects, made, iid, resolver)
        return (E_NOINTERFACE, None) if reference is None else (S_OK, reference)

    def _where(
        self, call: Call, done: Activation
    ) -> tuple[int, DualStringArray | None, bytes, int]:
        """Give OXID, bindings, the IPID of IRemUnknown and the authentication hint."""
        exporter = done.exporter
        if exporter is None:
            return 0, None, NULL_GUID, 0
        where = bindings(call.caller.local_host, exporter.port)
        return exporter.oxid, where, exporter.ipid_rem_unknown, AUTHN_HINT


def _answer(stub: bytes, done: Activation, clsid: bytes) -> Answer:
    return Answer(stub, done.hresult, guid_text(clsid) if succeeded(done.hresult) else None)
