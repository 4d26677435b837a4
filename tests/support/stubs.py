"""One of every stub that the DCOM interfaces have, and what every decoder must stand."""

from collections.abc import Callable
from typing import Any, Final, Protocol
from uuid import UUID

import pytest

from vaultstorm_wire.dcerpc import (
    demonstration,
    epm,
    mgmt,
    object_exporter,
    rem_unknown,
    remote_activation,
    scm_activator,
)
from vaultstorm_wire.dcerpc.hresult import CO_S_NOTALLINTERFACES, E_NOINTERFACE
from vaultstorm_wire.dcerpc.ndr import NdrError
from vaultstorm_wire.dcerpc.objref import (
    SORF_NOPING,
    TOWER_TCP,
    DualStringArray,
    ObjRef,
    SecurityBinding,
    StdObjRef,
    StringBinding,
)
from vaultstorm_wire.dcerpc.orpc import COMVERSION, ComVersion, OrpcThat, OrpcThis
from vaultstorm_wire.dcerpc.syntax import NDR
from vaultstorm_wire.dcerpc.tower import Tower


class Stub(Protocol):
    """What all In and Out types have."""

    def encode(self) -> bytes:
        """Give the stub."""

    @classmethod
    def decode(cls, stub: bytes, little: bool = True) -> Any:
        """Read a stub."""


CID: Final = UUID("00000000-0000-002a-0000-000700000003").bytes_le
CLSID: Final = demonstration.CLSID_DEMONSTRATION
IID: Final = demonstration.IID_DEMONSTRATION
IUNKNOWN: Final = rem_unknown.IID_IUNKNOWN
IPID: Final = UUID("00001c01-0a2c-0000-5f1e-9b04c2f3d7a6").bytes_le
OXID: Final = 0x8877665544332211
OID: Final = 0x0123456789ABCDEF
HANDLE: Final = bytes(4) + UUID("7f3a7a1e-52a4-4b11-8d57-14f0a9e6b1c2").bytes_le

THIS: Final = OrpcThis(COMVERSION, 0, CID)
THAT: Final = OrpcThat()
EXPORTER: Final = DualStringArray(
    (StringBinding(TOWER_TCP, "127.0.0.1[5000]"), StringBinding(TOWER_TCP, "würzburg[5000]")),
    (SecurityBinding(10, 0xFFFF, "NT AUTHORITY\\SYSTEM"), SecurityBinding(16)),
)
RESOLVER: Final = DualStringArray((StringBinding(TOWER_TCP, "127.0.0.1"),))
STD: Final = StdObjRef(SORF_NOPING, 5, OXID, OID, IPID)
REFERENCE: Final = ObjRef(IID, STD, RESOLVER)
RESULTS: Final = ((0, REFERENCE), (E_NOINTERFACE, None), (0, ObjRef(IUNKNOWN, STD, EXPORTER)))
IIDS: Final = (IID, bytes(range(16)), IUNKNOWN)
TOWER: Final = Tower.tcp(demonstration.IDEMONSTRATION, 5000, "127.0.0.1")
_DISPATCHED: Final = (OXID, EXPORTER, IPID, 1, IIDS, RESULTS, ComVersion(5, 6))

_SAMPLES: Final[tuple[Stub, ...]] = (
    demonstration.WorkIn(THIS),
    demonstration.WorkOut(THAT, 7, 0),
    scm_activator.RemoteGetClassObjectIn(THIS, CLSID, IIDS, (TOWER_TCP, 8), 4, ComVersion(5, 6)),
    scm_activator.RemoteGetClassObjectOut(THAT, CO_S_NOTALLINTERFACES, *_DISPATCHED),
    scm_activator.RemoteCreateInstanceIn(THIS, CLSID, IIDS, (TOWER_TCP, 8), 4, ComVersion(5, 6)),
    scm_activator.RemoteCreateInstanceOut(THAT, CO_S_NOTALLINTERFACES, *_DISPATCHED),
    remote_activation.RemoteActivationIn(
        THIS, CLSID, IIDS, (TOWER_TCP, 8), "C:\\ä.doc", 3, 2, REFERENCE.encode()
    ),
    remote_activation.RemoteActivationOut(
        THAT, CO_S_NOTALLINTERFACES, OXID, EXPORTER, IPID, 1, RESULTS, ComVersion(5, 6), 0
    ),
    object_exporter.ResolveOxidIn(OXID, (TOWER_TCP, 8, 9)),
    object_exporter.ResolveOxidOut(EXPORTER, IPID, 1, 0),
    object_exporter.SimplePingIn(OID),
    object_exporter.SimplePingOut(1912),
    object_exporter.ComplexPingIn(OID, 3, (OID, 1), (OXID,)),
    object_exporter.ComplexPingOut(OID, 2, 1911),
    object_exporter.ServerAliveIn(),
    object_exporter.ServerAliveOut(5),
    object_exporter.ResolveOxid2In(OXID, (TOWER_TCP,)),
    object_exporter.ResolveOxid2Out(EXPORTER, IPID, 1, COMVERSION, 0),
    object_exporter.ServerAlive2In(),
    object_exporter.ServerAlive2Out(COMVERSION, RESOLVER, 0),
    rem_unknown.RemQueryInterfaceIn(THIS, IPID, 5, IIDS),
    rem_unknown.RemQueryInterfaceOut(
        THAT, (rem_unknown.RemQiResult(0, STD), rem_unknown.RemQiResult(1, STD)), 0
    ),
    rem_unknown.RemAddRefIn(THIS, (rem_unknown.RemInterfaceRef(IPID, 5, 1),) * 3),
    rem_unknown.RemAddRefOut(THAT, (0, 1, 2), 0),
    rem_unknown.RemReleaseIn(THIS, (rem_unknown.RemInterfaceRef(IPID, 5, 1),)),
    rem_unknown.RemReleaseOut(THAT, 0),
    rem_unknown.RemQueryInterface2In(THIS, IPID, IIDS),
    rem_unknown.RemQueryInterface2Out(THAT, RESULTS, 1),
    epm.EptLookupIn(3, IPID, demonstration.IDEMONSTRATION, 1, HANDLE, 500),
    epm.EptLookupOut(
        HANDLE,
        (epm.Entry(IPID, TOWER, "DCOM"), epm.Entry(IPID, None), epm.Entry(IID, TOWER, "x")),
        0,
        500,
    ),
    epm.EptMapIn(IPID, TOWER, HANDLE, 4),
    epm.EptMapOut(HANDLE, (TOWER, Tower.tcp(NDR, 135, "10.0.0.1")), 0, 4),
    epm.EptLookupHandleFreeIn(HANDLE),
    epm.EptLookupHandleFreeOut(epm.NULL_HANDLE, 0),
    mgmt.InqIfIdsIn(),
    mgmt.InqIfIdsOut((mgmt.MGMT, epm.EPM, NDR), 0),
    mgmt.InqStatsIn(4),
    mgmt.InqStatsOut((1, 2, 3, 4), 0),
    mgmt.IsServerListeningIn(),
    mgmt.IsServerListeningOut(0, True),
    mgmt.StopServerListeningIn(),
    mgmt.StopServerListeningOut(5),
    mgmt.InqPrincNameIn(10, 256),
    mgmt.InqPrincNameOut("NT AUTHORITY\\SYSTEM", 0, 256),
)

SAMPLES: Final[dict[str, Stub]] = {type(sample).__name__: sample for sample in _SAMPLES}
"""Every In and Out type by its name, with something in every field."""


def refuses_every_cut(decode: Callable[[bytes], object], data: bytes) -> None:
    """Assert that `decode` takes the whole of `data`, and NdrError for any beginning of it."""
    decode(data)
    for length in range(len(data)):
        with pytest.raises(NdrError):
            decode(data[:length])
