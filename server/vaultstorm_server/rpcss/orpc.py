"""What comes before the method of every ORPC call (MS-DCOM 3.1.1.5.4), and of an activation."""

from vaultstorm_server import clock
from vaultstorm_server.rpcss.interfaces import Call, Faulted
from vaultstorm_server.rpcss.objects import Interface, ObjectTable
from vaultstorm_wire.dcerpc.hresult import (
    RPC_E_DISCONNECTED,
    RPC_E_INVALID_HEADER,
    RPC_E_INVALID_IPID,
    RPC_E_VERSION_MISMATCH,
)
from vaultstorm_wire.dcerpc.orpc import COMVERSION, ComVersion, OrpcThis


def is_compatible(version: ComVersion) -> bool:
    """Tell whether a client may speak its version of COM with us (MS-DCOM 1.7)."""
    return version.major == COMVERSION.major and version.minor <= COMVERSION.minor


def check(orpcthis: OrpcThis) -> None:
    """See that an ORPC call's header is one that we understand.

    Raises:
        Faulted: its version is not ours, or it has flags.
    """
    if not is_compatible(orpcthis.version):
        raise Faulted(RPC_E_VERSION_MISMATCH)
    if orpcthis.flags:
        raise Faulted(RPC_E_INVALID_HEADER)


def target(objects: ObjectTable, oxid: int, call: Call, iid: bytes) -> Interface:
    """Give the interface that an ORPC call is made on, and note that its object is used.

    Raises:
        Faulted: the call has no IPID, it is not (or no more) one of this exporter, or it is one of
            another interface than the one that was bound.
    """
    found = objects.find(call.object) if call.object is not None else None
    if found is None or found.object.oxid != oxid:
        raise Faulted(RPC_E_DISCONNECTED)
    if found.iid != iid:
        raise Faulted(RPC_E_INVALID_IPID)
    found.object.used = clock.now()
    return found
