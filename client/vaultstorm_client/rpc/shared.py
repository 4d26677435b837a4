"""What all ``rpc://`` clients of a process share: what they ask for, and whom."""

from typing import Final

from vaultstorm_client.plan import Plan
from vaultstorm_client.rpc.counts import ACTIVATION, CALL
from vaultstorm_client.rpc.exporters import Exporters, Where
from vaultstorm_client.target import Target
from vaultstorm_wire.dcerpc.demonstration import (
    CLSID_DEMONSTRATION,
    IDEMONSTRATION,
    IID_DEMONSTRATION,
    WORK,
    WorkIn,
)
from vaultstorm_wire.dcerpc.events import Bind, Context, Request
from vaultstorm_wire.dcerpc.orpc import COMVERSION, OrpcThis
from vaultstorm_wire.dcerpc.scm_activator import (
    ISYSTEM_ACTIVATOR,
    REMOTE_CREATE_INSTANCE,
    RemoteCreateInstanceIn,
)
from vaultstorm_wire.dcerpc.syntax import NDR, NIL, Syntax, guid_of

STUB_MAX: Final = 1 << 20
"""Of an answer: what is asked for takes less than a thousand bytes."""

_CID: Final = slice(12, 28)
"""Where ORPCTHIS, which every request begins with, has the causality id (MS-DCOM 2.2.13.3)."""


class Shared:
    """The requests of a burst, all alike but for their ids and their objects.

    Attributes:
        resolver: where activations go.
    """

    def __init__(self, plan: Plan, target: Target) -> None:
        self.calls = plan.calls
        self.seed = plan.seed
        self.resolver = Where(target.address, str(target.address))
        self.exporters = Exporters(target)
        this = OrpcThis(COMVERSION, 0, NIL)
        clsid = CLSID_DEMONSTRATION if plan.clsid is None else guid_of(plan.clsid)
        create = RemoteCreateInstanceIn(this, clsid, (IID_DEMONSTRATION,)).encode()
        work = WorkIn(this).encode()
        self._create = create[: _CID.start], create[_CID.stop :]
        self._work = work[: _CID.start], work[_CID.stop :]
        self._binds = {
            ACTIVATION: _bind(ISYSTEM_ACTIVATOR),
            CALL: _bind(IDEMONSTRATION),
        }

    def bind(self, operation: str) -> Bind:
        """Give what begins a connection for an operation."""
        return self._binds[operation]

    def activation(self, call_id: int, cid: bytes) -> Request:
        """Give the request that makes an object."""
        before, after = self._create
        return Request(call_id, 0, REMOTE_CREATE_INSTANCE, before + cid + after)

    def call(self, call_id: int, cid: bytes, ipid: bytes) -> Request:
        """Give the request that has an object work."""
        before, after = self._work
        return Request(call_id, 0, WORK, before + cid + after, ipid)


def _bind(interface: Syntax) -> Bind:
    return Bind(1, (Context(0, interface, (NDR,)),))
